import { dot, length, pointAt, subtract } from '../head/builtin/vector.ts';
import type { PlanePoint } from './surface-coordinates.ts';

const ROUNDS = 25;
/** Sweeps over the vertices per round. */
const SWEEPS = 4;

/**
 * Moves the flattened vertices of some triangles so that each triangle keeps its shape on the surface as far as all of
 * them can (Liu, Zhang, Xu et al. 2008, as rigid as possible): in turn, the rotation of each triangle that fits best, and
 * the vertices that fit those rotations best. `fixed` stay. In place; triangles are given by vertex, `vertices` N×3.
 */
export function flattenIsometrically(
  triangles: readonly (readonly [number, number, number])[],
  vertices: Float32Array,
  plane: Map<number, PlanePoint>,
  fixed: ReadonlySet<number>,
): void {
  const flat = triangles.map((corners) => flatTriangle(corners, vertices));
  const turns = new Float64Array(triangles.length * 2); // cosine and sine
  const around = new Map<number, { triangle: number; corner: number }[]>();
  triangles.forEach((corners, triangle) => {
    corners.forEach((vertex, corner) => {
      const list = around.get(vertex);
      if (list) list.push({ triangle, corner });
      else around.set(vertex, [{ triangle, corner }]);
    });
  });
  for (let round = 0; round < ROUNDS; round++) {
    triangles.forEach((corners, triangle) => fitTurn(corners, flat[triangle], plane, turns, triangle));
    for (let sweep = 0; sweep < SWEEPS; sweep++) {
      for (const [vertex, members] of around) {
        if (!fixed.has(vertex)) fitVertex(members, triangles, flat, plane, turns, plane.get(vertex)!);
      }
    }
  }
}

type FlatTriangle = readonly [PlanePoint, PlanePoint, PlanePoint];

function flatTriangle(corners: readonly [number, number, number], vertices: Float32Array): FlatTriangle {
  const [a, b, c] = corners.map((vertex) => pointAt(vertices, vertex));
  const [edge, side] = [subtract(b, a), subtract(c, a)];
  const base = length(edge) || 1e-9;
  const along = dot(edge, side) / base;
  return [
    { x: 0, y: 0 },
    { x: base, y: 0 },
    { x: along, y: Math.sqrt(Math.max(0, dot(side, side) - along * along)) },
  ];
}

/** The rotation that takes the flat triangle's edges nearest to where its vertices are now. */
function fitTurn(
  corners: readonly number[],
  flat: FlatTriangle,
  plane: ReadonlyMap<number, PlanePoint>,
  turns: Float64Array,
  triangle: number,
): void {
  let [cosine, sine] = [0, 0];
  for (let corner = 0; corner < 3; corner++) {
    const next = (corner + 1) % 3;
    const [from, to] = [plane.get(corners[corner])!, plane.get(corners[next])!];
    const [ex, ey] = [flat[next].x - flat[corner].x, flat[next].y - flat[corner].y];
    cosine += ex * (to.x - from.x) + ey * (to.y - from.y);
    sine += ex * (to.y - from.y) - ey * (to.x - from.x);
  }
  const size = Math.hypot(cosine, sine) || 1;
  turns[triangle * 2] = cosine / size;
  turns[triangle * 2 + 1] = sine / size;
}

/** The mean of where its triangles want the vertex, given their other corners. */
function fitVertex(
  members: readonly { triangle: number; corner: number }[],
  triangles: readonly (readonly number[])[],
  flat: readonly FlatTriangle[],
  plane: ReadonlyMap<number, PlanePoint>,
  turns: Float64Array,
  place: PlanePoint,
): void {
  let [x, y] = [0, 0];
  for (const { triangle, corner } of members) {
    const [cosine, sine] = [turns[triangle * 2], turns[triangle * 2 + 1]];
    for (const other of [(corner + 1) % 3, (corner + 2) % 3]) {
      const from = plane.get(triangles[triangle][other])!;
      const [dx, dy] = [flat[triangle][corner].x - flat[triangle][other].x, flat[triangle][corner].y - flat[triangle][other].y]; // prettier-ignore
      x += from.x + cosine * dx - sine * dy;
      y += from.y + sine * dx + cosine * dy;
    }
  }
  place.x = x / (members.length * 2);
  place.y = y / (members.length * 2);
}
