// ∂loss/∂c_k = Σ over k's entries of D_k·∂loss/∂blended vertex: first half of the sum. An invocation walks one range of
// vertices in order and adds to its own row; the pose's backward adds the rows. (Walking by coefficient instead needs no
// rows, but jumps through memory: twice the time on lavapipe.)

override vertexCount: u32;
override coefficientCount: u32;
override partCount: u32;

@group(0) @binding(0) var<storage, read> support: array<u32>; // V+1 starts, then M coefficient indices
@group(0) @binding(1) var<storage, read> displacements: array<f32>; // M×3, metres per unit coefficient
@group(0) @binding(2) var<storage, read> blendedGradient: array<vec4f>; // V
@group(0) @binding(3) var<storage, read_write> coefficientSums: array<f32>; // parts × C

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let part = id.x;
  if (part >= partCount) {
    return;
  }
  let row = part * coefficientCount;
  for (var k = 0u; k < coefficientCount; k++) {
    coefficientSums[row + k] = 0.0;
  }
  let length = (vertexCount + partCount - 1u) / partCount;
  let last = min((part + 1u) * length, vertexCount);
  for (var vertex = part * length; vertex < last; vertex++) {
    let gradient = blendedGradient[vertex].xyz;
    let end = support[vertex + 1u];
    for (var entry = support[vertex]; entry < end; entry++) {
      let at = entry * 3u;
      let moved = vec3f(displacements[at], displacements[at + 1u], displacements[at + 2u]);
      coefficientSums[row + support[vertexCount + 1u + entry]] += dot(moved, gradient);
    }
  }
}
