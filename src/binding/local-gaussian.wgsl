// What placement and its backward compute alike from a stored Gaussian.

const NORMAL_OFFSET_LIMIT = 0.05; // metres of canonical size; as in gaussians/layout.ts

// Unit quaternion; zero counts as the identity and takes no gradient.
fn unitRotation(stored: vec4f) -> vec4f {
  let squared = dot(stored, stored);
  return select(vec4f(1.0, 0.0, 0.0, 0.0), stored * inverseSqrt(squared), squared > 1.0e-24);
}

// tanh d, clamped where it is 1 in float32 anyway: some drivers' tanh overflows beyond.
fn boundedTanh(d: f32) -> f32 {
  return tanh(clamp(d, -10.0, 10.0));
}

fn sigmoid(logit: f32) -> f32 {
  return 1.0 / (1.0 + exp(-clamp(logit, -80.0, 80.0)));
}
