import { MAP_CHANNEL_COUNT } from '../attribute-maps.ts';
import type { SampleRegulariserWeights } from './sample-regularisers.ts';

export interface SampleRegulariserValue {
  readonly attributes: number;
  readonly tilt: number;
  readonly kept: number;
  readonly total: number;
  /** N×11. */
  readonly gradient: Float64Array;
}

/** Eq 26 and 27 over N×11 samples, in float64; `keep` has a factor per Gaussian. */
export function sampleRegularisersReference(
  samples: ArrayLike<number>,
  targets: ArrayLike<number>,
  keep: ArrayLike<number>,
  weights: SampleRegulariserWeights,
): SampleRegulariserValue {
  const count = samples.length / MAP_CHANNEL_COUNT;
  const gradient = new Float64Array(samples.length);
  const sums = { attributes: 0, tilt: 0, kept: 0 };
  for (let index = 0; index < samples.length; index++) {
    const channel = index % MAP_CHANNEL_COUNT;
    const difference = samples[index]! - targets[index]!;
    if (Math.abs(difference) <= 1e4) {
      const kept = keep[Math.floor(index / MAP_CHANNEL_COUNT)]!;
      sums.attributes += weights.channels[channel]! * difference ** 2;
      sums.kept += kept * weights.channels[channel]! * difference ** 2;
      const weight = weights.attributes + kept * weights.kept;
      gradient[index]! += (2 * weight * weights.channels[channel]! * difference) / count;
    }
    if (channel === 3 || channel === 5) {
      sums.tilt += samples[index]! ** 2;
      gradient[index]! += (2 * weights.tilt * samples[index]!) / count;
    }
  }
  const mean = (sum: number): number => sum / Math.max(count, 1);
  const [attributes, tilt, kept] = [mean(sums.attributes), mean(sums.tilt), mean(sums.kept)];
  const total = weights.attributes * attributes + weights.tilt * tilt + weights.kept * kept;
  return { attributes, tilt, kept, total, gradient };
}
