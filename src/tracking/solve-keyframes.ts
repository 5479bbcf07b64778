import { axisAngleFromMatrix, multiplyMatrices, transposeMatrix } from '../math/rotation.ts';
import type { FrameProblem } from './solve-frame.ts';
import { createLandmarkMeasure, measureLandmark } from './solve-residual.ts';
import type { SolveFrame } from './solve-shared.ts';
import type { ClipState } from './solve-state.ts';

/** Radians of turn that count as much as one pixel (at 512²) of mean landmark displacement. */
const TURN_PER_PIXEL = 0.03;

/**
 * Indices of `count` frames that differ most in head pose and in face (what a rigid head cannot explain): farthest
 * points first, starting from the frame nearest to the middle. Ascending.
 */
export function chooseKeyframes(
  problem: FrameProblem,
  clip: ClipState,
  frames: readonly SolveFrame[],
  count: number,
): number[] {
  if (frames.length <= count) return frames.map((_, i) => i);
  const features = frames.map((frame) => frameFeature(problem, clip, frame, frames[0]));
  const middle = new Float64Array(features[0].length);
  for (const feature of features) for (let k = 0; k < middle.length; k++) middle[k] += feature[k] / features.length;
  let next = 0;
  let least = Number.POSITIVE_INFINITY;
  features.forEach((feature, i) => {
    const off = squaredDistance(feature, middle);
    if (off < least) [least, next] = [off, i];
  });
  const nearest = new Float64Array(frames.length).fill(Number.POSITIVE_INFINITY);
  const chosen: number[] = [];
  while (chosen.length < count) {
    chosen.push(next);
    let farthest = -1;
    for (let i = 0; i < frames.length; i++) {
      nearest[i] = Math.min(nearest[i], squaredDistance(features[i], features[chosen[chosen.length - 1]]));
      if (nearest[i] > farthest) [farthest, next] = [nearest[i], i];
    }
  }
  return chosen.sort((a, b) => a - b);
}

/** Turn against a reference frame, and the landmarks' displacement from the rigid neutral head, in head-sized pixels. */
function frameFeature(
  problem: FrameProblem,
  clip: ClipState,
  { state, data }: SolveFrame,
  reference: SolveFrame,
): Float64Array {
  const { basis } = problem;
  const feature = new Float64Array(3 + basis.landmarkCount * 2);
  const turn = multiplyMatrices(state.rotation, transposeMatrix(reference.state.rotation));
  feature.set(axisAngleFromMatrix(turn).map((value) => value / TURN_PER_PIXEL));
  const neutral = { ...state, expression: new Float64Array(state.expression.length) };
  const measure = createLandmarkMeasure();
  const share = 1 / Math.sqrt(basis.landmarkCount);
  for (let landmark = 0; landmark < basis.landmarkCount; landmark++) {
    if (data.present[landmark] === 0) continue;
    measureLandmark(basis, clip, neutral, data, landmark, measure);
    const weight = share * Math.sqrt(problem.weights[landmark] * measure.visibility);
    feature[3 + landmark * 2] = weight * clampPixels(measure.residualX);
    feature[4 + landmark * 2] = weight * clampPixels(measure.residualY);
  }
  return feature;
}

/** An outlier must not make its frame look like a rare expression. */
function clampPixels(value: number): number {
  return Math.min(20, Math.max(-20, value));
}

function squaredDistance(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += (a[k] - b[k]) ** 2;
  return sum;
}
