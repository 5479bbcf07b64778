import { factorCholesky, solveLower, solveLowerTransposed } from './solve-cholesky.ts';
import type { FrameProblem } from './solve-frame.ts';
import { orthonormalRows, type ClipState, type FrameData, type FrameState } from './solve-state.ts';

/** Pixels per metre: a face 8 pixels wide. Points that fall together show no head. */
const LEAST_SCALE = 50;
/** Rounds of reweighting against outliers. */
const ROUNDS = 5;

/**
 * A head pose from nothing: the affine camera p = M·X + t that fits the face best (reweighted against outliers), then
 * the nearest scaled rotation. The focal length only turns its scale into a depth. False when the points do not
 * determine it.
 */
export function initializePose(problem: FrameProblem, clip: ClipState, data: FrameData, frame: FrameState): boolean {
  const { landmarkCount } = problem.basis;
  const weights = new Float64Array(landmarkCount);
  for (let landmark = 0; landmark < landmarkCount; landmark++) {
    weights[landmark] = problem.weights[landmark] * data.present[landmark];
  }
  const robust = Float64Array.from(weights);
  const camera = new Float64Array(8);
  for (let round = 0; round < ROUNDS; round++) {
    if (!fitAffine(clip.shape, data.points, robust, camera)) return false;
    reweigh(clip.shape, data.points, camera, weights, robust);
  }
  const first = Math.hypot(camera[0], camera[1], camera[2]);
  const second = Math.hypot(camera[4], camera[5], camera[6]);
  if (!(Math.min(first, second) > LEAST_SCALE)) return false;
  // Symmetric orthogonalisation of the two unit rows: neither is favoured.
  const sum = [0, 1, 2].map((k) => camera[k] / first + camera[4 + k] / second);
  const difference = [0, 1, 2].map((k) => camera[k] / first - camera[4 + k] / second);
  const sumLength = Math.hypot(...sum);
  const differenceLength = Math.hypot(...difference);
  if (!(sumLength > 1e-3 && differenceLength > 1e-3)) return false;
  const rows = new Float64Array(9);
  for (let k = 0; k < 3; k++) {
    rows[k] = sum[k] / sumLength + difference[k] / differenceLength;
    rows[3 + k] = sum[k] / sumLength - difference[k] / differenceLength;
  }
  frame.rotation.set(orthonormalRows(rows));
  const focal = Math.exp(clip.logFocal);
  frame.position[0] = camera[3] / focal;
  frame.position[1] = camera[7] / focal;
  frame.position[2] = -Math.log((first + second) / 2);
  return true;
}

/** camera ← two rows of four: least squares of p against (X, 1). */
function fitAffine(shape: Float64Array, points: Float64Array, weights: Float64Array, camera: Float64Array): boolean {
  const normal = new Float64Array(16);
  const right = [new Float64Array(4), new Float64Array(4)];
  for (let landmark = 0; landmark < weights.length; landmark++) {
    const weight = weights[landmark];
    if (weight === 0) continue;
    const row = [shape[landmark * 3], shape[landmark * 3 + 1], shape[landmark * 3 + 2], 1];
    for (let i = 0; i < 4; i++) {
      for (let j = 0; j < 4; j++) normal[i * 4 + j] += weight * row[i] * row[j];
      right[0][i] += weight * row[i] * points[landmark * 2];
      right[1][i] += weight * row[i] * points[landmark * 2 + 1];
    }
  }
  if (!factorCholesky(normal, 4)) return false;
  right.forEach((side, i) => {
    solveLower(normal, 4, side);
    solveLowerTransposed(normal, 4, side);
    camera.set(side, i * 4);
  });
  return camera.every(Number.isFinite);
}

/** Geman–McClure weights about the median distance. */
function reweigh(
  shape: Float64Array,
  points: Float64Array,
  camera: Float64Array,
  weights: Float64Array,
  robust: Float64Array,
): void {
  const distances = new Float64Array(weights.length);
  for (let landmark = 0; landmark < weights.length; landmark++) {
    let [x, y] = [camera[3] - points[landmark * 2], camera[7] - points[landmark * 2 + 1]];
    for (let k = 0; k < 3; k++) {
      x += camera[k] * shape[landmark * 3 + k];
      y += camera[4 + k] * shape[landmark * 3 + k];
    }
    distances[landmark] = Math.hypot(x, y);
  }
  const present = [...distances.filter((_, landmark) => weights[landmark] > 0)].sort((a, b) => a - b);
  const scale = 2.5 * (present[present.length >> 1] ?? 0) + 1e-6;
  for (let landmark = 0; landmark < weights.length; landmark++) {
    const damped = scale ** 2 / (scale ** 2 + distances[landmark] ** 2);
    robust[landmark] = weights[landmark] * damped * damped;
  }
}
