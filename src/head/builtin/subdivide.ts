import { add, cross, dot, mean, normalize, pointAt, scale, setPoint, subtract, type Vector } from './vector.ts';

/** One 1-to-4 split of a triangle mesh: the old points keep their indices, one new point follows per edge. */
export interface Subdivision {
  readonly pointCount: number;
  /** Per new point, the two ends of its edge. */
  readonly edges: readonly (readonly [number, number])[];
  /** Four for each old triangle, in its order; the last of four is the middle one. */
  readonly triangles: Uint32Array;
  /** New point on an edge, −1 where there is no such edge. */
  midpoint(a: number, b: number): number;
}

export function createSubdivision(pointCount: number, triangles: Uint32Array): Subdivision {
  const edges: [number, number][] = [];
  const byKey = new Map<number, number>();
  const keyOf = (a: number, b: number): number => Math.min(a, b) * pointCount + Math.max(a, b);
  const midpointOf = (a: number, b: number): number => {
    const key = keyOf(a, b);
    const known = byKey.get(key);
    if (known !== undefined) return known;
    const index = pointCount + edges.length;
    edges.push([a, b]);
    byKey.set(key, index);
    return index;
  };
  const split: number[] = [];
  for (let t = 0; t < triangles.length; t += 3) {
    const [a, b, c] = triangles.subarray(t, t + 3);
    const [ab, bc, ca] = [midpointOf(a, b), midpointOf(b, c), midpointOf(c, a)];
    split.push(a, ab, ca, ab, b, bc, ca, bc, c, ab, bc, ca);
  }
  return {
    pointCount: pointCount + edges.length,
    edges,
    triangles: Uint32Array.from(split),
    midpoint: (a, b) => byKey.get(keyOf(a, b)) ?? -1,
  };
}

/**
 * Positions after the split. New points lie on the cubic that leaves both ends at right angles to their normals: the
 * edge of a PN triangle (Vlachos et al. 2001). Old points stay.
 */
export function subdividePositions(
  points: Float64Array,
  coarseTriangles: Uint32Array,
  { edges, pointCount }: Subdivision,
): Float64Array {
  const normals = areaWeightedNormals(points, coarseTriangles);
  const result = new Float64Array(pointCount * 3);
  result.set(points);
  edges.forEach(([a, b], i) => {
    const [pa, pb] = [pointAt(points, a), pointAt(points, b)];
    const edge = subtract(pb, pa);
    const [na, nb] = [pointAt(normals, a), pointAt(normals, b)];
    const lift = add(scale(na, -dot(edge, na)), scale(nb, dot(edge, nb)));
    setPoint(result, points.length / 3 + i, add(mean([pa, pb]), scale(lift, 1 / 8)));
  });
  return result;
}

/** Any per-point quantity after the split: new points take the mean of their edge's ends. `width` values per point. */
export function subdivideLinearly(values: ArrayLike<number>, { edges }: Subdivision, width: number): Float64Array {
  const result = new Float64Array(values.length + edges.length * width);
  result.set(Array.from(values));
  edges.forEach(([a, b], i) => {
    for (let k = 0; k < width; k++) {
      result[values.length + i * width + k] = 0.5 * (values[a * width + k] + values[b * width + k]);
    }
  });
  return result;
}

/** Unit normals, N×3. */
export function areaWeightedNormals(points: Float64Array, triangles: Uint32Array): Float64Array {
  const normals = new Float64Array(points.length);
  for (let t = 0; t < triangles.length; t += 3) {
    const corners = [triangles[t], triangles[t + 1], triangles[t + 2]];
    const [a, b, c] = corners.map((corner) => pointAt(points, corner));
    const normal: Vector = cross(subtract(b, a), subtract(c, a));
    for (const corner of corners) {
      for (let k = 0; k < 3; k++) normals[corner * 3 + k] += normal[k];
    }
  }
  for (let point = 0; point < points.length / 3; point++) {
    setPoint(normals, point, normalize(pointAt(normals, point)));
  }
  return normals;
}

/** The finer loop: each point of a coarse loop followed by the new point on its edge to the next. */
export function subdivideLoop(loop: readonly number[], { midpoint }: Subdivision): number[] {
  return loop.flatMap((point, i) => [point, midpoint(point, loop[(i + 1) % loop.length])]);
}
