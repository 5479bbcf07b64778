import type { GaussianSet } from './layout.ts';
import { matrixFromQuaternion, multiplyMatrices, normalizeQuaternion, quaternionFromMatrix, transposeMatrix } from '../math/rotation.ts'; // prettier-ignore
import { symmetricEigen } from '../math/symmetric-eigen.ts';

/** Symmetric 2×2 over a triangle's tangent axes (edge, and normal × edge): [xx, xy, yy]. */
export type Tangential = readonly [number, number, number];

/** 3×3 row-major, metres², in the triangle's frame (edge, normal, their cross product). */
export function localCovariance({ localRotation, logScale }: GaussianSet, index: number): Float64Array {
  const axes = matrixFromQuaternion(normalizeQuaternion(localRotation, index * 4));
  const variances = [0, 1, 2].map((k) => Math.exp(2 * logScale[index * 3 + k]));
  const covariance = new Float64Array(9);
  for (let row = 0; row < 3; row++) {
    for (let column = 0; column < 3; column++) {
      for (let k = 0; k < 3; k++)
        covariance[row * 3 + column] += axes[row * 3 + k] * variances[k] * axes[column * 3 + k];
    }
  }
  return covariance;
}

/** The part of a covariance that lies in the surface. */
export function tangentialPart(covariance: Float64Array): Tangential {
  return [covariance[0], covariance[2], covariance[8]];
}

/** A Σ Aᵀ, where A maps the tangent axes by a 2×2 row-major matrix and leaves the normal alone. */
export function mapTangentially(covariance: Float64Array, [a, b, c, d]: readonly number[]): Float64Array {
  const map = Float64Array.of(a, 0, b, 0, 1, 0, c, 0, d);
  return multiplyMatrices(multiplyMatrices(map, covariance), transposeMatrix(map));
}

/** Sets rotation and scale of a Gaussian from a covariance in its triangle's frame. */
export function setShape(set: GaussianSet, index: number, covariance: Float64Array): void {
  const { values, vectors } = symmetricEigen(covariance);
  for (let k = 0; k < 3; k++) set.logScale[index * 3 + k] = 0.5 * Math.log(Math.max(values[k], 1e-18));
  set.localRotation.set(quaternionFromMatrix(vectors), index * 4);
}

/** Square root of a symmetric positive 2×2 matrix, and its inverse's. */
export function tangentialRoot([xx, xy, yy]: Tangential): { root: Tangential; inverse: Tangential } {
  const determinant = Math.sqrt(Math.max(1e-30, xx * yy - xy * xy));
  const trace = Math.sqrt(xx + yy + 2 * determinant);
  const root: Tangential = [(xx + determinant) / trace, xy / trace, (yy + determinant) / trace];
  const area = Math.max(1e-30, root[0] * root[2] - root[1] ** 2);
  return { root, inverse: [root[2] / area, -root[1] / area, root[0] / area] };
}
