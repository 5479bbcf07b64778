// What a perceptual net sees of an image: resampled to size×size, bilinearly between pixel centres (without a filter in
// front, as the nets' users do it), normalised per channel, planar.
//
//   pixels[c, y, x] = scale[c] · bilinear(image[channels[c]], y, x) + offset[c]
//
// `image` reads a rendered image, `frame` the target's RGBA8 composited onto the background. A rendered value that is
// not usable (NaN, infinite, beyond ±10⁴) counts as 0.
//
// Invocation: pixel (id.x, id.y) of the net's image, with its three channels.

struct Preparation {
  background: vec3f,
  targetOffset: u32, // pixels
  scale: vec3f,
  width: u32, // of the image, pixels
  offset: vec3f,
  height: u32,
  channels: vec3u, // which of red, green, blue the net's channel is
  size: u32, // edge of the net's image
  weight: f32, // of the gradient
}

@group(0) @binding(0) var<uniform> preparation: Preparation;
@group(0) @binding(1) var<storage, read> image: array<vec4f>; // H×W
@group(0) @binding(2) var<storage, read> targetPixels: array<u32>; // H×W from targetOffset
@group(0) @binding(3) var<storage, read_write> imagePixels: array<f32>; // 3×size×size
@group(0) @binding(4) var<storage, read_write> framePixels: array<f32>; // 3×size×size

// On the bits, since a compiler may assume that floats are not NaN.
fn isUsable(value: f32) -> bool {
  return (bitcast<u32>(value) & 0x7fffffffu) <= bitcast<u32>(1.0e4);
}

fn rendered(index: u32) -> vec3f {
  let pixel = image[index];
  return vec3f(
    select(0.0, pixel.x, isUsable(pixel.x)),
    select(0.0, pixel.y, isUsable(pixel.y)),
    select(0.0, pixel.z, isUsable(pixel.z)),
  );
}

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
    ofImage += weights[corner] * rendered(corners[corner]);
    ofFrame += weights[corner] * composited(corners[corner]);
  }
  let index = id.y * size + id.x;
  for (var channel = 0u; channel < 3u; channel++) {
    let source = preparation.channels[channel];
    let at = channel * size * size + index;
    imagePixels[at] = preparation.scale[channel] * ofImage[source] + preparation.offset[channel];
    framePixels[at] = preparation.scale[channel] * ofFrame[source] + preparation.offset[channel];
  }
}
