import { SH_C0 } from '../gaussians/layout.ts';
import type { HeadModel } from '../head/head-model.ts';
import { identityVertices, jointPositions, offsetVertices, poseIdentityVertices } from '../head/pose-vertices.ts';
import { shownOf, type Clip } from './clip.ts';
import { initialRgb } from './region-appearance.ts';

/** Frames, spread over the clip, that colours are taken from. */
const FRAMES = 12;
/** Cosine between a triangle's normal and the way to the camera from which on a frame shows it well enough. */
const FACING = 0.25;

interface Surface {
  readonly head: HeadModel;
  readonly identityCoefficients: Float32Array;
  /** V×3: Δvertex; none when left out. */
  readonly vertexOffset?: Float32Array;
  /** N, and N×3: where the Gaussians are bound. */
  readonly triangleIndices: Uint32Array;
  readonly barycentrics: Float32Array;
}

/**
 * N×3 stored colours to start from: what the tracked frames show where a Gaussian's triangle faces the camera, and the
 * part's own colour elsewhere. The paper starts from grey; then what the light reaches late stays grey for long.
 */
export function initialColors(surface: Surface, clip: Clip): Float32Array {
  const { head, triangleIndices } = surface;
  const count = triangleIndices.length;
  const sums = new Float64Array(count * 4);
  const every = Math.max(1, Math.floor(clip.frames.length / FRAMES));
  const rest = identityVertices(head, surface.identityCoefficients);
  const joints = jointPositions(head, rest);
  const shape = offsetVertices(rest, surface.vertexOffset);
  for (let frame = 0; frame < clip.frames.length; frame += every) {
    addFrame(sums, surface, clip, frame, poseIdentityVertices(head, shape, joints, clip.frames[frame]!.pose));
  }
  const colors = new Float32Array(count * 3);
  for (let i = 0; i < count; i++) {
    const own = initialRgb(head.regionNames[head.triangleRegions[triangleIndices[i]!]!]!);
    const weight = sums[i * 4 + 3]!;
    for (let k = 0; k < 3; k++) {
      const value = weight > 0 ? sums[i * 4 + k]! / weight : own[k]!;
      colors[i * 3 + k] = (value - 0.5) / SH_C0;
    }
  }
  return colors;
}

function addFrame(sums: Float64Array, surface: Surface, clip: Clip, frame: number, vertices: Float32Array): void {
  const { head, triangleIndices, barycentrics } = surface;
  const { camera } = clip.frames[frame]!;
  const { left, top, right, bottom } = shownOf(clip.frames[frame]!);
  const pixels = clip.pixels(frame);
  const corner = (triangle: number, k: number, axis: number): number =>
    vertices[head.triangles[triangle * 3 + k]! * 3 + axis]!;
  for (let i = 0; i < triangleIndices.length; i++) {
    const triangle = triangleIndices[i]!;
    const point = [0, 1, 2].map((axis) =>
      [0, 1, 2].reduce((sum, k) => sum + barycentrics[i * 3 + k]! * corner(triangle, k, axis), 0),
    ) as [number, number, number];
    const facing = facingOf(triangle, corner, point);
    if (facing < FACING || point[2] <= 0) continue;
    const x = Math.floor(camera.principalX + (camera.focalX * point[0]) / point[2]);
    const y = Math.floor(camera.principalY + (camera.focalY * point[1]) / point[2]);
    if (!(x >= left && y >= top && x < right && y < bottom)) continue;
    const pixel = pixels[y * clip.size + x]!;
    if (pixel >>> 24 < 200) continue;
    const weight = facing * facing;
    for (let k = 0; k < 3; k++) sums[i * 4 + k]! += (weight * ((pixel >>> (8 * k)) & 255)) / 255;
    sums[i * 4 + 3]! += weight;
  }
}

/** Cosine between the triangle's normal and the way from `point` to the camera at the origin. */
function facingOf(
  triangle: number,
  corner: (triangle: number, k: number, axis: number) => number,
  point: readonly [number, number, number],
): number {
  const [a, b] = [1, 2].map((k) => [0, 1, 2].map((axis) => corner(triangle, k, axis) - corner(triangle, 0, axis))) as [
    number[],
    number[],
  ];
  const normal = [a[1]! * b[2]! - a[2]! * b[1]!, a[2]! * b[0]! - a[0]! * b[2]!, a[0]! * b[1]! - a[1]! * b[0]!];
  const dot = normal.reduce((sum, value, axis) => sum - value * point[axis]!, 0);
  const length = Math.hypot(...normal) * Math.hypot(...point);
  return length > 0 ? dot / length : 0;
}
