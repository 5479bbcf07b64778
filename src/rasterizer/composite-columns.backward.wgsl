// Backward compositing, columns: each intersection's gradient into its own slot's record, so nothing is added up across
// workgroups and no order is left to chance. One workgroup of eight, which must be one subgroup, per tile.
//
// Front to back again, on the same numbers as the forward. Let g = ∂loss/∂(rgb, transmittance) of a pixel and
// own = g·rgb of a Gaussian; `behind`, the loss carried by all that is not yet passed, starts as g·(image) and loses
// weight·own at each Gaussian. Then ∂loss/∂alpha = transmittance·own − behind/(1 − alpha).
//
// Record of an intersection, with e = ∂loss/∂exponent and d = pixel − mean, sums over the tile's pixels:
//   Σ e·dx, Σ e·dy, Σ e·dx², Σ e·dx·dy, Σ e·dy², Σ e, Σ weight·g.rgb (3).

@group(0) @binding(0) var<storage, read> counters: array<u32>;
@group(0) @binding(1) var<storage, read> intersections: array<vec2u>;
@group(0) @binding(2) var<storage, read> projected: array<vec4f>;
@group(0) @binding(3) var<storage, read> image: array<vec4f>;
@group(0) @binding(4) var<storage, read> imageGradient: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> intersectionGradients: array<f32>;

const batchLength = 8u;

// A tree over the eight lanes: three shuffles, in a fixed order.
fn sumOverLanes(value: vec4f) -> vec4f {
  let pairs = value + subgroupShuffleXor(value, 1u);
  let fours = pairs + subgroupShuffleXor(pairs, 2u);
  return fours + subgroupShuffleXor(fours, 4u);
}

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
    // Each lane fetches one Gaussian of the batch; then all take them in turn, and each lane keeps its own's record.
    let intersection = intersections[min(batch + lane, list.y - 1u)];
    let address = intersection.x * 3u;
    let fetched = prepared(projected[address], projected[address + 1u].xyz, projected[address + 2u].xyz, batch + lane < list.y);
    var record0 = vec4f(0.0);
    var record1 = vec4f(0.0);
    var record2 = 0.0;
    for (var j = 0u; j < min(8u, list.y - batch); j++) {
      let gaussian = takenFromLane(fetched, j);
      let color = gaussian.color;
      let d = corner - gaussian.place.xy;
      let opacities = opacitiesAlong(gaussian, d);
      // From the last row up, so that sums of sums weigh each row by its number: sum1 = Σ e·r, sum2 = Σ e·r·(r+1)/2.
      var sum0 = 0.0;
      var sum1 = 0.0;
      var sum2 = 0.0;
      var colorGradient = vec3f(0.0);
      for (var k = 1u; k <= tileHeight; k++) {
        let r = tileHeight - k;
        let held = min(alphaMax, opacities[r]);
        let alpha = select(0.0, held, held >= alphaMin && transmittance[r] >= transmittanceMin);
        let weight = alpha * transmittance[r];
        let own = gradientRed[r] * color.x + gradientGreen[r] * color.y + gradientBlue[r] * color.z;
        behind[r] -= weight * own;
        let exponentGradient = weight * own - behind[r] * (alpha / (1.0 - alpha));
        transmittance[r] -= weight;
        // Where alpha is held at its limit, the exponent has no say.
        sum0 += select(0.0, exponentGradient, opacities[r] <= alphaMax);
        if (r > 0u) {
          sum1 += sum0;
          sum2 += sum1;
        }
        colorGradient.x += weight * gradientRed[r];
        colorGradient.y += weight * gradientGreen[r];
        colorGradient.z += weight * gradientBlue[r];
      }
      let sumY = sum1 + d.y * sum0;
      let sumYy = 2.0 * sum2 - sum1 + d.y * (sum1 + sumY);
      let isOwn = j == lane;
      record0 = select(record0, sumOverLanes(vec4f(d.x * sum0, sumY, d.x * d.x * sum0, d.x * sumY)), isOwn);
      record1 = select(record1, sumOverLanes(vec4f(sumYy, sum0, colorGradient.xy)), isOwn);
      record2 = select(record2, sumOverLanes(vec4f(colorGradient.z, 0.0, 0.0, 0.0)).x, isOwn);
    }
    if (batch + lane < list.y) {
      let record = intersection.y * momentStride;
      for (var k = 0u; k < 4u; k++) {
        intersectionGradients[record + k] = record0[k];
        intersectionGradients[record + 4u + k] = record1[k];
      }
      intersectionGradients[record + 8u] = record2;
    }
  }
  // Behind an opaque tile nothing has a gradient.
  for (var i = batch + lane; i < list.y; i += 8u) {
    let record = intersections[i].y * momentStride;
    for (var k = 0u; k < momentStride; k++) {
      intersectionGradients[record + k] = 0.0;
    }
  }
}
