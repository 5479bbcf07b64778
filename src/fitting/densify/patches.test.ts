import { describe, expect, it } from 'vitest';
import { singlePatches, surfacePatches, type SurfacePatches } from './patches.ts';

/** A flat sheet of `cells` × `cells` squares of 1 m, two triangles each; the right half may be another region. */
function sheet(cells: number, regionOf: (column: number) => number = () => 0) {
  const side = cells + 1;
  const templateVertices = Float32Array.from({ length: side * side * 3 }, (_, at) => {
    const vertex = Math.floor(at / 3);
    return [vertex % side, Math.floor(vertex / side), 0][at % 3]!;
  });
  const triangles: number[] = [];
  const regions: number[] = [];
  for (let row = 0; row < cells; row++) {
    for (let column = 0; column < cells; column++) {
      const [a, b] = [row * side + column, (row + 1) * side + column];
      triangles.push(a, a + 1, b, b, a + 1, b + 1);
      regions.push(regionOf(column), regionOf(column));
    }
  }
  return {
    triangles: Uint32Array.from(triangles),
    triangleRegions: Uint8Array.from(regions),
    templateVertices,
    vertexCount: side * side,
  };
}

type Sheet = ReturnType<typeof sheet>;

/** Between the middles of two triangles, metres. */
function distance({ triangles, templateVertices }: Sheet, a: number, b: number): number {
  const middle = (triangle: number, axis: number): number =>
    [0, 1, 2].reduce((sum, corner) => sum + templateVertices[triangles[triangle * 3 + corner]! * 3 + axis]! / 3, 0);
  return Math.hypot(middle(a, 0) - middle(b, 0), middle(a, 1) - middle(b, 1));
}

const all = (count: number, each = 1): Uint32Array =>
  Uint32Array.from({ length: count * each }, (_, i) => Math.floor(i / each));
const patchOf = ({ starts, members }: SurfacePatches, triangle: number): number[] => [
  ...members.subarray(starts[triangle], starts[triangle + 1]),
];

describe('surfacePatches', () => {
  it('is the triangle alone where it holds as many Gaussians as FLAME’s do', () => {
    const mesh = sheet(6);
    expect(surfacePatches(mesh, all(72, 7))).toEqual(singlePatches(72));
  });

  it('takes in the nearest triangles until they hold seven', () => {
    const mesh = sheet(6);
    const middle = 42; // the lower left half of the square in column 3, row 3
    const patch = patchOf(surfacePatches(mesh, all(72)), middle);
    expect(patch).toHaveLength(7);
    expect(patch[0]).toBe(middle);
    const distances = all(72).map((triangle) => 1e6 * distance(mesh, middle, triangle)); // whole micrometres
    const reach = Math.max(...patch.map((triangle) => distances[triangle]!));
    expect(distances.filter((value) => value < reach).length).toBeLessThanOrEqual(7);
    expect(patchOf(surfacePatches(mesh, all(72, 3)), middle)).toHaveLength(3);
  });

  it('shares a patch out by area', () => {
    const { starts, shares } = surfacePatches(sheet(6), all(72));
    const own = shares.subarray(starts[42], starts[43]);
    own.forEach((share, at) => expect(share).toBeCloseTo((at + 1) / own.length, 6));
    expect(own.at(-1)).toBe(1);
  });

  it('keeps to the region', () => {
    const mesh = sheet(6, (column) => (column < 3 ? 0 : 1));
    const patches = surfacePatches(mesh, all(72));
    for (let triangle = 0; triangle < 72; triangle++)
      for (const member of patchOf(patches, triangle))
        expect(mesh.triangleRegions[member]).toBe(mesh.triangleRegions[triangle]);
  });

  it('leaves out triangles with a vertex that nothing uses', () => {
    const only = Uint32Array.of(0, 1);
    const patches = surfacePatches(sheet(6), only);
    expect(patchOf(patches, 0)).toEqual([0, 1]);
    expect(patchOf(patches, 42)).toEqual([42]);
  });

  it('goes on across vertices that are there twice', () => {
    const mesh = sheet(2);
    const apart = {
      ...mesh,
      triangles: Uint32Array.from({ length: mesh.triangles.length }, (_, at) => at),
      templateVertices: Float32Array.from(mesh.triangles, (v) => v).reduce(
        (out, v, at) => {
          out.set(mesh.templateVertices.subarray(v * 3, v * 3 + 3), at * 3);
          return out;
        },
        new Float32Array(mesh.triangles.length * 3),
      ),
      vertexCount: mesh.triangles.length,
    };
    expect(surfacePatches(apart, all(8))).toEqual(surfacePatches(mesh, all(8)));
  });
});
