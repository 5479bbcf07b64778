// The gradient of the deltas and their Adam update in one kernel, so that it never has to be stored:
//   ∂loss/∂D_k(v) = Σ_f c_k(f)·g_v(f) over the frames of the batch, g = ∂loss/∂blended vertex
// `updateDisplacements`: entries of the blend support; `updateVertexOffset`: vertices (c = 1). Adam as in fitting/adam.wgsl.
//
// Thread mapping: an invocation takes `entriesPerInvocation` records one workgroup width apart, so that neighbours
// touch neighbouring words. Records are vec3: three floats of `displacements`, or x, y, z of a V×4 vertex field.

override groupWidth = 64u;
override entriesPerInvocation = 4u;
override entryCount: u32;
override vertexCount: u32;
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
@group(0) @binding(3) var<storage, read> entries: array<vec2u>; // M: coefficient, vertex
@group(0) @binding(4) var<storage, read_write> parameters: array<f32>; // M×3, or V×4
@group(0) @binding(5) var<storage, read_write> moments: array<vec2f>; // (mean, mean square) per parameter
@group(0) @binding(6) var<storage, read> entryRates: array<f32>; // M: factor on the rate of each entry

// 2^60, by the bits: see fitting/adam.wgsl.
const LARGEST_GRADIENT_BITS = 0x5d800000u;

@compute @workgroup_size(groupWidth)
fn updateDisplacements(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) invocation: u32) {
  for (var turn = 0u; turn < entriesPerInvocation; turn++) {
    let entry = (group.x * entriesPerInvocation + turn) * groupWidth + invocation;
    if (entry >= entryCount) {
      return;
    }
    let coefficient = coefficientBase + entries[entry].x;
    let vertex = entries[entry].y;
    var gradient = vec3f();
    for (var slot = 0u; slot < adam.frameCount; slot++) {
      gradient += frameStates[slot * stateStride + coefficient] * blendedGradient[slot * gradientStride + vertex].xyz;
    }
    update(entry * 3u, gradient * adam.gradientScale, entryRates[entry]);
  }
}

@compute @workgroup_size(groupWidth)
fn updateVertexOffset(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) invocation: u32) {
  for (var turn = 0u; turn < entriesPerInvocation; turn++) {
    let vertex = (group.x * entriesPerInvocation + turn) * groupWidth + invocation;
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
