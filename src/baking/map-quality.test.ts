import { describe, expect, it } from 'vitest';
import { sampleAvatar } from '../../test/sample-avatar.ts';
import { randomUniform } from '../math/random.ts';
import { atlasCoverage } from './atlas-coverage.ts';
import { colorMapQuality, visibleTexels } from './map-quality.ts';

const SIZE = 32;
const PLANE = SIZE * SIZE;
const everywhere = new Uint8Array(PLANE).fill(1);
const ramp = Float32Array.from({ length: 3 * PLANE }, (_, index) => (index % SIZE) / SIZE);

describe('quality of a colour map', () => {
  it('is the slope of a ramp, half of it for a ramp along one axis alone', () => {
    const quality = colorMapQuality(ramp, everywhere, SIZE);
    expect(quality.visibleTexels).toBe(PLANE);
    // As many pairs along columns, which are flat, as along rows.
    expect(quality.totalVariation).toBeCloseTo(0.5 / SIZE, 4);
    expect(quality.holes).toBe(0);
  });

  it('counts specks, and leaves out what is not seen', () => {
    const speckled = ramp.slice();
    for (const texel of [5 * SIZE + 5, 9 * SIZE + 20, 20 * SIZE + 9]) speckled[PLANE + texel] = 1.5;
    const isVisible = everywhere.slice();
    expect(colorMapQuality(speckled, isVisible, SIZE).holes).toBeCloseTo(3 / PLANE, 8);
    isVisible[5 * SIZE + 5] = 0;
    const quality = colorMapQuality(speckled, isVisible, SIZE);
    expect(quality.holes).toBeCloseTo(2 / (PLANE - 1), 8);
    expect(quality.visibleTexels).toBe(PLANE - 1);
  });

  it('is worse for noise', () => {
    const noisy = ramp.map((value, index) => value + 0.2 * (randomUniform(1, 1, index) - 0.5));
    const [smooth, rough] = [ramp, noisy].map((map) => colorMapQuality(map, everywhere, SIZE).totalVariation);
    expect(rough).toBeGreaterThan(3 * smooth!);
  });
});

describe('visible texels', () => {
  const { head, gaussians } = sampleAvatar(3000);

  it('are all used ones when every Gaussian is seen, none when none is', () => {
    const { isUsed } = atlasCoverage(head, 64);
    const used = isUsed.reduce((sum, value) => sum + value, 0);
    const count = (pixels: number): number =>
      visibleTexels(head, gaussians, new Float32Array(gaussians.count).fill(pixels), 64).reduce((a, b) => a + b, 0);
    // Some slivers of the atlas hold no Gaussian at all.
    expect(count(1) / used).toBeGreaterThan(0.9);
    expect(count(0)).toBe(0);
  });

  it('surround the Gaussians that are seen', () => {
    const seen = Float32Array.from({ length: gaussians.count }, (_, index) => (index === 100 ? 1 : 0));
    const visible = visibleTexels(head, gaussians, seen, 64);
    const texels = [...visible.keys()].filter((texel) => visible[texel] === 1);
    expect(texels.length).toBeGreaterThan(0);
    expect(texels.length).toBeLessThan(30);
  });
});
