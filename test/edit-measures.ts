import type { Avatar } from '../src/avatar/avatar.ts';
import type { EditedAvatar } from '../src/editing/edited-avatar.ts';
import { firstHit, placeAtUv, posedVertices, type HeadSurface } from '../src/editing/head-surface.ts';
import { smoothHead } from '../src/editing/smooth-head.ts';
import type { StickerLayer } from '../src/editing/layers.ts';
import { surfaceCoordinates } from '../src/editing/surface-coordinates.ts';
import { length, normalize, pointAt, subtract, type Vector } from '../src/head/builtin/vector.ts';
import type { HeadPose } from '../src/head/pose.ts';
import type { Camera } from '../src/tracking/track.ts';
import type { AvatarRenderer, FloatImage } from '../src/viewer/avatar-renderer.ts';

/** Figures of an edited avatar's pictures; shared by tests and `npm run edits`. */

/** A point of a sticker: which Gaussian of the edited avatar draws it. */
interface StickerPoint {
  /** Index among all Gaussians of the edited avatar. */
  readonly gaussian: number;
  readonly column: number;
  readonly row: number;
}

/** Gaussians that draw the middles of a checkerboard's squares. */
export function squareMiddles(
  surface: HeadSurface,
  edited: EditedAvatar,
  layer: StickerLayer,
  squares: number,
): StickerPoint[] {
  const { texels } = edited.flattened.patch!;
  const anchor = placeAtUv(surface.head, ...layer.at)!;
  const { xy, triangles } = surfaceCoordinates(surface, anchor, {
    radius: layer.size,
    turn: (layer.turn * Math.PI) / 180,
  });
  const reached = new Set(triangles);
  const first = edited.avatar.gaussians.count - texels.count;
  const nearest = new Map<string, { point: StickerPoint; distance: number }>();
  for (let index = 0; index < texels.count; index++) {
    const triangle = texels.triangles[index];
    if (!reached.has(triangle)) continue;
    const [x, y] = [0, 1].map((axis) =>
      [0, 1, 2].reduce((sum, corner) => sum + texels.barycentrics[index * 3 + corner] * xy[surface.head.triangles[triangle * 3 + corner] * 2 + axis], 0),
    ); // prettier-ignore
    const [u, v] = [(x / layer.size + 0.5) * squares, (0.5 - y / layer.size) * squares];
    const [column, row] = [Math.floor(u), Math.floor(v)];
    if (column < 0 || row < 0 || column >= squares || row >= squares) continue;
    const distance = Math.hypot(u - column - 0.5, v - row - 0.5);
    const best = nearest.get(`${column},${row}`);
    if (distance < 0.15 && (!best || distance < best.distance)) {
      nearest.set(`${column},${row}`, { point: { gaussian: first + index, column, row }, distance });
    }
  }
  return [...nearest.values()].map(({ point }) => point);
}

/** A narrower square blurs into the next: three pixels are two standard deviations of what a Gaussian covers at least. */
export const LEAST_PIXELS = 3;

export interface CheckerFigures {
  /** Squares with nothing in front of them that are at least `LEAST_PIXELS` wide in the picture. */
  readonly seen: number;
  /** Darkest light square's middle less the lightest dark one's, 0…1. */
  readonly gap: number;
  /** Mean light less mean dark, over the picture's own. */
  readonly contrast: number;
}

/** How well a checkerboard's squares can be told apart in a picture. `drawn` is the picture of that pose and camera. */
export async function checkerFigures(
  renderer: AvatarRenderer,
  unedited: Avatar,
  points: readonly StickerPoint[],
  pose: HeadPose,
  camera: Camera,
  drawn: FloatImage,
): Promise<CheckerFigures> {
  const { meanOpacity } = await renderer.worldGaussians(pose);
  const vertices = posedVertices(smoothHead(unedited), pose);
  const [light, dark]: [number[], number[]] = [[], []];
  const middles = new Map(
    points.map(({ gaussian, column, row }) => {
      const [x, y, z] = meanOpacity.subarray(gaussian * 4, gaussian * 4 + 3);
      const pixel = [(x / z) * camera.focalX + camera.principalX, (y / z) * camera.focalY + camera.principalY] as const;
      return [`${column},${row}`, { place: [x, y, z] as Vector, pixel }];
    }),
  );
  for (const { column, row } of points) {
    const { place, pixel } = middles.get(`${column},${row}`)!;
    const [right, down] = [[1, 0], [0, 1]].map(([dx, dy]) => {
      const before = middles.get(`${column - dx},${row - dy}`)?.pixel ?? pixel;
      const after = middles.get(`${column + dx},${row + dy}`)?.pixel ?? pixel;
      const squares = Number(before !== pixel) + Number(after !== pixel);
      return [0, 1].map((axis) => (after[axis] - before[axis]) / Math.max(1, squares));
    }); // prettier-ignore
    // Below zero when it is seen from behind.
    const area = right[0] * down[1] - right[1] * down[0];
    const narrowest = area / Math.max(1e-6, Math.hypot(...right), Math.hypot(...down));
    if (narrowest < LEAST_PIXELS || !isInFront(unedited.head.triangles, vertices, place)) continue;
    ((column + row) % 2 === 0 ? dark : light).push(luminanceAt(drawn, ...pixel));
  }
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    seen: light.length + dark.length,
    gap: Math.min(...light) - Math.max(...dark),
    contrast: mean(light) - mean(dark),
  };
}

/** No other part of the head stands before a place, seen from the origin. */
function isInFront(triangles: Uint32Array, vertices: Float32Array, place: Vector): boolean {
  const hit = firstHit(triangles, vertices, [0, 0, 0], normalize(place));
  if (!hit) return true;
  const corners = [0, 1, 2].map((corner) => pointAt(vertices, triangles[hit.triangle * 3 + corner]));
  const depth = corners.reduce((sum, corner, k) => sum + hit.barycentric[k] * length(corner), 0);
  return depth > length(place) - 0.01;
}

function luminanceAt({ width, height, data }: FloatImage, x: number, y: number): number {
  const [column, row] = [Math.floor(x), Math.floor(y)];
  if (column < 0 || row < 0 || column >= width || row >= height) return Number.NaN;
  const at = (row * width + column) * 3;
  return 0.2126 * data[at] + 0.7152 * data[at + 1] + 0.0722 * data[at + 2];
}

export interface BleedingFigures {
  /** Largest change that the sticker's own colour makes 2 pixels and more outside it, 0…1. */
  readonly ofPaint: number;
  /** Mean and 99th percentile of how much other pixels of the head differ from the picture without the edit. */
  readonly meanOutside: number;
  readonly highOutside: number;
}

/**
 * Colour outside an edit. `edited` and `unedited` are pictures of one pose; `repainted` is as `edited` with the sticker in
 * other colours: where the two differ, its paint is. Outside: 2 pixels and more from pixels that a Gaussian of the edit has
 * its middle in.
 */
export async function bleedingFigures(
  renderer: AvatarRenderer,
  { flattened, avatar }: EditedAvatar,
  pose: HeadPose,
  camera: Camera,
  pictures: { readonly edited: FloatImage; readonly repainted: FloatImage; readonly unedited: FloatImage },
): Promise<BleedingFigures> {
  const { texels, distances } = flattened.patch!;
  const { meanOpacity } = await renderer.worldGaussians(pose);
  const { width, height } = camera;
  const isNear = new Uint8Array(width * height);
  const first = avatar.gaussians.count - texels.count;
  for (let index = 0; index < texels.count; index++) {
    if (distances[index] > 0) continue;
    const [x, y, z] = meanOpacity.subarray((first + index) * 4, (first + index) * 4 + 3);
    const column = Math.floor((x / z) * camera.focalX + camera.principalX);
    const row = Math.floor((y / z) * camera.focalY + camera.principalY);
    for (let dy = -2; dy <= 2; dy++) {
      for (let dx = -2; dx <= 2; dx++) {
        const [px, py] = [column + dx, row + dy];
        if (px >= 0 && py >= 0 && px < width && py < height) isNear[py * width + px] = 1;
      }
    }
  }
  const difference = (a: FloatImage, b: FloatImage, pixel: number): number =>
    Math.max(...[0, 1, 2].map((k) => Math.abs(a.data[pixel * 3 + k] - b.data[pixel * 3 + k])));
  let ofPaint = 0;
  const outside: number[] = [];
  for (let pixel = 0; pixel < width * height; pixel++) {
    if (isNear[pixel]) continue;
    ofPaint = Math.max(ofPaint, difference(pictures.edited, pictures.repainted, pixel));
    const isHead = [0, 1, 2].some((k) => pictures.unedited.data[pixel * 3 + k] < 0.98);
    if (isHead) outside.push(difference(pictures.edited, pictures.unedited, pixel));
  }
  outside.sort((a, b) => a - b);
  return {
    ofPaint,
    meanOutside: outside.reduce((sum, value) => sum + value, 0) / outside.length,
    highOutside: outside[Math.floor(outside.length * 0.99)],
  };
}

/**
 * Metres: how far an edit as a whole drifts from the skin that it lies on, the fitted mesh at the same points, when the
 * face moves from one expression to another.
 */
export async function driftFigure(
  renderer: AvatarRenderer,
  unedited: Avatar,
  { flattened, avatar }: EditedAvatar,
  from: HeadPose,
  to: HeadPose,
): Promise<number> {
  const { texels, distances } = flattened.patch!;
  const first = avatar.gaussians.count - texels.count;
  const chosen = [...distances.keys()].filter((index) => distances[index] === 0 && index % 40 === 0);
  const offsets = async (pose: HeadPose): Promise<Vector> => {
    const { meanOpacity } = await renderer.worldGaussians(pose);
    const vertices = posedVertices(unedited, pose);
    const sum: [number, number, number] = [0, 0, 0];
    for (const index of chosen) {
      for (let axis = 0; axis < 3; axis++) {
        const skin = [0, 1, 2].reduce((total, corner) => total + texels.barycentrics[index * 3 + corner] * vertices[unedited.head.triangles[texels.triangles[index] * 3 + corner] * 3 + axis], 0); // prettier-ignore
        sum[axis] += (meanOpacity[(first + index) * 4 + axis] - skin) / chosen.length;
      }
    }
    return sum;
  };
  return length(subtract(await offsets(to), await offsets(from)));
}
