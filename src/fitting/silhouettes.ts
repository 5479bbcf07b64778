import { NORMAL_OFFSET_LIMIT, type GaussianSet } from '../gaussians/layout.ts';
import type { HeadModel } from '../head/head-model.ts';
import { poseVertices } from '../head/pose-vertices.ts';
import type { Clip, ClipFrame } from './clip.ts';

/** What one frame says about where the head is: a posed mesh and the matte that it must lie in. */
export interface Silhouette {
  readonly frame: ClipFrame;
  /** size² RGBA8, packed as in `Clip.pixels`. */
  readonly pixels: Uint32Array;
  readonly size: number;
  /** V×3 metres, in camera space. */
  readonly vertices: Float32Array;
}

/** Frames that are asked: turning little from one to the next, a dozen says as much as all. */
const FRAMES = 12;
/** Pixels that a point may lie outside of a matte at 256²: tracks and mattes are not more exact. */
const TOLERANCE = 2;
/** Share of the frames whose matte must hold a point for it to be inside, or may miss one before it is outside. */
const INSIDE = 0.9;
/** Metres of one step inwards, and steps. */
const STEP = 0.002;
const STEPS = 20;

/** Mattes of frames spread over the clip, with the head as it was tracked in them. */
export function silhouettesOf(head: HeadModel, identityCoefficients: Float32Array, clip: Clip): Silhouette[] {
  const count = Math.min(FRAMES, clip.frames.length);
  return Array.from({ length: count }, (_, k) => {
    const at = Math.floor(((k + 0.5) * clip.frames.length) / count);
    const frame = clip.frames[at]!;
    return {
      frame,
      pixels: clip.pixels(at),
      size: clip.size,
      vertices: poseVertices(head, identityCoefficients, frame.pose),
    };
  });
}

/**
 * N: for each Gaussian of `candidates` that sticks out of the head as the mattes have it, the stored normal offset of the
 * nearest place below it that lies inside; NaN for those that are inside already, and where no place on the way is.
 */
export function inwardOffsets(
  { count, triangleIndices, barycentrics, normalOffset }: GaussianSet,
  triangles: Uint32Array,
  silhouettes: readonly Silhouette[],
  candidates: (gaussian: number) => boolean,
): Float32Array {
  const offsets = new Float32Array(count).fill(NaN);
  for (let i = 0; i < count; i++) {
    if (!candidates(i)) continue;
    const weights = barycentrics.subarray(i * 3, i * 3 + 3);
    const rays = silhouettes.map((silhouette) =>
      rayThrough(silhouette.vertices, triangles, triangleIndices[i]!, weights),
    );
    const height = NORMAL_OFFSET_LIMIT * Math.tanh(normalOffset[i]!);
    const shareInside = (depth: number): number =>
      silhouettes.filter((silhouette, at) => isInside(silhouette, rays[at]!, height - depth)).length /
      silhouettes.length;
    if (shareInside(0) >= INSIDE) continue;
    for (let step = 1; step <= STEPS && height - step * STEP > -0.95 * NORMAL_OFFSET_LIMIT; step++) {
      if (shareInside(step * STEP) < INSIDE) continue;
      offsets[i] = Math.atanh((height - step * STEP) / NORMAL_OFFSET_LIMIT);
      break;
    }
  }
  return offsets;
}

/** A place on the surface and the unit normal there: six numbers. */
function rayThrough(
  vertices: Float32Array,
  triangles: Uint32Array,
  triangle: number,
  weights: Float32Array,
): readonly number[] {
  const corners = [0, 1, 2].map((corner) => triangles[triangle * 3 + corner]! * 3);
  const at = (corner: number, axis: number): number => vertices[corners[corner]! + axis]!;
  const point = [0, 1, 2].map((axis) =>
    [0, 1, 2].reduce((sum, corner) => sum + weights[corner]! * at(corner, axis), 0),
  );
  const [ex, ey, ez] = [0, 1, 2].map((axis) => at(1, axis) - at(0, axis)) as [number, number, number];
  const [sx, sy, sz] = [0, 1, 2].map((axis) => at(2, axis) - at(0, axis)) as [number, number, number];
  const normal = [ey * sz - ez * sy, ez * sx - ex * sz, ex * sy - ey * sx];
  const length = Math.max(Math.hypot(...normal), 1e-12);
  return [...point, ...normal.map((value) => value / length)];
}

/** Whether the matte, give or take the tolerance, holds the place at `height` on the ray. What no video shows may be head. */
function isInside({ frame, pixels, size }: Silhouette, ray: readonly number[], height: number): boolean {
  const [x, y, z] = [0, 1, 2].map((axis) => ray[axis]! + height * ray[axis + 3]!) as [number, number, number];
  if (!(z > 0)) return false;
  const { camera, shown } = frame;
  const column = Math.floor(camera.principalX + (camera.focalX * x) / z);
  const row = Math.floor(camera.principalY + (camera.focalY * y) / z);
  const { left, top, right, bottom } = shown ?? { left: 0, top: 0, right: size, bottom: size };
  if (column < left || row < top || column >= right || row >= bottom) return true;
  const reach = Math.round((TOLERANCE * size) / 256);
  const covers = (dx: number, dy: number): boolean => {
    const [u, v] = [column + dx, row + dy];
    return u >= 0 && v >= 0 && u < size && v < size && pixels[v * size + u]! >>> 24 >= 128;
  };
  return covers(0, 0) || covers(reach, 0) || covers(-reach, 0) || covers(0, reach) || covers(0, -reach);
}
