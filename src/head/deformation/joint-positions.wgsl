// Rest position of joint j = Σ_v regressor[j, v] · identity vertex v. One invocation per joint; rows are sparse.

override jointCount: u32;

@group(0) @binding(0) var<storage, read> regressorStarts: array<u32>; // J+1
@group(0) @binding(1) var<storage, read> regressorVertices: array<u32>;
@group(0) @binding(2) var<storage, read> regressorWeights: array<f32>;
@group(0) @binding(3) var<storage, read> identityVertices: array<vec4f>; // V, metres
@group(0) @binding(4) var<storage, read_write> jointPositions: array<vec4f>; // J, metres

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= jointCount) {
    return;
  }
  var sum = vec4f();
  for (var i = regressorStarts[id.x]; i < regressorStarts[id.x + 1u]; i++) {
    sum += regressorWeights[i] * identityVertices[regressorVertices[i]];
  }
  jointPositions[id.x] = sum;
}
