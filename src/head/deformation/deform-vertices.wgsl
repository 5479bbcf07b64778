// FATE eq 5: blend in the rest frame, then linear blend skinning.
//   blended    = identity + Δvertex + Σ c_k·D_k,  D = B + Δ the model's displacements with the learned deltas
//   posed      = Σ_j w_j (R_j·blended + o_j)
//   difference = Δvertex + Σ c_k·(D_k − B_k)      what the deltas add; on request, for the regularisers
// One invocation per vertex, looping over its entries. Skipping those with c_k = 0 is slower on lavapipe by half: masks
// cost it more than the loads that they save.

override vertexCount: u32;
override jointCount: u32;
override withDifference: bool;

@group(0) @binding(0) var<storage, read> frameState: array<f32>; // layout.ts
@group(0) @binding(1) var<storage, read> identityVertices: array<vec4f>; // V, metres
@group(0) @binding(2) var<storage, read> vertexOffset: array<vec4f>; // V, metres: Δvertex
@group(0) @binding(3) var<storage, read> support: array<u32>; // V+1 starts, then M coefficient indices
@group(0) @binding(4) var<storage, read> displacements: array<f32>; // M×3, metres per unit coefficient: D
@group(0) @binding(5) var<storage, read> modelDisplacements: array<f32>; // M×3: B
@group(0) @binding(6) var<storage, read> skinningWeights: array<f32>; // V×J
@group(0) @binding(7) var<storage, read_write> posedVertices: array<vec4f>; // V, metres, world
@group(0) @binding(8) var<storage, read_write> blendedVertices: array<vec4f>; // V, metres, rest frame
@group(0) @binding(9) var<storage, read_write> vertexDifference: array<vec4f>; // V, metres, rest frame

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let vertex = id.x;
  if (vertex >= vertexCount) {
    return;
  }
  var difference = vertexOffset[vertex].xyz;
  var blended = identityVertices[vertex].xyz + difference;
  let end = support[vertex + 1u];
  for (var entry = support[vertex]; entry < end; entry++) {
    let coefficient = frameState[jointCount * TRANSFORM_FLOATS + support[vertexCount + 1u + entry]];
    let at = entry * 3u;
    let moved = vec3f(displacements[at], displacements[at + 1u], displacements[at + 2u]);
    blended += coefficient * moved;
    if (withDifference) {
      let model = vec3f(modelDisplacements[at], modelDisplacements[at + 1u], modelDisplacements[at + 2u]);
      difference += coefficient * (moved - model);
    }
  }
  let rows = blendTransforms(vertex);
  let point = vec4f(blended, 1.0);
  posedVertices[vertex] = vec4f(dot(rows[0], point), dot(rows[1], point), dot(rows[2], point), 0.0);
  blendedVertices[vertex] = vec4f(blended, 0.0);
  if (withDifference) {
    vertexDifference[vertex] = vec4f(difference, 0.0);
  }
}
