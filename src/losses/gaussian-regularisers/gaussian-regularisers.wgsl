// Regularisers of each Gaussian's shape and place, with their gradients added to those of the stored attributes. Over N
// Gaussians with scales s = exp(logScale), stretched no further than e²⁰:
//
//   scaleRatio = mean max(max(s)/min(s) − ratioLimit, 0)          (method §3, L_scale)
//   scaleLimit = mean max(max(s)/sizeLimit − 1, 0)
//   offset     = mean hold·normalOffset²                          (stored value, before tanh; hold of its triangle)
//
// Where several axes tie for the largest or smallest, they share the gradient evenly. A Gaussian whose scales are not
// usable (NaN, infinite, beyond ±10⁴) takes no part.
//
// Invocation: `turns` Gaussians, one workgroup width apart. partials: one vec4f per invocation, the three terms.

override groupWidth = 64u;
override turns = 4u;

struct RegulariserStep {
  ratioLimit: f32,
  sizeLimit: f32, // metres of canonical size
  ratioWeight: f32,
  limitWeight: f32,
  offsetWeight: f32,
}

@group(0) @binding(0) var<uniform> step: RegulariserStep;
@group(0) @binding(1) var<storage, read> count: array<u32>;
@group(0) @binding(2) var<storage, read> logScale: array<f32>; // N×3
@group(0) @binding(3) var<storage, read> normalOffset: array<f32>; // N
@group(0) @binding(4) var<storage, read_write> logScaleGradient: array<f32>; // N×3
@group(0) @binding(5) var<storage, read_write> normalOffsetGradient: array<f32>; // N
@group(0) @binding(6) var<storage, read_write> partials: array<vec4f>;
@group(0) @binding(7) var<storage, read> triangleIndices: array<u32>; // N
@group(0) @binding(8) var<storage, read> surfaceHold: array<f32>; // T

const LARGEST_EXPONENT = 20.0;

@compute @workgroup_size(groupWidth)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(global_invocation_id) id: vec3u,
) {
  let inUse = min(count[0], arrayLength(&normalOffset));
  let scale = 1.0 / f32(max(inUse, 1u));
  var sum = vec4f(0.0);
  for (var turn = 0u; turn < turns; turn++) {
    let gaussian = (group.x * turns + turn) * groupWidth + local.x;
    if (gaussian < inUse) { sum += regularise(gaussian, scale); }
  }
  partials[id.x] = sum * scale;
}

fn regularise(gaussian: u32, scale: f32) -> vec4f {
  let offset = normalOffset[gaussian];
  var terms = vec4f(0.0);
  if (isUsable(offset)) {
    let hold = surfaceHold[triangleIndices[gaussian]];
    terms.z = hold * offset * offset;
    normalOffsetGradient[gaussian] += step.offsetWeight * scale * 2.0 * hold * offset;
  }
  let base = gaussian * 3u;
  let stored = vec3f(logScale[base], logScale[base + 1u], logScale[base + 2u]);
  if (!(isUsable(stored.x) && isUsable(stored.y) && isUsable(stored.z))) { return terms; }
  let largest = max(stored.x, max(stored.y, stored.z));
  let smallest = min(stored.x, min(stored.y, stored.z));
  let largestShare = shares(stored, largest);
  let smallestShare = shares(stored, smallest);
  let ratio = exp(min(largest - smallest, LARGEST_EXPONENT));
  let excess = exp(min(largest, LARGEST_EXPONENT)) / step.sizeLimit;
  var gradient = vec3f(0.0);
  if (ratio > step.ratioLimit) {
    terms.x = ratio - step.ratioLimit;
    gradient += step.ratioWeight * ratio * (largestShare - smallestShare);
  }
  if (excess > 1.0) {
    terms.y = excess - 1.0;
    gradient += step.limitWeight * excess * largestShare;
  }
  if (any(gradient != vec3f(0.0))) {
    logScaleGradient[base] += scale * gradient.x;
    logScaleGradient[base + 1u] += scale * gradient.y;
    logScaleGradient[base + 2u] += scale * gradient.z;
  }
  return terms;
}

fn shares(values: vec3f, extreme: f32) -> vec3f {
  let hits = select(vec3f(0.0), vec3f(1.0), values == vec3f(extreme));
  return hits / (hits.x + hits.y + hits.z);
}

// On the bits, since a compiler may assume that floats are not NaN.
fn isUsable(value: f32) -> bool {
  return (bitcast<u32>(value) & 0x7fffffffu) <= bitcast<u32>(1.0e4);
}
