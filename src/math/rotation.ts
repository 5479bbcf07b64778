/**
 * Rotations in three forms: axis-angle vectors (radians), row-major 3×3 matrices, unit quaternions w, x, y, z. Plain
 * float64 arithmetic on the host; `rotation.wgsl` holds the float32 twins. Every function takes an offset where its
 * input may lie inside a longer array, and returns a fresh array.
 */

/** Row-major 3×3. */
export type Matrix3 = Float64Array;
/** w, x, y, z. */
export type QuaternionWxyz = Float64Array;

/** Below this squared angle the power series replace the quotients, whose numerators cancel. */
const SMALL_ANGLE_SQUARED = 0.01;

/** sin θ/θ, (1 − cos θ)/θ², and their derivatives by θ²/2, from θ². */
function rodriguesFactors(angleSquared: number): [number, number, number, number] {
  const t = angleSquared;
  if (t < SMALL_ANGLE_SQUARED) {
    return [
      1 - (t / 6) * (1 - (t / 20) * (1 - (t / 42) * (1 - t / 72))),
      0.5 - (t / 24) * (1 - (t / 30) * (1 - (t / 56) * (1 - t / 90))),
      -1 / 3 + t * (1 / 30 - t * (1 / 840 - t * (1 / 45360 - t / 3991680))),
      -1 / 12 + t * (1 / 180 - t * (1 / 6720 - t * (1 / 453600 - t / 47900160))),
    ];
  }
  const angle = Math.sqrt(t);
  const a = Math.sin(angle) / angle;
  const b = (1 - Math.cos(angle)) / t;
  return [a, b, (Math.cos(angle) - a) / t, (a - 2 * b) / t];
}

/** Rodrigues: R = I + A·[w]× + B·[w]×², safe at any angle. */
export function matrixFromAxisAngle(axisAngle: ArrayLike<number>, offset = 0): Matrix3 {
  const x = axisAngle[offset];
  const y = axisAngle[offset + 1];
  const z = axisAngle[offset + 2];
  const [a, b] = rodriguesFactors(x * x + y * y + z * z);
  return Float64Array.of(
    1 - b * (y * y + z * z), b * x * y - a * z, b * x * z + a * y,
    b * x * y + a * z, 1 - b * (x * x + z * z), b * y * z - a * x,
    b * x * z - a * y, b * y * z + a * x, 1 - b * (x * x + y * y),
  ); // prettier-ignore
}

/** ∂R/∂w_k of `matrixFromAxisAngle` for k = x, y, z: three row-major matrices. Exact at zero ([e_k]×) and everywhere. */
export function matrixFromAxisAngleDerivatives(axisAngle: ArrayLike<number>, offset = 0): [Matrix3, Matrix3, Matrix3] {
  const w = [axisAngle[offset], axisAngle[offset + 1], axisAngle[offset + 2]];
  const [a, b, aSlope, bSlope] = rodriguesFactors(w[0] * w[0] + w[1] * w[1] + w[2] * w[2]);
  const cross = crossMatrix(w[0], w[1], w[2]);
  const crossSquared = multiplyMatrices(cross, cross);
  const derivative = (k: number): Matrix3 => {
    const unit = crossMatrix(k === 0 ? 1 : 0, k === 1 ? 1 : 0, k === 2 ? 1 : 0);
    const left = multiplyMatrices(unit, cross);
    const right = multiplyMatrices(cross, unit);
    return unit.map(
      (value, i) => a * value + b * (left[i] + right[i]) + w[k] * (aSlope * cross[i] + bSlope * crossSquared[i]),
    );
  };
  return [derivative(0), derivative(1), derivative(2)];
}

/** [w]×: the matrix of the cross product with (x, y, z). */
export function crossMatrix(x: number, y: number, z: number): Matrix3 {
  return Float64Array.of(0, -z, y, z, 0, -x, -y, x, 0);
}

/** The shortest axis-angle of a rotation matrix, length 0…π. The matrix must be a rotation. */
export function axisAngleFromMatrix(matrix: ArrayLike<number>, offset = 0): Float64Array {
  return axisAngleFromQuaternion(quaternionFromMatrix(matrix, offset));
}

/** Unit quaternion w, x, y, z of an axis-angle. */
export function quaternionFromAxisAngle(axisAngle: ArrayLike<number>, offset = 0): QuaternionWxyz {
  const x = axisAngle[offset];
  const y = axisAngle[offset + 1];
  const z = axisAngle[offset + 2];
  const angle = Math.hypot(x, y, z);
  const half = angle / 2;
  const factor = angle < 1e-4 ? 0.5 - (angle * angle) / 48 : Math.sin(half) / angle;
  return Float64Array.of(Math.cos(half), factor * x, factor * y, factor * z);
}

/** The shortest axis-angle of a quaternion of any length but zero. */
export function axisAngleFromQuaternion(quaternion: ArrayLike<number>, offset = 0): Float64Array {
  const sign = quaternion[offset] < 0 ? -1 : 1;
  const w = sign * quaternion[offset];
  const x = sign * quaternion[offset + 1];
  const y = sign * quaternion[offset + 2];
  const z = sign * quaternion[offset + 3];
  const sine = Math.hypot(x, y, z);
  const factor = sine > 1e-8 * w ? (2 * Math.atan2(sine, w)) / sine : 2 / w;
  return Float64Array.of(factor * x, factor * y, factor * z);
}

/** Row-major matrix of a quaternion w, x, y, z, which is normalised first. */
export function matrixFromQuaternion(quaternion: ArrayLike<number>, offset = 0): Matrix3 {
  const [w, x, y, z] = normalizeQuaternion(quaternion, offset);
  return Float64Array.of(
    1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
    2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
    2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y),
  ); // prettier-ignore
}

/** Unit quaternion with w ≥ 0 of a rotation matrix, by the largest of its four components (Shepperd). */
export function quaternionFromMatrix(matrix: ArrayLike<number>, offset = 0): QuaternionWxyz {
  const at = (row: number, column: number): number => matrix[offset + row * 3 + column];
  const squares = [
    1 + at(0, 0) + at(1, 1) + at(2, 2),
    1 + at(0, 0) - at(1, 1) - at(2, 2),
    1 - at(0, 0) + at(1, 1) - at(2, 2),
    1 - at(0, 0) - at(1, 1) + at(2, 2),
  ];
  const largest = squares.indexOf(Math.max(...squares));
  const [differenceX, differenceY, differenceZ] = [at(2, 1) - at(1, 2), at(0, 2) - at(2, 0), at(1, 0) - at(0, 1)];
  const [sumXy, sumXz, sumYz] = [at(0, 1) + at(1, 0), at(0, 2) + at(2, 0), at(1, 2) + at(2, 1)];
  const rows = [
    [squares[0], differenceX, differenceY, differenceZ],
    [differenceX, squares[1], sumXy, sumXz],
    [differenceY, sumXy, squares[2], sumYz],
    [differenceZ, sumXz, sumYz, squares[3]],
  ];
  const quaternion = normalizeQuaternion(rows[largest]);
  return quaternion[0] < 0 ? quaternion.map((value) => -value) : quaternion;
}

/** The quaternion scaled to length one; zero becomes the identity. */
export function normalizeQuaternion(quaternion: ArrayLike<number>, offset = 0): QuaternionWxyz {
  const [w, x, y, z] = [quaternion[offset], quaternion[offset + 1], quaternion[offset + 2], quaternion[offset + 3]];
  const length = Math.hypot(w, x, y, z);
  return length > 0 ? Float64Array.of(w / length, x / length, y / length, z / length) : Float64Array.of(1, 0, 0, 0);
}

/** Hamilton product: first `b`, then `a`, as for matrices. */
export function multiplyQuaternions(a: ArrayLike<number>, b: ArrayLike<number>): QuaternionWxyz {
  return Float64Array.of(
    a[0] * b[0] - a[1] * b[1] - a[2] * b[2] - a[3] * b[3],
    a[0] * b[1] + a[1] * b[0] + a[2] * b[3] - a[3] * b[2],
    a[0] * b[2] - a[1] * b[3] + a[2] * b[0] + a[3] * b[1],
    a[0] * b[3] + a[1] * b[2] - a[2] * b[1] + a[3] * b[0],
  );
}

/** Row-major product a·b. */
export function multiplyMatrices(a: ArrayLike<number>, b: ArrayLike<number>): Matrix3 {
  const product = new Float64Array(9);
  for (let row = 0; row < 3; row++) {
    for (let column = 0; column < 3; column++) {
      product[row * 3 + column] =
        a[row * 3] * b[column] + a[row * 3 + 1] * b[3 + column] + a[row * 3 + 2] * b[6 + column];
    }
  }
  return product;
}

/** Transpose; the inverse of a rotation. */
export function transposeMatrix(m: ArrayLike<number>): Matrix3 {
  return Float64Array.of(m[0], m[3], m[6], m[1], m[4], m[7], m[2], m[5], m[8]);
}

/** matrix · (x, y, z). */
export function transformVector(matrix: ArrayLike<number>, x: number, y: number, z: number): Float64Array {
  return Float64Array.of(
    matrix[0] * x + matrix[1] * y + matrix[2] * z,
    matrix[3] * x + matrix[4] * y + matrix[5] * z,
    matrix[6] * x + matrix[7] * y + matrix[8] * z,
  );
}
