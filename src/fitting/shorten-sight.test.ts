import { describe, expect, it } from 'vitest';
import { localCovariance } from '../gaussians/gaussian-shape.ts';
import type { GaussianSet } from '../gaussians/layout.ts';
import type { SurfaceGroup } from './region-appearance.ts';
import { shortenSight } from './shorten-sight.ts';

const SIDE = 5;
const COUNT = SIDE * SIDE;
const MIDDLE = 12;
const SPACING = 0.002;
const SIGHT = [0.48, -0.8, 0.36];

/** A sheet of round Gaussians, that in the middle drawn out to `reach` along the line of sight. */
function sheet(reach: number, group: SurfaceGroup | null = 'hair') {
  const gaussians: GaussianSet = {
    count: COUNT,
    triangleIndices: new Uint32Array(COUNT),
    barycentrics: new Float32Array(COUNT * 3).fill(1 / 3),
    localRotation: Float32Array.from({ length: COUNT * 4 }, (_, at) => (at % 4 === 0 ? 1 : 0)),
    logScale: new Float32Array(COUNT * 3).fill(Math.log(0.0005)),
    opacityLogit: new Float32Array(COUNT),
    color: new Float32Array(COUNT * 3),
    normalOffset: new Float32Array(COUNT),
  };
  gaussians.logScale[MIDDLE * 3] = Math.log(reach);
  // Turns the first axis to the line of sight: the half-way rotation between them.
  const half = [1 + SIGHT[0]!, 0, -SIGHT[2]!, SIGHT[1]!];
  const length = Math.hypot(...half);
  gaussians.localRotation.set(
    half.map((value) => value / length),
    MIDDLE * 4,
  );
  const spacing = new Float32Array(COUNT).fill(SPACING);
  const sight = Float32Array.from({ length: COUNT * 3 }, (_, at) => SIGHT[at % 3]!);
  return { gaussians, spacing, sight, groups: Array.from({ length: COUNT }, () => group) };
}

const deviation = (set: GaussianSet, along: readonly number[]): number => {
  const covariance = localCovariance(set, MIDDLE);
  let sum = 0;
  for (let row = 0; row < 3; row++)
    for (let column = 0; column < 3; column++) sum += along[row]! * covariance[row * 3 + column]! * along[column]!;
  return Math.sqrt(sum);
};

describe('shortenSight', () => {
  it('shortens a needle along the line of sight, and leaves how it looks along it', () => {
    const inputs = sheet(0.02);
    expect(deviation(inputs.gaussians, SIGHT)).toBeCloseTo(0.02, 5);
    const shortened = shortenSight(inputs);
    expect(deviation(shortened, SIGHT)).toBeCloseTo(1.5 * SPACING, 6);
    for (const across of [
      [0.8, 0.6 * 0.8, 0],
      [0.6, 0, -0.8],
    ]) {
      const flat = across.map((value, k) => value - SIGHT[k]! * across.reduce((sum, v, j) => sum + v * SIGHT[j]!, 0));
      expect(deviation(shortened, flat)).toBeCloseTo(deviation(inputs.gaussians, flat), 6);
    }
  });

  it('leaves what is short enough, and mouth and eyes', () => {
    expect(shortenSight(sheet(0.0029))).toEqual(sheet(0.0029).gaussians);
    expect(shortenSight(sheet(0.02, null))).toEqual(sheet(0.02, null).gaussians);
  });
});
