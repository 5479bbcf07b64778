/**
 * Solves A·X = B for a symmetric positive definite matrix by Cholesky's factorisation. `a` is N×N row-major and is
 * overwritten by the factor; `b` is N×K row-major and is overwritten by the solution. Throws a `RangeError` when A is not
 * positive definite.
 */
export function solveCholesky(a: Float64Array, b: Float64Array, size: number): Float64Array {
  factorCholesky(a, size);
  return solveFactored(a, b, size);
}

/** Overwrites the lower triangle of `a` (N×N, row-major) by L with A = L·Lᵀ. */
export function factorCholesky(a: Float64Array, size: number): void {
  for (let j = 0; j < size; j++) {
    for (let i = j; i < size; i++) {
      let sum = a[i * size + j];
      for (let k = 0; k < j; k++) sum -= a[i * size + k] * a[j * size + k];
      if (i > j) a[i * size + j] = sum / a[j * size + j];
      else if (sum > 0) a[j * size + j] = Math.sqrt(sum);
      else throw new RangeError(`the matrix is not positive definite (pivot ${sum} in row ${j}).`);
    }
  }
}

/** Solves L·Lᵀ·X = B with the factor of `factorCholesky`; `b` (N×K, row-major) becomes the solution. */
export function solveFactored(factor: Float64Array, b: Float64Array, size: number): Float64Array {
  const columns = b.length / size;
  for (let column = 0; column < columns; column++) {
    for (let i = 0; i < size; i++) {
      let sum = b[i * columns + column];
      for (let k = 0; k < i; k++) sum -= factor[i * size + k] * b[k * columns + column];
      b[i * columns + column] = sum / factor[i * size + i];
    }
    for (let i = size - 1; i >= 0; i--) {
      let sum = b[i * columns + column];
      for (let k = i + 1; k < size; k++) sum -= factor[k * size + i] * b[k * columns + column];
      b[i * columns + column] = sum / factor[i * size + i];
    }
  }
  return b;
}
