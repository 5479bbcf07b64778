// ∂loss/∂c_k = Σ over k's entries of D_k·∂loss/∂blended vertex: one chunk of entries per invocation, in order; the
// pose's backward adds the chunks.

override chunkCount: u32;

@group(0) @binding(0) var<storage, read> chunks: array<vec2u>; // first and past-the-end place in `order`
@group(0) @binding(1) var<storage, read> order: array<vec2u>; // M: entry, vertex; by coefficient
@group(0) @binding(2) var<storage, read> displacements: array<f32>; // M×3, metres per unit coefficient
@group(0) @binding(3) var<storage, read> blendedGradient: array<vec4f>; // V
@group(0) @binding(4) var<storage, read_write> chunkSums: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= chunkCount) {
    return;
  }
  let chunk = chunks[id.x];
  var sum = 0.0;
  for (var place = chunk.x; place < chunk.y; place++) {
    let at = order[place].x * 3u;
    let moved = vec3f(displacements[at], displacements[at + 1u], displacements[at + 2u]);
    sum += dot(moved, blendedGradient[order[place].y].xyz);
  }
  chunkSums[id.x] = sum;
}
