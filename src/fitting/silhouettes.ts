import { heightOf, NORMAL_OFFSET_LIMIT, type GaussianSet } from '../gaussians/layout.ts';
import type { HeadModel } from '../head/head-model.ts';
import { identityVertices, jointPositions, offsetVertices, poseIdentityVertices } from '../head/pose-vertices.ts';
import type { PixelRectangle } from '../video/crop-frame.ts';
import { shownOf, type Clip, type ClipFrame } from './clip.ts';

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
/** Pixels at 256² that a Gaussian's middle must lie inside of a matte, since it is as wide: closer to the edge it is made faint. */
const MARGIN = 1;
/** Share of the frames whose matte must hold a point for it to be inside. */
const INSIDE = 0.9;
/** Metres of one step inwards, and steps. */
const STEP = 0.002;
const STEPS = 20;

/** Mattes of frames spread over the clip, with the head as it was tracked in them; with Δvertex (V×3) where given. */
export function silhouettesOf(
  head: HeadModel,
  identityCoefficients: Float32Array,
  clip: Clip,
  vertexOffset?: Float32Array,
): Silhouette[] {
  const rest = identityVertices(head, identityCoefficients);
  const joints = jointPositions(head, rest);
  const shape = offsetVertices(rest, vertexOffset);
  const count = Math.min(FRAMES, clip.frames.length);
  return Array.from({ length: count }, (_, k) => {
    const at = Math.floor(((k + 0.5) * clip.frames.length) / count);
    const frame = clip.frames[at]!;
    return {
      frame,
      pixels: clip.pixels(at),
      size: clip.size,
      vertices: poseIdentityVertices(head, shape, joints, frame.pose),
    };
  });
}

/**
 * N: for each Gaussian of `candidates`, the stored normal offset of the nearest place from its own inwards that the mattes
 * hold; NaN for the others, and where no place on the way is.
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
    const height = heightOf(normalOffset[i]!);
    const shareInside = (depth: number): number =>
      silhouettes.filter((silhouette, at) => isInside(silhouette, rays[at]!, height - depth)).length /
      silhouettes.length;
    for (let step = 0; step <= STEPS && height - step * STEP > -0.95 * NORMAL_OFFSET_LIMIT; step++) {
      if (shareInside(step * STEP) < INSIDE) continue;
      offsets[i] = Math.atanh((height - step * STEP) / NORMAL_OFFSET_LIMIT);
      break;
    }
  }
  return offsets;
}

/** N: cosine between the surface's normal at each Gaussian and the way to the camera, in the frame where it is largest. */
export function bestFacing(
  { count, triangleIndices, barycentrics }: GaussianSet,
  triangles: Uint32Array,
  silhouettes: readonly Silhouette[],
): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => {
    const weights = barycentrics.subarray(i * 3, i * 3 + 3);
    const cosines = silhouettes.map(({ vertices }) => {
      const [x, y, z, nx, ny, nz] = rayThrough(vertices, triangles, triangleIndices[i]!, weights) as Ray;
      return -(x * nx + y * ny + z * nz) / Math.hypot(x, y, z);
    });
    return Math.max(...cosines);
  });
}

/** N×3: the line of sight in the triangle's frame (edge, normal, their cross product), mean over the frames, of length 1. */
export function meanSight(
  { count, triangleIndices, barycentrics }: GaussianSet,
  triangles: Uint32Array,
  silhouettes: readonly Silhouette[],
): Float32Array {
  const sight = new Float32Array(count * 3);
  for (let i = 0; i < count; i++) {
    const weights = barycentrics.subarray(i * 3, i * 3 + 3);
    for (const { vertices } of silhouettes) {
      const [x, y, z, nx, ny, nz] = rayThrough(vertices, triangles, triangleIndices[i]!, weights) as Ray;
      const [from, to] = [0, 1].map((corner) => triangles[triangleIndices[i]! * 3 + corner]! * 3) as [number, number];
      const edge = [0, 1, 2].map((axis) => vertices[to + axis]! - vertices[from + axis]!) as [number, number, number];
      const length = Math.max(Math.hypot(...edge), 1e-12);
      const [ex, ey, ez] = edge.map((value) => value / length) as [number, number, number];
      const distance = Math.hypot(x, y, z);
      sight[i * 3]! += (x * ex + y * ey + z * ez) / distance;
      sight[i * 3 + 1]! += (x * nx + y * ny + z * nz) / distance;
      sight[i * 3 + 2]! += (x * (ey * nz - ez * ny) + y * (ez * nx - ex * nz) + z * (ex * ny - ey * nx)) / distance;
    }
    const length = Math.max(Math.hypot(...sight.subarray(i * 3, i * 3 + 3)), 1e-12);
    for (let axis = 0; axis < 3; axis++) sight[i * 3 + axis]! /= length;
  }
  return sight;
}

type Ray = readonly [number, number, number, number, number, number];

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

function isInside(silhouette: Silhouette, ray: readonly number[], height: number): boolean {
  const at = (axis: number): number => ray[axis]! + height * ray[axis + 3]!;
  return isHeld(silhouette, [at(0), at(1), at(2)], MARGIN);
}

/** x, y, z in camera space, metres. */
export type Point = readonly [number, number, number];

/** Whether the video shows the place in this frame. */
export function isShown({ frame }: Silhouette, point: Point): boolean {
  return point[2] > 0 && isWithin(shownOf(frame), pixelOf(frame, point));
}

/** Whether the matte holds a place, and what lies `margin` pixels (at 256²) round it. What no video shows may be head. */
export function isHeld({ frame, pixels, size }: Silhouette, point: Point, margin = 0): boolean {
  if (!(point[2] > 0)) return false;
  const shown = shownOf(frame);
  const [column, row] = pixelOf(frame, point);
  if (!isWithin(shown, [column, row])) return true;
  const reach = Math.round((margin * size) / 256);
  const covers = (dx: number, dy: number): boolean => {
    const [u, v] = [column + dx, row + dy];
    return !isWithin(shown, [u, v]) || pixels[v * size + u]! >>> 24 >= 128;
  };
  return covers(0, 0) && covers(reach, 0) && covers(-reach, 0) && covers(0, reach) && covers(0, -reach);
}

/** Column and row of the pixel that shows a place in camera space. */
export function pixelOf({ camera }: ClipFrame, [x, y, z]: Point): readonly [number, number] {
  return [
    Math.floor(camera.principalX + (camera.focalX * x) / z),
    Math.floor(camera.principalY + (camera.focalY * y) / z),
  ];
}

const isWithin = ({ left, top, right, bottom }: PixelRectangle, [column, row]: readonly [number, number]): boolean =>
  column >= left && row >= top && column < right && row < bottom;
