// A vertex's skinning transform, shared by the forward and backward kernels: Σ_j w_j·[R_j | o_j], three rows.

// `frameState`: three rows per joint, then the blend coefficients (layout.ts).

fn transformRow(joint: u32, row: u32) -> vec4f {
  return frameState[joint * 3u + row];
}

fn coefficientValue(coefficient: u32) -> f32 {
  return frameState[jointCount * 3u + coefficient / 4u][coefficient % 4u];
}

fn blendTransforms(vertex: u32) -> array<vec4f, 3> {
  var rows: array<vec4f, 3>;
  for (var j = 0u; j < jointCount; j++) {
    let weight = skinningWeights[vertex * jointCount + j];
    for (var row = 0u; row < 3u; row++) {
      rows[row] += weight * transformRow(j, row);
    }
  }
  return rows;
}
