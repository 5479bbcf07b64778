// Vertical half of the derivatives' way back, and the gradient by the rendered colour:
//
//   ∂loss/∂x = l1Weight · weight · sign(x − y) / 3HW + window[∂μx] + 2x · window[∂E[x²]] + y · window[∂E[xy]]
//
// Invocation: column id.x, channel id.y, strip id.z of rows. Where x was not usable the gradient is zero.

@group(0) @binding(0) var<uniform> step: PhotometricStep;
@group(0) @binding(1) var<storage, read> image: array<f32>;
@group(0) @binding(2) var<storage, read> targetPixels: array<u32>;
@group(0) @binding(3) var<storage, read> mask: array<u32>;
@group(0) @binding(4) var<storage, read> rowDerivatives: array<f32>; // 3×H×W×3
@group(0) @binding(5) var<storage, read_write> imageGradient: array<f32>; // H×W×4; w is not touched

struct Slide {
  column: u32,
  channel: u32,
  first: i32,
  last: i32,
  background: f32,
}

var<private> slide: Slide;

@compute @workgroup_size(groupWidth)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= width) { return; }
  let first = id.z * stripLength;
  slide = Slide(id.x, id.y, i32(first), i32(min(first + stripLength, height)), step.background[id.y]);
  var d0 = vec3f(0.0); var d1 = d0; var d2 = d0; var d3 = d0; var d4 = d0; var d5 = d0;
  var d6 = d0; var d7 = d0; var d8 = d0; var d9 = d0; var d10 = d0;
  for (var row = slide.first - RADIUS; row < slide.last + RADIUS; row += 11) {
    d0 = derivativesAt(row); store(row - 5, blurred3(d1, d2, d3, d4, d5, d6, d7, d8, d9, d10, d0));
    d1 = derivativesAt(row + 1); store(row - 4, blurred3(d2, d3, d4, d5, d6, d7, d8, d9, d10, d0, d1));
    d2 = derivativesAt(row + 2); store(row - 3, blurred3(d3, d4, d5, d6, d7, d8, d9, d10, d0, d1, d2));
    d3 = derivativesAt(row + 3); store(row - 2, blurred3(d4, d5, d6, d7, d8, d9, d10, d0, d1, d2, d3));
    d4 = derivativesAt(row + 4); store(row - 1, blurred3(d5, d6, d7, d8, d9, d10, d0, d1, d2, d3, d4));
    d5 = derivativesAt(row + 5); store(row, blurred3(d6, d7, d8, d9, d10, d0, d1, d2, d3, d4, d5));
    d6 = derivativesAt(row + 6); store(row + 1, blurred3(d7, d8, d9, d10, d0, d1, d2, d3, d4, d5, d6));
    d7 = derivativesAt(row + 7); store(row + 2, blurred3(d8, d9, d10, d0, d1, d2, d3, d4, d5, d6, d7));
    d8 = derivativesAt(row + 8); store(row + 3, blurred3(d9, d10, d0, d1, d2, d3, d4, d5, d6, d7, d8));
    d9 = derivativesAt(row + 9); store(row + 4, blurred3(d10, d0, d1, d2, d3, d4, d5, d6, d7, d8, d9));
    d10 = derivativesAt(row + 10); store(row + 5, blurred3(d0, d1, d2, d3, d4, d5, d6, d7, d8, d9, d10));
  }
}

fn derivativesAt(row: i32) -> vec3f {
  let inImage = u32(clamp(row, 0, i32(height) - 1));
  let base = ((slide.channel * height + inImage) * width + slide.column) * 3u;
  let derivatives = vec3f(rowDerivatives[base], rowDerivatives[base + 1u], rowDerivatives[base + 2u]);
  return select(vec3f(0.0), derivatives, row >= 0 && row < i32(height));
}

fn store(row: i32, derivatives: vec3f) {
  if (row < slide.first || row >= slide.last) { return; }
  let index = u32(row) * width + slide.column;
  let y = composited(targetPixels[step.targetOffset + index], slide.channel, slide.background);
  let x = image[index * 4u + slide.channel];
  var gradient = 0.0;
  if (isUsable(x)) {
    let l1 = step.l1Weight * pixelWeight(index) * sign(x - y) / f32(3u * width * height);
    gradient = l1 + derivatives.x + 2.0 * x * derivatives.y + y * derivatives.z;
  }
  imageGradient[index * 4u + slide.channel] = gradient;
}
