import type { FrameProblem } from './solve-frame.ts';
import { factorCholesky, solveLower, solveLowerTransposed } from './solve-cholesky.ts';
import type { SolveFrame } from './solve-shared.ts';
import { createLandmarkMeasure, measureLandmark } from './solve-residual.ts';
import { updateShape, type ClipState } from './solve-state.ts';

/**
 * Moves each landmark's offset (head space, constant over the clip) to where the frames want it, against a zero-mean
 * prior of `sigmas` (L, metres). A face net's points lie systematically off any model's embedding; without offsets that
 * misfit bends identity and expression. `effectiveCount` is how many independent observations all frames together count
 * for: their errors are the same error. Weighted by what landmarks count, offsets have no mean.
 */
export function solveOffsets(
  problem: FrameProblem,
  clip: ClipState,
  frames: readonly SolveFrame[],
  robustScale: number,
  sigmas: Float64Array,
  effectiveCount: number,
): void {
  const { basis, weights, pixelSigma } = problem;
  const normal = new Float64Array(9);
  const step = new Float64Array(3);
  const measure = createLandmarkMeasure();
  const share = effectiveCount / Math.max(1, frames.length) / (pixelSigma * pixelSigma);
  for (let landmark = 0; landmark < basis.landmarkCount; landmark++) {
    const precision = 1 / (sigmas[landmark] * sigmas[landmark]);
    normal.fill(0);
    for (let axis = 0; axis < 3; axis++) {
      normal[axis * 4] = precision;
      step[axis] = -precision * clip.offsets[landmark * 3 + axis];
    }
    for (const { state, data } of frames) {
      if (data.present[landmark] === 0) continue;
      measureLandmark(basis, clip, state, data, landmark, measure);
      const { residualX, residualY, jacobian } = measure;
      const damped = robustScale ** 2 / (robustScale ** 2 + residualX ** 2 + residualY ** 2);
      const weight = share * weights[landmark] * measure.visibility * damped * damped;
      for (let row = 0; row < 3; row++) {
        step[row] -= weight * (jacobian[row] * residualX + jacobian[3 + row] * residualY);
        for (let column = 0; column < 3; column++) {
          normal[row * 3 + column] +=
            weight * (jacobian[row] * jacobian[column] + jacobian[3 + row] * jacobian[3 + column]);
        }
      }
    }
    if (!factorCholesky(normal, 3)) continue;
    solveLower(normal, 3, step);
    solveLowerTransposed(normal, 3, step);
    for (let axis = 0; axis < 3; axis++) clip.offsets[landmark * 3 + axis] += step[axis];
  }
  takeOutShift(clip.offsets, weights);
  updateShape(basis, clip);
}

/** A shift that all landmarks share is where the head is: offsets that held it would let poses drift along. */
function takeOutShift(offsets: Float64Array, weights: Float64Array): void {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  for (let axis = 0; axis < 3; axis++) {
    let mean = 0;
    for (let landmark = 0; landmark < weights.length; landmark++) {
      mean += (weights[landmark] * offsets[landmark * 3 + axis]) / total;
    }
    for (let landmark = 0; landmark < weights.length; landmark++) offsets[landmark * 3 + axis] -= mean;
  }
}
