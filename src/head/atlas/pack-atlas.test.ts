import { describe, expect, it } from 'vitest';
import type { UvMesh } from './charts.ts';
import { findCharts } from './charts.ts';
import { packAtlas } from './pack-atlas.ts';
import { rasterizeOverlap } from './rasterize-overlap.ts';

/** Two unit quads on the surface, the second stacked on the first in UV, mirrored; and a third far away in UV. */
function stackedQuads(): UvMesh {
  const quad = (x: number, size: number): number[] => [x, 0, 0, x + size, 0, 0, x + size, size, 0, x, size, 0];
  return {
    vertices: Float32Array.from([...quad(0, 1), ...quad(2, 1), ...quad(4, 0.5)]),
    triangles: Uint32Array.from([0, 4, 8].flatMap((first) => [0, 1, 2, 0, 2, 3].map((i) => first + i))),
    uvs: Float32Array.from([
      0, 1, 1, 1, 1, 0, 0, 0, /* mirrored */ 1, 1, 0, 1, 0, 0, 1, 0, /* another tile */ 3, 1, 4, 1, 4, 0, 3, 0,
    ]),
    uvTriangles: Uint32Array.from([0, 4, 8].flatMap((first) => [0, 1, 2, 0, 2, 3].map((i) => first + i))),
  };
}

describe('packAtlas', () => {
  it('takes stacked, mirrored and distant charts apart', () => {
    const mesh = stackedQuads();
    expect(findCharts(mesh).map((chart) => chart.mirrored)).toEqual([false, true, false]);
    const atlas = packAtlas(mesh, { padding: 1 / 64 });
    expect(atlas.chartCount).toBe(3);
    expect(Math.min(...atlas.uvs)).toBeGreaterThan(0);
    expect(Math.max(...atlas.uvs)).toBeLessThan(1);
    const { covered, overlapping } = rasterizeOverlap(atlas, 256);
    expect(overlapping).toBe(0);
    expect(covered).toBeGreaterThan(0.3 * 256 * 256);
  });

  it('keeps charts apart by the padding and sized by area and density', () => {
    const mesh = stackedQuads();
    const atlas = packAtlas(mesh, { padding: 1 / 32, density: (triangle) => (triangle < 2 ? 2 : 1) });
    const areaOf = (triangle: number): number => {
      const [a, b, c] = [...atlas.uvTriangles.subarray(triangle * 3, triangle * 3 + 3)].map((uv) => uv * 2);
      const { uvs } = atlas;
      return ((uvs[b] - uvs[a]) * (uvs[c + 1] - uvs[a + 1]) - (uvs[b + 1] - uvs[a + 1]) * (uvs[c] - uvs[a])) / 2;
    };
    expect(areaOf(0) / areaOf(2)).toBeCloseTo(4, 4);
    expect(areaOf(2) / areaOf(4)).toBeCloseTo(4, 4);
    for (let triangle = 0; triangle < 6; triangle++) expect(areaOf(triangle)).toBeLessThan(0); // un-mirrored, v downwards
    expect(rasterizeOverlap(atlas, 512, 1 / 33).overlapping).toBe(0);
  });

  it('gives the same bytes twice and says when the padding is too wide', () => {
    expect(packAtlas(stackedQuads()).uvs).toEqual(packAtlas(stackedQuads()).uvs);
    expect(() => packAtlas(stackedQuads(), { padding: 0.5 })).toThrow(/smaller padding/);
  });
});
