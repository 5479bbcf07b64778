import { expect, test } from 'vitest';
import { NORMAL_OFFSET_LIMIT, type GaussianSet } from '../gaussians/layout.ts';
import { limitHeights } from './limit-heights.ts';
import type { SurfaceGroup } from './region-appearance.ts';

/** Gaussians that stand off by so many metres of canonical size. */
function standing(metres: number[]): GaussianSet {
  const count = metres.length;
  return {
    count,
    triangleIndices: new Uint32Array(count),
    barycentrics: new Float32Array(count * 3),
    localRotation: new Float32Array(count * 4),
    logScale: new Float32Array(count * 3),
    opacityLogit: new Float32Array(count),
    color: new Float32Array(count * 3),
    normalOffset: Float32Array.from(metres, (value) => Math.atanh(value / NORMAL_OFFSET_LIMIT)),
  };
}
/** Places a metre apart: each Gaussian is alone. */
const apart = (count: number): Float32Array => Float32Array.from({ length: count * 3 }, (_, i) => i);
const all = (count: number, group: SurfaceGroup): SurfaceGroup[] => Array(count).fill(group);
const heightsOf = ({ normalOffset }: GaussianSet): number[] =>
  Array.from(normalOffset, (value) => NORMAL_OFFSET_LIMIT * Math.tanh(value));

test('what stands off by more than 30 mm comes back to them, on either side; the rest stays', () => {
  const gaussians = standing([0.045, -0.045, 0.02, 0]);
  const heights = heightsOf(
    limitHeights({ gaussians, positions: apart(4), groups: all(4, 'skin'), stretch: new Float32Array(4).fill(1) }),
  );
  [0.03, -0.03, 0.02, 0].forEach((height, i) => expect(heights[i]).toBeCloseTo(height, 6));
  expect(heightsOf(gaussians)[0]).toBeCloseTo(0.045, 6); // what was given stays
});

test('a height on a triangle that Δvertex has made twice as large counts twice; on a smaller one, as it stands', () => {
  const gaussians = standing([0.045, 0.045]);
  const heights = heightsOf(
    limitHeights({ gaussians, positions: apart(2), groups: all(2, 'neck'), stretch: Float32Array.of(2, 0.5) }),
  );
  expect(heights[0]).toBeCloseTo(0.015, 6);
  expect(heights[1]).toBeCloseTo(0.03, 6);
});

test('one that stands off the skin alone comes down to 7 mm above its neighbours; a tuft, and what lies lower, stay', () => {
  const metres: number[] = Array(120).fill(0.001); // ten columns of twelve, 3 mm apart
  metres.fill(0.022, 60); // the right half is a tuft
  const alone = 26;
  metres.splice(alone, 3, 0.02, 0.007, -0.01);
  const positions = Float32Array.from(metres.flatMap((_, i) => [Math.floor(i / 12) * 0.003, (i % 12) * 0.003, 0]));
  const gaussians = standing(metres);
  const inputs = { gaussians, positions, stretch: new Float32Array(metres.length).fill(1) };
  const limited = limitHeights({ ...inputs, groups: all(metres.length, 'skin') });
  expect(heightsOf(limited)[alone]).toBeCloseTo(0.008, 6);
  for (const i of metres.keys()) if (i !== alone) expect(limited.normalOffset[i]).toBe(gaussians.normalOffset[i]);
  const hair = limitHeights({ ...inputs, groups: all(metres.length, 'hair') });
  expect(hair.normalOffset).toEqual(gaussians.normalOffset);
});
