import type { GaussianRegulariserSettings } from './gaussian-regularisers.ts';

export interface GaussianRegulariserValue {
  readonly scaleRatio: number;
  readonly scaleLimit: number;
  readonly offset: number;
  readonly total: number;
  /** N×3. */
  readonly logScaleGradient: Float64Array;
  /** N. */
  readonly normalOffsetGradient: Float64Array;
}

const isUsable = (value: number): boolean => Math.abs(value) <= 1e4;
const cappedExp = (value: number): number => Math.exp(Math.min(value, 20));

/** The three terms over the first `count` Gaussians, in float64. */
export function gaussianRegularisersReference(
  logScale: ArrayLike<number>,
  normalOffset: ArrayLike<number>,
  count: number,
  /** N: the hold of each Gaussian's triangle. */
  hold: ArrayLike<number>,
  { ratioLimit, sizeLimit, weights }: GaussianRegulariserSettings,
): GaussianRegulariserValue {
  const logScaleGradient = new Float64Array(logScale.length);
  const normalOffsetGradient = new Float64Array(normalOffset.length);
  const sums = { ratio: 0, limit: 0, offset: 0 };
  for (let gaussian = 0; gaussian < count; gaussian++) {
    const offset = normalOffset[gaussian];
    if (isUsable(offset)) {
      sums.offset += hold[gaussian] * offset ** 2;
      normalOffsetGradient[gaussian] = (weights.offset * 2 * hold[gaussian] * offset) / count;
    }
    const stored = [0, 1, 2].map((axis) => logScale[gaussian * 3 + axis]);
    if (!stored.every(isUsable)) continue;
    const [largest, smallest] = [Math.max(...stored), Math.min(...stored)];
    const ratio = cappedExp(largest - smallest);
    const excess = cappedExp(largest) / sizeLimit;
    const share = (extreme: number, axis: number): number =>
      stored[axis] === extreme ? 1 / stored.filter((value) => value === extreme).length : 0;
    sums.ratio += Math.max(ratio - ratioLimit, 0);
    sums.limit += Math.max(excess - 1, 0);
    for (let axis = 0; axis < 3; axis++) {
      const byRatio = ratio > ratioLimit ? ratio * (share(largest, axis) - share(smallest, axis)) : 0;
      const byLimit = excess > 1 ? excess * share(largest, axis) : 0;
      logScaleGradient[gaussian * 3 + axis] = (weights.scaleRatio * byRatio + weights.scaleLimit * byLimit) / count;
    }
  }
  const mean = (sum: number): number => sum / Math.max(count, 1);
  const [scaleRatio, scaleLimit, offset] = [mean(sums.ratio), mean(sums.limit), mean(sums.offset)];
  const total = weights.scaleRatio * scaleRatio + weights.scaleLimit * scaleLimit + weights.offset * offset;
  return { scaleRatio, scaleLimit, offset, total, logScaleGradient, normalOffsetGradient };
}
