// The gradient of the deltas and their Adam update in one kernel, so that it never has to be stored:
//   ∂loss/∂D_k(v) = Σ_f c_k(f)·g_v(f) over the frames of the batch, g = ∂loss/∂blended vertex
// `updateDisplacements`: entries of the blend support; `updateVertexOffset`: vertices (c = 1). Adam as in fitting/adam.wgsl.
//
// `updateDisplacements` walks blocks of vertices (blend-blocks.wgsl): a vertex's gradients are loaded once for all of its
// entries, a frame's coefficient once for four. Records with rate 0 (fillers, expressions that the clip never uses) are
// left alone. `updateVertexOffset`: an invocation takes `verticesPerInvocation` vertices one workgroup width apart.

override verticesPerInvocation = 4u;
override coefficientBase: u32; // of the first blend coefficient in a frame state
override stateStride: u32; // floats between slots
override gradientStride: u32; // vec4 between slots

struct DeltaAdam {
  frameCount: u32,
  stepSize: f32,
  secondCorrection: f32,
  gradientScale: f32,
  epsilon: f32,
  beta1: f32,
  beta2: f32,
}

@group(0) @binding(0) var<uniform> adam: DeltaAdam;
@group(0) @binding(1) var<storage, read> frameStates: array<f32>;
@group(0) @binding(2) var<storage, read> blendedGradient: array<vec4f>; // slots × V
@group(0) @binding(3) var<storage, read> blockTable: array<u32>; // blend-blocks.wgsl
@group(0) @binding(4) var<storage, read_write> parameters: array<f32>; // records × 3, or V×4
@group(0) @binding(5) var<storage, read_write> moments: array<vec2f>; // (mean, mean square) per parameter
@group(0) @binding(6) var<storage, read> recordRates: array<f32>; // factor on the rate of each record

// 2^60, by the bits: see fitting/adam.wgsl.
const LARGEST_GRADIENT_BITS = 0x5d800000u;

@compute @workgroup_size(groupWidth)
fn updateDisplacements(@builtin(global_invocation_id) id: vec3u) {
  let blocks = blocksOf(id.x);
  for (var block = blocks.x; block < blocks.y; block++) {
    updateBlock(block, id.x % BLOCK_LANES);
  }
}

fn updateBlock(block: u32, lane: u32) {
  var gradients: array<vec3f, SLOT_COUNT * BLOCK_TURNS>;
  for (var turn = 0u; turn < BLOCK_TURNS; turn++) {
    let vertex = vertexAt(placeOf(block, lane, turn));
    for (var slot = 0u; slot < SLOT_COUNT; slot++) {
      let gradient = blendedGradient[slot * gradientStride + vertex].xyz;
      gradients[turn * SLOT_COUNT + slot] = select(vec3f(), gradient, slot < adam.frameCount);
    }
  }
  let items = itemsOf(block);
  for (var item = items.x; item < items.y; item++) {
    let place = coefficientBase + coefficientOf(item);
    var coefficients: array<f32, SLOT_COUNT>;
    for (var slot = 0u; slot < SLOT_COUNT; slot++) {
      coefficients[slot] = frameStates[slot * stateStride + place];
    }
    for (var turn = 0u; turn < BLOCK_TURNS; turn++) {
      let record = placeOf(item, lane, turn);
      let rate = recordRates[record];
      if (rate != 0.0) {
        var gradient = vec3f();
        for (var slot = 0u; slot < SLOT_COUNT; slot++) {
          gradient += coefficients[slot] * gradients[turn * SLOT_COUNT + slot];
        }
        update(record * 3u, gradient * adam.gradientScale, rate);
      }
    }
  }
}

@compute @workgroup_size(groupWidth)
fn updateVertexOffset(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) invocation: u32) {
  for (var turn = 0u; turn < verticesPerInvocation; turn++) {
    let vertex = (group.x * verticesPerInvocation + turn) * groupWidth + invocation;
    if (vertex >= vertexCount) {
      return;
    }
    var gradient = vec3f();
    for (var slot = 0u; slot < adam.frameCount; slot++) {
      gradient += blendedGradient[slot * gradientStride + vertex].xyz;
    }
    update(vertex * 4u, gradient * adam.gradientScale, 1.0);
  }
}

fn update(at: u32, gradient: vec3f, rate: f32) {
  for (var axis = 0u; axis < 3u; axis++) {
    let usable = (bitcast<u32>(gradient[axis]) & 0x7fffffffu) <= LARGEST_GRADIENT_BITS;
    let g = select(0.0, gradient[axis], usable);
    let previous = moments[at + axis];
    let first = adam.beta1 * previous.x + (1.0 - adam.beta1) * g;
    let second = adam.beta2 * previous.y + (1.0 - adam.beta2) * g * g;
    moments[at + axis] = vec2f(first, second);
    parameters[at + axis] -= rate * adam.stepSize * first / (sqrt(second) * adam.secondCorrection + adam.epsilon);
  }
}
