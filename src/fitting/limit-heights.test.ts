import { expect, test } from 'vitest';
import { NORMAL_OFFSET_LIMIT, type GaussianSet } from '../gaussians/layout.ts';
import { limitHeights } from './limit-heights.ts';

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
const heightsOf = ({ normalOffset }: GaussianSet): number[] =>
  Array.from(normalOffset, (value) => NORMAL_OFFSET_LIMIT * Math.tanh(value));

test('what stands off by more than 30 mm comes back to them, on either side; the rest stays', () => {
  const gaussians = standing([0.045, -0.045, 0.02, 0]);
  const heights = heightsOf(limitHeights({ gaussians, stretch: new Float32Array(4).fill(1) }));
  [0.03, -0.03, 0.02, 0].forEach((height, i) => expect(heights[i]).toBeCloseTo(height, 6));
  expect(heightsOf(gaussians)[0]).toBeCloseTo(0.045, 6); // what was given stays
});

test('a height on a triangle that Δvertex has made twice as large counts twice; on a smaller one, as it stands', () => {
  const gaussians = standing([0.045, 0.045]);
  const heights = heightsOf(limitHeights({ gaussians, stretch: Float32Array.of(2, 0.5) }));
  expect(heights[0]).toBeCloseTo(0.015, 6);
  expect(heights[1]).toBeCloseTo(0.03, 6);
});
