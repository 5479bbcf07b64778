// Adds ∂loss/∂image to the image's gradient: each pixel gathers from the pixels of the net's image that looked at it, in
// a fixed order. Linear, so nothing of the forward pass is needed but which values took part.
//
//   imageGradient[y, x, channels[c]] += weight · scale[c] · Σ tent(place(q) − (y, x)) · pixelGradient[c, q]
//
// Invocation: pixel (id.x, id.y) of the image.

@group(0) @binding(1) var<storage, read> image: array<vec4f>; // H×W
@group(0) @binding(2) var<storage, read> pixelGradient: array<f32>; // 3×size×size
@group(0) @binding(3) var<storage, read_write> imageGradient: array<vec4f>; // H×W; w is not touched

// First and last pixel of the net's image that can look at pixel `at` of `extent`; the outermost pixels are also looked
// at from beyond the border.
fn lookers(at: u32, extent: u32, size: u32) -> vec2u {
  let perPixel = f32(size) / f32(extent);
  let first = select(floor((f32(at) - 0.5) * perPixel - 0.5), 0.0, at == 0u);
  let last = select(ceil((f32(at) + 1.5) * perPixel - 0.5), f32(size - 1u), at == extent - 1u);
  return vec2u(u32(max(first, 0.0)), u32(min(last, f32(size - 1u))));
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let extent = vec2u(preparation.width, preparation.height);
  if (id.x >= extent.x || id.y >= extent.y) { return; }
  let size = preparation.size;
  let columns = lookers(id.x, extent.x, size);
  let rows = lookers(id.y, extent.y, size);
  var sum = vec3f(0.0);
  for (var row = rows.x; row <= rows.y; row++) {
    for (var column = columns.x; column <= columns.y; column++) {
      let distance = abs(sourcePlace(vec2u(column, row), extent, size) - vec2f(id.xy));
      let tent = max(vec2f(0.0), 1.0 - distance);
      let at = row * size + column;
      sum += tent.x * tent.y * vec3f(
        pixelGradient[at],
        pixelGradient[size * size + at],
        pixelGradient[2u * size * size + at],
      );
    }
  }
  var gradient = vec3f(0.0);
  for (var channel = 0u; channel < 3u; channel++) {
    gradient[preparation.channels[channel]] = preparation.weight * preparation.scale[channel] * sum[channel];
  }
  let index = id.y * extent.x + id.x;
  let guarded = select(vec3f(0.0), gradient, takesPart(image[index].rgb, index));
  imageGradient[index] += vec4f(guarded, 0.0);
}
