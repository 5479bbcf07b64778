/**
 * A counter-based generator: the value depends on (seed, stream, index) alone, so a resumed run draws what an unbroken
 * one would, and the GPU (`random.wgsl`) draws the same numbers as the host. Mixing: PCG-style multiply, xorshift,
 * multiply (Jarzynski & Olano, JCGT 2020, describe the family).
 */
export function randomBits(seed: number, stream: number, index: number): number {
  let state = mix(seed >>> 0);
  state = mix((state ^ stream) >>> 0);
  return mix((state ^ index) >>> 0);
}

/** Uniform in [0, 1), 24 bits: exact in float32, so host and GPU agree bit for bit. */
export function randomUniform(seed: number, stream: number, index: number): number {
  return (randomBits(seed, stream, index) >>> 8) / 16777216;
}

/** Standard normal by Box and Muller, from indices 2i and 2i+1. */
export function randomNormal(seed: number, stream: number, index: number): number {
  const radius = Math.sqrt(-2 * Math.log(1 - randomUniform(seed, stream, index * 2)));
  return radius * Math.cos(2 * Math.PI * randomUniform(seed, stream, index * 2 + 1));
}

function mix(value: number): number {
  const state = (Math.imul(value, 747796405) + 2891336453) >>> 0;
  const word = Math.imul(((state >>> ((state >>> 28) + 4)) ^ state) >>> 0, 277803737) >>> 0;
  return ((word >>> 22) ^ word) >>> 0;
}
