// Regularisers of what N Gaussians read from the maps, with their gradients added to `sampleGradient`:
//
//   attributes = mean Σ_c channelWeight_c · (v_c − v̄_c)²     v̄: the fitted attributes (FATE eq 26, squared)
//   kept       = mean keep · Σ_c channelWeight_c · (v_c − v̄_c)²     keep: the last float of a target's record
//   tilt       = mean (r_x² + r_z²)                          r: axis-angle; y is the triangle's normal (eq 27, squared)
//
// One invocation per Gaussian. samples, targets, sampleGradient: records as in record.wgsl. partials: one vec4f per
// invocation: attributes, tilt, kept.
// Guard: a Gaussian whose difference is NaN or beyond 10⁴ takes no part in `attributes` and `kept`.

override gaussianCount = 0u;

struct RegulariserStep {
  channelWeights: array<vec4f, 3>, // record's order; 0 where a channel is free
  attributeWeight: f32,
  tiltWeight: f32,
  keptWeight: f32,
}

@group(0) @binding(0) var<uniform> step: RegulariserStep;
@group(0) @binding(1) var<storage, read> samples: array<MapSample>;
@group(0) @binding(2) var<storage, read> targets: array<MapSample>;
@group(0) @binding(3) var<storage, read_write> sampleGradient: array<MapSample>;
@group(0) @binding(4) var<storage, read_write> partials: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let gaussian = id.x;
  if (gaussian >= gaussianCount) {
    partials[gaussian] = vec4f(0.0);
    return;
  }
  let scale = 1.0 / f32(gaussianCount);
  let sample = samples[gaussian];
  let fitted = targets[gaussian];
  let a = usable(sample.a - fitted.a);
  let b = usable(sample.b - fitted.b);
  let c = usable(vec4f(sample.c.xyz - fitted.c.xyz, 0.0));
  let weightedA = step.channelWeights[0] * a;
  let weightedB = step.channelWeights[1] * b;
  let weightedC = step.channelWeights[2] * c;
  let attributes = dot(weightedA, a) + dot(weightedB, b) + dot(weightedC, c);
  let tilt = vec2f(sample.a.w, sample.b.y); // rotation x and z
  let keep = fitted.c.w;
  partials[gaussian] = scale * vec4f(attributes, dot(tilt, tilt), keep * attributes, 0.0);
  let byAttributes = 2.0 * scale * (step.attributeWeight + keep * step.keptWeight);
  let byTilt = 2.0 * scale * step.tiltWeight;
  var gradient = sampleGradient[gaussian];
  gradient.a += byAttributes * weightedA + vec4f(0.0, 0.0, 0.0, byTilt * tilt.x);
  gradient.b += byAttributes * weightedB + vec4f(0.0, byTilt * tilt.y, 0.0, 0.0);
  gradient.c += byAttributes * weightedC;
  sampleGradient[gaussian] = gradient;
}

// On the bits, since a compiler may assume that floats are not NaN.
fn usable(difference: vec4f) -> vec4f {
  return select(vec4f(0.0), difference, (bitcast<vec4u>(difference) & vec4u(0x7fffffffu)) <= vec4u(bitcast<u32>(1.0e4)));
}
