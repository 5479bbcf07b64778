import type { HeadModel } from '../head/head-model.ts';
import { smoothNormals } from '../head/mesh-normals.ts';
import type { MeshRenderer } from './mesh-renderer.ts';

const DIRECTIONS = 48;
const SIZE = 192; // pixels
const DISTANCE = 4; // metres: far enough to be nearly parallel
const RADIUS = 0.2; // metres, of the sphere that the pictures show
const BIAS = 0.003; // metres

/**
 * V: share of the sky that each vertex of the neutral head sees, 0…1, weighted by the cosine: depth pictures from
 * directions all round (a Fibonacci sphere) tell where a vertex is in front.
 */
export async function ambientOcclusion(renderer: MeshRenderer, head: HeadModel): Promise<Float32Array> {
  const vertices = head.templateVertices;
  const normals = smoothNormals(vertices, head.triangles);
  const open = new Float32Array(head.vertexCount);
  const total = new Float32Array(head.vertexCount);
  const focal = (SIZE / 2 / RADIUS) * DISTANCE;
  const camera = {
    width: SIZE,
    height: SIZE,
    focalX: focal,
    focalY: focal,
    principalX: SIZE / 2,
    principalY: SIZE / 2,
  };
  const part = { mesh: { vertices, triangles: head.triangles }, material: { isDoubleSided: true } };
  for (let i = 0; i < DIRECTIONS; i++) {
    const cameraFromWorld = lookFrom(fibonacciDirection(i), DISTANCE);
    const { depths } = await renderer.renderSurface([part], { camera, cameraFromWorld });
    const towards = [-cameraFromWorld[8], -cameraFromWorld[9], -cameraFromWorld[10]];
    for (let v = 0; v < head.vertexCount; v++) {
      const cosine = normals[v * 3] * towards[0] + normals[v * 3 + 1] * towards[1] + normals[v * 3 + 2] * towards[2];
      if (cosine <= 0) continue;
      total[v] += cosine;
      const [x, y, z] = [0, 4, 8].map(
        (row) =>
          cameraFromWorld[row] * vertices[v * 3] +
          cameraFromWorld[row + 1] * vertices[v * 3 + 1] +
          cameraFromWorld[row + 2] * vertices[v * 3 + 2] +
          cameraFromWorld[row + 3],
      );
      const column = Math.floor((focal * x) / z + SIZE / 2);
      const row = Math.floor((focal * y) / z + SIZE / 2);
      const isOutside = column < 0 || row < 0 || column >= SIZE || row >= SIZE;
      const depth = isOutside ? 0 : depths[row * SIZE + column];
      if (depth === 0 || z < depth + BIAS) open[v] += cosine;
    }
  }
  return open.map((sum, v) => (total[v] > 0 ? sum / total[v] : 0));
}

function fibonacciDirection(index: number): [number, number, number] {
  const y = 1 - (2 * index + 1) / DIRECTIONS;
  const radius = Math.sqrt(1 - y * y);
  const angle = index * Math.PI * (3 - Math.sqrt(5));
  return [radius * Math.cos(angle), y, radius * Math.sin(angle)];
}

/** 4×4 row-major: a camera `distance` away in `direction`, looking at the origin, upright (OpenCV axes). */
export function lookFrom(direction: readonly [number, number, number], distance: number): Float64Array {
  const forward = direction.map((value) => -value);
  const up = Math.abs(direction[1]) > 0.99 ? [0, 0, 1] : [0, 1, 0];
  const right = normalize(cross(forward, up));
  const down = cross(forward, right);
  return Float64Array.from([...right, 0, ...down, 0, ...forward, distance, 0, 0, 0, 1]);
}

function cross(a: readonly number[], b: readonly number[]): number[] {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

function normalize(a: readonly number[]): number[] {
  const length = Math.hypot(...a);
  return a.map((value) => value / length);
}
