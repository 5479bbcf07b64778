// FATE eq 5: blend in the rest frame, then linear blend skinning.
//   blended    = identity + Δvertex + Σ c_k·D_k,  D = B + Δ the model's displacements with the learned deltas
//   posed      = Σ_j w_j (R_j·blended + o_j)
//   difference = Δvertex + Σ c_k·(D_k − B_k)      what the deltas add; on request, for the regularisers
// Walks blocks of vertices: blend-blocks.wgsl. Skipping coefficients that are 0 gains nothing: refined tracks have none.

override jointCount: u32;
override withDifference: bool;

@group(0) @binding(0) var<storage, read> frameState: array<f32>; // layout.ts
@group(0) @binding(1) var<storage, read> identityVertices: array<vec4f>; // V, metres
@group(0) @binding(2) var<storage, read> vertexOffset: array<vec4f>; // V, metres: Δvertex
@group(0) @binding(3) var<storage, read> blockTable: array<u32>; // blend-blocks.wgsl
@group(0) @binding(4) var<storage, read> displacements: array<f32>; // records × 3, metres per unit coefficient: D
@group(0) @binding(5) var<storage, read> modelDisplacements: array<f32>; // records × 3: B
@group(0) @binding(6) var<storage, read> skinningWeights: array<f32>; // V×J
@group(0) @binding(7) var<storage, read_write> posedVertices: array<vec4f>; // V, metres, world
@group(0) @binding(8) var<storage, read_write> blendedVertices: array<vec4f>; // V, metres, rest frame
@group(0) @binding(9) var<storage, read_write> vertexDifference: array<vec4f>; // V, metres, rest frame

@compute @workgroup_size(groupWidth)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let blocks = blocksOf(id.x);
  for (var block = blocks.x; block < blocks.y; block++) {
    deformBlock(block, id.x % BLOCK_LANES);
  }
}

fn deformBlock(block: u32, lane: u32) {
  var vertices: array<u32, BLOCK_TURNS>;
  var blended: array<vec3f, BLOCK_TURNS>;
  var differences: array<vec3f, BLOCK_TURNS>;
  for (var turn = 0u; turn < BLOCK_TURNS; turn++) {
    vertices[turn] = vertexAt(placeOf(block, lane, turn));
    differences[turn] = vertexOffset[vertices[turn]].xyz;
    blended[turn] = identityVertices[vertices[turn]].xyz + differences[turn];
  }
  let items = itemsOf(block);
  for (var item = items.x; item < items.y; item++) {
    let coefficient = frameState[jointCount * TRANSFORM_FLOATS + coefficientOf(item)];
    for (var turn = 0u; turn < BLOCK_TURNS; turn++) {
      let at = 3u * placeOf(item, lane, turn);
      let moved = vec3f(displacements[at], displacements[at + 1u], displacements[at + 2u]);
      blended[turn] += coefficient * moved;
      if (withDifference) {
        let model = vec3f(modelDisplacements[at], modelDisplacements[at + 1u], modelDisplacements[at + 2u]);
        differences[turn] += coefficient * (moved - model);
      }
    }
  }
  for (var turn = 0u; turn < BLOCK_TURNS; turn++) {
    if (placeOf(block, lane, turn) < vertexCount) {
      let vertex = vertices[turn];
      let rows = blendTransforms(vertex);
      let point = vec4f(blended[turn], 1.0);
      let posed = vec3f(dot(rows[0], point), dot(rows[1], point), dot(rows[2], point));
      for (var axis = 0u; axis < 3u; axis++) {
        // One by one: w stays 0, and a store costs a software driver more than three loads.
        posedVertices[vertex][axis] = posed[axis];
        blendedVertices[vertex][axis] = blended[turn][axis];
      }
      if (withDifference) {
        vertexDifference[vertex] = vec4f(differences[turn], 0.0);
      }
    }
  }
}
