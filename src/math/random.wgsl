// Counter-based random numbers; the same as random.ts, bit for bit.

fn randomMix(value: u32) -> u32 {
  let state = value * 747796405u + 2891336453u;
  let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
  return (word >> 22u) ^ word;
}

fn randomBits(seed: u32, stream: u32, index: u32) -> u32 {
  return randomMix(randomMix(randomMix(seed) ^ stream) ^ index);
}

// Uniform in [0, 1), 24 bits.
fn randomUniform(seed: u32, stream: u32, index: u32) -> f32 {
  return f32(randomBits(seed, stream, index) >> 8u) / 16777216.0;
}
