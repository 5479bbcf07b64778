import type { ClipState, FrameState } from '../solve-state.ts';
import { locateSample, sampleFeature, viewLevel, type FramePicture } from './frame-picture.ts';
import type { SurfaceSamples } from './surface-samples.ts';

/** How the surface looks at one level. */
export interface Appearance {
  /** Index of the level. */
  readonly level: number;
  /** S: features. */
  readonly reference: Float32Array;
  /** S: one over the variance about it; 0 where too few frames show the point. */
  readonly precision: Float32Array;
}

/** A frame with its picture. */
export interface PicturedState {
  readonly state: FrameState;
  readonly picture: FramePicture;
}

/** A point must be seen this much, in frames, to be known. */
const LEAST_FRAMES = 3;
/** Features: an error that even a point seen alike in all frames has. */
const LEAST_SIGMA = 0.15;
/** Features: a value this far from the mean keeps a quarter of its influence. */
const OUTLIER = 0.8;
const ROUNDS = 3;

/** Robust mean of what the frames show, each at its present state, weighed by how squarely they show it. */
export function averageAppearance(
  samples: SurfaceSamples,
  clip: ClipState,
  frames: readonly PicturedState[],
  level: number,
): Appearance {
  const features = frames.map((frame) => takeFeatures(samples, clip, frame, level));
  const mean = new Float64Array(samples.count);
  const [sums, totals, squares] = [mean.slice(), mean.slice(), mean.slice()];
  for (let round = 0; round < ROUNDS; round++) {
    for (const array of [sums, totals, squares]) array.fill(0);
    frames.forEach(({ picture: { visible, weights } }, frame) => {
      for (let i = 0; i < visible.length; i++) {
        const sample = visible[i];
        const value = features[frame][i];
        const off = value - mean[sample];
        const damped = round === 0 ? 1 : 1 / (1 + (off / OUTLIER) ** 2);
        const weight = weights[i] * damped * damped;
        sums[sample] += weight * value;
        totals[sample] += weight;
        squares[sample] += weight * off * off;
      }
    });
    for (let sample = 0; sample < mean.length; sample++) mean[sample] = sums[sample] / (totals[sample] || 1);
  }
  const precision = Float32Array.from(squares, (sum, sample) =>
    totals[sample] >= LEAST_FRAMES ? 1 / (LEAST_SIGMA ** 2 + sum / totals[sample]) : 0,
  );
  return { level, reference: Float32Array.from(mean), precision };
}

/** Features of the frame's visible samples. */
export function takeFeatures(
  samples: SurfaceSamples,
  clip: ClipState,
  { state, picture }: PicturedState,
  level: number,
): Float32Array {
  const view = viewLevel(picture, clip, level);
  const features = new Float32Array(picture.visible.length);
  const [point, taken] = [new Float64Array(3), new Float64Array(3)];
  for (let i = 0; i < features.length; i++) {
    locateSample(samples, clip, state, picture.visible[i], point);
    sampleFeature(view, point, taken);
    features[i] = taken[0];
  }
  return features;
}
