// Backward compositing, columns: each intersection's gradient into its own record, so nothing is added up across
// workgroups and no order is left to chance. One workgroup of eight, which must be one subgroup, per tile.
//
// Front to back again, on the same numbers as the forward. Let g = ∂loss/∂(rgb, transmittance) of a pixel and
// own = g·rgb of a Gaussian; `behind`, the loss carried by all that is not yet passed, starts as g·(image) and loses
// weight·own at each Gaussian. Then ∂loss/∂alpha = transmittance·own − behind/(1 − alpha).
//
// Record of an intersection, with e = ∂loss/∂exponent and d = pixel − mean, sums over the tile's pixels:
//   Σ e·dx, Σ e·dy, Σ e·dx², Σ e·dx·dy, Σ e·dy², Σ e, Σ weight·g.rgb (3).

@group(0) @binding(0) var<storage, read> counters: array<u32>;
@group(0) @binding(1) var<storage, read> intersections: array<u32>;
@group(0) @binding(2) var<storage, read> projected: array<vec4f>;
@group(0) @binding(3) var<storage, read> image: array<vec4f>;
@group(0) @binding(4) var<storage, read> imageGradient: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> intersectionGradients: array<f32>;

const batchLength = 16u;

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let tile = workgroup.x;
  let list = listOf(tile);
  let origin = tileOrigin(tile);
  let column = origin.x + lane;
  let corner = vec2f(f32(column), f32(origin.y)) + 0.5;

  var transmittance: Column;
  var behind: Column;
  var gradientRed: Column;
  var gradientGreen: Column;
  var gradientBlue: Column;
  for (var r = 0u; r < tileHeight; r++) {
    transmittance[r] = startTransmittance(column, origin.y + r);
    let pixel = min(origin.y + r, imageHeight - 1u) * imageWidth + min(column, imageWidth - 1u);
    let gradient = imageGradient[pixel];
    gradientRed[r] = gradient.x;
    gradientGreen[r] = gradient.y;
    gradientBlue[r] = gradient.z;
    behind[r] = dot(gradient, image[pixel]);
  }
  var batch = list.x;
  for (; batch < list.y; batch += batchLength) {
    var most = 0.0;
    for (var r = 0u; r < tileHeight; r++) {
      most = max(most, transmittance[r]);
    }
    if (!subgroupAny(most >= transmittanceMin)) {
      break;
    }
    for (var i = batch; i < min(batch + batchLength, list.y); i++) {
      let gaussian = intersections[i] * 3u;
      let place = projected[gaussian];
      let conic = projected[gaussian + 1u].xyz;
      let color = projected[gaussian + 2u].xyz;
      let d = corner - place.xy;
      let parabola = parabolaOf(conic, d);
      // Σ e, Σ e·r, Σ e·r² over the rows.
      var sum0 = 0.0;
      var sum1 = 0.0;
      var sum2 = 0.0;
      var colorGradient = vec3f(0.0);
      for (var r = 0u; r < tileHeight; r++) {
        let row = f32(r);
        let falloff = exp(parabola.constant + row * (parabola.linear + row * parabola.square));
        let unheld = place.z * falloff;
        let alpha = min(alphaMax, unheld);
        let taken = alpha >= alphaMin && transmittance[r] >= transmittanceMin;
        let weight = select(0.0, alpha * transmittance[r], taken);
        let own = gradientRed[r] * color.x + gradientGreen[r] * color.y + gradientBlue[r] * color.z;
        behind[r] -= weight * own;
        let exponentGradient = select(
          0.0,
          weight * own - behind[r] * alpha / (1.0 - alpha),
          taken && unheld <= alphaMax,
        );
        transmittance[r] -= weight;
        sum0 += exponentGradient;
        sum1 += exponentGradient * row;
        sum2 += exponentGradient * row * row;
        colorGradient.x += weight * gradientRed[r];
        colorGradient.y += weight * gradientGreen[r];
        colorGradient.z += weight * gradientBlue[r];
      }
      let sumY = sum1 + d.y * sum0;
      let first = subgroupAdd(vec4f(d.x * sum0, sumY, d.x * d.x * sum0, d.x * sumY));
      let second = subgroupAdd(vec4f(sum2 + d.y * (sum1 + sumY), sum0, colorGradient.xy));
      let third = subgroupAdd(colorGradient.z);
      if (lane == 0u) {
        let record = i * momentStride;
        for (var k = 0u; k < 4u; k++) {
          intersectionGradients[record + k] = first[k];
          intersectionGradients[record + 4u + k] = second[k];
        }
        intersectionGradients[record + 8u] = third;
      }
    }
  }
  // Behind an opaque tile nothing has a gradient.
  for (var k = batch * momentStride + lane; k < list.y * momentStride; k += 8u) {
    intersectionGradients[k] = 0.0;
  }
}
