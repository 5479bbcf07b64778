import type { ClipState, FrameState } from '../solve-state.ts';
import { FEATURE_SCALE, type FeatureImage, type FeaturePyramid } from './feature-image.ts';
import type { SurfaceSamples } from './surface-samples.ts';

/** A frame's picture and where the head's points fall in it. */
export interface FramePicture {
  readonly pyramid: FeaturePyramid;
  /** Pixels of the finest level = scale·(source pixels relative to the principal point) + (x, y). */
  readonly scale: number;
  readonly x: number;
  readonly y: number;
  /** Samples that the frame shows, and how squarely: 0…1. Kept by `findVisible`. */
  visible: Uint32Array;
  weights: Float32Array;
}

/** One level of a frame's picture with its camera: pixel = focal·(x, y)/z + (originX, originY). */
export interface PictureView {
  readonly image: FeatureImage;
  readonly focal: number;
  readonly originX: number;
  readonly originY: number;
}

export function viewLevel({ pyramid, scale, x, y }: FramePicture, clip: ClipState, level: number): PictureView {
  const image = pyramid.levels[level];
  const shrink = image.size / pyramid.levels[0].size;
  return { image, focal: Math.exp(clip.logFocal) * scale * shrink, originX: x * shrink, originY: y * shrink };
}

/** target ← metres: one sample in camera space with the frame's expression. */
export function locateSample(
  samples: SurfaceSamples,
  clip: ClipState,
  { rotation: r, position, expression }: FrameState,
  sample: number,
  target: Float64Array,
): void {
  const { starts, indices, moves } = samples.expression;
  let x = samples.positions[sample * 3];
  let y = samples.positions[sample * 3 + 1];
  let z = samples.positions[sample * 3 + 2];
  for (let entry = starts[sample]; entry < starts[sample + 1]; entry++) {
    const coefficient = expression[indices[entry]];
    x += coefficient * moves[entry * 3];
    y += coefficient * moves[entry * 3 + 1];
    z += coefficient * moves[entry * 3 + 2];
  }
  const depth = Math.exp(clip.logFocal + position[2]);
  target[0] = r[0] * x + r[1] * y + r[2] * z + depth * position[0];
  target[1] = r[3] * x + r[4] * y + r[5] * z + depth * position[1];
  target[2] = Math.max(r[6] * x + r[7] * y + r[8] * z + depth, 0.05 * depth);
}

/** target ← feature, ∂/∂x, ∂/∂y where a camera-space point falls: quadratic B-splines, whose slopes are continuous. */
export function sampleFeature(
  { image: { size, values }, focal, originX, originY }: PictureView,
  point: Float64Array,
  target: Float64Array,
): void {
  const u = Math.min(Math.max((focal * point[0]) / point[2] + originX - 0.5, 1), size - 2);
  const v = Math.min(Math.max((focal * point[1]) / point[2] + originY - 0.5, 1), size - 2);
  const column = Math.min(Math.round(u), size - 2);
  const row = Math.min(Math.round(v), size - 2);
  const s = u - column;
  const t = v - row;
  const [a0, a1, a2] = [0.5 * (0.5 - s) * (0.5 - s), 0.75 - s * s, 0.5 * (0.5 + s) * (0.5 + s)];
  const [d0, d1, d2] = [s - 0.5, -2 * s, s + 0.5];
  const top = (row - 1) * size + column - 1;
  const middle = top + size;
  const bottom = middle + size;
  const sum0 = a0 * values[top] + a1 * values[top + 1] + a2 * values[top + 2];
  const sum1 = a0 * values[middle] + a1 * values[middle + 1] + a2 * values[middle + 2];
  const sum2 = a0 * values[bottom] + a1 * values[bottom + 1] + a2 * values[bottom + 2];
  const slope0 = d0 * values[top] + d1 * values[top + 1] + d2 * values[top + 2];
  const slope1 = d0 * values[middle] + d1 * values[middle + 1] + d2 * values[middle + 2];
  const slope2 = d0 * values[bottom] + d1 * values[bottom + 1] + d2 * values[bottom + 2];
  const [b0, b1, b2] = [0.5 * (0.5 - t) * (0.5 - t), 0.75 - t * t, 0.5 * (0.5 + t) * (0.5 + t)];
  target[0] = (b0 * sum0 + b1 * sum1 + b2 * sum2) / FEATURE_SCALE;
  target[1] = (b0 * slope0 + b1 * slope1 + b2 * slope2) / FEATURE_SCALE;
  target[2] = ((t - 0.5) * sum0 - 2 * t * sum1 + (t + 0.5) * sum2) / FEATURE_SCALE;
}
