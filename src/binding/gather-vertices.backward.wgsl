// ∂loss/∂ posed vertex = sum over the Gaussian corners that lie on it, in the order of the Gaussians: a gather by the
// index of `rebuildIndex`, so no atomics and one order of summation. Overwrites. An invocation takes vertices as far apart
// as there are invocations: most corners of ICT-FaceKit lie on the first half of its vertices, and a software driver gives
// each core one stretch of the workgroups.

override vertexCount: u32;

@group(0) @binding(0) var<storage, read> cornerStarts: array<u32>; // V+1
@group(0) @binding(1) var<storage, read> corners: array<u32>; // by vertex: places in `placementGradient`
@group(0) @binding(2) var<storage, read> placementGradient: array<vec4f>; // per Gaussian, its corners first
@group(0) @binding(3) var<storage, read_write> posedGradient: array<vec4f>; // V

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var vertex = id.x; vertex < vertexCount; vertex += groups.x * 64u) {
    gather(vertex);
  }
}

fn gather(vertex: u32) {
  var sum = vec3f();
  let end = cornerStarts[vertex + 1u];
  for (var i = cornerStarts[vertex]; i < end; i++) {
    sum += placementGradient[corners[i]].xyz;
  }
  posedGradient[vertex] = vec4f(sum, 0.0);
}
