// A vertex's skinning transform, shared by the forward and backward kernels: Σ_j w_j·[R_j | o_j], three rows.

const TRANSFORM_FLOATS = 12u; // as in layout.ts

fn blendTransforms(vertex: u32) -> array<vec4f, 3> {
  var rows: array<vec4f, 3>;
  for (var j = 0u; j < jointCount; j++) {
    let weight = skinningWeights[vertex * jointCount + j];
    for (var row = 0u; row < 3u; row++) {
      let at = j * TRANSFORM_FLOATS + row * 4u;
      rows[row] += weight * vec4f(frameState[at], frameState[at + 1u], frameState[at + 2u], frameState[at + 3u]);
    }
  }
  return rows;
}
