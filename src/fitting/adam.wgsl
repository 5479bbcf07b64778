// Adam (Kingma & Ba 2015, algorithm 1) over a flat float32 buffer.
//
//   m ← β1·m + (1−β1)·g,   v ← β2·v + (1−β2)·g²,   p ← p − stepSize·m / (√v·secondCorrection + ε)
//
// with stepSize = rate / (1−β1ᵗ) and secondCorrection = 1 / √(1−β2ᵗ), computed by the host in float64.
//
// Thread mapping: an invocation takes `elementsPerInvocation` elements that lie one workgroup width apart, so that
// neighbours touch neighbouring words (a software driver spends most of a short invocation on starting it).
// moments: (m, v) per element. Elements at or past min(recordLimit, count)·stride are left as they are.

override groupWidth = 64u;
override elementsPerInvocation = 4u;
// A constant, since a software driver runs both sides of a branch: a remainder and a load per element otherwise.
override hasRateFactors = false;

struct AdamStep {
  parameterBase: u32, // in elements
  gradientBase: u32,
  recordLimit: u32,
  stride: u32, // elements per record
  stepSize: f32,
  secondCorrection: f32,
  gradientScale: f32,
  epsilon: f32,
  beta1: f32,
  beta2: f32,
}

@group(0) @binding(0) var<uniform> adam: AdamStep;
@group(0) @binding(1) var<storage, read_write> parameters: array<f32>;
@group(0) @binding(2) var<storage, read> gradients: array<f32>;
@group(0) @binding(3) var<storage, read_write> moments: array<vec2f>;
@group(0) @binding(4) var<storage, read> count: array<u32>;
// Factor on the rate by position within a record.
@group(0) @binding(5) var<storage, read> rateFactors: array<f32>;
// [0]: how many gradient elements were not usable, since this buffer was last cleared.
@group(0) @binding(6) var<storage, read_write> rejected: array<atomic<u32>>;

// 2^60: the largest gradient whose square stays far inside float32. Tested on the bits, since a compiler may assume
// that floats are not NaN; NaN and infinity have larger bits.
const LARGEST_GRADIENT_BITS = 0x5d800000u;

@compute @workgroup_size(groupWidth)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let elementCount = min(adam.recordLimit, count[0]) * adam.stride;
  let first = group.x * groupWidth * elementsPerInvocation + local.x;
  for (var turn = 0u; turn < elementsPerInvocation; turn++) {
    let element = first + turn * groupWidth;
    if (element >= elementCount) { break; }
    update(element);
  }
  if (rejectedHere > 0u) { atomicAdd(&rejected[0], rejectedHere); }
}

var<private> rejectedHere: u32;

fn update(element: u32) {
  let index = adam.parameterBase + element;
  var gradient = gradients[adam.gradientBase + element] * adam.gradientScale;
  let isRejected = (bitcast<u32>(gradient) & 0x7fffffffu) > LARGEST_GRADIENT_BITS;
  gradient = select(gradient, 0.0, isRejected);
  rejectedHere += select(0u, 1u, isRejected);
  let previous = moments[index];
  let first = adam.beta1 * previous.x + (1.0 - adam.beta1) * gradient;
  let second = adam.beta2 * previous.y + (1.0 - adam.beta2) * gradient * gradient;
  moments[index] = vec2f(first, second);
  var stepSize = adam.stepSize;
  if (hasRateFactors) { stepSize *= rateFactors[element % adam.stride]; }
  parameters[index] -= stepSize * first / (sqrt(second) * adam.secondCorrection + adam.epsilon);
}
