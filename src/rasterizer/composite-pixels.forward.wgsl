// Forward compositing, one pixel per invocation: front to back, image = Σ rgb·alpha·transmittance +
// background·transmittance left. One workgroup of 256 per tile; see composite-pixels.wgsl.

@group(0) @binding(0) var<uniform> camera: Camera;
@group(0) @binding(1) var<storage, read> counters: array<u32>;
@group(0) @binding(2) var<storage, read> intersections: array<vec2u>;
@group(0) @binding(3) var<storage, read> projected: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> image: array<vec4f>;

var<workgroup> fetched: array<vec4f, pixelCount * 3u>;

@compute @workgroup_size(pixelCount)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let list = listOf(workgroup.x);
  let pixel = pixelOf(workgroup.x, local);
  let isInside = pixel.x < imageWidth && pixel.y < imageHeight;
  let center = vec2f(pixel) + 0.5;
  var transmittance = select(0.0, 1.0, isInside);
  var rgb = vec3f(0.0);
  for (var batch = list.x; batch < list.y; batch += pixelCount) {
    if (!tileGoesOn(local, transmittance)) {
      break;
    }
    if (batch + local < list.y) {
      let gaussian = intersections[batch + local].x;
      for (var k = 0u; k < 3u; k++) {
        fetched[local * 3u + k] = projected[gaussian * 3u + k];
      }
    }
    workgroupBarrier();
    for (var j = 0u; j < min(pixelCount, list.y - batch); j++) {
      if (transmittance < transmittanceMin) {
        break;
      }
      let place = fetched[j * 3u];
      let alpha = min(alphaMax, opacityAt(fetched[j * 3u + 1u].xyz, center - place.xy, place.z));
      if (alpha >= alphaMin) {
        let weight = alpha * transmittance;
        rgb += weight * fetched[j * 3u + 2u].xyz;
        transmittance -= weight;
      }
    }
  }
  if (isInside) {
    image[pixel.y * imageWidth + pixel.x] = vec4f(rgb + transmittance * camera.background, transmittance);
  }
}
