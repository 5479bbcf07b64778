import type { FaceObservation } from './observation.ts';

/** A square of the upright frame, in its pixels; may reach beyond the frame. */
export interface CropSquare {
  readonly x: number;
  readonly y: number;
  readonly size: number;
}

/** The head as estimated from landmarks alone, in pixels of the frame. */
export interface HeadExtent {
  /** Middle between the ears, near the axis that the head turns about. */
  readonly centerX: number;
  /** Top of the hair, and the chin. */
  readonly crownY: number;
  readonly chinY: number;
}

const CHIN = 152;
const FOREHEAD = 10;
const BROWS = [105, 334] as const;
const EARS = [234, 454] as const;

/** Chin to brow, times this, reaches from the brow to the top of the hair: 0.57–0.62 on three real clips. */
const CROWN_ABOVE_BROW = 0.62;
/** The head's height as a share of the crop's: aimed at, and at most. */
const HEAD_SHARE = 0.66;
const MAXIMUM_HEAD_SHARE = 0.75;
/** The crop's middle lies this share of its size below the head's, to leave room for the neck. */
const NECK_ROOM = 0.04;
/** How far, as a share of its size, the head may be off its place before the crop follows. */
const SLACK_X = 0.13;
const SLACK_Y = 0.08;
/** Standard deviation, in frames, of the smoothing of a moving crop. */
const SMOOTHING = 8;

/** Estimates where the head is. Landmarks carry no hair and no skull: both are extrapolated. */
export function headExtent(landmarks: Float32Array, crownAboveBrow = CROWN_ABOVE_BROW): HeadExtent {
  const point = (index: number): [number, number, number] => [
    landmarks[3 * index],
    landmarks[3 * index + 1],
    landmarks[3 * index + 2],
  ];
  const [chinX, chinY, chinZ] = point(CHIN);
  const mean = (indices: readonly [number, number], axis: 0 | 1 | 2): number =>
    (point(indices[0])[axis] + point(indices[1])[axis]) / 2;
  const browX = mean(BROWS, 0);
  const browY = mean(BROWS, 1);
  // Length in three dimensions, direction in two: a nodding face is foreshortened, the head behind it hardly.
  const [topX, topY, topZ] = point(FOREHEAD);
  const length = Math.hypot(browX - chinX, browY - chinY, mean(BROWS, 2) - chinZ);
  const axis = Math.hypot(topX - chinX, topY - chinY, topZ - chinZ);
  const upY =
    Math.hypot(topX - chinX, topY - chinY) > 0.3 * axis ? (topY - chinY) / Math.hypot(topX - chinX, topY - chinY) : -1;
  return { centerX: mean(EARS, 0), crownY: browY + upY * length * crownAboveBrow, chinY };
}

/**
 * Plans one square per observation, all of one size, such that the head, chin to crown, takes 60–75 % of its height. The
 * square stands still where the head stays near its place and otherwise follows it smoothly. Frames without a face take
 * the place of their neighbours. `crownAboveBrow`: see `crownAboveBrow()`; a typical haircut without it. Throws `RangeError` when no observation can be used.
 */
export function planCrop(observations: readonly FaceObservation[], crownAboveBrow = CROWN_ABOVE_BROW): CropSquare[] {
  const seen = observations.flatMap((observation, i) => (observation.excluded === null ? [i] : []));
  if (seen.length === 0)
    throw new RangeError('No observation can be used: every frame is excluded. Use a video that shows the face.');
  const extents = seen.map((i) => headExtent(observations[i].landmarks, crownAboveBrow));
  const heights = extents.map((extent) => extent.chinY - extent.crownY).sort((a, b) => a - b);
  const size = Math.max(quantile(heights, 0.5) / HEAD_SHARE, quantile(heights, 0.95) / MAXIMUM_HEAD_SHARE);
  const centersX = extents.map((extent) => extent.centerX);
  const centersY = extents.map((extent) => (extent.crownY + extent.chinY) / 2 + NECK_ROOM * size);
  const pathX = steadyPath(spread(centersX, seen, observations.length), SLACK_X * size);
  const pathY = steadyPath(spread(centersY, seen, observations.length), SLACK_Y * size);
  return observations.map((_, i) => ({ x: pathX[i] - size / 2, y: pathY[i] - size / 2, size }));
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(Math.floor(share * sorted.length), sorted.length - 1)];
}

/** Values at `indices` to all of `count` places, linearly between, constant beyond. */
function spread(values: readonly number[], indices: readonly number[], count: number): number[] {
  let next = 0;
  return Array.from({ length: count }, (_, i) => {
    while (next < indices.length && indices[next] < i) next++;
    if (next === 0) return values[0];
    if (next === indices.length) return values[values.length - 1];
    const weight = (i - indices[next - 1]) / (indices[next] - indices[next - 1]);
    return values[next - 1] + (values[next] - values[next - 1]) * weight;
  });
}

/** A path that stays within `slack` of the target: one value when that is possible, else a lazy and smooth one. */
function steadyPath(target: readonly number[], slack: number): number[] {
  const low = Math.min(...target);
  const high = Math.max(...target);
  if (high - low <= 2 * slack) return target.map(() => (low + high) / 2);
  const follow = (values: readonly number[]): number[] => {
    let position = values[0];
    return values.map((value) => (position = Math.min(Math.max(position, value - slack), value + slack)));
  };
  const forward = follow(target);
  const backward = follow(target.toReversed()).reverse();
  return smooth(forward.map((value, i) => (value + backward[i]) / 2));
}

function smooth(values: readonly number[]): number[] {
  const reach = 3 * SMOOTHING;
  return values.map((_, i) => {
    let sum = 0;
    let total = 0;
    for (let offset = -reach; offset <= reach; offset++) {
      const weight = Math.exp(-0.5 * (offset / SMOOTHING) ** 2);
      sum += weight * values[Math.min(Math.max(i + offset, 0), values.length - 1)];
      total += weight;
    }
    return sum / total;
  });
}

/** How high the hair reaches over the brows, in units of chin to brow, from where a matte says the crown is (its row). */
export function crownAboveBrow(landmarks: Float32Array, crownY: number): number {
  const low = headExtent(landmarks, 0).crownY;
  return (low - crownY) / (low - headExtent(landmarks, 1).crownY);
}

/** Landmarks of the frame, L×3, in pixels of a crop that is resampled to `size`²; z scales along. */
export function landmarksInCrop(landmarks: Float32Array, square: CropSquare, size: number): Float32Array {
  const scale = size / square.size;
  const moved = new Float32Array(landmarks.length);
  for (let i = 0; i < landmarks.length; i += 3) {
    moved[i] = (landmarks[i] - square.x) * scale;
    moved[i + 1] = (landmarks[i + 1] - square.y) * scale;
    moved[i + 2] = landmarks[i + 2] * scale;
  }
  return moved;
}
