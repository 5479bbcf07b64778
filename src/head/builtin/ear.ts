import { CHARTS } from './atlas.ts';
import type { MeshBuilder, Row } from './mesh-builder.ts';
import { add, length, mean, mix, pointAt, scale, setPoint, smoothstep, subtract, type Vector } from './vector.ts';

/** An ear in a given identity. */
export interface EarState {
  /** Size over the default (about 6 cm tall). */
  readonly size: number;
  /** How far the outer edge stands off the head, over the default. */
  readonly protrusion: number;
}

export const DEFAULT_EAR: EarState = { size: 1, protrusion: 1 };

export interface EarTopology {
  readonly side: 'left' | 'right';
  /** Edge of the hole in the skin that the ear fills. */
  readonly root: readonly number[];
  readonly rings: readonly (readonly number[])[];
  readonly canal: number;
}

/** Middle of the ear's root on the head's side, centimetres, canonical coordinates (x is taken from the skin). */
const ROOT = { y: 0.55, z: -4.55, halfHeight: 2.5, halfDepth: 1.25 };
/** The ear leans back: its long axis in the (y, z) plane. */
const LEAN = 0.1;
const LONG_AXIS: Vector = [0, Math.cos(LEAN), -Math.sin(LEAN)];
const BACK_AXIS: Vector = [0, -Math.sin(LEAN), -Math.cos(LEAN)];

/** Outline seen from the side, (back, up) in centimetres from the root's middle: from the tragus over the helix to the lobe. */
const OUTLINE: readonly (readonly [number, number])[] = [
  [-0.95, 0], [-1, 0.9], [-0.85, 1.8], [-0.4, 2.6], [0.35, 3.05], [1.15, 2.95], [1.8, 2.4], [2.1, 1.5],
  [2.1, 0.5], [1.85, -0.45], [1.5, -1.3], [1.05, -2.1], [0.45, -2.75], [-0.25, -2.85], [-0.75, -2.3], [-0.95, -1.1],
]; // prettier-ignore
const COLUMNS = OUTLINE.length * 2;
/** Middle of the concha, towards which the rings shrink. */
const BOWL: readonly [number, number] = [-0.15, -0.05];

/**
 * Rings from the head outwards over the back, the rim, the helix, the groove, the antihelix, into the bowl. `size` shrinks
 * the outline towards the bowl, `rise` is the share of the standing-off, `over` the fold on top of it (centimetres). At the
 * front there is no back nor rim: `frontSize` and `frontHeight` lead from the cheek over the tragus into the bowl.
 */
const RINGS = [
  { size: 0.66, rise: 0.1, over: 0, frontSize: 1, frontHeight: 0.02 },
  { size: 0.88, rise: 0.62, over: -0.12, frontSize: 0.96, frontHeight: 0.06 },
  { size: 0.985, rise: 1, over: -0.13, frontSize: 0.9, frontHeight: 0.12 },
  { size: 1.0, rise: 1, over: 0.06, frontSize: 0.83, frontHeight: 0.2 },
  { size: 0.93, rise: 1, over: 0.16, frontSize: 0.76, frontHeight: 0.28 },
  { size: 0.86, rise: 1, over: 0.07, frontSize: 0.69, frontHeight: 0.33 },
  { size: 0.79, rise: 1, over: -0.16, frontSize: 0.62, frontHeight: 0.33 },
  { size: 0.67, rise: 1, over: -0.01, frontSize: 0.55, frontHeight: 0.26 },
  { size: 0.55, rise: 0.95, over: 0.04, frontSize: 0.47, frontHeight: 0.1 },
  { size: 0.43, rise: 0.5, over: -0.1, frontSize: 0.38, frontHeight: -0.15 },
  { size: 0.24, rise: 0.1, over: -0.22, frontSize: 0.22, frontHeight: -0.28 },
] as const;

/** True where the skin gives way to an ear. */
export function isUnderEar(point: Vector, side: 'left' | 'right'): boolean {
  if (side === 'left' ? point[0] < 4 : point[0] > -4) return false;
  const offset = subtract(point, [point[0], ROOT.y, ROOT.z]);
  const up = (offset[1] * LONG_AXIS[1] + offset[2] * LONG_AXIS[2]) / ROOT.halfHeight;
  const back = (offset[1] * BACK_AXIS[1] + offset[2] * BACK_AXIS[2]) / ROOT.halfDepth;
  return up * up + back * back < 1;
}

/** `root` runs clockwise seen from the subject's right for the right ear (front, up, back, down), mirrored for the left. */
export function addEar(
  builder: MeshBuilder,
  side: 'left' | 'right',
  root: readonly number[],
  skin: Float64Array,
): EarTopology {
  const chart = CHARTS[`${side}Ear`];
  const region = `${side}Ear` as const;
  const rings = RINGS.map(() => builder.addVertices(COLUMNS));
  const [canal] = builder.addVertices(1);
  const middle = mean(root.map((vertex) => pointAt(skin, vertex)));
  const fractionOf = (vertex: number): number => {
    const offset = subtract(pointAt(skin, vertex), middle);
    const up = offset[1] * LONG_AXIS[1] + offset[2] * LONG_AXIS[2];
    const back = offset[1] * BACK_AXIS[1] + offset[2] * BACK_AXIS[2];
    return (Math.atan2(up / 2.5, -back / 1.25) / (2 * Math.PI) + 1) % 1; // 0 at the front, ¼ at the top
  };
  const uvAt = (fraction: number, radius: number): number => {
    const angle = 2 * Math.PI * fraction * (side === 'right' ? 1 : -1);
    const front = side === 'right' ? 1 : -1;
    return builder.addUv(
      chart,
      0.5 + front * 0.49 * radius * Math.cos(angle) * 1,
      0.5 - front * 0.49 * radius * Math.sin(angle),
    );
  };
  const ringFractions = Array.from({ length: COLUMNS }, (_, i) => i / COLUMNS);
  const rows: Row[] = rings.map((vertices, ring) => ({
    vertices,
    uvs: ringFractions.map((fraction) => uvAt(fraction, 0.93 - (0.83 * ring) / RINGS.length)),
  }));
  const rootFractions = fractionsAround(
    root.map((vertex) => pointAt(skin, vertex)),
    fractionOf(root[0]),
  );
  const rootRow = { vertices: root, uvs: rootFractions.map((fraction) => uvAt(fraction, 1)) };
  zipRings(builder, region, rootRow, rootFractions, rows[0], ringFractions, side === 'left');
  for (let ring = 0; ring + 1 < rows.length; ring++) {
    if (side === 'right') builder.addStrip(region, rows[ring], rows[ring + 1], true);
    else builder.addStrip(region, rows[ring + 1], rows[ring], true);
  }
  const last = rows[rows.length - 1];
  const inner = side === 'left' ? { vertices: [...last.vertices].reverse(), uvs: [...last.uvs].reverse() } : last;
  builder.addFan(region, inner, canal, uvAt(0, 0));
  return { side, root, rings, canal };
}

/** Share of a turn of each point of a closed curve, by its length, where the first point has share `first`. */
function fractionsAround(curve: readonly Vector[], first: number): number[] {
  const steps = curve.map((point, i) => length(subtract(curve[(i + 1) % curve.length], point)));
  const total = steps.reduce((sum, step) => sum + step);
  let at = first;
  return steps.map((step) => {
    const fraction = at % 1;
    at += step / total;
    return fraction;
  });
}

/** Triangles between two rings of unlike counts, both sorted by the fraction of a turn. */
function zipRings(
  builder: MeshBuilder,
  region: 'leftEar' | 'rightEar',
  outer: Row,
  outerFractions: readonly number[],
  inner: Row,
  innerFractions: readonly number[],
  isMirrored: boolean,
): void {
  const order = outerFractions.map((_, i) => i).sort((a, b) => outerFractions[a] - outerFractions[b]);
  const outerCount = order.length;
  const innerCount = innerFractions.length;
  const outerAt = (i: number): number => outerFractions[order[i % outerCount]] + Math.floor(i / outerCount);
  const innerAt = (i: number): number => innerFractions[i % innerCount] + Math.floor(i / innerCount);
  const emit = (corners: readonly (readonly [Row, number])[]): void => {
    const turned = isMirrored ? [...corners].reverse() : corners;
    builder.addTriangle(
      region,
      turned.map(([row, i]) => row.vertices[i]),
      turned.map(([row, i]) => row.uvs[i]),
    );
  };
  let i = 0;
  let j = 0;
  while (i < outerCount || j < innerCount) {
    const a: [Row, number] = [outer, order[i % outerCount]];
    const b: [Row, number] = [inner, j % innerCount];
    if (j >= innerCount || (i < outerCount && outerAt(i + 1) <= innerAt(j + 1) + 1e-9)) {
      emit([a, [outer, order[(i + 1) % outerCount]], b]);
      i++;
    } else {
      emit([a, [inner, (j + 1) % innerCount], b]);
      j++;
    }
  }
}

/** Places an ear on the skin that its root lies in. */
export function placeEar(positions: Float64Array, { side, root, rings, canal }: EarTopology, ear: EarState): void {
  const outwards = side === 'left' ? 1 : -1;
  smoothRoot(positions, root);
  const origin = mean(root.map((vertex) => pointAt(positions, vertex)));
  const slope = rootSlope(positions, root, origin, outwards);
  const place = (vertex: number, back: number, up: number, height: number): void => {
    const along = add(scale(BACK_AXIS, back * ear.size), scale(LONG_AXIS, up * ear.size));
    // In front the ear grows out of the cheek, which bulges; further back it stands free.
    const cheek = Math.max(0, slope * back) * smoothstep(0.2, -0.7, back);
    setPoint(positions, vertex, add(origin, add(along, [outwards * (height + cheek) * ear.size, 0, 0])));
  };
  for (let column = 0; column < COLUMNS; column++) {
    const [back, up] = outlineAt(column / 2);
    const fraction = column / COLUMNS;
    // The helix runs from the top of the front round to the lobe, which is flat and hangs close to the head.
    const lobe = smoothstep(0.62, 0.78, fraction) * smoothstep(0.98, 0.9, fraction);
    const front = 1 - smoothstep(0.05, 0.17, fraction) * smoothstep(0.98, 0.87, fraction);
    RINGS.forEach((ring, k) => {
      const size = ring.size + (ring.frontSize - ring.size) * front;
      const q = BOWL[0] + (back - BOWL[0]) * size;
      const p = BOWL[1] + (up - BOWL[1]) * size;
      const stand =
        0.2 + 0.46 * ear.protrusion * Math.max(0, q + 0.95) * (1 + 0.1 * up * (1 - lobe)) * (1 - 0.25 * lobe);
      const fold = ring.over * (1 - 0.75 * lobe);
      const bowl = k >= 9 ? -0.06 * (k - 8) : 0;
      // The tragus: a small lid in front of the canal.
      const tragus = Math.exp(-(((up + 0.15) / 0.55) ** 2)) * front;
      const height = (stand * ring.rise + fold + bowl) * (1 - front) + ring.frontHeight * (0.6 + 0.6 * tragus) * front;
      place(rings[k][column], q + 0.12 * tragus * Math.sin((Math.PI * k) / (RINGS.length - 1)), p, height);
    });
  }
  place(canal, BOWL[0] - 0.35, BOWL[1], -0.35);
}

/** How much the skin around the root rises outwards per centimetre towards the back (negative: it falls away). */
function rootSlope(positions: Float64Array, root: readonly number[], origin: Vector, outwards: number): number {
  let [covariance, variance] = [0, 0];
  for (const vertex of root) {
    const offset = subtract(pointAt(positions, vertex), origin);
    const back = offset[1] * BACK_AXIS[1] + offset[2] * BACK_AXIS[2];
    covariance += back * outwards * offset[0];
    variance += back * back;
  }
  return covariance / variance;
}

/** The hole's edge follows the skin's triangles; this takes the teeth out of it. */
function smoothRoot(positions: Float64Array, root: readonly number[]): void {
  for (let pass = 0; pass < 4; pass++) {
    const previous = root.map((vertex) => pointAt(positions, vertex));
    root.forEach((vertex, i) => {
      const around = mean([previous[(i + 1) % root.length], previous[(i + root.length - 1) % root.length]]);
      setPoint(positions, vertex, mix(previous[i], around, 0.5));
    });
  }
}

/** Closed Catmull–Rom curve through the outline's points. */
function outlineAt(t: number): [number, number] {
  const count = OUTLINE.length;
  const i = Math.floor(t);
  const f = t - i;
  const point = (k: number): readonly [number, number] => OUTLINE[(i + k + count) % count];
  const [a, b, c, d] = [point(-1), point(0), point(1), point(2)];
  const blend = (axis: 0 | 1): number =>
    0.5 *
    (2 * b[axis] +
      (c[axis] - a[axis]) * f +
      (2 * a[axis] - 5 * b[axis] + 4 * c[axis] - d[axis]) * f * f +
      (3 * b[axis] - a[axis] - 3 * c[axis] + d[axis]) * f * f * f);
  return [blend(0), blend(1)];
}
