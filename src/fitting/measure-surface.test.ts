import { expect, test } from 'vitest';
import { firstOf } from './measure-surface.ts';

const places = (triangleIndices: number[], barycentrics: number[]) => ({
  count: triangleIndices.length,
  triangleIndices: Uint32Array.from(triangleIndices),
  barycentrics: Float32Array.from(barycentrics),
});

test('the first Gaussians are known by their places after others have gone and children have come', () => {
  const first = places([4, 4, 9], [0.1, 0.2, 0.7, 0.3, 0.3, 0.4, 0.1, 0.2, 0.7]);
  const later = places([4, 9, 4, 9], [0.3, 0.3, 0.4, 0.1, 0.2, 0.7, 0.2, 0.2, 0.6, 0.3, 0.3, 0.4]);
  expect([...firstOf(later, first)]).toEqual([1, 1, 0, 0]);
});
