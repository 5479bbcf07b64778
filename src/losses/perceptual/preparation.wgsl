// What the two kernels around a perceptual net share.

struct Preparation {
  background: vec3f,
  targetOffset: u32, // pixels
  scale: vec3f,
  width: u32, // of the image, pixels
  offset: vec3f,
  height: u32,
  channels: vec3u, // which of red, green, blue the net's channel is
  size: u32, // edge of the net's image
  shown: vec4u, // left, top, right, bottom: the pixels that the frame shows
  weight: f32, // of the gradient
}

@group(0) @binding(0) var<uniform> preparation: Preparation;

// Where the centre of a pixel of the net's image lies between the pixel centres of the image.
fn sourcePlace(pixel: vec2u, extent: vec2u, size: u32) -> vec2f {
  let place = (vec2f(pixel) + 0.5) * vec2f(extent) / f32(size) - 0.5;
  return clamp(place, vec2f(0.0), vec2f(extent - 1u));
}

// Which channels of a rendered pixel are compared: usable, and inside what the frame shows. On the bits, since a compiler
// may assume that floats are not NaN.
fn takesPart(color: vec3f, index: u32) -> vec3<bool> {
  let usable = (bitcast<vec3u>(color) & vec3u(0x7fffffffu)) <= vec3u(bitcast<u32>(1.0e4));
  let at = vec2u(index % preparation.width, index / preparation.width);
  return usable & vec3<bool>(all(at >= preparation.shown.xy) && all(at < preparation.shown.zw));
}
