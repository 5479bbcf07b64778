// Horizontal half of the window, SSIM per pixel and channel (Wang et al. 2004, eq 13) with its derivatives, and the
// horizontal half of the derivatives' way back.
//
//   SSIM = (2μxμy + C1)(2σxy + C2) / ((μx² + μy² + C1)(σx² + σy² + C2)),   loss = ssimWeight · mean weight·(1 − SSIM)
//
// The derivatives are by μx, E[x²] and E[xy], which are windows over x; zero outside the image.
//
// Workgroup: channel x, `groupWidth` rows y, strip z of columns; an invocation has one row of one channel.
// rowDerivatives: 3×H×W×3 float32, tiled for gradient.wgsl.
// partials from `firstSimilarityPartial`: one vec4f per invocation: (0, Σ weight·(1 − SSIM) / 3HW, 0, 0).

@group(0) @binding(0) var<uniform> step: PhotometricStep;
@group(0) @binding(1) var<storage, read> columnMoments: array<vec4f>; // 3×W×H
@group(0) @binding(2) var<storage, read> mask: array<u32>;
@group(0) @binding(3) var<storage, read_write> rowDerivatives: array<f32>;
@group(0) @binding(4) var<storage, read_write> partials: array<vec4f>;

const C1 = 0.0001; // (0.01 · range)²
const C2 = 0.0009; // (0.03 · range)²

struct Slide {
  row: u32,
  channel: u32,
  first: i32,
  last: i32,
  gradientScale: f32, // ∂loss/∂SSIM for a pixel of weight 1
}

var<private> slide: Slide;
var<private> dissimilarity: f32;

@compute @workgroup_size(groupWidth)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let across = group.y * groupWidth + local.x;
  if (across >= step.height) { return; }
  let first = group.z * step.stripLength;
  let scale = 1.0 / f32(3u * step.width * step.height);
  slide = Slide(across, group.x, i32(first), i32(min(first + step.stripLength, step.width)), -step.ssimWeight * scale);
  var r0 = vec4f(0.0); var r1 = r0; var r2 = r0; var r3 = r0; var r4 = r0;
  var r5 = r0; var r6 = r0; var r7 = r0; var r8 = r0; var r9 = r0;
  var d0 = vec3f(0.0); var d1 = d0; var d2 = d0; var d3 = d0; var d4 = d0;
  var d5 = d0; var d6 = d0; var d7 = d0; var d8 = d0; var d9 = d0;
  for (var x = slide.first - 2 * RADIUS; x < slide.last + 2 * RADIUS; x += 4) {
    let r10 = momentsAt(x);
    let d10 = derivativesAt(x - 5, blurred4(r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10));
    store(x - 10, blurred3(d0, d1, d2, d3, d4, d5, d6, d7, d8, d9, d10));
    let r11 = momentsAt(x + 1);
    let d11 = derivativesAt(x - 4, blurred4(r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11));
    store(x - 9, blurred3(d1, d2, d3, d4, d5, d6, d7, d8, d9, d10, d11));
    let r12 = momentsAt(x + 2);
    let d12 = derivativesAt(x - 3, blurred4(r2, r3, r4, r5, r6, r7, r8, r9, r10, r11, r12));
    store(x - 8, blurred3(d2, d3, d4, d5, d6, d7, d8, d9, d10, d11, d12));
    let r13 = momentsAt(x + 3);
    let d13 = derivativesAt(x - 2, blurred4(r3, r4, r5, r6, r7, r8, r9, r10, r11, r12, r13));
    store(x - 7, blurred3(d3, d4, d5, d6, d7, d8, d9, d10, d11, d12, d13));
    r0 = r4; r1 = r5; r2 = r6; r3 = r7; r4 = r8; r5 = r9; r6 = r10; r7 = r11; r8 = r12; r9 = r13;
    d0 = d4; d1 = d5; d2 = d6; d3 = d7; d4 = d8; d5 = d9; d6 = d10; d7 = d11; d8 = d12; d9 = d13;
  }
  partials[step.firstSimilarityPartial + (group.z * 3u + group.x) * step.height + across] = vec4f(0.0, dissimilarity * scale, 0.0, 0.0);
}

fn momentsAt(x: i32) -> vec4f {
  let column = u32(clamp(x, 0, i32(step.width) - 1));
  let moments = columnMoments[tiledIndex(slide.channel, column, step.width, slide.row, step.height)];
  return select(vec4f(0.0), moments, x >= 0 && x < i32(step.width));
}

// window: (μx, μy, E[x² + y²], E[xy]).
fn derivativesAt(x: i32, window: vec4f) -> vec3f {
  let product = window.x * window.y;
  let squares = window.x * window.x + window.y * window.y;
  let meanBelow = squares + C1;
  let meanAbove = 2.0 * product + C1;
  let spreadBelow = max(window.z - squares, 0.0) + C2; // rounding may push a variance below 0
  let spreadAbove = 2.0 * (window.w - product) + C2;
  let inverse = 1.0 / (meanBelow * spreadBelow);
  let similarity = meanAbove * spreadAbove * inverse;
  let weight = pixelWeight(u32(clamp(x, 0, i32(step.width) - 1)), slide.row);
  if (x >= slide.first && x < slide.last) { dissimilarity += weight * (1.0 - similarity); }
  let bySquare = -similarity * meanBelow * inverse;
  let byProduct = 2.0 * meanAbove * inverse;
  let byMean = 2.0 * (window.y * (spreadAbove - meanAbove) - window.x * similarity * (spreadBelow - meanBelow)) * inverse;
  let inside = x >= 0 && x < i32(step.width);
  return select(vec3f(0.0), slide.gradientScale * weight * vec3f(byMean, bySquare, byProduct), inside);
}

fn store(x: i32, derivatives: vec3f) {
  if (x < slide.first || x >= slide.last) { return; }
  let base = tiledIndex(slide.channel, slide.row, step.height, u32(x), step.width) * 3u;
  rowDerivatives[base] = derivatives.x;
  rowDerivatives[base + 1u] = derivatives.y;
  rowDerivatives[base + 2u] = derivatives.z;
}
