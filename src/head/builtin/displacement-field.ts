import { solveCholesky } from '../../math/cholesky.ts';
import { cross, dot, length, pointAt, subtract, type Vector } from './vector.ts';

/**
 * Spreads displacements given at a few points smoothly over a surface: the field that has least bending energy ∫|Δd|²
 * among those with the given values (Botsch and Kobbelt 2004). It follows the surface, so the two lips, which meet in
 * space, do not pull on each other.
 */
export interface DisplacementField {
  /** Displacement of every point, N×width. `fixed` maps a point to its given values (`width` of them). */
  spread(fixed: ReadonlyMap<number, readonly number[]>, width: number): Float64Array;
  /** The same with least ∫|∇d|²: flatter, never beyond the given values. For weights. */
  spreadHarmonic(fixed: ReadonlyMap<number, readonly number[]>, width: number): Float64Array;
}

/** `points` N×3 and the triangles between them. */
export function createDisplacementField(
  points: Float64Array,
  triangles: Uint32Array,
  pointCount: number,
): DisplacementField {
  const laplacian = cotangentLaplacian(points, triangles, pointCount);
  const area = pointAreas(points, triangles, pointCount);
  const bending = new Float64Array(pointCount * pointCount);
  for (let k = 0; k < pointCount; k++) {
    const row = laplacian[k];
    for (const [i, a] of row) for (const [j, b] of row) bending[i * pointCount + j] += (a * b) / area[k];
  }
  const membrane = new Float64Array(pointCount * pointCount);
  laplacian.forEach((row, i) => {
    for (const [j, value] of row) membrane[i * pointCount + j] = value;
  });
  return {
    spread: (fixed, width) => minimise(bending, pointCount, fixed, width),
    spreadHarmonic: (fixed, width) => minimise(membrane, pointCount, fixed, width),
  };
}

/** Minimises dᵀ·energy·d with some values given: the free points' linear system. */
function minimise(
  energy: Float64Array,
  count: number,
  fixed: ReadonlyMap<number, readonly number[]>,
  width: number,
): Float64Array {
  const free: number[] = [];
  for (let point = 0; point < count; point++) if (!fixed.has(point)) free.push(point);
  const size = free.length;
  const matrix = new Float64Array(size * size);
  const right = new Float64Array(size * width);
  free.forEach((point, i) => {
    for (let j = 0; j < size; j++) matrix[i * size + j] = energy[point * count + free[j]];
    matrix[i * size + i] += 1e-9; // a point that no triangle uses stays where it is
    for (const [given, values] of fixed) {
      const factor = energy[point * count + given];
      if (factor !== 0) for (let k = 0; k < width; k++) right[i * width + k] -= factor * values[k];
    }
  });
  if (size > 0) solveCholesky(matrix, right, size);
  const result = new Float64Array(count * width);
  free.forEach((point, i) => result.set(right.subarray(i * width, (i + 1) * width), point * width));
  for (const [point, values] of fixed) result.set(values, point * width);
  return result;
}

/** Rows of the cotangent Laplacian (positive diagonal). Cotangents are bounded: slivers must not dominate. */
function cotangentLaplacian(points: Float64Array, triangles: Uint32Array, pointCount: number): Map<number, number>[] {
  const rows = Array.from({ length: pointCount }, () => new Map<number, number>());
  const addTo = (i: number, j: number, value: number): void => void rows[i].set(j, (rows[i].get(j) ?? 0) + value);
  for (let t = 0; t < triangles.length; t += 3) {
    for (let k = 0; k < 3; k++) {
      const [i, j, opposite] = [triangles[t + k], triangles[t + ((k + 1) % 3)], triangles[t + ((k + 2) % 3)]];
      const u = subtract(pointAt(points, i), pointAt(points, opposite));
      const v = subtract(pointAt(points, j), pointAt(points, opposite));
      const cotangent = dot(u, v) / Math.max(1e-9, length(cross(u, v)));
      const weight = 0.5 * Math.min(5, Math.max(0.05, cotangent));
      addTo(i, j, -weight);
      addTo(j, i, -weight);
      addTo(i, i, weight);
      addTo(j, j, weight);
    }
  }
  return rows;
}

function pointAreas(points: Float64Array, triangles: Uint32Array, pointCount: number): Float64Array {
  const areas = new Float64Array(pointCount).fill(1e-6);
  for (let t = 0; t < triangles.length; t += 3) {
    const [a, b, c]: Vector[] = [0, 1, 2].map((k) => pointAt(points, triangles[t + k]));
    const third = length(cross(subtract(b, a), subtract(c, a))) / 6;
    for (let k = 0; k < 3; k++) areas[triangles[t + k]] += third;
  }
  return areas;
}
