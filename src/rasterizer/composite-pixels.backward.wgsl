// Backward compositing, one pixel per invocation: each intersection's gradient into its own slot's record. The same
// mathematics and the same record as composite-columns.backward.wgsl.
//
// Four Gaussians at a time: (1) each invocation, a pixel, leaves what the four get from it in workgroup memory; (2) 64
// invocations per Gaussian form the nine sums over four pixels each; (3) two steps add the 64 up. All sums have a fixed order.

@group(0) @binding(0) var<storage, read> counters: array<u32>;
@group(0) @binding(1) var<storage, read> intersections: array<vec2u>;
@group(0) @binding(2) var<storage, read> projected: array<vec4f>;
@group(0) @binding(3) var<storage, read> image: array<vec4f>;
@group(0) @binding(4) var<storage, read> imageGradient: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> intersectionGradients: array<f32>;

const batchLength = 32u;
const groupLength = 4u;
const partsPerGaussian = 64u;
const sumCount = groupLength * momentStride;

var<workgroup> fetched: array<vec4f, batchLength * 3u>;
var<workgroup> fetchedSlots: array<u32, batchLength>;
var<workgroup> pixelGradient: array<f32, pixelCount * 3u>;
// First (exponent gradient, weight) per Gaussian and pixel; then the nine sums per Gaussian and part.
var<workgroup> scratch: array<f32, sumCount * partsPerGaussian>;
var<workgroup> quarters: array<f32, sumCount * 4u>;

@compute @workgroup_size(pixelCount)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let list = listOf(workgroup.x);
  let pixel = pixelOf(workgroup.x, local);
  let center = vec2f(pixel) + 0.5;
  let cornerCenter = vec2f(pixelOf(workgroup.x, 0u)) + 0.5;
  var transmittance = select(0.0, 1.0, pixel.x < imageWidth && pixel.y < imageHeight);
  let address = min(pixel.y, imageHeight - 1u) * imageWidth + min(pixel.x, imageWidth - 1u);
  let gradient = imageGradient[address];
  var behind = dot(gradient, image[address]);
  for (var c = 0u; c < 3u; c++) {
    pixelGradient[local * 3u + c] = gradient[c];
  }

  var batch = list.x;
  for (; batch < list.y; batch += batchLength) {
    if (!tileGoesOn(local, transmittance)) {
      break;
    }
    if (local < batchLength && batch + local < list.y) {
      let intersection = intersections[batch + local];
      fetchedSlots[local] = intersection.y;
      for (var k = 0u; k < 3u; k++) {
        fetched[local * 3u + k] = projected[intersection.x * 3u + k];
      }
    }
    let fetchedCount = min(batchLength, list.y - batch);
    for (var first = 0u; first < fetchedCount; first += groupLength) {
      workgroupBarrier();
      for (var k = 0u; k < groupLength; k++) {
        var exponentGradient = 0.0;
        var weight = 0.0;
        if (first + k < fetchedCount && transmittance >= transmittanceMin) {
          let place = fetched[(first + k) * 3u];
          let unheld = opacityAt(fetched[(first + k) * 3u + 1u].xyz, center - place.xy, place.z);
          let alpha = min(alphaMax, unheld);
          if (alpha >= alphaMin) {
            weight = alpha * transmittance;
            let own = dot(gradient.xyz, fetched[(first + k) * 3u + 2u].xyz);
            behind -= weight * own;
            exponentGradient = select(0.0, weight * own - behind * (alpha / (1.0 - alpha)), unheld <= alphaMax);
            transmittance -= weight;
          }
        }
        scratch[(k * pixelCount + local) * 2u] = exponentGradient;
        scratch[(k * pixelCount + local) * 2u + 1u] = weight;
      }
      workgroupBarrier();
      let k = local / partsPerGaussian;
      let part = local % partsPerGaussian;
      let mean = fetched[min(first + k, fetchedCount - 1u) * 3u].xy;
      // Zeroed by hand: lavapipe 25 keeps the last round's values in an array declared without a value.
      var sums = array<f32, momentStride>();
      for (var p = part; p < pixelCount; p += partsPerGaussian) {
        let exponentGradient = scratch[(k * pixelCount + p) * 2u];
        let weight = scratch[(k * pixelCount + p) * 2u + 1u];
        let d = cornerCenter + vec2f(f32(p % tileWidth), f32(p / tileWidth)) - mean;
        sums[0] += exponentGradient * d.x;
        sums[1] += exponentGradient * d.y;
        sums[2] += exponentGradient * d.x * d.x;
        sums[3] += exponentGradient * d.x * d.y;
        sums[4] += exponentGradient * d.y * d.y;
        sums[5] += exponentGradient;
        sums[6] += weight * pixelGradient[p * 3u];
        sums[7] += weight * pixelGradient[p * 3u + 1u];
        sums[8] += weight * pixelGradient[p * 3u + 2u];
      }
      workgroupBarrier();
      for (var m = 0u; m < momentStride; m++) {
        scratch[(k * momentStride + m) * partsPerGaussian + part] = sums[m];
      }
      workgroupBarrier();
      if (local < sumCount * 4u) {
        var sum = 0.0;
        for (var p = 0u; p < partsPerGaussian / 4u; p++) {
          sum += scratch[local * (partsPerGaussian / 4u) + p];
        }
        quarters[local] = sum;
      }
      workgroupBarrier();
      let owner = local / momentStride;
      if (local < sumCount && first + owner < fetchedCount) {
        let sum = (quarters[local * 4u] + quarters[local * 4u + 1u])
          + (quarters[local * 4u + 2u] + quarters[local * 4u + 3u]);
        intersectionGradients[fetchedSlots[first + owner] * momentStride + local % momentStride] = sum;
      }
    }
  }
  // Behind an opaque tile nothing has a gradient.
  for (var i = batch + local; i < list.y; i += pixelCount) {
    for (var k = 0u; k < momentStride; k++) {
      intersectionGradients[intersections[i].y * momentStride + k] = 0.0;
    }
  }
}
