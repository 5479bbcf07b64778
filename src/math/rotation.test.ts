import { describe, expect, it } from 'vitest';
import { randomNormal } from './random.ts';
import {
  axisAngleFromMatrix,
  axisAngleFromQuaternion,
  matrixFromAxisAngle,
  matrixFromAxisAngleDerivatives,
  matrixFromQuaternion,
  multiplyMatrices,
  multiplyQuaternions,
  quaternionFromAxisAngle,
  quaternionFromMatrix,
  transposeMatrix,
} from './rotation.ts';

/** Axis-angles of every size that matters: zero, tiny, around the series' threshold, ordinary, near π. */
const LENGTHS = [0, 1e-12, 1e-5, 0.0999, 0.1001, 0.7, 2.2, Math.PI - 1e-3, Math.PI - 1e-7];
const AXIS_ANGLES = LENGTHS.flatMap((length, row) =>
  [0, 1, 2].map((column) => {
    const axis = [0, 1, 2].map((i) => randomNormal(7, row * 3 + column, i));
    const scale = length / Math.hypot(...axis);
    return Float64Array.from(axis, (value) => value * scale);
  }),
);

const worst = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a, (value, i) => Math.abs(value - b[i])).reduce((x, y) => Math.max(x, y), 0);

describe('rotations', () => {
  it('turn about the axis by the angle, right-handed', () => {
    expect(worst(matrixFromAxisAngle([0, 0, Math.PI / 2]), [0, -1, 0, 1, 0, 0, 0, 0, 1])).toBeLessThan(1e-15);
  });

  it.each(AXIS_ANGLES.map((axisAngle) => [Math.hypot(...axisAngle), axisAngle] as const))(
    'convert between the three forms at %s rad',
    (_, axisAngle) => {
      const matrix = matrixFromAxisAngle(axisAngle);
      const quaternion = quaternionFromAxisAngle(axisAngle);
      expect(worst(multiplyMatrices(matrix, transposeMatrix(matrix)), [1, 0, 0, 0, 1, 0, 0, 0, 1])).toBeLessThan(1e-14);
      expect(worst(matrixFromQuaternion(quaternion), matrix)).toBeLessThan(1e-14);
      expect(worst(quaternionFromMatrix(matrix), quaternion)).toBeLessThan(1e-8);
      expect(worst(axisAngleFromQuaternion(quaternion), axisAngle)).toBeLessThan(1e-8);
      expect(worst(axisAngleFromMatrix(matrix), axisAngle)).toBeLessThan(1e-8);
    },
  );

  it.each(AXIS_ANGLES.map((axisAngle) => [Math.hypot(...axisAngle), axisAngle] as const))(
    'differentiate at %s rad as central differences do',
    (_, axisAngle) => {
      const step = 1e-5;
      matrixFromAxisAngleDerivatives(axisAngle).forEach((derivative, k) => {
        const shifted = (sign: number): Float64Array =>
          matrixFromAxisAngle(axisAngle.map((value, i) => value + (i === k ? sign * step : 0)));
        const below = shifted(-1);
        const numeric = shifted(1).map((value, i) => (value - below[i]) / (2 * step));
        expect(worst(derivative, numeric)).toBeLessThan(1e-9);
      });
    },
  );

  it('compose in the same order as matrices and quaternions', () => {
    const [a, b] = [AXIS_ANGLES[15], AXIS_ANGLES[18]];
    const product = matrixFromQuaternion(multiplyQuaternions(quaternionFromAxisAngle(a), quaternionFromAxisAngle(b)));
    expect(worst(product, multiplyMatrices(matrixFromAxisAngle(a), matrixFromAxisAngle(b)))).toBeLessThan(1e-14);
  });
});
