import type { CanonicalFace } from './canonical-face.ts';
import { CONTOURS } from './face-topology.ts';

/** A landmark whose place on the head is known: a vertex. */
export interface LandmarkAnchor {
  /** Point of the face mesh, 0…467. */
  readonly landmark: number;
  readonly vertex: number;
  /**
   * 1 where the annotation means the very same point; less where it is only near; 0 where the contour that `landmark`
   * belongs to runs through the vertex, but the landmark lies elsewhere on it.
   */
  readonly weight: number;
}

/**
 * Adds anchors for the points of the lips' and lids' contours that lie between known ones: along the shortest way over
 * the head's own edges from one known vertex to the next, at the canonical face's share of the length. Lids and lips are
 * open borders or ridges there, so the way cannot cross from the upper to the lower.
 */
export function anchorsAlongContours(
  vertices: Float32Array,
  skinTriangles: Uint32Array,
  canonicalFace: CanonicalFace,
  anchors: readonly LandmarkAnchor[],
): LandmarkAnchor[] {
  const vertexOf = new Map(
    anchors.filter(({ weight }) => weight === 1).map(({ landmark, vertex }) => [landmark, vertex]),
  );
  const waypointOf = new Map(
    anchors.filter(({ weight }) => weight === 0).map(({ landmark, vertex }) => [landmark, vertex]),
  );
  const neighbours = edgesOf(skinTriangles);
  const added: LandmarkAnchor[] = [];
  for (const contour of Object.values(CONTOURS)) {
    const known = [...contour.keys()].filter((i) => vertexOf.has(contour[i]));
    for (let k = 0; k + 1 < known.length; k++) {
      const between = contour.slice(known[k], known[k + 1] + 1);
      if (between.length < 3) continue;
      const stops = [
        between[0],
        ...between.slice(1, -1).filter((landmark) => waypointOf.has(landmark)),
        between.at(-1)!,
      ];
      const path = pathThrough(
        vertices,
        neighbours,
        stops.map((landmark) => vertexOf.get(landmark) ?? waypointOf.get(landmark)!),
      );
      if (!path) continue;
      const pathLengths = runningLength(path.map((v) => point(vertices, v)));
      const landmarkLengths = runningLength(between.map((landmark) => point(canonicalFace.positions, landmark)));
      for (let i = 1; i + 1 < between.length; i++) {
        const wanted = (landmarkLengths[i] / landmarkLengths.at(-1)!) * pathLengths.at(-1)!;
        const nearest = pathLengths.reduce(
          (best, length, j) => (Math.abs(length - wanted) < Math.abs(pathLengths[best] - wanted) ? j : best),
          0,
        );
        added.push({ landmark: between[i], vertex: path[nearest], weight: 1 });
      }
    }
  }
  return [...anchors, ...added];
}

function edgesOf(triangles: Uint32Array): Map<number, Set<number>> {
  const neighbours = new Map<number, Set<number>>();
  for (let t = 0; t < triangles.length; t += 3) {
    for (let k = 0; k < 3; k++) {
      const [a, b] = [triangles[t + k], triangles[t + ((k + 1) % 3)]];
      if (!neighbours.has(a)) neighbours.set(a, new Set());
      if (!neighbours.has(b)) neighbours.set(b, new Set());
      neighbours.get(a)!.add(b);
      neighbours.get(b)!.add(a);
    }
  }
  return neighbours;
}

/** Shortest ways from stop to stop, joined. Null when there is none. */
function pathThrough(
  vertices: Float32Array,
  neighbours: ReadonlyMap<number, ReadonlySet<number>>,
  stops: readonly number[],
): number[] | null {
  const path = [stops[0]];
  for (let i = 1; i < stops.length; i++) {
    const way = shortestPath(vertices, neighbours, stops[i - 1], stops[i]);
    if (!way) return null;
    path.push(...way.slice(1));
  }
  return path;
}

/** Dijkstra's; the ways are short (tens of edges), so a sorted array serves as the queue. Null when there is no way. */
function shortestPath(
  vertices: Float32Array,
  neighbours: ReadonlyMap<number, ReadonlySet<number>>,
  from: number,
  to: number,
): number[] | null {
  const lengthTo = new Map([[from, 0]]);
  const previous = new Map<number, number>();
  const open = new Set([from]);
  while (open.size > 0) {
    let current = -1;
    for (const v of open) if (current < 0 || lengthTo.get(v)! < lengthTo.get(current)!) current = v;
    if (current === to) break;
    open.delete(current);
    for (const next of neighbours.get(current) ?? []) {
      const length = lengthTo.get(current)! + distance(point(vertices, current), point(vertices, next));
      if (length < (lengthTo.get(next) ?? Infinity)) {
        lengthTo.set(next, length);
        previous.set(next, current);
        open.add(next);
      }
    }
  }
  if (!lengthTo.has(to)) return null;
  const path = [to];
  while (path[0] !== from) path.unshift(previous.get(path[0])!);
  return path;
}

type Point = readonly [number, number, number];

function point(positions: Float32Array, index: number): Point {
  return [positions[index * 3], positions[index * 3 + 1], positions[index * 3 + 2]];
}

function distance(a: Point, b: Point): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}

function runningLength(points: readonly Point[]): number[] {
  const lengths = [0];
  for (let i = 1; i < points.length; i++) lengths.push(lengths[i - 1] + distance(points[i - 1], points[i]));
  return lengths;
}
