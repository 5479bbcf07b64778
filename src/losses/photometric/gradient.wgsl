// Vertical half of the derivatives' way back, and the gradient by the rendered colour:
//
//   ∂loss/∂x = l1Weight · weight · sign(x − y) / 3HW + window[∂μx] + 2x · window[∂E[x²]] + y · window[∂E[xy]]
//
// Workgroup: `groupWidth` columns x, strip y of rows; an invocation has one column with its three channels.

@group(0) @binding(0) var<uniform> step: PhotometricStep;
@group(0) @binding(1) var<storage, read> image: array<f32>;
@group(0) @binding(2) var<storage, read> targetPixels: array<u32>;
@group(0) @binding(3) var<storage, read> mask: array<u32>;
@group(0) @binding(4) var<storage, read> rowDerivatives: array<f32>; // 3×H×W×3
@group(0) @binding(5) var<storage, read_write> imageGradient: array<f32>; // H×W×4; w is not touched

struct Slide {
  column: u32,
  first: i32,
  last: i32, // one past the strip
}

var<private> slide: Slide;

@compute @workgroup_size(groupWidth)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let across = group.x * groupWidth + local.x;
  if (across >= step.width) { return; }
  let first = group.y * step.stripLength;
  slide = Slide(across, i32(first), i32(min(first + step.stripLength, step.height)));
  var d0 = mat3x3f(); var d1 = d0; var d2 = d0; var d3 = d0; var d4 = d0;
  var d5 = d0; var d6 = d0; var d7 = d0; var d8 = d0; var d9 = d0;
  for (var row = slide.first - RADIUS; row < slide.last + RADIUS; row += 4) {
    let d10 = derivativesAt(row); store(row - 5, blurred(d0, d1, d2, d3, d4, d5, d6, d7, d8, d9, d10));
    let d11 = derivativesAt(row + 1); store(row - 4, blurred(d1, d2, d3, d4, d5, d6, d7, d8, d9, d10, d11));
    let d12 = derivativesAt(row + 2); store(row - 3, blurred(d2, d3, d4, d5, d6, d7, d8, d9, d10, d11, d12));
    let d13 = derivativesAt(row + 3); store(row - 2, blurred(d3, d4, d5, d6, d7, d8, d9, d10, d11, d12, d13));
    d0 = d4; d1 = d5; d2 = d6; d3 = d7; d4 = d8; d5 = d9; d6 = d10; d7 = d11; d8 = d12; d9 = d13;
  }
}

// Columns: channels.
fn derivativesAt(row: i32) -> mat3x3f {
  if (row < 0 || row >= i32(step.height)) { return mat3x3f(); }
  return mat3x3f(derivativeAt(0u, u32(row)), derivativeAt(1u, u32(row)), derivativeAt(2u, u32(row)));
}

fn derivativeAt(channel: u32, row: u32) -> vec3f {
  let base = tiledIndex(channel, row, step.height, slide.column, step.width) * 3u;
  return vec3f(rowDerivatives[base], rowDerivatives[base + 1u], rowDerivatives[base + 2u]);
}

fn store(row: i32, derivatives: mat3x3f) {
  if (row < slide.first || row >= slide.last) { return; }
  let index = u32(row) * step.width + slide.column;
  let base = index * 4u;
  let y = targetColor(targetPixels[step.targetOffset + index], slide.column, u32(row));
  let x = vec3f(image[base], image[base + 1u], image[base + 2u]);
  let byL1 = step.l1Weight * pixelWeight(slide.column, u32(row)) / f32(3u * step.width * step.height);
  let byChannel = transpose(derivatives);
  let gradient = byL1 * sign(x - y) + byChannel[0] + 2.0 * x * byChannel[1] + y * byChannel[2];
  let takesPart = areUsable(x) & vec3<bool>(isShown(slide.column, u32(row)));
  let guarded = select(vec3f(0.0), gradient, takesPart);
  imageGradient[base] = guarded.x;
  imageGradient[base + 1u] = guarded.y;
  imageGradient[base + 2u] = guarded.z;
}

fn blurred(
  a: mat3x3f, b: mat3x3f, c: mat3x3f, d: mat3x3f, e: mat3x3f, f: mat3x3f, g: mat3x3f, h: mat3x3f, i: mat3x3f,
  j: mat3x3f, k: mat3x3f,
) -> mat3x3f {
  return W0 * f + W1 * (e + g) + W2 * (d + h) + W3 * (c + i) + W4 * (b + j) + W5 * (a + k);
}
