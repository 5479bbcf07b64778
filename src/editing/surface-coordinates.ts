import { add, cross, dot, length, normalize, pointAt, scale, subtract, type Vector } from '../head/builtin/vector.ts';
import { flattenIsometrically } from './flatten-isometrically.ts';
import { placeNormal, placePosition, type HeadSurface, type SurfacePlace } from './head-surface.ts';

/** Metres along the surface from a point: x to the right and y up, as one who looks at the point sees them. */
export interface SurfaceCoordinates {
  /** V×2 metres; NaN where the surface was not reached. */
  readonly xy: Float32Array;
  /** Triangles that lie flat in these coordinates, neither torn nor folded over. */
  readonly triangles: Uint32Array;
}

/** A vertex that faces away from the anchor by more than this (cosine) ends the walk: the back of an ear, inner lips. */
const FACING_LIMIT = -0.25;
/**
 * Behind a nose, rays that went round it meet: coordinates there are nearer to the place than any way along the surface
 * is. Ways along edges are longer than straight ones, most over a few edges.
 */
const SHORTCUT = 0.8;
const NEAR = 0.005;
/** Where the walk round a nose closes behind it, an edge's ends come apart: edges longer than this many times their own. */
const TORN = 2;
/** In the end an edge may be this many times as long as on the surface, and no shorter than one part in as many. */
const STRETCHED = 1.6;

/**
 * Coordinates round a place for paint to be laid by: it keeps its size and shape on the surface, whatever the atlas
 * does; it crosses charts, but not into mouth or eyes, not to surfaces that only come near, and not beyond `radius`
 * metres. `turn` radians, clockwise as seen from outside.
 *
 * First the discrete exponential map (Schmidt, Grimm, Wyvill 2006), then as rigid as possible: the map alone is exact
 * along rays from the place, but passes the mesh's bumps on to what lies behind them.
 */
export function surfaceCoordinates(
  surface: HeadSurface,
  anchor: SurfacePlace,
  { radius, turn = 0 }: { readonly radius: number; readonly turn?: number },
): SurfaceCoordinates {
  const { head, welded, sheets, vertices } = surface;
  const sheet = sheets[anchor.triangle];
  const known = exponentialMap(surface, anchor, radius, turn);
  const ways = waysAlongEdges(surface, anchor, (radius + NEAR) / SHORTCUT);
  for (const [vertex, { x, y }] of known) {
    if (Math.hypot(x, y) < SHORTCUT * (ways.get(vertex) ?? Infinity) - NEAR) known.delete(vertex);
  }
  const corners = (triangle: number): [number, number, number] => {
    const at = triangle * 3;
    return [welded[head.triangles[at]], welded[head.triangles[at + 1]], welded[head.triangles[at + 2]]];
  };
  const isWhole = (triangle: number, longest: number, shortest = 0): boolean => {
    const own = corners(triangle);
    if (sheets[triangle] !== sheet || !own.every((vertex) => known.has(vertex))) return false;
    const [a, b, c] = own.map((vertex) => known.get(vertex)!);
    if ((b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x) <= 0) return false;
    return own.every((vertex, corner) => {
      const next = own[(corner + 1) % 3];
      const [from, to] = [known.get(vertex)!, known.get(next)!];
      const edge = length(subtract(pointAt(vertices, vertex), pointAt(vertices, next)));
      const flat = Math.hypot(to.x - from.x, to.y - from.y);
      return flat <= longest * edge + 1e-6 && flat >= shortest * edge - 1e-6;
    });
  };
  const all = [...sheets.keys()];
  const whole = connectedTo(
    anchor.triangle,
    all.filter((triangle) => isWhole(triangle, TORN)),
    corners,
  );
  flattenIsometrically(whole.map(corners), vertices, known, new Set(corners(anchor.triangle)));
  const xy = new Float32Array(head.vertexCount * 2).fill(Number.NaN);
  for (let vertex = 0; vertex < head.vertexCount; vertex++) {
    const place = known.get(welded[vertex]);
    if (place) xy.set([place.x, place.y], vertex * 2);
  }
  const laid = whole.filter((triangle) => isWhole(triangle, STRETCHED, 1 / STRETCHED));
  const flat = withoutFolds(connectedTo(anchor.triangle, laid, corners), corners, known, ways);
  return { xy, triangles: Uint32Array.from(flat) };
}

/** Where two triangles lie over each other, the one further away along the surface goes. */
function withoutFolds(
  triangles: readonly number[],
  corners: (triangle: number) => readonly number[],
  plane: ReadonlyMap<number, PlanePoint>,
  ways: ReadonlyMap<number, number>,
): number[] {
  const flat = triangles.map((triangle) => corners(triangle).map((vertex) => plane.get(vertex)!));
  const way = triangles.map((triangle) => Math.max(...corners(triangle).map((vertex) => ways.get(vertex) ?? Infinity)));
  const isInside = ({ x, y }: PlanePoint, corner: readonly PlanePoint[]): boolean =>
    corner.every((from, k) => {
      const to = corner[(k + 1) % 3];
      return (to.x - from.x) * (y - from.y) - (to.y - from.y) * (x - from.x) > 0;
    });
  const middles = flat.map(([a, b, c]) => ({ x: (a.x + b.x + c.x) / 3, y: (a.y + b.y + c.y) / 3 }));
  const isFolded = new Uint8Array(triangles.length);
  for (const [index, middle] of middles.entries()) {
    for (const [other, corner] of flat.entries()) {
      if (other === index || !isInside(middle, corner)) continue;
      isFolded[way[index] > way[other] ? index : other] = 1;
    }
  }
  return triangles.filter((_, index) => !isFolded[index]);
}

/** Those of some triangles that hang together with the first across edges. */
function connectedTo(
  first: number,
  triangles: readonly number[],
  corners: (triangle: number) => readonly number[],
): number[] {
  // prettier-ignore
  const across = new Map<string, number[]>();
  const edges = (triangle: number): string[] => {
    const own = corners(triangle);
    return own.map((vertex, corner) => {
      const next = own[(corner + 1) % 3];
      return vertex < next ? `${vertex},${next}` : `${next},${vertex}`;
    });
  };
  for (const triangle of triangles) {
    for (const edge of edges(triangle)) across.set(edge, [...(across.get(edge) ?? []), triangle]);
  }
  const reached = new Set<number>([first]);
  for (const triangle of reached) {
    for (const edge of edges(triangle)) for (const other of across.get(edge) ?? []) reached.add(other);
  }
  const allowed = new Set(triangles);
  return [...reached].filter((triangle) => allowed.has(triangle)).toSorted((a, b) => a - b);
}

/** Metres of the shortest way along edges to each welded vertex within reach (Dijkstra). */
function waysAlongEdges(surface: HeadSurface, anchor: SurfacePlace, reach: number): Map<number, number> {
  const { head, vertices, welded, sheets } = surface;
  const neighbours = neighboursOn(surface, sheets[anchor.triangle]);
  const origin = placePosition(surface, anchor);
  const settled = new Map<number, number>();
  const queue = new Map<number, number>();
  for (let corner = 0; corner < 3; corner++) {
    const vertex = welded[head.triangles[anchor.triangle * 3 + corner]];
    queue.set(vertex, length(subtract(pointAt(vertices, vertex), origin)));
  }
  while (queue.size > 0) {
    let [nearest, least] = [-1, Infinity];
    for (const [vertex, distance] of queue) if (distance < least) [nearest, least] = [vertex, distance];
    queue.delete(nearest);
    settled.set(nearest, least);
    for (const vertex of neighbours.get(nearest) ?? []) {
      const distance = least + length(subtract(pointAt(vertices, vertex), pointAt(vertices, nearest)));
      if (!settled.has(vertex) && distance <= reach && distance < (queue.get(vertex) ?? Infinity)) queue.set(vertex, distance); // prettier-ignore
    }
  }
  return settled;
}

/** Where a welded vertex lies, metres. */
export interface PlanePoint {
  x: number;
  y: number;
}

/**
 * Coordinates spread from vertex to vertex, nearest first: each takes the mean over its settled neighbours q of
 * xy(q) + frame(q)·(v − q), where frame(q) is the anchor's tangent frame carried to q by the least rotations.
 */
function exponentialMap(
  surface: HeadSurface,
  anchor: SurfacePlace,
  radius: number,
  turn: number,
): Map<number, PlanePoint> {
  const { head, vertices, normals, welded, sheets } = surface;
  const neighbours = neighboursOn(surface, sheets[anchor.triangle]);
  const normal = placeNormal(surface, anchor);
  const origin = placePosition({ head, vertices }, anchor);
  const right = anchorRight(normal, turn);
  const starts = new Set([0, 1, 2].map((corner) => welded[head.triangles[anchor.triangle * 3 + corner]]));
  const settled = new Map<number, PlanePoint & { right: Vector }>();
  const queue = new Map<number, PlanePoint & { right: Vector; distance: number }>();

  const propose = (vertex: number): void => {
    const own = pointAt(normals, vertex);
    if (settled.has(vertex) || dot(own, normal) < FACING_LIMIT) return;
    let [x, y, total] = [0, 0, 0];
    let carried: Vector = [0, 0, 0];
    const accept = (from: Vector, frame: Vector, frameNormal: Vector, start: PlanePoint): void => {
      const edge = subtract(pointAt(vertices, vertex), from);
      const [dx, dy] = tangentStep(edge, frame, frameNormal);
      const weight = 1 / Math.max(1e-6, length(edge));
      x += weight * (start.x + dx);
      y += weight * (start.y + dy);
      total += weight;
      carried = add(carried, scale(carry(frame, frameNormal, own), weight));
    };
    if (starts.has(vertex)) accept(origin, right, normal, { x: 0, y: 0 });
    else {
      for (const q of neighbours.get(vertex) ?? []) {
        const known = settled.get(q);
        if (known) accept(pointAt(vertices, q), known.right, pointAt(normals, q), known);
      }
    }
    const distance = Math.hypot(x, y) / total;
    if (distance > radius) return;
    queue.set(vertex, { x: x / total, y: y / total, right: normalize(carried), distance });
  };

  for (const vertex of starts) propose(vertex);
  while (queue.size > 0) {
    let nearest = -1;
    let least = Infinity;
    for (const [vertex, { distance }] of queue) {
      if (distance < least) [nearest, least] = [vertex, distance];
    }
    settled.set(nearest, queue.get(nearest)!);
    queue.delete(nearest);
    for (const vertex of neighbours.get(nearest) ?? []) propose(vertex);
  }
  return settled;
}

/** Welded vertices joined by an edge, on one sheet. */
export function neighboursOn(
  { head, welded, sheets }: Pick<HeadSurface, 'head' | 'welded' | 'sheets'>,
  sheet: number,
): Map<number, Set<number>> {
  const neighbours = new Map<number, Set<number>>();
  const join = (a: number, b: number): void => {
    const set = neighbours.get(a);
    if (set) set.add(b);
    else neighbours.set(a, new Set([b]));
  };
  for (let triangle = 0; triangle < head.triangleCount; triangle++) {
    if (sheets[triangle] !== sheet) continue;
    const corners = [0, 1, 2].map((corner) => welded[head.triangles[triangle * 3 + corner]]);
    for (let corner = 0; corner < 3; corner++) {
      const [a, b] = [corners[corner], corners[(corner + 1) % 3]];
      join(a, b);
      join(b, a);
    }
  }
  return neighbours;
}

/** To the right as seen from outside with the head upright; on the crown, where there is no up, as seen from above. */
function anchorRight(normal: Vector, turn: number): Vector {
  const up: Vector = Math.abs(normal[1]) < 0.95 ? [0, 1, 0] : [0, 0, -1];
  const right = normalize(cross(up, normal));
  const above = cross(normal, right);
  return add(scale(right, Math.cos(turn)), scale(above, -Math.sin(turn)));
}

/** An edge in a tangent frame, laid flat without becoming shorter. */
function tangentStep(edge: Vector, right: Vector, normal: Vector): [number, number] {
  const [dx, dy] = [dot(edge, right), dot(edge, cross(normal, right))];
  const flat = Math.hypot(dx, dy);
  const stretch = flat > 1e-9 ? length(edge) / flat : 0;
  return [dx * stretch, dy * stretch];
}

/** A tangent direction carried from one normal to another by the least rotation. */
function carry(direction: Vector, from: Vector, to: Vector): Vector {
  const axis = cross(from, to);
  const cosine = dot(from, to);
  if (cosine < -0.99) return direction;
  // Rodrigues with sin = |axis|: R·d = d·cos + axis × d + axis (axis·d) / (1 + cos).
  const turned = add(scale(direction, cosine), cross(axis, direction));
  return add(turned, scale(axis, dot(axis, direction) / (1 + cosine)));
}
