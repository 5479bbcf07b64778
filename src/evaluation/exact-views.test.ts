import { describe, expect, it } from 'vitest';
import { randomNormal } from '../math/random.ts';
import { matrixFromAxisAngle, transformVector } from '../math/rotation.ts';
import { overlay } from './exact-views.ts';

/** L×3: landmarks spread as a face's are, metres. */
const points = Float32Array.from({ length: 468 * 3 }, (_, i) => 0.05 * randomNormal(7, 0, i));

function placed(scale: number, rotation: readonly number[], translation: readonly number[]): Float32Array {
  const matrix = matrixFromAxisAngle(rotation);
  const moved = points.slice();
  for (let i = 0; i < points.length; i += 3) {
    const turned = transformVector(matrix, points[i], points[i + 1], points[i + 2]);
    for (let axis = 0; axis < 3; axis++) moved[i + axis] = scale * (turned[axis] + translation[axis]);
  }
  return moved;
}

describe('overlay', () => {
  it.each([
    { name: 'a frontal head', rotation: [Math.PI - 0.01, 0, 0], translation: [0.01, -0.02, 0.7], scale: 1 },
    { name: 'one half as large', rotation: [2.2, 0, 2.2], translation: [0, 0.02, 0.68], scale: 0.5 },
    { name: 'one seen from behind', rotation: [0, 0, 3.1], translation: [0, 0, 1], scale: 1.3 },
  ])('finds $name', ({ rotation, translation, scale }) => {
    const pose = overlay(points, placed(scale, rotation, translation));
    for (let axis = 0; axis < 3; axis++) {
      expect(pose.headRotation[axis]).toBeCloseTo(rotation[axis], 4);
      expect(pose.headTranslation[axis]).toBeCloseTo(translation[axis], 5);
    }
  });

  it('finds the middle of noise', () => {
    const seen = placed(1, [3, 0.2, 0.1], [0, 0, 0.8]).map((value, i) => value + 2e-3 * randomNormal(7, 1, i));
    const { headRotation, headTranslation } = overlay(points, seen);
    [3, 0.2, 0.1].forEach((value, axis) => expect(Math.abs(headRotation[axis] - value)).toBeLessThan(0.01));
    expect(Math.abs(headTranslation[2] - 0.8)).toBeLessThan(0.01);
  });
});
