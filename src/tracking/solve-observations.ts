import type { HeadModel } from '../head/head-model.ts';
import { ARKIT_EXPRESSION_NAMES } from '../head/head-model.ts';
import type { CropSquare } from './crop.ts';
import type { FaceObservation } from './observation.ts';
import { RESIDUAL_CROP_SIZE, type FrameData } from './solve-state.ts';

/** How strongly expressions are pulled before any landmark is seen. */
export interface ExpressionPrior {
  /** Standard deviation about a blendshape score. */
  readonly scoredSigma: number;
  /** Standard deviation about zero where there is no score. */
  readonly unscoredSigma: number;
}

/** An observation ready for the solver, or the reason why it is left out. */
export interface PreparedFrame {
  readonly data: FrameData;
  /** The observation's own pixels, with irises; null without a usable face. */
  readonly landmarks: Float32Array | null;
  readonly excluded: string | null;
  /** The reason came with the observation: whoever observed has told it. */
  readonly isReported: boolean;
}

/** At least this share of a face's points must be finite and within reach of the picture. */
const LEAST_POINTS_SHARE = 0.6;

const MOST_AT_REST = 0.2;

/** Turns one observation into measurements. Points that are not finite or absurdly far out count as not seen. */
export function prepareFrame(
  head: HeadModel,
  observation: FaceObservation,
  crop: CropSquare,
  video: { readonly width: number; readonly height: number },
  landmarkCount: number,
  prior: ExpressionPrior,
  baseline: Float32Array,
): PreparedFrame {
  const points = new Float64Array(landmarkCount * 2);
  const present = new Float64Array(landmarkCount);
  const { landmarks } = observation;
  const reach = 2 * Math.max(video.width, video.height);
  let seen = 0;
  for (let landmark = 0; landmark < Math.min(landmarkCount, Math.floor(landmarks.length / 3)); landmark++) {
    const x = landmarks[landmark * 3] - video.width / 2;
    const y = landmarks[landmark * 3 + 1] - video.height / 2;
    if (!(Math.abs(x) < reach && Math.abs(y) < reach)) continue;
    points[landmark * 2] = x;
    points[landmark * 2 + 1] = y;
    present[landmark] = 1;
    seen += 1;
  }
  const enough = seen >= LEAST_POINTS_SHARE * landmarkCount;
  const data: FrameData = {
    sourceIndex: observation.sourceIndex,
    timestamp: observation.timestamp,
    points,
    depths: depthsOf(landmarks, landmarkCount),
    present,
    pixelScale: RESIDUAL_CROP_SIZE / crop.size,
    ...expressionPrior(head.expressionNames, observation.blendshapes, prior, baseline),
  };
  const excluded = observation.excluded ?? (enough ? null : `only ${seen} of ${landmarkCount} face points were found`);
  return { data, landmarks: enough ? landmarks : null, excluded, isReported: observation.excluded !== null };
}

/** The landmarks' z; null when it is flat or not finite everywhere. */
function depthsOf(landmarks: Float32Array, landmarkCount: number): Float64Array | null {
  if (landmarks.length < landmarkCount * 3) return null;
  const depths = Float64Array.from({ length: landmarkCount }, (_, landmark) => landmarks[landmark * 3 + 2]);
  if (!depths.every(Number.isFinite)) return null;
  return depths.some((depth) => depth !== depths[0]) ? depths : null;
}

/**
 * What each score reads on this face at rest: its lowest tenth over the clip, up to `MOST_AT_REST`; a smile that never
 * ends stays a smile.
 */
export function scoreBaseline(observations: readonly FaceObservation[]): Float32Array {
  return Float32Array.from(ARKIT_EXPRESSION_NAMES, (_, index) => {
    const scores = observations
      .filter(({ excluded }) => excluded === null)
      .map(({ blendshapes }) => blendshapes?.[index] ?? Number.NaN)
      .filter(Number.isFinite)
      .sort((a, b) => a - b);
    return Math.min(MOST_AT_REST, Math.max(0, scores[Math.floor(scores.length / 10)] ?? 0));
  });
}

/** Scores by ARKit name pull the coefficients of that name, and both halves of a name that the head splits in two. */
function expressionPrior(
  names: readonly string[],
  scores: Float32Array | null,
  prior: ExpressionPrior,
  baseline: Float32Array,
): Pick<FrameData, 'expressionPrior' | 'expressionPrecision'> {
  const expressionPrior = new Float64Array(names.length);
  const expressionPrecision = new Float64Array(names.length).fill(1 / prior.unscoredSigma ** 2);
  names.forEach((name, k) => {
    const index = scoreIndex(name);
    const score = scores && index >= 0 ? scores[index] : Number.NaN;
    if (!Number.isFinite(score)) return;
    expressionPrior[k] = Math.min(1, Math.max(0, (score - baseline[index]) / (1 - baseline[index])));
    expressionPrecision[k] = 1 / prior.scoredSigma ** 2;
  });
  return { expressionPrior, expressionPrecision };
}

function scoreIndex(name: string): number {
  const known: readonly string[] = ARKIT_EXPRESSION_NAMES;
  const exact = known.indexOf(name);
  return exact >= 0 ? exact : known.indexOf(name.replace(/(Left|Right)$/, ''));
}
