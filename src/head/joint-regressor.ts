import type { SparseRow } from './head-model.ts';

/**
 * The row that gives `target` as a weighted mean of the candidates' vertices with the least change from a plain mean:
 * w_i = 1/n + (v_i − m)ᵀ C⁻¹ (target − m)/n, with m the mean and C the covariance of the candidates. Exact on the mesh
 * it was made from, and it follows the candidates when the identity moves them.
 */
export function regressorThrough(
  vertices: Float32Array,
  candidates: readonly number[],
  target: readonly [number, number, number],
): SparseRow {
  const count = candidates.length;
  const mean = [0, 1, 2].map((axis) => candidates.reduce((sum, v) => sum + vertices[v * 3 + axis], 0) / count);
  const covariance = new Float64Array(9);
  for (const v of candidates) {
    for (let r = 0; r < 3; r++) {
      for (let c = 0; c < 3; c++) {
        covariance[r * 3 + c] += ((vertices[v * 3 + r] - mean[r]) * (vertices[v * 3 + c] - mean[c])) / count;
      }
    }
  }
  const step = solve3(covariance, [target[0] - mean[0], target[1] - mean[1], target[2] - mean[2]]);
  const weights = Float32Array.from(candidates, (v) => {
    const along = [0, 1, 2].reduce((sum, axis) => sum + (vertices[v * 3 + axis] - mean[axis]) * step[axis], 0);
    return (1 + along) / count;
  });
  return { indices: Uint32Array.from(candidates), weights };
}

/** Cramer's rule; `m` row-major. */
function solve3(m: Float64Array, b: readonly [number, number, number]): number[] {
  const determinant = (a: ArrayLike<number>): number =>
    a[0] * (a[4] * a[8] - a[5] * a[7]) - a[1] * (a[3] * a[8] - a[5] * a[6]) + a[2] * (a[3] * a[7] - a[4] * a[6]);
  const whole = determinant(m);
  return [0, 1, 2].map(
    (column) => determinant(m.map((value, i) => (i % 3 === column ? b[Math.floor(i / 3)] : value))) / whole,
  );
}

/** The centroid of a closed surface: vertices weighted by the area round them, so that a dense front does not pull it. */
export function regressorOfSurface(vertices: Float32Array, triangles: ArrayLike<number>): SparseRow {
  const areaOf = new Map<number, number>();
  let total = 0;
  for (let t = 0; t < triangles.length; t += 3) {
    const [a, b, c] = [triangles[t], triangles[t + 1], triangles[t + 2]];
    const edge = (from: number, to: number): number[] =>
      [0, 1, 2].map((axis) => vertices[to * 3 + axis] - vertices[from * 3 + axis]);
    const [u, v] = [edge(a, b), edge(a, c)];
    const area = Math.hypot(u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]);
    total += area * 3;
    for (const vertex of [a, b, c]) areaOf.set(vertex, (areaOf.get(vertex) ?? 0) + area);
  }
  const indices = Uint32Array.from(areaOf.keys()).toSorted();
  return { indices, weights: Float32Array.from(indices, (vertex) => areaOf.get(vertex)! / total) };
}
