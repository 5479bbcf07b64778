import { CHARTS } from './atlas.ts';
import type { MeshBuilder, Row } from './mesh-builder.ts';
import {
  add,
  mix,
  normalize,
  pointAt,
  rotateAbout,
  scale,
  setPoint,
  slerp,
  subtract,
  length,
  type Vector,
} from './vector.ts';

/** One eye in a given identity and expression, centimetres. */
export interface EyeState {
  readonly center: Vector;
  readonly radius: number;
  /** Radians: positive yaw looks to the subject's left, positive pitch down. */
  readonly yaw: number;
  readonly pitch: number;
}

/** The subject's right eye; the left one is its mirror. Set so deep that the lids clear it by half a millimetre. */
export const RIGHT_EYE: EyeState = { center: [-3.28, 2.62, 2.45], radius: 1.2, yaw: 0, pitch: 0 };

/** Polar angles (degrees from the line of sight) of an eyeball's rings: pupil 10.5°, edge of the iris 29.5°. */
const EYEBALL_RINGS = [5, 10.5, 17, 23, 29.5, 33, 42, 55, 70, 88, 112, 145];
const EYEBALL_COLUMNS = 24;
/** On the eyeball's chart the radius grows with the polar angle; the unseen back is pressed into the rim. */
const chartRadius = (degrees: number): number =>
  0.98 * (degrees < 90 ? degrees / 104 : 90 / 104 + (degrees - 90) / 652);

/** Chart radii (half the chart's width = 1) of the pupil's and the iris' edge, for painters of textures. */
export const EYEBALL_CHART = { pupilRadius: chartRadius(10.5), irisRadius: chartRadius(29.5) } as const;

export interface EyeTopology {
  readonly side: 'left' | 'right';
  readonly eyeball: readonly number[];
  /** Lid rim on the skin: outer corner, upper lid, inner corner, lower lid back. */
  readonly rim: readonly number[];
  /** Rings from the rim inwards: lid margin, under the lid, two rings of the socket; last the pole behind the eye. */
  readonly interior: readonly (readonly number[])[];
  readonly pole: number;
  /** Direction from the eye's centre to each rim point at rest; the socket does not follow a blink. */
  readonly restDirections: Vector[];
}

export function addEye(
  builder: MeshBuilder,
  side: 'left' | 'right',
  rim: readonly number[],
  skin: Float64Array,
  eye: EyeState,
): EyeTopology {
  const eyeball = addEyeball(builder, side);
  const interior = Array.from({ length: 4 }, () => builder.addVertices(rim.length));
  const [pole] = builder.addVertices(1);
  const chart = CHARTS[`${side}EyeSocket`];
  // The right rim runs clockwise seen from the front (outer corner, up, inner corner): its charts do too.
  const direction = side === 'right' ? 1 : -1;
  const rows: Row[] = [rim, ...interior].map((vertices, i) => ({
    vertices,
    uvs: builder.addUvRing(chart, [0.98, 0.8, 0.55, 0.35, 0.18][i], rim.length, direction),
  }));
  for (let i = 0; i + 1 < rows.length; i++) {
    const region = i < 2 ? (`${side}Eyelids` as const) : (`${side}EyeSocket` as const);
    if (side === 'right') builder.addStrip(region, rows[i + 1], rows[i], true);
    else builder.addStrip(region, rows[i], rows[i + 1], true);
  }
  const last = rows[rows.length - 1];
  const center = builder.addUv(chart, 0.5, 0.5);
  const ring = side === 'right' ? { vertices: [...last.vertices].reverse(), uvs: [...last.uvs].reverse() } : last;
  builder.addFan(`${side}EyeSocket`, ring, pole, center);
  const restDirections = rim.map((vertex) => normalize(subtract(pointAt(skin, vertex), eye.center)));
  return { side, eyeball, rim, interior, pole, restDirections };
}

function addEyeball(builder: MeshBuilder, side: 'left' | 'right'): number[] {
  const chart = CHARTS[`${side}Eyeball`];
  const front = builder.addVertices(1);
  const rings = EYEBALL_RINGS.map(() => builder.addVertices(EYEBALL_COLUMNS));
  const back = builder.addVertices(1);
  const rows = rings.map((vertices, i) => ({
    vertices,
    uvs: builder.addUvRing(chart, chartRadius(EYEBALL_RINGS[i]), EYEBALL_COLUMNS, 1),
  }));
  const reversed = (row: Row): Row => ({ vertices: [...row.vertices].reverse(), uvs: [...row.uvs].reverse() });
  const region = `${side}Eyeball` as const;
  builder.addFan(region, reversed(rows[0]), front[0], builder.addUv(chart, 0.5, 0.5));
  for (let i = 0; i + 1 < rows.length; i++) builder.addStrip(region, rows[i], rows[i + 1], true);
  // The back cap's middle would overlap the front in a disc: it gets a sliver beyond the last ring, per triangle.
  const last = rows[rows.length - 1];
  const rim = builder.addUvRing(chart, 0.995, EYEBALL_COLUMNS, 1);
  last.vertices.forEach((vertex, i) => {
    const j = (i + 1) % EYEBALL_COLUMNS;
    builder.addTriangle(region, [vertex, last.vertices[j], back[0]], [last.uvs[i], last.uvs[j], rim[i]]);
  });
  return [...front, ...rings.flat(), ...back];
}

export function placeEye(positions: Float64Array, topology: EyeTopology, eye: EyeState): void {
  placeEyeball(positions, topology, eye);
  const socketRing = (i: number, polar: number, factor: number): Vector => {
    const [x, y] = topology.restDirections[i];
    const around = Math.hypot(x, y) || 1;
    const radius = factor * eye.radius;
    return [(radius * Math.sin(polar) * x) / around, (radius * Math.sin(polar) * y) / around, radius * Math.cos(polar)];
  };
  topology.rim.forEach((vertex, i) => {
    const rim = subtract(pointAt(positions, vertex), eye.center);
    const rimDirection = normalize(rim);
    // The lid is two millimetres thick at most: from its rim in to the eyeball, clear by a quarter of a millimetre.
    const clearance = eye.radius * 1.022;
    const margin = scale(rimDirection, Math.min(length(rim) - 0.02, Math.max(clearance, length(rim) - 0.25)));
    const socket = socketRing(i, 1.5, 1.03);
    const under = scale(slerp(rimDirection, normalize(socket), 0.4), clearance);
    const local = [mix(margin, scale(rimDirection, clearance), 0.6), under, socket, socketRing(i, 2.3, 1.06)];
    local.forEach((offset, ring) => setPoint(positions, topology.interior[ring][i], add(eye.center, offset)));
  });
  setPoint(positions, topology.pole, add(eye.center, [0, 0, -1.1 * eye.radius]));
}

function placeEyeball(positions: Float64Array, { eyeball }: EyeTopology, eye: EyeState): void {
  const place = (index: number, polar: number, around: number): void => {
    // The cornea stands out by a quarter of a millimetre.
    const bulge = 0.022 * eye.radius * Math.max(0, Math.cos((polar / 0.56) * (Math.PI / 2))) * (polar < 0.56 ? 1 : 0);
    const radius = eye.radius + bulge;
    const local: Vector = [
      radius * Math.sin(polar) * Math.cos(around),
      -radius * Math.sin(polar) * Math.sin(around),
      radius * Math.cos(polar),
    ];
    const pitched = rotateAbout(local, [0, 0, 0], [1, 0, 0], eye.pitch);
    setPoint(positions, index, add(eye.center, rotateAbout(pitched, [0, 0, 0], [0, 1, 0], eye.yaw)));
  };
  place(eyeball[0], 0, 0);
  EYEBALL_RINGS.forEach((degrees, ring) => {
    for (let column = 0; column < EYEBALL_COLUMNS; column++) {
      const around = (2 * Math.PI * column) / EYEBALL_COLUMNS;
      place(eyeball[1 + ring * EYEBALL_COLUMNS + column], (degrees * Math.PI) / 180, around);
    }
  });
  place(eyeball[eyeball.length - 1], Math.PI, 0);
}
