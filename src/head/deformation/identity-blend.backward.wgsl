// ∂loss/∂coefficient_i = Σ_v basis_iv · ∂loss/∂identity vertex v + Σ_j ∂loss/∂joint_j · Σ_v regressor_jv·basis_iv.
// First kernel (`sumVertices`): one (coefficient, part of the vertices) per invocation; second (`finish`): one
// coefficient per invocation adds the parts in order and the joints' part.

override vertexCount: u32;
override coefficientCount: u32;
override jointCount: u32;
override partCount: u32;

@group(0) @binding(0) var<storage, read> basis: array<f32>; // I×V×3
@group(0) @binding(1) var<storage, read> vertexGradient: array<vec4f>; // V
@group(0) @binding(2) var<storage, read> regressorStarts: array<u32>; // J+1
@group(0) @binding(3) var<storage, read> regressorVertices: array<u32>;
@group(0) @binding(4) var<storage, read> regressorWeights: array<f32>;
@group(0) @binding(5) var<storage, read> jointPositionGradient: array<vec4f>; // J
@group(0) @binding(6) var<storage, read_write> partials: array<f32>; // I×parts
@group(0) @binding(7) var<storage, read_write> coefficientGradient: array<f32>; // I

fn basisAt(i: u32, vertex: u32) -> vec3f {
  let at = (i * vertexCount + vertex) * 3u;
  return vec3f(basis[at], basis[at + 1u], basis[at + 2u]);
}

@compute @workgroup_size(64)
fn sumVertices(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x / partCount;
  let part = id.x % partCount;
  if (i >= coefficientCount) {
    return;
  }
  let length = (vertexCount + partCount - 1u) / partCount;
  var sum = 0.0;
  for (var vertex = part * length; vertex < min((part + 1u) * length, vertexCount); vertex++) {
    sum += dot(basisAt(i, vertex), vertexGradient[vertex].xyz);
  }
  partials[id.x] = sum;
}

@compute @workgroup_size(64)
fn finish(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= coefficientCount) {
    return;
  }
  var sum = 0.0;
  for (var part = 0u; part < partCount; part++) {
    sum += partials[id.x * partCount + part];
  }
  for (var joint = 0u; joint < jointCount; joint++) {
    var moved = vec3f();
    for (var k = regressorStarts[joint]; k < regressorStarts[joint + 1u]; k++) {
      moved += regressorWeights[k] * basisAt(id.x, regressorVertices[k]);
    }
    sum += dot(moved, jointPositionGradient[joint].xyz);
  }
  coefficientGradient[id.x] = sum;
}
