/**
 * Symmetric positive definite systems, in place and without allocation: dense for one frame and for the shared
 * parameters, banded for a whole clip. Float64, row-major, fixed order of summation.
 */

/**
 * Factors the lower triangle of the n×n matrix into L (A = L·Lᵀ). False when a pivot is not positive: the matrix is
 * then half overwritten and the caller adds damping.
 */
export function factorCholesky(matrix: Float64Array, n: number): boolean {
  for (let row = 0; row < n; row++) {
    const rowStart = row * n;
    for (let column = 0; column <= row; column++) {
      const columnStart = column * n;
      let sum = matrix[rowStart + column];
      for (let k = 0; k < column; k++) sum -= matrix[rowStart + k] * matrix[columnStart + k];
      if (column < row) {
        matrix[rowStart + column] = sum / matrix[columnStart + column];
      } else {
        if (!(sum > 0)) return false;
        matrix[rowStart + row] = Math.sqrt(sum);
      }
    }
  }
  return true;
}

/** vector ← L⁻¹·vector. */
export function solveLower(factor: Float64Array, n: number, vector: Float64Array): void {
  for (let row = 0; row < n; row++) {
    let sum = vector[row];
    for (let k = 0; k < row; k++) sum -= factor[row * n + k] * vector[k];
    vector[row] = sum / factor[row * n + row];
  }
}

/** vector ← L⁻ᵀ·vector. */
export function solveLowerTransposed(factor: Float64Array, n: number, vector: Float64Array): void {
  for (let row = n - 1; row >= 0; row--) {
    const value = vector[row] / factor[row * n + row];
    vector[row] = value;
    for (let k = 0; k < row; k++) vector[k] -= factor[row * n + k] * value;
  }
}

/** The n×m matrix ← L⁻¹·matrix, all columns at once. */
export function solveLowerColumns(factor: Float64Array, n: number, matrix: Float64Array, m: number): void {
  for (let row = 0; row < n; row++) {
    const rowStart = row * m;
    for (let k = 0; k < row; k++) {
      const weight = factor[row * n + k];
      if (weight === 0) continue;
      const sourceStart = k * m;
      for (let column = 0; column < m; column++) matrix[rowStart + column] -= weight * matrix[sourceStart + column];
    }
    const inverse = 1 / factor[row * n + row];
    for (let column = 0; column < m; column++) matrix[rowStart + column] *= inverse;
  }
}

/**
 * Factors a banded matrix of `size` rows in place. Row i holds columns i − bandwidth … i, so `band` is
 * size×(bandwidth + 1) and the diagonal is each row's last entry. False when a pivot is not positive.
 */
export function factorBandedCholesky(band: Float64Array, size: number, bandwidth: number): boolean {
  const stride = bandwidth + 1;
  for (let row = 0; row < size; row++) {
    const rowStart = row * stride + bandwidth - row; // band[rowStart + column]
    const first = Math.max(0, row - bandwidth);
    for (let column = first; column <= row; column++) {
      const columnStart = column * stride + bandwidth - column;
      let sum = band[rowStart + column];
      for (let k = Math.max(first, column - bandwidth); k < column; k++) {
        sum -= band[rowStart + k] * band[columnStart + k];
      }
      if (column < row) {
        band[rowStart + column] = sum / band[columnStart + column];
      } else {
        if (!(sum > 0)) return false;
        band[rowStart + row] = Math.sqrt(sum);
      }
    }
  }
  return true;
}

/** vector ← (L·Lᵀ)⁻¹·vector for a factor of `factorBandedCholesky`. */
export function solveBanded(band: Float64Array, size: number, bandwidth: number, vector: Float64Array): void {
  const stride = bandwidth + 1;
  for (let row = 0; row < size; row++) {
    const rowStart = row * stride + bandwidth - row;
    let sum = vector[row];
    for (let k = Math.max(0, row - bandwidth); k < row; k++) sum -= band[rowStart + k] * vector[k];
    vector[row] = sum / band[rowStart + row];
  }
  for (let row = size - 1; row >= 0; row--) {
    const rowStart = row * stride + bandwidth - row;
    const value = vector[row] / band[rowStart + row];
    vector[row] = value;
    for (let k = Math.max(0, row - bandwidth); k < row; k++) vector[k] -= band[rowStart + k] * value;
  }
}
