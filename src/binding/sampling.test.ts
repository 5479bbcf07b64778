import { describe, expect, it } from 'vitest';
import { sharedPath } from '../../test/shared.ts';
import { randomUniform } from '../math/random.ts';
import { readCanonicalFace } from '../platform/node/canonical-face.ts';
import { openFolder } from '../platform/node/folder.ts';
import { packAtlas } from '../head/atlas/pack-atlas.ts';
import type { HeadModel } from '../head/head-model.ts';
import { createIctHead } from '../head/ict/ict-head.ts';
import { nearestNeighbours, spacingAt } from './nearest-neighbours.ts';
import { sampleAtlas, sampleUvs, surfacePositions } from './sampling.ts';

const path = sharedPath('data/heads/ict-facekit');

/** A unit square in two triangles (region face) and a second square, four times the area (region neck). */
function squares(): HeadModel {
  const templateVertices = Float32Array.from([0, 0, 0, 1, 0, 0, 1, 1, 0, 0, 1, 0, 5, 0, 0, 7, 0, 0, 7, 2, 0, 5, 2, 0]);
  const triangles = Uint32Array.from([0, 1, 2, 0, 2, 3, 4, 5, 6, 4, 6, 7]);
  const flat = Float32Array.from(
    { length: 16 },
    (_, i) => templateVertices[Math.floor(i / 2) * 3 + (i % 2)] * (i % 2 ? -1 : 1),
  );
  const atlas = packAtlas({ vertices: templateVertices, triangles, uvs: flat, uvTriangles: triangles });
  return {
    templateVertices, triangles, triangleCount: 4, uvs: atlas.uvs, uvTriangles: atlas.uvTriangles,
    regionNames: ['face', 'neck'], triangleRegions: Uint8Array.of(0, 0, 1, 1),
  } as unknown as HeadModel; // prettier-ignore
}
const evenly = { face: 1, neck: 1 };

describe('sampleAtlas', () => {
  it('gives exactly the count, on the surface, the same bytes for one seed and others for another', () => {
    for (const count of [1, 7, 100, 1003]) {
      const samples = sampleAtlas(squares(), { count, seed: 5 });
      expect(samples.triangleIndices.length).toBe(count);
      for (let i = 0; i < count; i++) {
        const [a, b, c] = samples.barycentrics.subarray(i * 3, i * 3 + 3);
        expect(a + b + c).toBeCloseTo(1, 6);
        expect(Math.min(a, b, c)).toBeGreaterThanOrEqual(0);
      }
      expect(sampleAtlas(squares(), { count, seed: 5 })).toEqual(samples);
    }
    expect(sampleAtlas(squares(), { count: 1003, seed: 6 }).barycentrics).not.toEqual(
      sampleAtlas(squares(), { count: 1003, seed: 5 }).barycentrics,
    );
    expect(() => sampleAtlas(squares(), { count: 0, seed: 1 })).toThrow(/count is 0/);
    expect(() => sampleAtlas(squares(), { count: 5, seed: 1, regionDensity: { face: 0, neck: 0 } })).toThrow(
      /no surface/,
    );
  });

  it('samples by surface area and region density, hardly at random', () => {
    const inFace = (regionDensity: Record<string, number>): number =>
      sampleAtlas(squares(), { count: 2000, seed: 1, regionDensity }).triangleIndices.filter((triangle) => triangle < 2)
        .length / 2000;
    expect(inFace(evenly)).toBeCloseTo(0.2, 1);
    expect(inFace({ face: 4, neck: 1 })).toBeCloseTo(0.5, 1);
    expect(inFace({ face: 0, neck: 1 })).toBe(0);
  });

  it('starts each Gaussian at the spacing of its surroundings', () => {
    const samples = sampleAtlas(squares(), { count: 4000, seed: 1, regionDensity: { face: 16, neck: 1 } });
    const meanScale = (isFace: boolean): number => {
      const chosen = [...samples.triangleIndices.keys()].filter((i) => samples.triangleIndices[i] < 2 === isFace);
      return chosen.reduce((sum, i) => sum + Math.exp(samples.logScale[i * 3]), 0) / chosen.length;
    };
    // 3200 samples on 1 m² are 1/√3200 apart, 800 on 4 m² 1/√200.
    expect(meanScale(true)).toBeCloseTo(1 / Math.sqrt(3200), 2);
    expect(meanScale(false) / meanScale(true)).toBeGreaterThan(3.2);
    expect(meanScale(false) / meanScale(true)).toBeLessThan(4.8);
  });

  it('tells where samples lie in the atlas', () => {
    const head = squares();
    const samples = sampleAtlas(head, { count: 300, seed: 2, regionDensity: evenly });
    const uvs = sampleUvs(head, samples);
    const positions = surfacePositions(
      head.templateVertices,
      head.triangles,
      samples.triangleIndices,
      samples.barycentrics,
    );
    // The face's chart is a scaled copy of the square: positions and UVs correlate exactly.
    const scale = (head.uvs[head.uvTriangles[1] * 2] - head.uvs[head.uvTriangles[0] * 2]) / 1;
    for (let i = 0; i < 300; i++) {
      if (samples.triangleIndices[i] > 1) continue;
      expect(uvs[i * 2] - head.uvs[head.uvTriangles[0] * 2]).toBeCloseTo(scale * positions[i * 3], 5);
    }
  });
});

describe('spacingAt', () => {
  const first = Float32Array.from({ length: 600 }, (_, i) => randomUniform(9, i % 3, i));
  const { meanDistances } = nearestNeighbours(first, 3);

  it('is that of the points at their own places, however many others lie among them', () => {
    expect(spacingAt(first, first)).toEqual(meanDistances);
    const crowded = Float32Array.from([...first, ...first.map((value) => value + 1e-3)]);
    expect(spacingAt(crowded, first).subarray(0, 200)).toEqual(meanDistances);
  });

  it('is that of the nearest point elsewhere, far away too', () => {
    const places = Float32Array.from({ length: 90 }, (_, i) => 3 * randomUniform(4, i % 3, i) - 1);
    const spacing = spacingAt(places, first);
    const distance = (place: number, point: number): number =>
      Math.hypot(...[0, 1, 2].map((axis) => places[place * 3 + axis] - first[point * 3 + axis]));
    for (let place = 0; place < 30; place++) {
      const nearest = [...meanDistances.keys()].reduce((a, b) => (distance(place, b) < distance(place, a) ? b : a));
      expect(spacing[place]).toBe(meanDistances[nearest]);
    }
  });
});

describe('nearestNeighbours', () => {
  it('agrees with trying all pairs', () => {
    const points = Float32Array.from({ length: 600 }, (_, i) => randomUniform(9, i % 3, i));
    const found = nearestNeighbours(points, 3).meanDistances;
    for (let i = 0; i < 200; i++) {
      const all = [...Array(200).keys()]
        .filter((j) => j !== i)
        .map((j) =>
          Math.hypot(
            points[j * 3] - points[i * 3],
            points[j * 3 + 1] - points[i * 3 + 1],
            points[j * 3 + 2] - points[i * 3 + 2],
          ),
        );
      expect(found[i]).toBeCloseTo(
        all
          .toSorted((a, b) => a - b)
          .slice(0, 3)
          .reduce((sum, d) => sum + d, 0) / 3,
        5,
      );
    }
    expect([...nearestNeighbours(Float32Array.of(1, 2, 3), 2).indices]).toEqual([0, 0]);
    expect(nearestNeighbours(Float32Array.of(1, 2, 3), 2).meanDistances[0]).toBeGreaterThan(0);
  });
});

describe.skipIf(!path)('sampling the ICT head (needs ../shared/data/heads/ict-facekit)', () => {
  it('covers every region in proportion, mostly by the grid', async () => {
    const head = await createIctHead(await openFolder(path!), readCanonicalFace());
    const samples = sampleAtlas(head, { count: 20000, seed: 1 });
    const shares = head.regionNames.map(
      (_, region) => samples.triangleIndices.filter((t) => head.triangleRegions[t] === region).length / 20000,
    );
    const share = (name: string): number => shares[head.regionNames.indexOf(name as HeadModel['regionNames'][number])];
    expect(share('face')).toBeGreaterThan(0.3);
    expect(share('scalp')).toBeGreaterThan(0.15);
    expect(share('lips')).toBeGreaterThan(0.02);
    expect(share('leftEyeSocket')).toBeLessThan(0.005);
    expect(Math.abs(share('leftEyelids') - share('rightEyelids'))).toBeLessThan(0.002);
  });
});
