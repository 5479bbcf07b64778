import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { sharedPath } from '../../../test/shared.ts';
import { openCacheFolder } from '../../platform/node/cache-folder.ts';
import { readCanonicalFace } from '../../platform/node/canonical-face.ts';
import { openFolder } from '../../platform/node/folder.ts';
import { randomUniform } from '../../math/random.ts';
import type { HeadModel, LandmarkEmbedding } from '../head-model.ts';
import { createIctHead } from '../ict/ict-head.ts';
import { anchorsFromIbug68, embedIrisCentres, embedLandmarks } from './embed-landmarks.ts';
import { decodeEmbedding, embedLandmarksCached, encodeEmbedding } from './embedding-cache.ts';
import { CONTOURS, IBUG_WAYPOINTS, MEDIAPIPE_FROM_IBUG_68 } from './face-topology.ts';
import { alignToNetwork } from './network-offsets.ts';
import { SurfaceSearch } from './surface-search.ts';
import { fitThinPlate } from './thin-plate.ts';

const path = sharedPath('data/heads/ict-facekit');
const face = readCanonicalFace();
/** The bent face's vertices are the points themselves. */
const OWN_POINTS = MEDIAPIPE_FROM_IBUG_68.map(
  (landmark, i) => landmark ?? IBUG_WAYPOINTS.find(([ibug]) => ibug === i)?.[1] ?? 0,
);

type SomeHead = Pick<HeadModel, 'templateVertices' | 'triangles'>;
const place = (
  { templateVertices, triangles }: SomeHead,
  { triangleIndices, barycentrics }: LandmarkEmbedding,
  i: number,
): number[] =>
  [0, 1, 2].map((axis) =>
    [0, 1, 2].reduce(
      (sum, k) => sum + barycentrics[i * 3 + k] * templateVertices[triangles[triangleIndices[i] * 3 + k] * 3 + axis],
      0,
    ),
  );

/** The canonical face itself as a head: shifted, turned, 7 % larger and bent a little. */
function bentFace(): HeadModel {
  const templateVertices = new Float32Array(468 * 3);
  for (let i = 0; i < 468; i++) {
    const [x, y, z] = face.positions.subarray(i * 3, i * 3 + 3);
    const bent = [x * 1.07, y * 1.07, z * 1.07 + 1.5 * x * x + 0.6 * y * y];
    templateVertices.set(
      [
        bent[0],
        Math.cos(0.1) * bent[1] - Math.sin(0.1) * bent[2],
        Math.sin(0.1) * bent[1] + Math.cos(0.1) * bent[2] + 0.02,
      ],
      i * 3,
    );
  }
  const triangleCount = face.triangles.length / 3;
  return {
    templateVertices,
    triangles: face.triangles,
    triangleCount,
    regionNames: ['face'],
    triangleRegions: new Uint8Array(triangleCount),
  } as unknown as HeadModel;
}

describe('embedLandmarks', () => {
  it('finds the points of a bent copy of the canonical face', () => {
    const head = bentFace();
    const embedding = embedLandmarks(head, face, anchorsFromIbug68(OWN_POINTS));
    const errors = Array.from({ length: 468 }, (_, i) =>
      Math.hypot(...place(head, embedding, i).map((value, axis) => value - head.templateVertices[i * 3 + axis])),
    );
    expect(errors.reduce((sum, error) => sum + error, 0) / 468).toBeLessThan(0.001);
    expect(Math.max(...errors)).toBeLessThan(0.006);
    for (const contour of Object.values(CONTOURS)) for (const i of contour) expect(errors[i]).toBeLessThan(0.0015);
    expect(() => embedLandmarks(head, face, anchorsFromIbug68(OWN_POINTS).slice(0, 5))).toThrow(/at least 12/);
  });

  it('moves the forehead and the temples down to where the networks see them, on both sides alike', () => {
    const head = bentFace();
    const embedding = embedLandmarks(head, face, anchorsFromIbug68(OWN_POINTS));
    const aligned = alignToNetwork(head, embedding);
    const drop = (i: number): number => place(head, embedding, i)[1] - place(head, aligned, i)[1];
    expect(drop(151)).toBeCloseTo(0.0029, 3);
    expect(drop(10)).toBeGreaterThan(0.003);
    expect(drop(284)).toBeCloseTo(drop(54), 3);
    for (const i of [1, 61, 33, 152, 205]) expect(drop(i)).toBe(0);
  });

  it('is cached, and a damaged cache is ignored', async () => {
    const head = bentFace();
    const folder = mkdtempSync(join(tmpdir(), 'fate-cache-'));
    const cache = openCacheFolder(folder);
    const anchors = anchorsFromIbug68(OWN_POINTS);
    const first = await embedLandmarksCached(head, face, anchors, cache);
    const [file] = readdirSync(folder);
    expect(await embedLandmarksCached(head, face, anchors, cache)).toEqual(first);
    writeFileSync(join(folder, file), 'nonsense');
    expect(await embedLandmarksCached(head, face, anchors, cache)).toEqual(first);
    expect(decodeEmbedding((await cache.get(file))!, head.triangleCount)).toEqual(first);
    expect(decodeEmbedding(encodeEmbedding(first), 3)).toBeNull();
    expect(
      await embedLandmarksCached(head, face, anchors, openCacheFolder(join(folder, file, 'below-a-file'))),
    ).toEqual(first);
  });
});

describe('SurfaceSearch', () => {
  it('finds what trying all triangles finds', () => {
    const all = [...Array(face.triangles.length / 3).keys()];
    const search = new SurfaceSearch(face.positions, face.triangles, all, 0.01);
    const coarse = new SurfaceSearch(face.positions, face.triangles, all, 10);
    for (let i = 0; i < 60; i++) {
      const point = [0, 1, 2].map((axis) => (randomUniform(3, axis, i) - 0.5) * 0.3) as unknown as [
        number,
        number,
        number,
      ];
      expect(search.closest(point, Infinity)!.distance).toBeCloseTo(coarse.closest(point, Infinity)!.distance, 12);
    }
    expect(search.closest([1, 1, 1], 0.01)).toBeNull();
    expect(search.closest([0, 0, 0], Infinity, () => false)).toBeNull();
  });
});

describe('fitThinPlate', () => {
  it('reproduces affine maps anywhere and meets bent control points', () => {
    const points = Array.from(
      { length: 12 },
      (_, i) => [0, 1, 2].map((axis) => randomUniform(5, axis, i)) as unknown as [number, number, number],
    );
    const affine = ([x, y, z]: readonly number[]): [number, number, number] => [2 * x + y, y - z + 1, 0.5 * z];
    const map = fitThinPlate(
      points.map((from) => ({ from, to: affine(from), weight: 1 })),
      1e-4,
    );
    map(2, -1, 3).forEach((value, axis) => expect(value).toBeCloseTo(affine([2, -1, 3])[axis], 6));
    const bend = ([x, y, z]: readonly number[]): [number, number, number] => [x, y + x * x, z];
    const bent = fitThinPlate(
      points.map((from) => ({ from, to: bend(from), weight: 1 })),
      1e-9,
    );
    for (const from of points) bent(...from).forEach((value, axis) => expect(value).toBeCloseTo(bend(from)[axis], 5));
  });
});

describe.skipIf(!path)('landmarks of the ICT head (needs ../shared/data/heads/ict-facekit)', () => {
  let head: HeadModel;
  beforeAll(async () => {
    head = await createIctHead(await openFolder(path!), face);
  });
  const at = (i: number): number[] => place(head, head.landmarks, i);

  it('puts upper and lower contours on their own lid and lip', () => {
    for (const side of ['right', 'left'] as const) {
      const [upper, lower] = [CONTOURS[`${side}UpperLid`], CONTOURS[`${side}LowerLid`]];
      for (let i = 1; i < 8; i++) expect(at(upper[i])[1]).toBeGreaterThan(at(lower[i])[1] + 0.0005);
    }
    // Closing the mouth must not matter: upper lip points stay when the jaw opens, lower ones go down with it.
    const open = head.expressionNames.indexOf('jawOpen') * head.vertexCount * 3;
    const drop = (i: number): number => {
      const { triangleIndices, barycentrics } = head.landmarks;
      return [0, 1, 2].reduce(
        (sum, k) =>
          sum +
          barycentrics[i * 3 + k] * head.expressionBasis[open + head.triangles[triangleIndices[i] * 3 + k] * 3 + 1],
        0,
      );
    };
    for (let i = 3; i < 8; i++)
      expect(drop(CONTOURS.lowerLipInner[i])).toBeLessThan(drop(CONTOURS.upperLipInner[i]) - 0.01);
  });

  it('is symmetric, and near the canonical face’s proportions', () => {
    const pairs = [
      [234, 454],
      [50, 280],
      [61, 291],
      [33, 263],
      [58, 288],
      [105, 334],
      [205, 425],
      [149, 378],
    ];
    for (const [right, left] of pairs) {
      const [a, b] = [at(right), at(left)];
      expect(Math.hypot(a[0] + b[0], a[1] - b[1], a[2] - b[2])).toBeLessThan(0.0025);
    }
    expect(at(10)[1] - at(152)[1]).toBeGreaterThan(0.155);
    expect(at(10)[1] - at(152)[1]).toBeLessThan(0.195);
    expect(at(1)[2]).toBeGreaterThan(Math.max(at(10)[2], at(152)[2], at(234)[2]));
  });

  it('has iris centres in front of the eyeballs', () => {
    const irises = embedIrisCentres(head);
    expect(place(head, irises, 0)[0]).toBeCloseTo(-0.0318, 3);
    expect(place(head, irises, 1)[0]).toBeCloseTo(0.0318, 3);
    expect(place(head, irises, 1)[2]).toBeCloseTo(0.0965, 3);
  });
});
