import type { HeadModel, RegionName } from '../../head/head-model.ts';
import { identityVertices } from '../../head/pose-vertices.ts';
import type { SparseShapes } from '../solve-landmarks.ts';

/** Points on the head's surface whose look is followed, in head space, with the clip's identity. */
export interface SurfaceSamples {
  readonly count: number;
  /** S×3 metres, without expression. `solveSurfaceDepth` moves them. */
  readonly positions: Float64Array;
  /** S×3 unit normals. */
  readonly normals: Float64Array;
  readonly expression: SparseShapes;
}

/** Parts that turn by themselves, or that come and go behind the lips. */
const LEFT_OUT: readonly RegionName[] = [
  'leftEyeball', 'rightEyeball', 'leftEyeSocket', 'rightEyeSocket',
  'mouthCavity', 'gums', 'upperTeeth', 'lowerTeeth', 'tongue',
]; // prettier-ignore
/** The root's share of a vertex up to which it counts as moving with the neck joint. */
const LARGEST_ROOT_SHARE = 0.05;
/** Metres: an expression that moves a point less than this at full weight does not move it. */
const STILL = 1e-4;
/** Steps of the R2 sequence: points that fill triangles evenly, however few fall into each. */
const STEPS = [0.7548776662466927, 0.5698402909980532] as const;

interface Place {
  readonly triangle: number;
  readonly weights: readonly [number, number, number];
  readonly normal: readonly number[];
}

/** About `count` points, evenly over the area of the head that moves with the neck joint. */
export function sampleSurface(head: HeadModel, identity: ArrayLike<number>, count: number): SurfaceSamples {
  const vertices = identityVertices(head, identity);
  const places = spread(head, vertices, count);
  const positions = new Float64Array(places.length * 3);
  const normals = new Float64Array(places.length * 3);
  const starts = new Uint32Array(places.length + 1);
  const indices: number[] = [];
  const moves: number[] = [];
  const stride = head.vertexCount * 3;
  places.forEach((place, sample) => {
    positions.set(interpolate(head, vertices, 0, place), sample * 3);
    normals.set(place.normal, sample * 3);
    for (let k = 0; k < head.expressionNames.length; k++) {
      const move = interpolate(head, head.expressionBasis, k * stride, place);
      if (Math.hypot(...move) < STILL) continue;
      indices.push(k);
      moves.push(...move);
    }
    starts[sample + 1] = indices.length;
  });
  const expression = { starts, indices: Uint32Array.from(indices), moves: Float64Array.from(moves) };
  return { count: places.length, positions, normals, expression };
}

/** Walks the triangles and sets a point each time the area passed exceeds the next share. */
function spread(head: HeadModel, vertices: Float32Array, count: number): Place[] {
  const triangles = usableTriangles(head);
  const normals = triangles.map((triangle) => triangleNormal(head, vertices, triangle));
  const areas = normals.map((normal) => Math.hypot(...normal));
  const step = areas.reduce((sum, area) => sum + area, 0) / count;
  const places: Place[] = [];
  let due = step / 2;
  triangles.forEach((triangle, i) => {
    const normal = normals[i].map((value) => value / areas[i]);
    for (due -= areas[i]; due < 0; due += step) {
      let [u, v] = STEPS.map((ratio) => (places.length * ratio) % 1);
      if (u + v > 1) [u, v] = [1 - u, 1 - v];
      places.push({ triangle, weights: [1 - u - v, u, v], normal });
    }
  });
  return places;
}

function usableTriangles(head: HeadModel): number[] {
  const jointCount = head.joints.length;
  const left = LEFT_OUT.map((name) => head.regionNames.indexOf(name));
  const isCarried = (corner: number): boolean =>
    head.skinningWeights[head.triangles[corner] * jointCount] <= LARGEST_ROOT_SHARE;
  return Array.from({ length: head.triangleCount }, (_, triangle) => triangle).filter(
    (triangle) => !left.includes(head.triangleRegions[triangle]) && [0, 1, 2].every((k) => isCarried(triangle * 3 + k)),
  );
}

/** 3: a shape (V×3 from `start`) at a place. */
function interpolate(head: HeadModel, shape: Float32Array, start: number, { triangle, weights }: Place): number[] {
  const [a, b, c] = [0, 1, 2].map((k) => start + head.triangles[triangle * 3 + k] * 3);
  return [0, 1, 2].map(
    (axis) => weights[0] * shape[a + axis] + weights[1] * shape[b + axis] + weights[2] * shape[c + axis],
  );
}

/** Twice the triangle's area along its normal. */
function triangleNormal(head: HeadModel, vertices: Float32Array, triangle: number): number[] {
  const [a, b, c] = [0, 1, 2].map((k) => head.triangles[triangle * 3 + k] * 3);
  const edge = (to: number, axis: number): number => vertices[to + axis] - vertices[a + axis];
  return [0, 1, 2].map((axis) => {
    const [p, q] = [(axis + 1) % 3, (axis + 2) % 3];
    return edge(b, p) * edge(c, q) - edge(b, q) * edge(c, p);
  });
}
