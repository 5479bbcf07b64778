// FATE eq 5: blend in the rest frame, then linear blend skinning.
//   blended    = identity + Δvertex + Σ c_k·D_k,  D = B + Δ the model's displacements with the learned deltas
//   posed      = Σ_j w_j (R_j·blended + o_j)
//   difference = Δvertex + Σ c_k·(D_k − B_k)      what the deltas add; on request, for the regularisers
// Walks blocks of vertices: blend-blocks.wgsl. Skipping coefficients that are 0 gains nothing: refined tracks have none.

override withDifference: bool;

@group(0) @binding(0) var<storage, read> frameState: array<vec4f>; // layout.ts
@group(0) @binding(1) var<storage, read> identityVertices: array<vec4f>; // V, metres
@group(0) @binding(2) var<storage, read> vertexOffset: array<vec4f>; // V, metres: Δvertex
@group(0) @binding(3) var<storage, read> blockTable: array<u32>; // blend-blocks.wgsl, skin-blocks.wgsl
@group(0) @binding(4) var<storage, read> displacements: array<mat3x4f>; // records, metres per unit coefficient: D
@group(0) @binding(5) var<storage, read> modelDisplacements: array<mat3x4f>; // records: B
@group(0) @binding(6) var<storage, read> skinningWeights: array<vec4f>; // records
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
  let vertices = verticesOf(block, lane);
  var differences = byAxis(
    vertexOffset[vertices.x].xyz,
    vertexOffset[vertices.y].xyz,
    vertexOffset[vertices.z].xyz,
    vertexOffset[vertices.w].xyz,
  );
  var blended = differences + byAxis(
    identityVertices[vertices.x].xyz,
    identityVertices[vertices.y].xyz,
    identityVertices[vertices.z].xyz,
    identityVertices[vertices.w].xyz,
  );
  let items = itemsOf(block);
  for (var item = items.x; item < items.y; item++) {
    let coefficient = coefficientValue(coefficientOf(item));
    let moved = displacements[recordsOf(item, lane)];
    blended += coefficient * moved;
    if (withDifference) {
      differences += coefficient * (moved - modelDisplacements[recordsOf(item, lane)]);
    }
  }
  let posed = transpose(pose(block, lane, blended));
  for (var turn = 0u; turn < BLOCK_TURNS; turn++) {
    if (placeOf(block, lane, turn) < vertexCount) {
      posedVertices[vertices[turn]] = vec4f(posed[turn], 0.0);
      blendedVertices[vertices[turn]] = vec4f(transpose(blended)[turn], 0.0);
      if (withDifference) {
        vertexDifference[vertices[turn]] = vec4f(transpose(differences)[turn], 0.0);
      }
    }
  }
}

fn pose(block: u32, lane: u32, points: mat3x4f) -> mat3x4f {
  var posed = mat3x4f();
  let joints = jointsOf(block);
  for (var item = joints.x; item < joints.y; item++) {
    let weights = skinningWeights[recordsOf(item, lane)];
    for (var row = 0u; row < 3u; row++) {
      let transform = transformRow(jointOf(item), row);
      posed[row] += weights * (points * transform.xyz + transform.w);
    }
  }
  return posed;
}
