// Backward of deform-vertices.wgsl, with g = ∂loss/∂posed vertex:
//   ∂loss/∂blended = (Σ_j w_j R_j)ᵀ · g. It is also ∂loss/∂Δvertex, and times c_k it is ∂loss/∂D_k of the vertex's entries
// and with `withSums`, for the pose, the first half of the sums over all vertices:
//   ∂loss/∂[R_j | o_j] = Σ_v w_vj · g_v·[blended_vᵀ, 1]
//   ∂loss/∂c_k = Σ D_k · ∂loss/∂blended
// Walks blocks of vertices: blend-blocks.wgsl. Each lane adds up its own vertices in order, into rows of its own; the
// pose's backward adds the rows.

override coefficientCount: u32;
override withSums: bool;

@group(0) @binding(0) var<storage, read> frameState: array<vec4f>; // layout.ts
@group(0) @binding(1) var<storage, read> blockTable: array<u32>; // blend-blocks.wgsl, skin-blocks.wgsl
@group(0) @binding(2) var<storage, read> displacements: array<mat3x4f>; // records, metres per unit coefficient
@group(0) @binding(3) var<storage, read> skinningWeights: array<vec4f>; // records
@group(0) @binding(4) var<storage, read> posedGradient: array<vec4f>; // V
@group(0) @binding(5) var<storage, read> blendedVertices: array<vec4f>; // V, metres
@group(0) @binding(6) var<storage, read_write> blendedGradient: array<vec4f>; // V
@group(0) @binding(7) var<storage, read_write> transformSums: array<vec4f>; // lanes × J × 3 rows
@group(0) @binding(8) var<storage, read_write> coefficientSums: array<f32>; // walkers × C × 8 lanes

// First places of an invocation's rows of sums.
struct Rows {
  transforms: u32,
  coefficients: u32,
}

@compute @workgroup_size(groupWidth)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let lane = id.x % BLOCK_LANES;
  let rows = Rows(id.x * jointCount * 3u, (id.x / BLOCK_LANES) * coefficientCount * BLOCK_LANES + lane);
  if (withSums) {
    for (var row = 0u; row < jointCount * 3u; row++) {
      transformSums[rows.transforms + row] = vec4f();
    }
    for (var k = 0u; k < coefficientCount; k++) {
      coefficientSums[rows.coefficients + k * BLOCK_LANES] = 0.0;
    }
  }
  let blocks = blocksOf(id.x);
  for (var block = blocks.x; block < blocks.y; block++) {
    walkBlock(block, lane, rows);
  }
}

fn walkBlock(block: u32, lane: u32, rows: Rows) {
  let vertices = verticesOf(block, lane);
  let gradients = toRestFrame(block, lane, vertices, rows);
  for (var turn = 0u; turn < BLOCK_TURNS; turn++) {
    if (placeOf(block, lane, turn) < vertexCount) {
      blendedGradient[vertices[turn]] = vec4f(transpose(gradients)[turn], 0.0);
    }
  }
  if (withSums) {
    let items = itemsOf(block);
    for (var item = items.x; item < items.y; item++) {
      let moved = displacements[recordsOf(item, lane)];
      let products = moved[0] * gradients[0] + moved[1] * gradients[1] + moved[2] * gradients[2];
      let sum = products.x + products.y + products.z + products.w;
      coefficientSums[rows.coefficients + coefficientOf(item) * BLOCK_LANES] += sum;
    }
  }
}

// Turns the vertices' gradients into the rest frame; adds them to the sums of the joints' transforms.
fn toRestFrame(block: u32, lane: u32, vertices: vec4u, rows: Rows) -> mat3x4f {
  let gradients = byAxis(
    posedGradient[vertices.x].xyz,
    posedGradient[vertices.y].xyz,
    posedGradient[vertices.z].xyz,
    posedGradient[vertices.w].xyz,
  );
  let points = byAxis(
    blendedVertices[vertices.x].xyz,
    blendedVertices[vertices.y].xyz,
    blendedVertices[vertices.z].xyz,
    blendedVertices[vertices.w].xyz,
  );
  var turned = mat3x4f();
  let joints = jointsOf(block);
  for (var item = joints.x; item < joints.y; item++) {
    let weights = skinningWeights[recordsOf(item, lane)];
    let joint = jointOf(item);
    for (var row = 0u; row < 3u; row++) {
      let weighted = weights * gradients[row];
      let transform = transformRow(joint, row);
      turned += mat3x4f(transform.x * weighted, transform.y * weighted, transform.z * weighted);
      if (withSums) {
        transformSums[rows.transforms + joint * 3u + row] += vec4f(weighted * points, dot(weighted, vec4f(1.0)));
      }
    }
  }
  return turned;
}
