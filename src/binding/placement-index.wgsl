// What placement keeps per set of Gaussians: anchors, and a (vertex, place in `placementGradient`) pair of every corner
// for a stable sort by vertex. Runs when the set changes, one invocation per Gaussian of the capacity.

override gradientRecords: u32; // vec4 per Gaussian of `placementGradient`, the corners' first

@group(0) @binding(0) var<storage, read> count: array<u32>;
@group(0) @binding(1) var<storage, read> triangleIndices: array<u32>; // N
@group(0) @binding(2) var<storage, read> barycentrics: array<f32>; // N×3
@group(0) @binding(3) var<storage, read> triangles: array<vec4u>; // T
@group(0) @binding(4) var<storage, read_write> anchors: array<vec4u>; // N
@group(0) @binding(5) var<storage, read_write> keys: array<u32>; // 3N
@group(0) @binding(6) var<storage, read_write> values: array<u32>; // 3N
@group(0) @binding(7) var<storage, read_write> control: array<u32>; // cornerCount; at 4: indirect workgroup counts

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i == 0u) {
    control[0] = count[0] * 3u;
    control[4] = (count[0] + 63u) / 64u;
    control[5] = 1u;
    control[6] = 1u;
  }
  if (i >= count[0]) {
    return;
  }
  let triangle = triangleIndices[i];
  let weights = vec3f(barycentrics[i * 3u], barycentrics[i * 3u + 1u], barycentrics[i * 3u + 2u]);
  anchors[i] = vec4u(triangle, bitcast<vec3u>(weights));
  for (var corner = 0u; corner < 3u; corner++) {
    keys[i * 3u + corner] = triangles[triangle][corner];
    values[i * 3u + corner] = i * gradientRecords + corner;
  }
}
