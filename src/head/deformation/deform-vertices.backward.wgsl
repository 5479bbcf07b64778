// Backward of deform-vertices.wgsl, with g = ∂loss/∂posed vertex:
//   ∂loss/∂blended = (Σ_j w_j R_j)ᵀ · g. It is also ∂loss/∂Δvertex, and times c_k it is ∂loss/∂D_k of the vertex's entries
// and with `withSums`, for the pose, the first half of the sums over all vertices:
//   ∂loss/∂[R_j | o_j] = Σ_v w_vj · g_v·[blended_vᵀ, 1]
//   ∂loss/∂c_k = Σ D_k · ∂loss/∂blended
// Walks blocks of vertices: blend-blocks.wgsl. Each lane adds up its own vertices in order, into rows of its own; the
// pose's backward adds the rows.

override jointCount: u32;
override coefficientCount: u32;
override withSums: bool;

const MAX_JOINTS = 5u; // JOINT_NAMES

@group(0) @binding(0) var<storage, read> frameState: array<vec4f>; // layout.ts
@group(0) @binding(1) var<storage, read> blockTable: array<u32>; // blend-blocks.wgsl
@group(0) @binding(2) var<storage, read> displacements: array<mat3x4f>; // records, metres per unit coefficient
@group(0) @binding(3) var<storage, read> skinningWeights: array<f32>; // V×J
@group(0) @binding(4) var<storage, read> posedGradient: array<vec4f>; // V
@group(0) @binding(5) var<storage, read> blendedVertices: array<vec4f>; // V, metres
@group(0) @binding(6) var<storage, read_write> blendedGradient: array<vec4f>; // V
@group(0) @binding(7) var<storage, read_write> transformSums: array<vec4f>; // lanes × J × 3 rows
@group(0) @binding(8) var<storage, read_write> coefficientSums: array<f32>; // walkers × C × 8 lanes

var<private> transforms: array<vec4f, MAX_JOINTS * 3u>;

@compute @workgroup_size(groupWidth)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let lane = id.x % BLOCK_LANES;
  let sums = (id.x / BLOCK_LANES) * coefficientCount * BLOCK_LANES + lane;
  let blocks = blocksOf(id.x);
  if (withSums) {
    for (var k = 0u; k < coefficientCount; k++) {
      coefficientSums[sums + k * BLOCK_LANES] = 0.0;
    }
  }
  for (var block = blocks.x; block < blocks.y; block++) {
    walkBlock(block, lane, sums);
  }
  if (withSums) {
    for (var row = 0u; row < jointCount * 3u; row++) {
      transformSums[id.x * jointCount * 3u + row] = transforms[row];
    }
  }
}

fn walkBlock(block: u32, lane: u32, sums: u32) {
  var gradients: mat3x4f;
  for (var turn = 0u; turn < BLOCK_TURNS; turn++) {
    let place = placeOf(block, lane, turn);
    if (place < vertexCount) {
      let vertex = vertexAt(place);
      let gradient = toRestFrame(vertex);
      blendedGradient[vertex] = vec4f(gradient, 0.0);
      for (var axis = 0u; axis < 3u; axis++) {
        gradients[axis][turn] = gradient[axis];
      }
    }
  }
  if (withSums) {
    let items = itemsOf(block);
    for (var item = items.x; item < items.y; item++) {
      let moved = displacements[recordsOf(item, lane)];
      let products = moved[0] * gradients[0] + moved[1] * gradients[1] + moved[2] * gradients[2];
      let sum = products.x + products.y + products.z + products.w;
      coefficientSums[sums + coefficientOf(item) * BLOCK_LANES] += sum;
    }
  }
}

// Turns the vertex's gradient into the rest frame; adds it to the sums of the joints' transforms.
fn toRestFrame(vertex: u32) -> vec3f {
  let gradient = posedGradient[vertex].xyz;
  let point = vec4f(blendedVertices[vertex].xyz, 1.0);
  var turned = vec3f();
  for (var j = 0u; j < MAX_JOINTS; j++) {
    if (j < jointCount) {
      let weighted = skinningWeights[vertex * jointCount + j] * gradient;
      for (var row = 0u; row < 3u; row++) {
        turned += weighted[row] * transformRow(j, row).xyz;
        if (withSums) {
          transforms[j * 3u + row] += weighted[row] * point;
        }
      }
    }
  }
  return turned;
}
