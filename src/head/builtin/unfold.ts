import { factorCholesky, solveFactored } from '../../math/cholesky.ts';
import { cross, dot, length, normalize, pointAt, subtract } from './vector.ts';

/** A triangle laid flat, isometrically: corner 0 at the origin, corner 1 on the first axis. */
interface FlatTriangle {
  readonly corners: readonly [number, number, number];
  readonly flat: readonly (readonly [number, number])[];
  /** Weight of the edge from corner k to corner k+1: half the cotangent of the angle across it. */
  readonly weights: readonly [number, number, number];
}

/**
 * Unfolds a disc-like surface into the plane as rigidly as possible: every triangle keeps its shape and size as far as its
 * neighbours let it (Liu, Zhang, Xu, Gotsman and Gortler 2008, local–global ARAP). `points` are N×3, `start` an N×2 layout
 * without overlaps; returns N×2 in the units of `points`.
 */
export function unfoldSurface(
  points: Float64Array,
  triangles: Uint32Array,
  start: Float64Array,
  iterations: number,
): Float64Array {
  const count = start.length / 2;
  const flat = layFlat(points, triangles);
  const matrix = new Float64Array(count * count);
  for (const { corners, weights } of flat) {
    for (let k = 0; k < 3; k++) {
      const [i, j] = [corners[k], corners[(k + 1) % 3]];
      matrix[i * count + i] += weights[k];
      matrix[j * count + j] += weights[k];
      matrix[i * count + j] -= weights[k];
      matrix[j * count + i] -= weights[k];
    }
  }
  for (let i = 0; i < count; i++) matrix[i * count + i] += 1e-6; // the layout may float: hold it very loosely
  factorCholesky(matrix, count);
  let layout = start.slice();
  for (let iteration = 0; iteration < iterations; iteration++) {
    const right = layout.map((value) => value * 1e-6);
    for (const triangle of flat) addRotatedEdges(right, triangle, layout);
    solveFactored(matrix, right, count);
    layout = right;
  }
  return layout;
}

/** Turns the triangle to fit the layout best and asks for its edges in that turn. */
function addRotatedEdges(right: Float64Array, { corners, flat, weights }: FlatTriangle, layout: Float64Array): void {
  let [cosine, sine] = [0, 0];
  for (let k = 0; k < 3; k++) {
    const [i, j, next] = [corners[k], corners[(k + 1) % 3], (k + 1) % 3];
    const [ex, ey] = [flat[next][0] - flat[k][0], flat[next][1] - flat[k][1]];
    const [ux, uy] = [layout[j * 2] - layout[i * 2], layout[j * 2 + 1] - layout[i * 2 + 1]];
    cosine += weights[k] * (ux * ex + uy * ey);
    sine += weights[k] * (uy * ex - ux * ey);
  }
  const size = Math.hypot(cosine, sine) || 1;
  cosine /= size;
  sine /= size;
  for (let k = 0; k < 3; k++) {
    const [i, j, next] = [corners[k], corners[(k + 1) % 3], (k + 1) % 3];
    const [ex, ey] = [flat[next][0] - flat[k][0], flat[next][1] - flat[k][1]];
    const [x, y] = [weights[k] * (cosine * ex - sine * ey), weights[k] * (sine * ex + cosine * ey)];
    right[j * 2] += x;
    right[j * 2 + 1] += y;
    right[i * 2] -= x;
    right[i * 2 + 1] -= y;
  }
}

function layFlat(points: Float64Array, triangles: Uint32Array): FlatTriangle[] {
  const flat: FlatTriangle[] = [];
  for (let t = 0; t < triangles.length; t += 3) {
    const corners = [triangles[t], triangles[t + 1], triangles[t + 2]] as const;
    const [a, b, c] = corners.map((corner) => pointAt(points, corner));
    const axis = normalize(subtract(b, a));
    const ac = subtract(c, a);
    const height = length(cross(axis, ac));
    const cotangentAt = (apex: number): number => {
      const p = [a, b, c];
      const u = subtract(p[(apex + 1) % 3], p[apex]);
      const v = subtract(p[(apex + 2) % 3], p[apex]);
      return Math.max(0.02, 0.5 * (dot(u, v) / Math.max(1e-9, length(cross(u, v)))));
    };
    flat.push({
      corners,
      flat: [[0, 0], [length(subtract(b, a)), 0], [dot(ac, axis), height]], // prettier-ignore
      weights: [cotangentAt(2), cotangentAt(0), cotangentAt(1)],
    });
  }
  return flat;
}
