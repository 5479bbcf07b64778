import type { ClipState, FrameState } from '../solve-state.ts';
import { locateSample, viewLevel, type FramePicture } from './frame-picture.ts';
import type { SurfaceSamples } from './surface-samples.ts';

/** Cosine between normal and view from which a point begins to count, and counts fully. */
const GRAZING = 0.2;
const FACING = 0.5;
/** Metres: a point this far behind another one on the same spot is hidden by it. */
const HIDDEN_BY = 0.015;
/** Pixels of the finest level per cell of the depth map. */
const CELL = 6;
/** Pixels that a point must lie inside the picture. */
const MARGIN = 2;

/** Sets which samples the frame shows at its present state: facing the camera, in front, inside the matte. */
export function findVisible(samples: SurfaceSamples, clip: ClipState, frame: FrameState, picture: FramePicture): void {
  const { size } = picture.pyramid.levels[0];
  const { focal, originX, originY } = viewLevel(picture, clip, 0);
  const { normals } = samples;
  const cells = Math.ceil(size / CELL);
  const nearest = new Float32Array(cells * cells).fill(Number.POSITIVE_INFINITY);
  const r = frame.rotation;
  const point = new Float64Array(3);
  const found = { samples: new Uint32Array(samples.count), weights: new Float32Array(samples.count), count: 0 };
  const [cellOf, depthOf] = [new Uint32Array(samples.count), new Float32Array(samples.count)];
  for (let sample = 0; sample < samples.count; sample++) {
    locateSample(samples, clip, frame, sample, point);
    const [x, y, z] = [point[0], point[1], point[2]];
    const [nx, ny, nz] = [normals[sample * 3], normals[sample * 3 + 1], normals[sample * 3 + 2]];
    const towards =
      (r[0] * nx + r[1] * ny + r[2] * nz) * x +
      (r[3] * nx + r[4] * ny + r[5] * nz) * y +
      (r[6] * nx + r[7] * ny + r[8] * nz) * z;
    const weight = (-towards / Math.sqrt(x * x + y * y + z * z) - GRAZING) / (FACING - GRAZING);
    const px = (focal * x) / z + originX;
    const py = (focal * y) / z + originY;
    if (!(weight > 0 && px >= MARGIN && py >= MARGIN && px < size - MARGIN && py < size - MARGIN)) continue;
    const cell = Math.floor(py / CELL) * cells + Math.floor(px / CELL);
    nearest[cell] = Math.min(nearest[cell], z);
    if (picture.pyramid.mask[Math.floor(py) * size + Math.floor(px)] === 0) continue;
    cellOf[found.count] = cell;
    depthOf[found.count] = z;
    found.samples[found.count] = sample;
    found.weights[found.count++] = Math.min(1, weight);
  }
  const isShown = (i: number): boolean => depthOf[i] < nearest[cellOf[i]] + HIDDEN_BY;
  picture.visible = found.samples.slice(0, found.count).filter((_, i) => isShown(i));
  picture.weights = found.weights.slice(0, found.count).filter((_, i) => isShown(i));
}
