/**
 * A smooth map R³ → R³ through control points: an affine part plus Σ w_i |x − c_i| (the biharmonic spline of three
 * dimensions), with `stiffness` / weight_i on the diagonal so that unsure points pull without being met.
 */
export type SpaceMap = (x: number, y: number, z: number) => [number, number, number];

export interface ControlPoint {
  readonly from: readonly [number, number, number];
  readonly to: readonly [number, number, number];
  /** 1 is met almost exactly; less pulls less. */
  readonly weight: number;
}

export function fitThinPlate(points: readonly ControlPoint[], stiffness: number): SpaceMap {
  const count = points.length;
  const size = count + 4;
  // Rows: [K + λ/w, P; Pᵀ, 0] · [w; a] = [to; 0], three right-hand sides at the end of each row.
  const rows = Array.from({ length: size }, () => new Float64Array(size + 3));
  points.forEach(({ from, to, weight }, i) => {
    points.forEach((other, j) => {
      rows[i][j] = Math.hypot(from[0] - other.from[0], from[1] - other.from[1], from[2] - other.from[2]);
    });
    // The kernel |x| is negative definite on the constrained space, hence the sign.
    rows[i][i] -= stiffness / weight;
    [1, ...from].forEach((value, k) => {
      rows[i][count + k] = value;
      rows[count + k][i] = value;
    });
    to.forEach((value, axis) => (rows[i][size + axis] = value));
  });
  const solution = solveInPlace(rows, size);
  return (x, y, z) => {
    const result: [number, number, number] = [0, 0, 0];
    for (let axis = 0; axis < 3; axis++) {
      const column = solution[axis];
      let value = column[count] + column[count + 1] * x + column[count + 2] * y + column[count + 3] * z;
      points.forEach(({ from }, i) => (value += column[i] * Math.hypot(x - from[0], y - from[1], z - from[2])));
      result[axis] = value;
    }
    return result;
  };
}

/** Gaussian elimination with row pivoting; the columns behind `size` are right-hand sides. Returns one array per side. */
function solveInPlace(rows: Float64Array[], size: number): Float64Array[] {
  for (let column = 0; column < size; column++) {
    let pivot = column;
    for (let row = column + 1; row < size; row++) {
      if (Math.abs(rows[row][column]) > Math.abs(rows[pivot][column])) pivot = row;
    }
    [rows[column], rows[pivot]] = [rows[pivot], rows[column]];
    for (let row = column + 1; row < size; row++) {
      const factor = rows[row][column] / rows[column][column];
      if (factor === 0) continue;
      for (let k = column; k < rows[row].length; k++) rows[row][k] -= factor * rows[column][k];
    }
  }
  return Array.from({ length: rows[0].length - size }, (_, side) => {
    const solution = new Float64Array(size);
    for (let row = size - 1; row >= 0; row--) {
      let value = rows[row][size + side];
      for (let k = row + 1; k < size; k++) value -= rows[row][k] * solution[k];
      solution[row] = value / rows[row][row];
    }
    return solution;
  });
}
