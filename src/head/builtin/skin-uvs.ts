import { CANONICAL_POINT_COUNT, type CanonicalFace } from '../landmarks/canonical-face.ts';
import { CHARTS } from './atlas.ts';
import type { Chart, MeshBuilder } from './mesh-builder.ts';
import { CAGE_POINT_COUNT, RING_COUNT, RING_SIZE, ringPoint, type SkinCage } from './skin-cage.ts';
import type { Subdivision } from './subdivide.ts';
import { unfoldSurface } from './unfold.ts';
import { length, pointAt, setPoint, subtract } from './vector.ts';

/**
 * Texture coordinates of the subdivided skin's triangles: MediaPipe's own for the face, and for skull and neck one sheet,
 * cut down the throat and unfolded. Returns the three indices (in `builder.uvs`) of a triangle's corners.
 */
export function skinUvs(
  builder: MeshBuilder,
  face: CanonicalFace,
  cage: SkinCage,
  subdivision: Subdivision,
  skin: Float64Array,
): (triangle: number) => number[] {
  const faceTriangles = cage.faceTriangleCount * 4;
  const faceUv = faceUvs(builder, face, subdivision);
  const sheetUv = sheetUvs(builder, skin);
  return (triangle) => {
    const corners = [...subdivision.triangles.subarray(triangle * 3, triangle * 3 + 3)];
    if (triangle < faceTriangles) return corners.map(faceUv);
    const quad = Math.floor((triangle - faceTriangles) / 8);
    const [ring, column] = [Math.floor(quad / RING_SIZE), quad % RING_SIZE];
    // Grid place of each point, in half steps: a coarse corner, or the middle of two.
    const places = new Map<number, readonly [number, number]>();
    for (const [r, c] of [[0, 0], [0, 1], [1, 1], [1, 0]]) places.set(ringPoint(ring + r, column + c), [ring + r, column + c]); // prettier-ignore
    return corners.map((point) => {
      const ends = point < CAGE_POINT_COUNT ? [point, point] : subdivision.edges[point - CAGE_POINT_COUNT];
      const [a, b] = ends.map((end) => places.get(end)!);
      return sheetUv(0.5 * (a[0] + b[0]), 0.5 * (a[1] + b[1]));
    });
  };
}

/** Scales a layout (N×2) uniformly into the middle of a chart; gives chart coordinates 0…1. */
function fitToChart(layout: ArrayLike<number>, chart: Chart, isUniform: boolean): (index: number) => [number, number] {
  const [low, high] = [[Infinity, Infinity], [-Infinity, -Infinity]]; // prettier-ignore
  for (let i = 0; i < layout.length; i++) {
    low[i % 2] = Math.min(low[i % 2], layout[i]);
    high[i % 2] = Math.max(high[i % 2], layout[i]);
  }
  const size = [high[0] - low[0], high[1] - low[1]];
  const limit = [chart.width / size[0], chart.height / size[1]];
  const factor = isUniform ? [Math.min(...limit), Math.min(...limit)] : limit;
  const place = (index: number, axis: 0 | 1, extent: number): number =>
    0.5 + ((layout[index * 2 + axis] - 0.5 * (low[axis] + high[axis])) * factor[axis]) / extent;
  return (index) => [place(index, 0, chart.width), place(index, 1, chart.height)];
}

function faceUvs(builder: MeshBuilder, face: CanonicalFace, subdivision: Subdivision): (point: number) => number {
  const place = fitToChart(face.uvs, CHARTS.face, false);
  const known = new Map<number, number>();
  return (point) => {
    const found = known.get(point);
    if (found !== undefined) return found;
    const ends = point < CANONICAL_POINT_COUNT ? [point, point] : subdivision.edges[point - CAGE_POINT_COUNT];
    const [a, b] = ends.map(place);
    const index = builder.addUv(CHARTS.face, 0.5 * (a[0] + b[0]), 0.5 * (a[1] + b[1]));
    known.set(point, index);
    return index;
  };
}

const SHEET_COLUMNS = RING_SIZE + 1; // the throat's column stands at both edges
const UNFOLD_ITERATIONS = 20;

/** Index of the texture coordinate at a place of the rings' grid, in half steps. */
function sheetUvs(builder: MeshBuilder, skin: Float64Array): (ring: number, column: number) => number {
  const count = (RING_COUNT + 1) * SHEET_COLUMNS;
  const points = new Float64Array(count * 3);
  for (let ring = 0; ring <= RING_COUNT; ring++) {
    for (let column = 0; column <= RING_SIZE; column++) {
      setPoint(points, ring * SHEET_COLUMNS + column, pointAt(skin, ringPoint(ring, column)));
    }
  }
  const layout = unfoldSurface(points, sheetTriangles(), upright(points), UNFOLD_ITERATIONS);
  const place = fitToChart(layout, CHARTS.skull, true);
  const known = new Map<number, number>();
  return (ring, column) => {
    const key = ring * 2 * 1000 + column * 2;
    const found = known.get(key);
    if (found !== undefined) return found;
    // A middle lies between two grid points: across, down, or on the quad's diagonal.
    const [r, c] = [Math.floor(ring), Math.floor(column)];
    const isDiagonal = r !== ring && c !== column;
    const rises = isDiagonal && column > RING_SIZE / 2; // diagonals mirror at the middle line, as in `skin-cage.ts`
    const from = place((rises ? Math.ceil(ring) : r) * SHEET_COLUMNS + c);
    const to = place((rises ? r : Math.ceil(ring)) * SHEET_COLUMNS + Math.ceil(column));
    const index = builder.addUv(CHARTS.skull, 0.5 * (from[0] + to[0]), 0.5 * (from[1] + to[1]));
    known.set(key, index);
    return index;
  };
}

function sheetTriangles(): Uint32Array {
  const triangles: number[] = [];
  for (let ring = 0; ring < RING_COUNT; ring++) {
    for (let column = 0; column < RING_SIZE; column++) {
      const a = ring * SHEET_COLUMNS + column;
      const [b, c, d] = [a + 1, a + SHEET_COLUMNS + 1, a + SHEET_COLUMNS];
      if (column < RING_SIZE / 2) triangles.push(a, b, c, a, c, d);
      else triangles.push(a, b, d, b, c, d);
    }
  }
  return Uint32Array.from(triangles);
}

/**
 * A first layout that cannot overlap: columns stand upright, as far apart as on the mean ring; down a column the distance
 * to the neck's base decides.
 */
function upright(points: Float64Array): Float64Array {
  const layout = new Float64Array((points.length / 3) * 2);
  const between = (a: number, b: number): number => length(subtract(pointAt(points, a), pointAt(points, b)));
  let across = 0;
  for (let column = 0; column < SHEET_COLUMNS; column++) {
    let height = 0;
    let width = 0;
    for (let ring = RING_COUNT; ring >= 0; ring--) {
      const here = ring * SHEET_COLUMNS + column;
      if (ring < RING_COUNT) height += between(here, here + SHEET_COLUMNS);
      if (column < RING_SIZE) width += between(here, here + 1) / (RING_COUNT + 1);
      layout[here * 2] = across;
      layout[here * 2 + 1] = -height;
    }
    across += width;
  }
  return layout;
}
