// Adam (Kingma & Ba 2015, algorithm 1) over a network's weights, in place:
//
//   m ← β1·m + (1−β1)·g,   v ← β2·v + (1−β2)·g²,   w ← w − stepSize·m / (√v·secondCorrection + ε)
//
// with stepSize = rate / (1−β1ᵗ) and secondCorrection = 1 / √(1−β2ᵗ), computed by the host in float64.
//
// Thread mapping: invocation i takes elements i, i + stride, … with stride = all invocations.
// weights, gradients, firstMoments, secondMoments: `count` elements each, laid out by the network's slots.

struct AdamUpdate {
  count: u32,
  stride: u32,
  stepSize: f32,
  secondCorrection: f32,
  beta1: f32,
  beta2: f32,
  epsilon: f32,
  gradientScale: f32,
}

@group(0) @binding(0) var<uniform> adam: AdamUpdate;
@group(0) @binding(1) var<storage, read_write> weights: array<f32>;
@group(0) @binding(2) var<storage, read> gradients: array<f32>;
@group(0) @binding(3) var<storage, read_write> firstMoments: array<f32>;
@group(0) @binding(4) var<storage, read_write> secondMoments: array<f32>;

// 2^60: the largest gradient whose square stays far inside float32. Tested on the bits, since a compiler may assume
// that floats are not NaN; NaN and infinity have larger bits.
const LARGEST_GRADIENT_BITS = 0x5d800000u;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  for (var i = id.x; i < adam.count; i += adam.stride) {
    var gradient = gradients[i] * adam.gradientScale;
    if ((bitcast<u32>(gradient) & 0x7fffffffu) > LARGEST_GRADIENT_BITS) { gradient = 0.0; }
    let first = adam.beta1 * firstMoments[i] + (1.0 - adam.beta1) * gradient;
    let second = adam.beta2 * secondMoments[i] + (1.0 - adam.beta2) * gradient * gradient;
    firstMoments[i] = first;
    secondMoments[i] = second;
    weights[i] -= adam.stepSize * first / (sqrt(second) * adam.secondCorrection + adam.epsilon);
  }
}
