import { CHARTS } from './atlas.ts';
import type { MeshBuilder, Row } from './mesh-builder.ts';
import { add, mix, pointAt, setPoint, smoothstep, type Vector } from './vector.ts';

/** Where a rigid motion takes a point of the lower jaw. */
export type JawMotion = (point: Vector) => Vector;

/** The inside of the mouth in a given identity and expression, centimetres. */
export interface MouthState {
  /** Middle of the closed lips, of this identity at rest. */
  readonly center: Vector;
  /** Width of the mouth over the canonical one. */
  readonly width: number;
  readonly jaw: JawMotion;
  /** 0 at rest … 1 stretched out of the mouth. */
  readonly tongueOut: number;
}

export interface MouthTopology {
  readonly rim: readonly number[];
  readonly rings: readonly (readonly number[])[];
  readonly pole: number;
  readonly upperTeeth: readonly number[];
  readonly lowerTeeth: readonly number[];
  readonly upperGums: readonly number[];
  readonly lowerGums: readonly number[];
  readonly tongue: readonly number[];
}

const TEETH_PER_ARCH = 14;
const SAMPLES_PER_TOOTH = 4;
const ARCH_SAMPLES = TEETH_PER_ARCH * SAMPLES_PER_TOOTH + 1;
const GUM_SAMPLES = TEETH_PER_ARCH * 2 + 1;
/** Cross-sections, front at the gum to back at the gum: (forward, towards the biting edge) in centimetres. */
const TOOTH_PROFILE = [[-0.02, -0.12], [0.05, 0.25], [0.03, 0.6], [-0.06, 0.92], [-0.22, 0.94], [-0.45, 0.5], [-0.6, -0.1]] as const; // prettier-ignore
const GUM_PROFILE = [[-0.3, -0.75], [0.02, -0.55], [0.08, -0.15], [0, 0.1], [-0.6, 0.1], [-0.75, -0.3]] as const; // prettier-ignore
const TONGUE_RINGS = 7;
const TONGUE_COLUMNS = 16;

/** The bag behind the lips: half width, height above and below the lips' line, depth, and forward curve of each ring. */
const BAG_RINGS = [
  { halfWidth: 2.35, up: 0.75, down: 0.85, back: 0.55, curve: 0.2 },
  { halfWidth: 3.1, up: 1.6, down: 1.75, back: 0.85, curve: 0.17 },
  { halfWidth: 3.35, up: 2.0, down: 2.2, back: 1.9, curve: 0.16 },
  { halfWidth: 3.0, up: 2.0, down: 2.2, back: 4.2, curve: 0.1 },
  { halfWidth: 1.8, up: 1.3, down: 1.9, back: 6.3, curve: 0.05 },
] as const;

export function addMouth(builder: MeshBuilder, rim: readonly number[]): MouthTopology {
  const rings = Array.from({ length: BAG_RINGS.length + 1 }, () => builder.addVertices(rim.length));
  const [pole] = builder.addVertices(1);
  const chart = CHARTS.mouthCavity;
  // The rim starts in the right corner and runs over the upper lip: clockwise seen from the front.
  const rows: Row[] = [rim, ...rings].map((vertices, i) => ({
    vertices,
    uvs: builder.addUvRing(chart, 0.98 * (1 - i / (rings.length + 1)), rim.length, 1),
  }));
  for (let i = 0; i + 1 < rows.length; i++) builder.addStrip('mouthCavity', rows[i + 1], rows[i], true);
  const last = rows[rows.length - 1];
  const center = builder.addUv(chart, 0.5, 0.5);
  const reversed = { vertices: [...last.vertices].reverse(), uvs: [...last.uvs].reverse() };
  builder.addFan('mouthCavity', reversed, pole, center);
  return {
    rim,
    rings,
    pole,
    upperTeeth: addBand(builder, 'upperTeeth', 'upperTeeth', ARCH_SAMPLES, TOOTH_PROFILE.length, true),
    lowerTeeth: addBand(builder, 'lowerTeeth', 'lowerTeeth', ARCH_SAMPLES, TOOTH_PROFILE.length, false),
    upperGums: addBand(builder, 'gums', 'upperGums', GUM_SAMPLES, GUM_PROFILE.length, true),
    lowerGums: addBand(builder, 'gums', 'lowerGums', GUM_SAMPLES, GUM_PROFILE.length, false),
    tongue: addTongue(builder),
  };
}

/** A closed tube of `profileCount` points swept along an arch, right to left. The chart has one seam along the arch. */
function addBand(
  builder: MeshBuilder,
  region: 'upperTeeth' | 'lowerTeeth' | 'gums',
  chartName: 'upperTeeth' | 'lowerTeeth' | 'upperGums' | 'lowerGums',
  samples: number,
  profileCount: number,
  isUpper: boolean,
): number[] {
  const chart = CHARTS[chartName];
  const vertices = Array.from({ length: profileCount }, () => builder.addVertices(samples));
  const uvs = Array.from({ length: profileCount + 1 }, (_, row) =>
    Array.from({ length: samples }, (_, i) =>
      builder.addUv(chart, 0.06 + (0.88 * i) / (samples - 1), row / profileCount),
    ),
  );
  for (let row = 0; row < profileCount; row++) {
    const a: Row = { vertices: vertices[row], uvs: uvs[row] };
    const b: Row = { vertices: vertices[(row + 1) % profileCount], uvs: uvs[row + 1] };
    // Upper profiles run downwards, lower ones upwards.
    if (isUpper) builder.addStrip(region, b, a, false);
    else builder.addStrip(region, a, b, false);
  }
  for (const [end, u] of [
    [0, 0.03],
    [samples - 1, 0.97],
  ] as const) {
    const ring = vertices.map((row) => row[end]);
    const ringUvs = ring.map((_, i) =>
      builder.addUv(
        chart,
        u + 0.02 * Math.cos((2 * Math.PI * i) / profileCount),
        0.5 + 0.3 * Math.sin((2 * Math.PI * i) / profileCount) * (end === 0 ? 1 : -1),
      ),
    );
    for (let i = 1; i + 1 < profileCount; i++) {
      const order = (end === 0) !== isUpper ? [0, i, i + 1] : [0, i + 1, i];
      builder.addTriangle(
        region,
        order.map((k) => ring[k]),
        order.map((k) => ringUvs[k]),
      );
    }
  }
  return vertices.flat();
}

function addTongue(builder: MeshBuilder): number[] {
  const chart = CHARTS.tongue;
  const [tip] = builder.addVertices(1);
  const rings = Array.from({ length: TONGUE_RINGS }, () => builder.addVertices(TONGUE_COLUMNS));
  const [root] = builder.addVertices(1);
  const rows = rings.map((vertices, i) => ({
    vertices,
    uvs: builder.addUvRing(chart, (0.96 * (i + 1)) / TONGUE_RINGS, TONGUE_COLUMNS, 1),
  }));
  const reversed = { vertices: [...rows[0].vertices].reverse(), uvs: [...rows[0].uvs].reverse() };
  builder.addFan('tongue', reversed, tip, builder.addUv(chart, 0.5, 0.5));
  for (let i = 0; i + 1 < rows.length; i++) builder.addStrip('tongue', rows[i], rows[i + 1], true);
  const last = rows[rows.length - 1];
  const rim = builder.addUvRing(chart, 0.995, TONGUE_COLUMNS, 1);
  last.vertices.forEach((vertex, i) => {
    const j = (i + 1) % TONGUE_COLUMNS;
    builder.addTriangle('tongue', [vertex, last.vertices[j], root], [last.uvs[i], last.uvs[j], rim[i]]);
  });
  return [tip, ...rings.flat(), root];
}

/** How far (centimetres) the first two rings of the bag stay above the upper lip's edge, or below the lower one's. */
const POCKET_MARGINS = [0.4, 0.75] as const;

/** Share of the jaw's motion that a bag point takes: all below the lips' line, none above. */
const jawShare = (height: number): number => smoothstep(0.55, -0.55, height);

export function placeMouth(positions: Float64Array, topology: MouthTopology, mouth: MouthState): void {
  const { center, width, jaw } = mouth;
  const count = topology.rim.length;
  topology.rim.forEach((vertex, i) => {
    // Angle around the opening: π at the right corner, π/2 at the upper lip's middle.
    const around = Math.PI * (1 - (2 * i) / count);
    const [cosine, sine] = [Math.cos(around), Math.sin(around)];
    const follow = (point: Vector, share: number): Vector => mix(point, jaw(point), share);
    const ringPoints = BAG_RINGS.map((ring, k): Vector => {
      const x = width * ring.halfWidth * cosine;
      const y = (sine > 0 ? ring.up : ring.down) * Math.sign(sine) * Math.abs(sine) ** 0.8;
      const point: Vector = [center[0] + x, center[1] + y, center[2] - ring.back - (ring.curve * x * x) / width];
      return follow(point, jawShare(sine) * [1, 1, 1, 0.8, 0.4][k]);
    });
    const rim = pointAt(positions, vertex);
    // Just behind the lip's edge the flesh runs straight back before it turns into the bag.
    const behind: Vector = [rim[0] * 0.98, rim[1] + 0.12 * sine, rim[2] - 0.35];
    setPoint(positions, topology.rings[0][i], mix(behind, ringPoints[0], 0.12));
    // A lifted lip takes the pocket behind it along, or the pocket's wall would hide the teeth.
    const clear = (point: Vector, margin: number): Vector => {
      const height =
        sine >= 0 ? Math.max(point[1], rim[1] + margin * sine) : Math.min(point[1], rim[1] + margin * sine);
      return [point[0], height, point[2]];
    };
    ringPoints.forEach((point, k) => {
      setPoint(positions, topology.rings[k + 1][i], k < 2 ? clear(point, POCKET_MARGINS[k]) : point);
    });
  });
  const back = add(center, [0, -0.3, -7]);
  setPoint(positions, topology.pole, mix(back, jaw(back), 0.3));
  placeArch(positions, topology.upperTeeth, ARCH_SAMPLES, TOOTH_PROFILE, mouth, true);
  placeArch(positions, topology.lowerTeeth, ARCH_SAMPLES, TOOTH_PROFILE, mouth, false);
  placeArch(positions, topology.upperGums, GUM_SAMPLES, GUM_PROFILE, mouth, true);
  placeArch(positions, topology.lowerGums, GUM_SAMPLES, GUM_PROFILE, mouth, false);
  placeTongue(positions, topology.tongue, mouth);
}

/** Widths of the teeth from the middle outwards, relative: incisors, canine, premolars, molars. */
const TOOTH_WIDTHS = {
  upper: [8.5, 6.6, 7.8, 7, 6.8, 10, 9.5],
  lower: [5.4, 6, 7, 7.1, 7.2, 11, 10.5],
} as const;

/** For each sample along the arch: place −1…1 from left to right in x, and how far into a tooth (0 gap, 1 middle). */
function archSample(
  index: number,
  samples: number,
  isUpper: boolean,
): { along: number; fullness: number; rank: number } {
  const widths = TOOTH_WIDTHS[isUpper ? 'upper' : 'lower'];
  const total = widths.reduce((sum: number, value) => sum + value, 0);
  // Counted from the middle, so that both halves are the same to the last bit.
  const fromMiddle = index - (samples - 1) / 2;
  const tooth = (Math.abs(fromMiddle) * TEETH_PER_ARCH) / (samples - 1); // 0…7
  const rank = Math.min(6, Math.floor(tooth));
  const within = tooth - rank;
  const before = widths.slice(0, rank).reduce((sum: number, value) => sum + value, 0);
  return {
    along: (Math.sign(fromMiddle) * (before + within * widths[rank])) / total,
    fullness: Math.sin(Math.PI * Math.min(1, within)) ** 0.6,
    rank,
  };
}

function placeArch(
  positions: Float64Array,
  vertices: readonly number[],
  samples: number,
  profile: readonly (readonly [number, number])[],
  { center, width, jaw }: MouthState,
  isUpper: boolean,
): void {
  const isTeeth = samples === ARCH_SAMPLES;
  const front: Vector = add(center, [0, 0, isUpper ? -0.95 : -1.2]);
  // Gum line: the upper biting edge stands just below the lips' line, the lower ones bite behind it.
  const gumLine = isUpper ? 0.62 : -0.95;
  const halfWidth = 2.55 * (isUpper ? 1 : 0.94) * (0.5 + 0.5 * width);
  for (let i = 0; i < samples; i++) {
    const { along, fullness, rank } = archSample(i, samples, isUpper);
    const angle = along * 1.35;
    const normal: Vector = [Math.sin(angle), 0, Math.cos(angle)];
    const base: Vector = [halfWidth * Math.sin(angle), 0, -3.9 * (1 - Math.cos(angle))];
    profile.forEach(([forward, towardsEdge], row) => {
      const isCrown = isTeeth && towardsEdge > 0.4;
      const thickness = isTeeth ? (rank > 2 ? 1.45 : 1) : rank > 2 ? 1.3 : 1;
      const gap = isTeeth ? (1 - fullness) * (forward > -0.2 ? 0.05 : 0.02) : 0;
      const height = isTeeth ? (rank > 3 ? 0.82 : rank === 1 ? 0.95 : 1) : 1;
      const edge = towardsEdge * height - (isCrown ? (1 - fullness) * 0.04 : 0);
      const out = forward * (forward < 0 ? thickness : 1) - gap;
      const point: Vector = [
        front[0] + base[0] + normal[0] * out,
        front[1] + gumLine + (isUpper ? -edge : edge) * 0.92,
        front[2] + base[2] + normal[2] * out,
      ];
      setPoint(positions, vertices[row * samples + i], isUpper ? point : jaw(point));
    });
  }
}

function placeTongue(positions: Float64Array, tongue: readonly number[], { center, jaw, tongueOut }: MouthState): void {
  const place = (vertex: number, along: number, around: number, radius: number): void => {
    // along: 0 at the tip, 1 at the root. The back is flat with a groove; the tip lies behind the lower teeth.
    const reach = 4.6 + 3.9 * tongueOut * (1 - along);
    const x = 1.75 * radius * Math.cos(around);
    const top = Math.max(0, Math.sin(around));
    const y = 0.62 * radius * Math.sin(around) - 0.12 * top * Math.exp(-((x / 0.5) ** 2)) * radius;
    const arch = 0.55 * Math.sin(Math.PI * Math.min(1, along * 0.8 + 0.1));
    const droop = tongueOut * (1 - along) * (1 - along) * 1.3;
    const point: Vector = [
      center[0] + x,
      center[1] - 1.05 + y + arch + 0.35 * tongueOut - droop,
      center[2] - 6.35 + reach * (1 - along) + 0.1 * tongueOut,
    ];
    setPoint(positions, vertex, jaw(point));
  };
  place(tongue[0], 0, 0, 0);
  for (let ring = 0; ring < TONGUE_RINGS; ring++) {
    const along = ((ring + 0.6) / TONGUE_RINGS) ** 1.4;
    const radius = Math.sqrt(1 - (1 - Math.min(1, along * 2.2)) ** 2) * (1 - 0.15 * along);
    for (let column = 0; column < TONGUE_COLUMNS; column++) {
      place(tongue[1 + ring * TONGUE_COLUMNS + column], along, -(2 * Math.PI * column) / TONGUE_COLUMNS, radius);
    }
  }
  place(tongue[tongue.length - 1], 1.02, 0, 0);
}
