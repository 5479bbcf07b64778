import { averageBlocks, boxFilter, resizeMap, smoothstep } from './box-filter.ts';
import { guidedFilter } from './guided-filter.ts';

/** A refined matte and the colours that the foreground has where background shines through. */
export interface RefinedMatte {
  readonly alpha: Float32Array;
  /** Three planes, 0…1. */
  readonly foreground: readonly Float32Array[];
}

/** The network's mask is right about where the edge is, within this. */
const LARGEST_CORRECTION = 0.4;

/**
 * Snaps a rough mask to the image's edges, then, where foreground and background differ in colour nearby, solves for the
 * share of each in every pixel between them: C = α·F + (1 − α)·B with F and B the mean colours of the certain pixels
 * around. Hair gets its wisps, and the background's colour goes out of them.
 *
 * @param planes Red, green, blue, 0…1, size².
 */
export function refineAlpha(planes: readonly Float32Array[], mask: Float32Array, size: number): RefinedMatte {
  const unit = size / 256;
  const guided = guidedFilter(planes, mask, size, size, {
    radius: Math.round(5 * unit),
    epsilon: 1e-3,
    subsampling: 2 * Math.floor(unit),
  });
  // Colours that recur in the background pull the filter outwards: nothing far from the mask belongs to the head.
  const half = Math.ceil(size / 2);
  const blurred = boxFilter(averageBlocks(mask, size, size, 2), half, half, Math.max(Math.round(1.25 * unit), 1));
  const reach = resizeMap(blurred, half, half, size, size);
  const rough = guided.map(
    (value, i) => Math.min(Math.max((value - 0.14) / 0.76, 0), 1) * smoothstep(0.04, 0.3, reach[i]),
  );
  const radius = Math.round(7 * unit);
  const certain = knownColors(planes, rough, (alpha) => smoothstep(0.9, 0.99, alpha), size, radius);
  const outside = knownColors(planes, rough, (alpha) => smoothstep(0.1, 0.01, alpha), size, radius);
  const alpha = rough.slice();
  const foreground = planes.map((plane) => plane.slice());
  const span = [0, 0, 0];
  for (let i = 0; i < alpha.length; i++) {
    if (rough[i] < 0.004 || rough[i] > 0.996) continue;
    const near = (Math.floor(i / size) >> 1) * half + ((i % size) >> 1);
    if (certain.weight[near] < 1e-3 || outside.weight[near] < 1e-3) continue;
    let dot = 0;
    let norm = 0;
    for (let channel = 0; channel < 3; channel++) {
      span[channel] = certain.colors[channel][near] - outside.colors[channel][near];
      dot += (planes[channel][i] - outside.colors[channel][near]) * span[channel];
      norm += span[channel] * span[channel];
    }
    const solved = Math.min(Math.max(dot / Math.max(norm, 1e-6), 0), 1);
    let residual = 0;
    for (let channel = 0; channel < 3; channel++)
      residual += (planes[channel][i] - outside.colors[channel][near] - solved * span[channel]) ** 2;
    // Trust the colours where they are further apart than each side varies, and explain the pixel.
    const trust =
      (norm / (norm + 6 * (certain.variance[near] + outside.variance[near]) + 0.02)) * Math.exp(-residual / 0.01);
    alpha[i] = rough[i] + trust * Math.min(Math.max(solved - rough[i], -LARGEST_CORRECTION), LARGEST_CORRECTION);
    for (let channel = 0; channel < 3; channel++) {
      foreground[channel][i] = Math.min(Math.max(planes[channel][i] + trust * (1 - alpha[i]) * span[channel], 0), 1);
    }
  }
  return { alpha, foreground };
}

/** On a grid of half the resolution. */
interface KnownColors {
  /** Three planes of means. */
  readonly colors: Float32Array[];
  /** How many of the pixels around are known. */
  readonly weight: Float32Array;
  /** Their variance, summed over the channels. */
  readonly variance: Float32Array;
}

/**
 * Mean colour, and how much there is to take it from, of the pixels around that `weigh` is sure of. On a grid of half the
 * resolution: the means are smooth.
 */
function knownColors(
  planes: readonly Float32Array[],
  alpha: Float32Array,
  weigh: (alpha: number) => number,
  size: number,
  radius: number,
): KnownColors {
  const half = Math.ceil(size / 2);
  const weights = new Float32Array(half * half);
  const sums = planes.map(() => new Float32Array(half * half));
  const squares = new Float32Array(half * half);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const from = y * size + x;
      const weight = weigh(alpha[from]);
      if (weight === 0) continue;
      const to = (y >> 1) * half + (x >> 1);
      weights[to] += weight;
      for (let channel = 0; channel < 3; channel++) {
        const value = planes[channel][from];
        sums[channel][to] += weight * value;
        squares[to] += weight * value * value;
      }
    }
  }
  const reach = Math.max(Math.round(radius / 2), 1);
  const blur = (map: Float32Array): Float32Array => boxFilter(boxFilter(map, half, half, reach), half, half, reach);
  const weight = blur(weights);
  const variance = blur(squares);
  for (let i = 0; i < variance.length; i++) variance[i] /= Math.max(weight[i], 1e-6);
  const colors = sums.map((sum) => {
    const mean = blur(sum);
    for (let i = 0; i < mean.length; i++) {
      mean[i] /= Math.max(weight[i], 1e-6);
      variance[i] -= mean[i] * mean[i];
    }
    return mean;
  });
  return { colors, weight, variance };
}
