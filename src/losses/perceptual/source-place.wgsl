// Where the centre of a pixel of the net's image lies between the pixel centres of the image.
fn sourcePlace(pixel: vec2u, extent: vec2u, size: u32) -> vec2f {
  let place = (vec2f(pixel) + 0.5) * vec2f(extent) / f32(size) - 0.5;
  return clamp(place, vec2f(0.0), vec2f(extent - 1u));
}
