import { MAP_CHANNEL_COUNT } from '../attribute-maps.ts';
import type { SampleRegulariserWeights } from './sample-regularisers.ts';

export interface SampleRegulariserValue {
  readonly attributes: number;
  readonly tilt: number;
  readonly total: number;
  /** N×11. */
  readonly gradient: Float64Array;
}

/** Eq 26 and 27 over N×11 samples, in float64. */
export function sampleRegularisersReference(
  samples: ArrayLike<number>,
  targets: ArrayLike<number>,
  weights: SampleRegulariserWeights,
): SampleRegulariserValue {
  const count = samples.length / MAP_CHANNEL_COUNT;
  const gradient = new Float64Array(samples.length);
  const sums = { attributes: 0, tilt: 0 };
  for (let index = 0; index < samples.length; index++) {
    const channel = index % MAP_CHANNEL_COUNT;
    const difference = samples[index]! - targets[index]!;
    if (Math.abs(difference) <= 1e4) {
      sums.attributes += weights.channels[channel]! * difference ** 2;
      gradient[index]! += (2 * weights.attributes * weights.channels[channel]! * difference) / count;
    }
    if (channel === 3 || channel === 5) {
      sums.tilt += samples[index]! ** 2;
      gradient[index]! += (2 * weights.tilt * samples[index]!) / count;
    }
  }
  const [attributes, tilt] = [sums.attributes / Math.max(count, 1), sums.tilt / Math.max(count, 1)];
  return { attributes, tilt, total: weights.attributes * attributes + weights.tilt * tilt, gradient };
}
