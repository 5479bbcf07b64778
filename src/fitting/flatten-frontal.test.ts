import { describe, expect, it } from 'vitest';
import { localCovariance } from '../gaussians/gaussian-shape.ts';
import type { GaussianSet } from '../gaussians/layout.ts';
import { flattenFrontal } from './flatten-frontal.ts';
import type { SurfaceGroup } from './region-appearance.ts';

const COUNT = 25;
const SPACING = 0.002;

/** A sheet of Gaussians, all long and tilted out of the surface. */
function sheet(cosine: number, group: SurfaceGroup | null = 'skin') {
  const gaussians: GaussianSet = {
    count: COUNT,
    triangleIndices: new Uint32Array(COUNT),
    barycentrics: new Float32Array(COUNT * 3).fill(1 / 3),
    localRotation: Float32Array.from({ length: COUNT * 4 }, (_, at) => [0.8, 0.3, 0.2, 0.4][at % 4]!),
    logScale: Float32Array.from({ length: COUNT * 3 }, (_, at) => Math.log([0.003, 0.001, 0.002][at % 3]!)),
    opacityLogit: new Float32Array(COUNT),
    color: new Float32Array(COUNT * 3),
    normalOffset: new Float32Array(COUNT),
  };
  const groups = Array.from({ length: COUNT }, () => group);
  const spacing = new Float32Array(COUNT).fill(SPACING);
  return { gaussians, spacing, groups, facing: new Float32Array(COUNT).fill(cosine) };
}

describe('flattenFrontal', () => {
  it('shortens what is seen from the front along its normal, and leaves how it looks from there', () => {
    const inputs = sheet(0.9);
    const flat = flattenFrontal(inputs);
    for (let i = 0; i < COUNT; i++) {
      const [before, after] = [localCovariance(inputs.gaussians, i), localCovariance(flat, i)];
      expect(Math.sqrt(before[4]!)).toBeGreaterThan(SPACING * 0.45);
      // At the sheet's corners the nearest three are farther than one spacing.
      expect(Math.sqrt(after[4]!)).toBeLessThan(0.46 * SPACING);
      if (i === 12) expect(Math.sqrt(after[4]!)).toBeCloseTo(0.4 * SPACING, 5);
      for (const at of [0, 2, 8]) expect(after[at]! / before[at]!).toBeCloseTo(1, 3);
    }
  });

  it('goes half-way where the thickness shows a little, and leaves where it shows', () => {
    const thickness = (set: GaussianSet): number => Math.sqrt(localCovariance(set, 12)[4]!);
    const [own, half, full] = [0.39, 0.55, 0.71].map((cosine) => thickness(flattenFrontal(sheet(cosine))));
    expect(half).toBeCloseTo(Math.sqrt(own! * full!), 6);
    expect(flattenFrontal(sheet(0.39))).toEqual(sheet(0.39).gaussians);
  });

  it('leaves hair, mouth, eyes, what stands off like long hair, and what is thin already', () => {
    for (const group of ['hair', null] as const)
      expect(flattenFrontal(sheet(0.9, group))).toEqual(sheet(0.9, group).gaussians);
    const hanging = sheet(0.9);
    hanging.gaussians.normalOffset.fill(0.1);
    expect(flattenFrontal(hanging)).toEqual(hanging.gaussians);
    const thin = sheet(0.9);
    thin.gaussians.logScale.fill(Math.log(0.0003));
    expect(flattenFrontal(thin)).toEqual(thin.gaussians);
  });
});
