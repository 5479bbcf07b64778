import { describe, expect, it } from 'vitest';
import { NORMAL_OFFSET_LIMIT, type GaussianSet } from '../gaussians/layout.ts';
import { neutralPose } from '../head/pose.ts';
import { bestFacing, inwardOffsets, meanSight, type Silhouette } from './silhouettes.ts';

const SIZE = 128;
const FOCAL = 400;
const DEPTH = 0.8;
const RADIUS = 0.05;
const SIDES = 72;

/** A drum about y, one triangle per side whose middle lies on it, turned by `yaw` and seen before a camera. */
function drum(yaw: number): Float32Array {
  const vertices = new Float32Array(SIDES * 9);
  for (let side = 0; side < SIDES; side++) {
    const turn = (side / SIDES) * 2 * Math.PI + yaw;
    const [nx, nz] = [Math.sin(turn), -Math.cos(turn)];
    const [tx, tz] = [Math.cos(turn), Math.sin(turn)];
    // Corners in the tangent plane, wound so that the normal points outwards.
    [
      [-0.5, -0.5],
      [0, 1],
      [0.5, -0.5],
    ].forEach(([along, up], corner) => {
      const reach = 0.004;
      vertices.set(
        [RADIUS * nx + reach * along * tx, reach * up, DEPTH + RADIUS * nz + reach * along * tz],
        (side * 3 + corner) * 3,
      );
    });
  }
  return vertices;
}

/** A frame that shows the drum with another radius; `shownRight` cuts the video off. */
function silhouette(yaw: number, radius: number, shownRight = SIZE): Silhouette {
  const half = (FOCAL * radius) / DEPTH;
  const pixels = Uint32Array.from({ length: SIZE * SIZE }, (_, i) =>
    Math.abs((i % SIZE) + 0.5 - SIZE / 2) < half ? 0xff000000 : 0,
  );
  const camera = {
    width: SIZE,
    height: SIZE,
    focalX: FOCAL,
    focalY: FOCAL,
    principalX: SIZE / 2,
    principalY: SIZE / 2,
  };
  const shown = { left: 0, top: 0, right: shownRight, bottom: SIZE };
  return { frame: { index: 0, camera, pose: neutralPose(0), shown }, pixels, size: SIZE, vertices: drum(yaw) };
}

const triangles = Uint32Array.from({ length: SIDES * 3 }, (_, i) => i);
const gaussians: GaussianSet = {
  count: SIDES,
  triangleIndices: Uint32Array.from({ length: SIDES }, (_, i) => i),
  barycentrics: new Float32Array(SIDES * 3).fill(1 / 3),
  localRotation: new Float32Array(SIDES * 4),
  logScale: new Float32Array(SIDES * 3),
  opacityLogit: new Float32Array(SIDES),
  color: new Float32Array(SIDES * 3),
  normalOffset: new Float32Array(SIDES),
};
const yaws = [-0.6, -0.3, 0, 0.3, 0.6];
const all = (): boolean => true;
const heights = (offsets: Float32Array): number[] => [...offsets].map((d) => NORMAL_OFFSET_LIMIT * Math.tanh(d));

describe('inwardOffsets', () => {
  it('leaves everything where the mattes hold the mesh with room for a Gaussian', () => {
    const offsets = inwardOffsets(
      gaussians,
      triangles,
      yaws.map((yaw) => silhouette(yaw, RADIUS + (1.5 * DEPTH) / FOCAL)),
      all,
    );
    for (const offset of offsets) expect(offset).toBeCloseTo(0, 6);
  });

  it('moves sides that stick out to where every matte holds them, and nothing that is inside', () => {
    const narrow = 0.04;
    const found = heights(
      inwardOffsets(
        gaussians,
        triangles,
        yaws.map((yaw) => silhouette(yaw, narrow)),
        all,
      ),
    );
    const sides = [SIDES / 4, (3 * SIDES) / 4]; // half-way between front and back
    // Give or take the margin of one pixel at 256², and a step.
    const pixel = DEPTH / FOCAL;
    for (const side of sides) {
      expect(found[side]).toBeLessThan(-(RADIUS - narrow) + pixel + 0.001);
      expect(found[side]).toBeGreaterThan(-(RADIUS - narrow) - pixel - 0.004);
    }
    expect(found[0]).toBeCloseTo(0, 6); // the front
    expect(found[SIDES / 2]).toBeCloseTo(0, 6); // the back
  });

  it('asks only for candidates, and gives none where no place on the way is inside', () => {
    const narrow = yaws.map((yaw) => silhouette(yaw, 0.04));
    expect(inwardOffsets(gaussians, triangles, narrow, () => false).every(Number.isNaN)).toBe(true);
    const empty = yaws.map((yaw) => silhouette(yaw, 0));
    expect(inwardOffsets(gaussians, triangles, empty, all).every(Number.isNaN)).toBe(true);
  });

  it('takes what the video does not show for head', () => {
    const cut = yaws.map((yaw) => silhouette(yaw, 0.04, SIZE / 2));
    const found = heights(inwardOffsets(gaussians, triangles, cut, all));
    const right = (3 * SIDES) / 4;
    const left = SIDES / 4;
    expect([found[left]!, found[right]!].filter((height) => Math.abs(height) < 1e-6)).toHaveLength(1);
  });
});

describe('bestFacing', () => {
  it('is the cosine in the frame that sees a side best', () => {
    const facing = bestFacing(
      gaussians,
      triangles,
      yaws.map((yaw) => silhouette(yaw, RADIUS)),
    );
    // The camera is near enough to see a little less than half of the drum.
    const nearest = (side: number): number =>
      Math.max(...yaws.map((yaw) => Math.cos((side / SIDES) * 2 * Math.PI + yaw)));
    for (let side = 0; side < SIDES; side++) expect(Math.abs(facing[side]! - nearest(side))).toBeLessThan(0.08);
  });
});

describe('meanSight', () => {
  it('is the line of sight in the triangle’s own frame, of length 1', () => {
    const views = yaws.map((yaw) => silhouette(yaw, RADIUS));
    const sight = meanSight(gaussians, triangles, views);
    const facing = bestFacing(gaussians, triangles, [silhouette(0, RADIUS)]);
    const alone = meanSight(gaussians, triangles, [silhouette(0, RADIUS)]);
    for (let side = 0; side < SIDES; side++) {
      expect(Math.hypot(...sight.subarray(side * 3, side * 3 + 3))).toBeCloseTo(1, 5);
      expect(alone[side * 3 + 1]).toBeCloseTo(-facing[side]!, 5); // along the normal, inwards
    }
    // The front turns as far to either side: seen straight on, on average.
    [0, -1, 0].forEach((value, axis) => expect(sight[axis]).toBeCloseTo(value, 1));
  });
});
