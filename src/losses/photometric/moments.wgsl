// Vertical half of the window over the moments of rendered x and target y: per pixel and channel
// (x, y, x² + y², x·y), zero outside the image. Also sums |x − y| and counts unusable x.
//
// Invocation: column id.x, channel id.y, strip id.z of rows.
// columnMoments: 3×W×H vec4f, a column's rows side by side, so that the next kernel's neighbours read neighbours.
// partials: one vec4f per invocation: (Σ weight·|x − y| / 3HW, 0, 0, unusable values).

@group(0) @binding(0) var<uniform> step: PhotometricStep;
@group(0) @binding(1) var<storage, read> image: array<f32>; // H×W×4: rgb, transmittance
@group(0) @binding(2) var<storage, read> targetPixels: array<u32>; // H×W from targetOffset
@group(0) @binding(3) var<storage, read> mask: array<u32>; // H×W bytes from maskOffset
@group(0) @binding(4) var<storage, read_write> columnMoments: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> partials: array<vec4f>;

struct Slide {
  column: u32,
  channel: u32,
  first: i32,
  last: i32, // one past the strip
  background: f32,
}

var<private> slide: Slide;
var<private> difference: f32;
var<private> unusable: f32;

@compute @workgroup_size(groupWidth)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= width) { return; }
  let first = id.z * stripLength;
  slide = Slide(id.x, id.y, i32(first), i32(min(first + stripLength, height)), step.background[id.y]);
  var r0 = vec4f(0.0); var r1 = r0; var r2 = r0; var r3 = r0; var r4 = r0; var r5 = r0;
  var r6 = r0; var r7 = r0; var r8 = r0; var r9 = r0; var r10 = r0;
  for (var row = slide.first - RADIUS; row < slide.last + RADIUS; row += 11) {
    r0 = momentsAt(row); store(row - 5, blurred(r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r0));
    r1 = momentsAt(row + 1); store(row - 4, blurred(r2, r3, r4, r5, r6, r7, r8, r9, r10, r0, r1));
    r2 = momentsAt(row + 2); store(row - 3, blurred(r3, r4, r5, r6, r7, r8, r9, r10, r0, r1, r2));
    r3 = momentsAt(row + 3); store(row - 2, blurred(r4, r5, r6, r7, r8, r9, r10, r0, r1, r2, r3));
    r4 = momentsAt(row + 4); store(row - 1, blurred(r5, r6, r7, r8, r9, r10, r0, r1, r2, r3, r4));
    r5 = momentsAt(row + 5); store(row, blurred(r6, r7, r8, r9, r10, r0, r1, r2, r3, r4, r5));
    r6 = momentsAt(row + 6); store(row + 1, blurred(r7, r8, r9, r10, r0, r1, r2, r3, r4, r5, r6));
    r7 = momentsAt(row + 7); store(row + 2, blurred(r8, r9, r10, r0, r1, r2, r3, r4, r5, r6, r7));
    r8 = momentsAt(row + 8); store(row + 3, blurred(r9, r10, r0, r1, r2, r3, r4, r5, r6, r7, r8));
    r9 = momentsAt(row + 9); store(row + 4, blurred(r10, r0, r1, r2, r3, r4, r5, r6, r7, r8, r9));
    r10 = momentsAt(row + 10); store(row + 5, blurred(r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10));
  }
  let scale = 1.0 / f32(3u * width * height);
  partials[(id.z * 3u + id.y) * width + id.x] = vec4f(difference * scale, 0.0, 0.0, unusable);
}

fn momentsAt(row: i32) -> vec4f {
  let index = u32(clamp(row, 0, i32(height) - 1)) * width + slide.column;
  let y = composited(targetPixels[step.targetOffset + index], slide.channel, slide.background);
  let given = image[index * 4u + slide.channel];
  let usable = isUsable(given);
  let x = select(y, given, usable);
  if (row >= slide.first && row < slide.last) {
    difference += pixelWeight(index) * abs(x - y);
    unusable += select(1.0, 0.0, usable);
  }
  let inside = row >= 0 && row < i32(height);
  return select(vec4f(0.0), vec4f(x, y, x * x + y * y, x * y), inside);
}

fn store(row: i32, moments: vec4f) {
  if (row < slide.first || row >= slide.last) { return; }
  columnMoments[(slide.channel * width + slide.column) * height + u32(row)] = moments;
}
