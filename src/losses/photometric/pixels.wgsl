// What the photometric kernels share: the step's values, the target's colour, the weight of a pixel, and the window.
//
// Target frames are RGBA8 with straight alpha, one u32 per pixel (red lowest), composited here onto the background.
// The weight of a pixel is 1 + maskWeight · mask/255, and 0 outside the rectangle `shown`: what lies there is unknown, so
// x and y are the background there, x takes no gradient, and no window is centred there.
//
// Thread mapping of moments, similarity and gradient: an invocation owns a strip of a column or row and slides along it
// with the last 11 values in registers, so that every value is read once and no barrier is needed. Four steps share one
// move of the registers: unrolling all 11, which needs no move, ran no faster and compiled four times as long.
// Neighbouring invocations stand side by side across the slide.

override hasMask = false;
override groupWidth = 64u;

struct PhotometricStep {
  background: vec3f,
  l1Weight: f32,
  ssimWeight: f32,
  matteWeight: f32,
  maskWeight: f32,
  targetOffset: u32, // in pixels
  maskOffset: u32, // in bytes
  width: u32, // pixels
  height: u32,
  // Pixels of a strip; a strip reads 5 (moments, gradient) or 10 (similarity) pixels beyond either end.
  stripLength: u32,
  // Where these kernels' partial sums start, behind those of moments.
  firstSimilarityPartial: u32,
  firstMattePartial: u32,
  shown: vec4u, // first column, first row, one past the last column and row
}

const RADIUS = 5;
// exp(−k² / (2·1.5²)) for k = 0…5, divided by the sum over −5…5.
const W0 = 0.2660117248617943;
const W1 = 0.21300553771125366;
const W2 = 0.1093606895097;
const W3 = 0.03600077212843082;
const W4 = 0.007598758135239184;
const W5 = 0.0010283800844791099;

fn byteOf(word: u32, index: u32) -> f32 {
  return f32((word >> (index * 8u)) & 255u) / 255.0;
}

// The target's colour: `pixel` on the background, which is all that is there where nothing is shown.
fn targetColor(pixel: u32, column: u32, row: u32) -> vec3f {
  return composited(select(0u, pixel, isShown(column, row)));
}

fn composited(pixel: u32) -> vec3f {
  let alpha = byteOf(pixel, 3u);
  return vec3f(byteOf(pixel, 0u), byteOf(pixel, 1u), byteOf(pixel, 2u)) * alpha + step.background * (1.0 - alpha);
}

// Rendered values beyond ±10⁴ would drown the sums; NaN and infinity have larger bits still. Tested on the bits, since
// a compiler may assume that floats are not NaN.
fn isUsable(value: f32) -> bool {
  return (bitcast<u32>(value) & 0x7fffffffu) <= bitcast<u32>(1.0e4);
}

fn areUsable(color: vec3f) -> vec3<bool> {
  return vec3<bool>(isUsable(color.x), isUsable(color.y), isUsable(color.z));
}

fn isShown(column: u32, row: u32) -> bool {
  return column >= step.shown.x && row >= step.shown.y && column < step.shown.z && row < step.shown.w;
}

// Kernels declare `step` and `mask` (H×W bytes from maskOffset) themselves.
fn pixelWeight(column: u32, row: u32) -> f32 {
  if (!isShown(column, row)) { return 0.0; }
  if (!hasMask) { return 1.0; }
  let index = row * step.width + column;
  let byteIndex = step.maskOffset + index;
  return 1.0 + step.maskWeight * byteOf(mask[byteIndex / 4u], byteIndex & 3u);
}

fn blurred4(
  a: vec4f, b: vec4f, c: vec4f, d: vec4f, e: vec4f, f: vec4f, g: vec4f, h: vec4f, i: vec4f, j: vec4f, k: vec4f,
) -> vec4f {
  return W0 * f + W1 * (e + g) + W2 * (d + h) + W3 * (c + i) + W4 * (b + j) + W5 * (a + k);
}

fn blurred3(
  a: vec3f, b: vec3f, c: vec3f, d: vec3f, e: vec3f, f: vec3f, g: vec3f, h: vec3f, i: vec3f, j: vec3f, k: vec3f,
) -> vec3f {
  return W0 * f + W1 * (e + g) + W2 * (d + h) + W3 * (c + i) + W4 * (b + j) + W5 * (a + k);
}

// Where a buffer between two kernels holds (along, across): its reader slides by `along`, with neighbours side by side in
// `across`. In tiles 8 wide, 8 neighbours read one run of memory from end to end (512² on lavapipe: half the time of plain
// rows, whose stride of some KiB costs a cache set and a page each).
fn tiledIndex(channel: u32, along: u32, alongCount: u32, across: u32, acrossCount: u32) -> u32 {
  let tiles = (acrossCount + 7u) / 8u;
  return ((channel * tiles + across / 8u) * alongCount + along) * 8u + (across & 7u);
}
