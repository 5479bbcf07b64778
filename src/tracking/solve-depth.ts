import type { Extent, FrameEquations, FrameProblem } from './solve-frame.ts';
import { RIGID_LANDMARKS } from './solve-landmarks.ts';
import type { SolveFrame } from './solve-shared.ts';
import { POSE_UNKNOWNS, type ClipState, type FrameData, type FrameState } from './solve-state.ts';

/** Metres: how far the net's idea of a landmark's depth may lie off the head model's. Chosen on rendered heads. */
const DEPTH_OFFSET_SIGMA = 0.002;
/** Pixels at 512²: a depth's own error, against which that prior stands. */
const DEPTH_ERROR = 5;

/**
 * What the face net's z says of nods. Its x and y follow a nod by only four fifths, its z by more than the whole (measured
 * on rendered heads; the same ratio of the two on real clips), so a share of z evens it out. Turns to the side are right
 * in x and y already. Residual of a rigid landmark: g·(R·(X + o·ẑ))_z − z, g = focal·scale/depth, less what a constant
 * (the net's own zero) and a slope across the face (turns) explain. The clip's `depthOffsets` o leave only changes over
 * time to count for much: the mean pitch comes mainly from x and y. Expressions do not enter: they hardly move these.
 */
export class DepthEquations {
  private readonly problem: FrameProblem;
  private readonly landmarks: readonly number[];
  private readonly residuals: Float64Array;
  /** One row of unknowns per landmark. */
  private readonly rows: Float64Array;
  /** The landmarks' x less its mean, as a unit vector. */
  private readonly sides: Float64Array;

  constructor(problem: FrameProblem) {
    this.problem = problem;
    const { landmarkCount, expressionCount, identityCount } = problem.basis;
    this.landmarks = RIGID_LANDMARKS.filter((landmark) => landmark < landmarkCount);
    this.residuals = new Float64Array(this.landmarks.length);
    const sides = Float64Array.from(this.landmarks, (landmark) => problem.basis.neutral[landmark * 3]);
    const middle = sides.reduce((sum, x) => sum + x, 0) / sides.length;
    const length = Math.sqrt(sides.reduce((sum, x) => sum + (x - middle) ** 2, 0)) || 1;
    this.sides = sides.map((x) => (x - middle) / length);
    this.rows = new Float64Array(this.landmarks.length * (POSE_UNKNOWNS + expressionCount + 1 + identityCount));
  }

  cost(clip: ClipState, frame: FrameState, data: FrameData): number {
    if (!this.measure(clip, frame, data)) return 0;
    let sum = 0;
    for (const residual of this.residuals) sum += residual * residual;
    return (0.5 * sum) / this.problem.depthSigma ** 2;
  }

  /** Adds to the frame's equations; returns the cost. */
  add(equations: FrameEquations, clip: ClipState, frame: FrameState, data: FrameData, extent: Extent): number {
    if (!this.measure(clip, frame, data)) return 0;
    const { localCount, sharedCount, hessian, gradient } = equations;
    const size = localCount + (extent === 'shared' ? sharedCount : 0);
    this.fillRows(clip, frame, data, extent, size, localCount);
    const weight = 1 / this.problem.depthSigma ** 2;
    const { rows, residuals } = this;
    let sum = 0;
    for (let l = 0; l < residuals.length; l++) {
      const start = l * size;
      sum += residuals[l] * residuals[l];
      for (let i = 0; i < size; i++) {
        const value = weight * rows[start + i];
        if (value === 0) continue;
        gradient[i] += value * residuals[l];
        for (let j = i; j < size; j++) hessian[i * size + j] += value * rows[start + j];
      }
    }
    return 0.5 * weight * sum;
  }

  /** Fills `residuals`, their mean taken out. False where depths do not count. */
  private measure(clip: ClipState, frame: FrameState, data: FrameData): boolean {
    if (!data.depths || !Number.isFinite(this.problem.depthSigma)) return false;
    const { landmarks, residuals } = this;
    for (let l = 0; l < landmarks.length; l++) {
      residuals[l] = depthResidual(clip, frame, data, landmarks[l]);
    }
    this.takeOutPlane(residuals, 0, 1);
    return true;
  }

  /** Takes what a constant and a slope along head space's x explain out of one column (every `stride`-th value). */
  private takeOutPlane(values: Float64Array, first: number, stride: number): void {
    const { sides } = this;
    let mean = 0;
    let slope = 0;
    for (let l = 0; l < sides.length; l++) {
      mean += values[first + l * stride] / sides.length;
      slope += values[first + l * stride] * sides[l];
    }
    for (let l = 0; l < sides.length; l++) values[first + l * stride] -= mean + slope * sides[l];
  }

  private fillRows(
    clip: ClipState,
    frame: FrameState,
    data: FrameData,
    extent: Extent,
    size: number,
    localCount: number,
  ): void {
    const { rows, landmarks } = this;
    const { basis } = this.problem;
    const { shape } = clip;
    const r = frame.rotation;
    const scale = depthScale(frame, data);
    rows.fill(0, 0, landmarks.length * size);
    for (let l = 0; l < landmarks.length; l++) {
      const landmark = landmarks[l];
      const start = l * size;
      const x = shape[landmark * 3];
      const y = shape[landmark * 3 + 1];
      const z = shape[landmark * 3 + 2] + clip.depthOffsets[landmark];
      rows[start] = scale * (r[3] * x + r[4] * y + r[5] * z);
      rows[start + 1] = -scale * (r[0] * x + r[1] * y + r[2] * z);
      rows[start + 5] = -scale * (r[6] * x + r[7] * y + r[8] * z);
      if (extent !== 'shared') continue;
      const count = basis.identityCount;
      for (let k = 0; k < count; k++) {
        let sum = 0;
        for (let axis = 0; axis < 3; axis++) sum += r[6 + axis] * basis.identity[(landmark * 3 + axis) * count + k];
        rows[start + localCount + 1 + k] = scale * sum;
      }
    }
    for (let i = 0; i < size; i++) this.takeOutPlane(rows, i, size);
  }
}

/** Fits the clip's `depthOffsets` to its frames; `effectiveCount` as in `solveOffsets`. */
export function solveDepthOffsets(
  problem: FrameProblem,
  clip: ClipState,
  frames: readonly SolveFrame[],
  effectiveCount: number,
): void {
  const sums = new Float64Array(problem.basis.landmarkCount);
  const weights = new Float64Array(problem.basis.landmarkCount);
  for (const { state, data } of frames) {
    if (!data.depths) continue;
    const residuals = RIGID_LANDMARKS.map((l) => depthResidual(clip, state, data, l));
    const mean = residuals.reduce((sum, value) => sum + value, 0) / residuals.length;
    const slope = depthScale(state, data) * state.rotation[8];
    RIGID_LANDMARKS.forEach((landmark, i) => {
      sums[landmark] -= slope * (residuals[i] - mean);
      weights[landmark] += slope * slope;
    });
  }
  const share = effectiveCount / Math.max(1, frames.length) / DEPTH_ERROR ** 2;
  const precision = 1 / DEPTH_OFFSET_SIGMA ** 2;
  for (const landmark of RIGID_LANDMARKS) {
    const pull = share * sums[landmark] - precision * clip.depthOffsets[landmark];
    clip.depthOffsets[landmark] += pull / (share * weights[landmark] + precision);
  }
}

/** Pixels at 512² per metre of depth. */
function depthScale(frame: FrameState, data: FrameData): number {
  return data.pixelScale * Math.exp(-frame.position[2]);
}

function depthResidual(
  { shape, depthOffsets }: ClipState,
  frame: FrameState,
  data: FrameData,
  landmark: number,
): number {
  const r = frame.rotation;
  const [x, y, z] = [shape[landmark * 3], shape[landmark * 3 + 1], shape[landmark * 3 + 2] + depthOffsets[landmark]];
  return depthScale(frame, data) * (r[6] * x + r[7] * y + r[8] * z) - (data.depths?.[landmark] ?? 0) * data.pixelScale;
}
