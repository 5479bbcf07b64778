import { describe, expect, it } from 'vitest';
import { testGpu } from '../../test/gpu.ts';
import type { Camera } from '../tracking/track.ts';
import { createMeshRenderer, type Mesh } from './mesh-renderer.ts';

const camera: Camera = { width: 65, height: 49, focalX: 60, focalY: 60, principalX: 30, principalY: 25 };
const IDENTITY = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];

/** A square of half-width 0.25 m, 1 m in front of the camera, facing it (camera axes: y down). */
const square = (depth: number, halfWidth = 0.25): Mesh => ({
  vertices: new Float32Array([
    -halfWidth, -halfWidth, depth, halfWidth, -halfWidth, depth, halfWidth, halfWidth, depth, -halfWidth, halfWidth, depth,
  ]), // prettier-ignore
  triangles: new Uint32Array([0, 3, 2, 0, 2, 1]),
  uvs: new Float32Array([0, 0, 1, 0, 1, 1, 0, 1]),
});

describe('mesh renderer', () => {
  it('projects by the pinhole camera, off-centre and odd-sized', async () => {
    const renderer = await createMeshRenderer(await testGpu());
    const image = await renderer.render([{ mesh: square(1) }], { camera, cameraFromWorld: IDENTITY });
    const alphaAt = (x: number, y: number) => image.data[(y * image.width + x) * 4 + 3];
    // The square spans x = 30 ± 15, y = 25 ± 15 in pixels.
    expect(alphaAt(15, 25)).toBe(255);
    expect(alphaAt(14, 25)).toBe(0);
    expect(alphaAt(44, 25)).toBe(255);
    expect(alphaAt(45, 25)).toBe(0);
    expect(alphaAt(30, 10)).toBe(255);
    expect(alphaAt(30, 9)).toBe(0);
    renderer.dispose();
  });

  it('reports the nearest surface, its texture coordinate and depth', async () => {
    const renderer = await createMeshRenderer(await testGpu());
    const surface = await renderer.renderSurface([{ mesh: square(2, 1) }, { mesh: square(1) }], {
      camera,
      cameraFromWorld: IDENTITY,
    });
    const at = 25 * camera.width + 30;
    expect(surface.partIndices[at]).toBe(1);
    expect(surface.depths[at]).toBeCloseTo(1, 5);
    expect(surface.uvs[at * 2]).toBeCloseTo(0.5 + 0.5 / 30, 4);
    expect(surface.partIndices[25 * camera.width + 5]).toBe(0);
    expect(surface.triangleIndices[camera.width - 1]).toBe(-1);
    renderer.dispose();
  });

  it('culls back faces unless the material is double-sided', async () => {
    const renderer = await createMeshRenderer(await testGpu());
    const front = square(1);
    const mesh = { ...front, triangles: front.triangles.slice().reverse() };
    const view = { camera, cameraFromWorld: IDENTITY };
    const sum = (image: { data: Uint8Array }) => image.data.reduce((total, value) => total + value, 0);
    expect(sum(await renderer.render([{ mesh }], view))).toBe(0);
    expect(sum(await renderer.render([{ mesh, material: { isDoubleSided: true } }], view))).toBeGreaterThan(0);
    renderer.dispose();
  });

  it('draws the same bytes twice', async () => {
    const renderer = await createMeshRenderer(await testGpu());
    const albedo = { width: 2, height: 1, channels: 3 as const, data: new Uint8Array([200, 150, 120, 90, 60, 50]) };
    const draw = () =>
      renderer.render([{ mesh: square(1), material: { albedo } }], { camera, cameraFromWorld: IDENTITY });
    expect(await draw()).toEqual(await draw());
    renderer.dispose();
  });
});
