import { describe, expect, it } from 'vitest';
import { smallHead } from '../../test/small-head.ts';
import type { HeadModel } from '../head/head-model.ts';
import { neutralPose } from '../head/pose.ts';
import { axisAngleFromMatrix, matrixFromAxisAngle, multiplyMatrices } from '../math/rotation.ts';
import type { PixelRectangle } from '../video/crop-frame.ts';
import type { Clip } from './clip.ts';
import { outlineOffsets } from './outline.ts';

const SIZE = 256;
const FOCAL = 600;
const DEPTH = 0.6;
const RADIUS = 0.08;
const TOP = 0.1;
const SEGMENTS = 60;
const RINGS = 16;

/** A drum about y: the upper half is scalp, the lower one neck, each with a ring of its own where they meet. */
function drumHead(): HeadModel {
  const vertexCount = 2 * RINGS * SEGMENTS;
  const vertices: number[] = [];
  const triangles: number[] = [];
  for (let half = 0; half < 2; half++) {
    for (let ring = 0; ring < RINGS; ring++) {
      const y = TOP * (1 - half - ring / (RINGS - 1));
      for (let segment = 0; segment < SEGMENTS; segment++) {
        const turn = (2 * Math.PI * segment) / SEGMENTS;
        vertices.push(RADIUS * Math.sin(turn), y, RADIUS * Math.cos(turn));
        if (ring + 1 === RINGS) continue;
        const [a, b] = [segment, (segment + 1) % SEGMENTS].map((at) => (half * RINGS + ring) * SEGMENTS + at);
        triangles.push(a!, a! + SEGMENTS, b!, b!, a! + SEGMENTS, b! + SEGMENTS);
      }
    }
  }
  const triangleCount = triangles.length / 3;
  const joints = smallHead().joints;
  return {
    ...smallHead(),
    vertexCount,
    triangleCount,
    templateVertices: Float32Array.from(vertices),
    triangles: Uint32Array.from(triangles),
    identityBasis: new Float32Array(0),
    identityNames: [],
    expressionBasis: new Float32Array(0),
    expressionNames: [],
    poseCorrectives: null,
    skinningWeights: Float32Array.from({ length: vertexCount * joints.length }, (_, i) =>
      i % joints.length === 0 ? 1 : 0,
    ),
    regionNames: ['scalp', 'neck'],
    triangleRegions: Uint8Array.from({ length: triangleCount }, (_, t) => (t < triangleCount / 2 ? 0 : 1)),
  };
}

const head = drumHead();
const facing = Float64Array.of(1, 0, 0, 0, -1, 0, 0, 0, -1);

/** The drum turned to both sides; a matte of one half-width (metres) above the middle and another below. */
function clip(above: number, below: number, shown?: PixelRectangle): Clip {
  const camera = {
    width: SIZE,
    height: SIZE,
    focalX: FOCAL,
    focalY: FOCAL,
    principalX: SIZE / 2,
    principalY: SIZE / 2,
  };
  const pixels = Uint32Array.from({ length: SIZE * SIZE }, (_, i) => {
    const fromAxis = (Math.abs((i % SIZE) + 0.5 - SIZE / 2) * DEPTH) / FOCAL;
    return fromAxis < (i < (SIZE * SIZE) / 2 ? above : below) ? 0xff000000 : 0;
  });
  const frames = [-0.5, -0.25, 0, 0.25, 0.5].map((yaw, index) => ({
    index,
    camera,
    pose: {
      ...neutralPose(0),
      headRotation: Float32Array.from(axisAngleFromMatrix(multiplyMatrices(facing, matrixFromAxisAngle([0, yaw, 0])))),
      headTranslation: Float32Array.of(0, 0, DEPTH),
    },
    ...(shown ? { shown } : {}),
  }));
  return { size: SIZE, frames, pixels: () => pixels };
}

/** Distance from the drum's axis of one half's vertices of a middle ring, after the offsets. */
function radii(offsets: Float32Array, half: number): number[] {
  return Array.from({ length: SEGMENTS }, (_, segment) => {
    const at = ((half * RINGS + RINGS / 2) * SEGMENTS + segment) * 3;
    const moved = (axis: number): number => head.templateVertices[at + axis]! + offsets[at + axis]!;
    return Math.hypot(moved(0), moved(2));
  });
}

const outlineOf = (...given: Parameters<typeof clip>): Float32Array =>
  outlineOffsets(head, new Float32Array(0), clip(...given));
/** The sides, which five yaws of a drum bring to its outline. */
const isSide = (segment: number): boolean => Math.abs(Math.sin((2 * Math.PI * segment) / SEGMENTS)) > 0.9;
const sidesOf = (values: number[]): number[] => values.filter((_, segment) => isSide(segment));

describe('outlineOffsets', () => {
  it('leaves a mesh that fills its mattes, give or take a step', () => {
    const offsets = outlineOf(RADIUS + 0.0005, RADIUS + 0.0005);
    expect(Math.max(...offsets.map(Math.abs))).toBeLessThan(0.0015);
  });

  it('draws in what sticks out of the mattes', () => {
    const sides = sidesOf(radii(outlineOf(0.08, 0.07), 1));
    for (const radius of sides) {
      expect(radius).toBeLessThan(0.0725);
      expect(radius).toBeGreaterThan(0.065);
    }
  });

  it('raises the scalp to the outline of the hair, evenly over front and back', () => {
    const all = radii(outlineOf(0.09, 0.08), 0);
    // A cylinder before a camera is seen a little wider than it is: r / √(1 − (r / depth)²), 0.8 mm here.
    for (const radius of sidesOf(all)) {
      expect(radius).toBeGreaterThan(0.086);
      expect(radius).toBeLessThan(0.0905);
    }
    expect(Math.min(...all)).toBeGreaterThan(0.083);
    for (const radius of radii(outlineOf(0.09, 0.08), 1)) expect(radius).toBeLessThan(0.082);
  });

  it('raises the neck to hair that hangs beside it, but not where it faces the camera', () => {
    const all = radii(outlineOf(0.08, 0.09), 1);
    const front = all.filter((_, segment) => Math.cos((2 * Math.PI * segment) / SEGMENTS) > 0.8);
    for (const radius of sidesOf(all)) {
      expect(radius).toBeGreaterThan(0.085);
      expect(radius).toBeLessThan(0.0905);
    }
    for (const radius of front) expect(radius).toBeLessThan(0.0815);
    for (const radius of sidesOf(radii(outlineOf(0.08, 0.09), 0))) expect(radius).toBeLessThan(0.082);
  });

  it('does not take the edge of the video for that of the hair', () => {
    const edge = Math.round((0.085 * FOCAL) / DEPTH);
    const shown = { left: SIZE / 2 - edge, top: 0, right: SIZE / 2 + edge, bottom: SIZE };
    const all = radii(outlineOf(0.2, 0.08, shown), 0);
    expect(Math.max(...all)).toBeLessThan(0.0815);
  });

  it('keeps vertices that are one together', () => {
    const offsets = outlineOf(0.09, 0.07);
    const ring = (half: number, ring_: number): Float32Array => {
      const first = (half * RINGS + ring_) * SEGMENTS * 3;
      return offsets.slice(first, first + SEGMENTS * 3);
    };
    expect(ring(1, 0)).toEqual(ring(0, RINGS - 1));
  });
});
