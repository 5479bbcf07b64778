import { randomBits } from '../math/random.ts';

/** Smooth noise in −1…1 over space, the same for the same seed. */
export type Noise3 = (x: number, y: number, z: number) => number;

const TABLE_SIZE = 4096;

/** Value noise: random values on the integer lattice, smoothly interpolated. One feature per unit. */
export function createNoise(seed: number): Noise3 {
  const values = Float32Array.from(
    { length: TABLE_SIZE },
    (_, i) => (randomBits(seed, 0x4e01, i) / 0xffffffff) * 2 - 1,
  );
  const at = (x: number, y: number, z: number): number =>
    values[(Math.imul(x, 73856093) ^ Math.imul(y, 19349663) ^ Math.imul(z, 83492791)) & (TABLE_SIZE - 1)];
  return (x, y, z) => {
    const [ix, iy, iz] = [Math.floor(x), Math.floor(y), Math.floor(z)];
    const [fx, fy, fz] = [ease(x - ix), ease(y - iy), ease(z - iz)];
    const row = (dy: number, dz: number): number => mix(at(ix, iy + dy, iz + dz), at(ix + 1, iy + dy, iz + dz), fx);
    return mix(mix(row(0, 0), row(1, 0), fy), mix(row(0, 1), row(1, 1), fy), fz);
  };
}

/** Octaves of noise, each twice as fine and half as strong; about −1…1. */
export function fractal(noise: Noise3, octaves: number): Noise3 {
  return (x, y, z) => {
    let [sum, strength, frequency, total] = [0, 1, 1, 0];
    for (let octave = 0; octave < octaves; octave++) {
      sum += strength * noise(x * frequency, y * frequency, z * frequency);
      total += strength;
      strength /= 2;
      frequency *= 2;
    }
    return sum / total;
  };
}

export function mix(a: number, b: number, t: number): number {
  return a + (b - a) * t;
}

/** 0 below `low`, 1 above `high` (or the other way round when `low` > `high`), smooth between. */
export function smoothstep(low: number, high: number, value: number): number {
  return ease(Math.min(1, Math.max(0, (value - low) / (high - low))));
}

function ease(t: number): number {
  return t * t * (3 - 2 * t);
}
