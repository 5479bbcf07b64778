/** Eigenvalues of a symmetric 3×3 matrix and their unit vectors, as the columns of a right-handed rotation. */
export interface SymmetricEigen {
  readonly values: Float64Array;
  /** 3×3, row-major. */
  readonly vectors: Float64Array;
}

const SWEEPS = 12;

/** Jacobi's method: rotates pairs of axes until nothing is left beside the diagonal. `matrix`: 3×3 row-major. */
export function symmetricEigen(matrix: Float64Array): SymmetricEigen {
  const c = matrix.slice();
  const v = Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const beside = c[1] ** 2 + c[2] ** 2 + c[5] ** 2;
    if (beside <= 1e-28 * (c[0] ** 2 + c[4] ** 2 + c[8] ** 2)) break;
    for (const [p, q] of [[0, 1], [0, 2], [1, 2]]) rotatePair(c, v, p, q); // prettier-ignore
  }
  const determinant =
    v[0] * (v[4] * v[8] - v[5] * v[7]) - v[1] * (v[3] * v[8] - v[5] * v[6]) + v[2] * (v[3] * v[7] - v[4] * v[6]);
  if (determinant < 0) for (const at of [2, 5, 8]) v[at] = -v[at];
  return { values: Float64Array.of(c[0], c[4], c[8]), vectors: v };
}

function rotatePair(c: Float64Array, v: Float64Array, p: number, q: number): void {
  if (c[p * 3 + q] === 0) return;
  const theta = (c[q * 3 + q] - c[p * 3 + p]) / (2 * c[p * 3 + q]);
  const tangent = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const cosine = 1 / Math.sqrt(tangent * tangent + 1);
  const sine = tangent * cosine;
  const turn = (values: Float64Array, a: number, b: number): void => {
    [values[a], values[b]] = [cosine * values[a] - sine * values[b], sine * values[a] + cosine * values[b]];
  };
  for (let k = 0; k < 3; k++) turn(c, k * 3 + p, k * 3 + q);
  for (let k = 0; k < 3; k++) turn(c, p * 3 + k, q * 3 + k);
  for (let k = 0; k < 3; k++) turn(v, k * 3 + p, k * 3 + q);
}
