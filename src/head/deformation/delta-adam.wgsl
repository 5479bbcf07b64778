// The gradient of the deltas and their Adam update in one kernel, so that it never has to be stored:
//   ∂loss/∂D_k(v) = Σ_f c_k(f)·g_v(f) over the frames of the batch, g = ∂loss/∂blended vertex
// `updateDisplacements`: entries of the blend support; `updateVertexOffset`: vertices (c = 1). Adam as in fitting/adam.wgsl.
//
// `updateDisplacements` walks blocks of vertices (blend-blocks.wgsl): a vertex's gradients are loaded once for all of its
// entries, a frame's coefficient once for four. Records with rate 0 (fillers, expressions that the clip never uses) learn
// nothing: their moments stay 0. `updateVertexOffset`: an invocation takes `verticesPerInvocation` vertices one workgroup width apart.

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
@group(0) @binding(4) var<storage, read_write> parameters: array<vec4f>; // 3 per four records, or V
@group(0) @binding(5) var<storage, read_write> moments: array<vec4f>; // mean, mean square per vec4 of parameters
@group(0) @binding(6) var<storage, read> recordRates: array<vec4f>; // factor on the rate of each record

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
  var gradients: array<mat3x4f, SLOT_COUNT>;
  let vertices = verticesOf(block, lane);
  for (var slot = 0u; slot < adam.frameCount; slot++) {
    let first = slot * gradientStride;
    gradients[slot] = byAxis(
      blendedGradient[first + vertices.x].xyz,
      blendedGradient[first + vertices.y].xyz,
      blendedGradient[first + vertices.z].xyz,
      blendedGradient[first + vertices.w].xyz,
    );
  }
  let items = itemsOf(block);
  for (var item = items.x; item < items.y; item++) {
    let place = coefficientBase + coefficientOf(item);
    let records = recordsOf(item, lane);
    let rates = recordRates[records];
    if (any(rates != vec4f())) {
      var gradient = mat3x4f();
      for (var slot = 0u; slot < SLOT_COUNT; slot++) {
        gradient += frameStates[slot * stateStride + place] * gradients[slot];
      }
      for (var axis = 0u; axis < 3u; axis++) {
        let learned = select(vec4f(), gradient[axis] * adam.gradientScale, rates != vec4f());
        update(records * 3u + axis, learned, rates);
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
    var gradient = vec4f();
    for (var slot = 0u; slot < adam.frameCount; slot++) {
      gradient += blendedGradient[slot * gradientStride + vertex]; // w is 0
    }
    update(vertex, gradient * adam.gradientScale, vec4f(1.0));
  }
}

fn update(at: u32, gradient: vec4f, rate: vec4f) {
  let usable = (bitcast<vec4u>(gradient) & vec4u(0x7fffffffu)) <= vec4u(LARGEST_GRADIENT_BITS);
  let g = select(vec4f(), gradient, usable);
  let first = adam.beta1 * moments[2u * at] + (1.0 - adam.beta1) * g;
  let second = adam.beta2 * moments[2u * at + 1u] + (1.0 - adam.beta2) * g * g;
  moments[2u * at] = first;
  moments[2u * at + 1u] = second;
  parameters[at] -= rate * adam.stepSize * first / (sqrt(second) * adam.secondCorrection + adam.epsilon);
}
