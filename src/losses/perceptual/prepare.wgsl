// What a perceptual net sees of an image: resampled to size×size, bilinearly between pixel centres (without a filter in
// front, as the nets' users do it), normalised per channel, planar.
//
//   pixels[c, y, x] = scale[c] · bilinear(image[channels[c]], y, x) + offset[c]
//
// `image` reads a rendered image, `frame` the target's RGBA8 composited onto the background. A rendered value that is
// not usable (NaN, infinite, beyond ±10⁴), or outside what the frame shows, counts as the frame's: no difference there.
//
// Invocation: pixel (id.x, id.y) of the net's image, with its three channels.

@group(0) @binding(1) var<storage, read> image: array<vec4f>; // H×W
@group(0) @binding(2) var<storage, read> targetPixels: array<u32>; // H×W from targetOffset
@group(0) @binding(3) var<storage, read_write> imagePixels: array<f32>; // 3×size×size
@group(0) @binding(4) var<storage, read_write> framePixels: array<f32>; // 3×size×size


fn composited(index: u32) -> vec3f {
  let pixel = unpack4x8unorm(targetPixels[preparation.targetOffset + index]);
  return pixel.rgb * pixel.a + preparation.background * (1.0 - pixel.a);
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let size = preparation.size;
  if (id.x >= size || id.y >= size) { return; }
  let extent = vec2u(preparation.width, preparation.height);
  let place = sourcePlace(id.xy, extent, size);
  let first = vec2u(place);
  let second = min(first + 1u, extent - 1u);
  let f = place - vec2f(first);
  let corners = vec4u(
    first.y * extent.x + first.x,
    first.y * extent.x + second.x,
    second.y * extent.x + first.x,
    second.y * extent.x + second.x,
  );
  let weights = vec4f((1.0 - f.x) * (1.0 - f.y), f.x * (1.0 - f.y), (1.0 - f.x) * f.y, f.x * f.y);
  var ofImage = vec3f(0.0);
  var ofFrame = vec3f(0.0);
  for (var corner = 0u; corner < 4u; corner++) {
    let given = image[corners[corner]].rgb;
    let wanted = composited(corners[corner]);
    ofImage += weights[corner] * select(wanted, given, takesPart(given, corners[corner]));
    ofFrame += weights[corner] * wanted;
  }
  let index = id.y * size + id.x;
  for (var channel = 0u; channel < 3u; channel++) {
    let source = preparation.channels[channel];
    let at = channel * size * size + index;
    imagePixels[at] = preparation.scale[channel] * ofImage[source] + preparation.offset[channel];
    framePixels[at] = preparation.scale[channel] * ofFrame[source] + preparation.offset[channel];
  }
}
