// Vertical half of the window over the moments of rendered x and target y: per pixel and channel
// (x, y, x² + y², x·y), zero outside the image. Also sums |x − y| and counts unusable x.
//
// Workgroup: `groupWidth` columns x, strip y of rows; an invocation has one column with its three channels.
// columnMoments: 3×W×H vec4f, tiled for similarity.wgsl.
// partials: one vec4f per invocation: (Σ weight·|x − y| / 3HW, 0, 0, unusable values).

@group(0) @binding(0) var<uniform> step: PhotometricStep;
@group(0) @binding(1) var<storage, read> image: array<f32>; // H×W×4: rgb, transmittance
@group(0) @binding(2) var<storage, read> targetPixels: array<u32>; // H×W from targetOffset
@group(0) @binding(3) var<storage, read> mask: array<u32>; // H×W bytes from maskOffset
@group(0) @binding(4) var<storage, read_write> columnMoments: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> partials: array<vec4f>;

struct Slide {
  column: u32,
  first: i32,
  last: i32, // one past the strip
}

var<private> slide: Slide;
var<private> difference: f32;
var<private> unusable: f32;

@compute @workgroup_size(groupWidth)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let across = group.x * groupWidth + local.x;
  if (across >= step.width) { return; }
  let first = group.y * step.stripLength;
  slide = Slide(across, i32(first), i32(min(first + step.stripLength, step.height)));
  var r0 = mat3x4f(); var r1 = r0; var r2 = r0; var r3 = r0; var r4 = r0;
  var r5 = r0; var r6 = r0; var r7 = r0; var r8 = r0; var r9 = r0;
  for (var row = slide.first - RADIUS; row < slide.last + RADIUS; row += 4) {
    let r10 = momentsAt(row); store(row - 5, blurred(r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10));
    let r11 = momentsAt(row + 1); store(row - 4, blurred(r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11));
    let r12 = momentsAt(row + 2); store(row - 3, blurred(r2, r3, r4, r5, r6, r7, r8, r9, r10, r11, r12));
    let r13 = momentsAt(row + 3); store(row - 2, blurred(r3, r4, r5, r6, r7, r8, r9, r10, r11, r12, r13));
    r0 = r4; r1 = r5; r2 = r6; r3 = r7; r4 = r8; r5 = r9; r6 = r10; r7 = r11; r8 = r12; r9 = r13;
  }
  let scale = 1.0 / f32(3u * step.width * step.height);
  partials[group.y * step.width + across] = vec4f(difference * scale, 0.0, 0.0, unusable);
}

fn momentsAt(row: i32) -> mat3x4f {
  if (row < 0 || row >= i32(step.height)) { return mat3x4f(); }
  let index = u32(row) * step.width + slide.column;
  let y = targetColor(targetPixels[step.targetOffset + index], slide.column, u32(row));
  let given = vec3f(image[index * 4u], image[index * 4u + 1u], image[index * 4u + 2u]);
  let shown = isShown(slide.column, u32(row));
  let usable = areUsable(given);
  let x = select(y, given, usable & vec3<bool>(shown));
  if (row >= slide.first && row < slide.last) {
    difference += pixelWeight(slide.column, u32(row)) * dot(abs(x - y), vec3f(1.0));
    unusable += select(0.0, 1.0, shown) * dot(select(vec3f(1.0), vec3f(0.0), usable), vec3f(1.0));
  }
  let squares = x * x + y * y;
  let products = x * y;
  return mat3x4f(
    vec4f(x.x, y.x, squares.x, products.x),
    vec4f(x.y, y.y, squares.y, products.y),
    vec4f(x.z, y.z, squares.z, products.z),
  );
}

fn store(row: i32, moments: mat3x4f) {
  if (row < slide.first || row >= slide.last) { return; }
  columnMoments[tiledIndex(0u, slide.column, step.width, u32(row), step.height)] = moments[0];
  columnMoments[tiledIndex(1u, slide.column, step.width, u32(row), step.height)] = moments[1];
  columnMoments[tiledIndex(2u, slide.column, step.width, u32(row), step.height)] = moments[2];
}

fn blurred(
  a: mat3x4f, b: mat3x4f, c: mat3x4f, d: mat3x4f, e: mat3x4f, f: mat3x4f, g: mat3x4f, h: mat3x4f, i: mat3x4f, j: mat3x4f, k: mat3x4f,
) -> mat3x4f {
  return W0 * f + W1 * (e + g) + W2 * (d + h) + W3 * (c + i) + W4 * (b + j) + W5 * (a + k);
}
