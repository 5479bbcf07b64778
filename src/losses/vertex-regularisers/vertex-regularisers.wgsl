// Regularisers of the difference Δ that the learned deltas make to the vertices at rest (method §3):
//
//   vertexDifference = mean |Δ_v|²          (L_flame)
//   laplacian        = mean |(LΔ)_v|²       (L_lap), (LΔ)_v = Δ_v − mean of Δ over v's neighbours; 0 for a vertex alone
//
// gradient_v = 2/V · (vertexWeight · Δ_v + laplacianWeight · (Lᵀ LΔ)_v),   (Lᵀr)_v = r_v − Σ over neighbours u of r_u / degree_u:
// the adjacency is symmetric, its rows' scaling is not.
//
// Entry points `laplacian` (writes LΔ) and then `gradient` (reads it). Invocation of `gradient`: `turns` vertices, one
// workgroup width apart; of `laplacian`: one vertex.

override groupWidth = 64u;
override turns = 4u;

struct RegulariserStep {
  vertexWeight: f32,
  laplacianWeight: f32,
}

@group(0) @binding(0) var<uniform> step: RegulariserStep;
@group(0) @binding(1) var<storage, read> starts: array<u32>; // V+1
@group(0) @binding(2) var<storage, read> neighbours: array<u32>;
@group(0) @binding(3) var<storage, read> vertexDifference: array<vec4f>; // V: metres, w unused
@group(0) @binding(4) var<storage, read_write> laplacianDifference: array<vec4f>; // V
@group(0) @binding(5) var<storage, read_write> differenceGradient: array<vec4f>; // V, overwritten
@group(0) @binding(6) var<storage, read_write> partials: array<vec4f>; // per invocation: the two terms

override vertexCount: u32;

@compute @workgroup_size(groupWidth)
fn laplacian(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= vertexCount) { return; }
  let first = starts[id.x];
  let last = starts[id.x + 1u];
  var sum = vec3f(0.0);
  for (var place = first; place < last; place++) { sum += vertexDifference[neighbours[place]].xyz; }
  var result = vec3f(0.0);
  if (last > first) { result = vertexDifference[id.x].xyz - sum / f32(last - first); }
  laplacianDifference[id.x] = vec4f(result, 0.0);
}

@compute @workgroup_size(groupWidth)
fn gradient(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(global_invocation_id) id: vec3u,
) {
  let scale = 1.0 / f32(vertexCount);
  var terms = vec2f(0.0);
  for (var turn = 0u; turn < turns; turn++) {
    let vertex = (group.x * turns + turn) * groupWidth + local.x;
    if (vertex < vertexCount) { terms += regularise(vertex, scale); }
  }
  partials[id.x] = vec4f(terms * scale, 0.0, 0.0);
}

fn regularise(vertex: u32, scale: f32) -> vec2f {
  let difference = vertexDifference[vertex].xyz;
  let own = laplacianDifference[vertex].xyz;
  var transposed = own;
  for (var place = starts[vertex]; place < starts[vertex + 1u]; place++) {
    let neighbour = neighbours[place];
    let degree = f32(starts[neighbour + 1u] - starts[neighbour]);
    transposed -= laplacianDifference[neighbour].xyz / degree;
  }
  let result = 2.0 * scale * (step.vertexWeight * difference + step.laplacianWeight * transposed);
  differenceGradient[vertex] = vec4f(result, 0.0);
  return vec2f(dot(difference, difference), dot(own, own));
}
