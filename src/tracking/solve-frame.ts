import { factorCholesky, solveLower, solveLowerTransposed } from './solve-cholesky.ts';
import { PhotometricEquations, type PhotometricTarget } from './photometric/photometric-equations.ts';
import { DepthEquations } from './solve-depth.ts';
import type { LandmarkBasis } from './solve-landmarks.ts';
import { landmarkVisibility, locateLandmark } from './solve-residual.ts';
import {
  CAMERA_UNKNOWNS,
  copyFrameState,
  createFrameState,
  moveFrame,
  POSE_UNKNOWNS,
  type ClipState,
  type FrameData,
  type FrameState,
} from './solve-state.ts';

/** What the frame equations need besides the states: fixed for a solve. */
export interface FrameProblem {
  readonly basis: LandmarkBasis;
  /** L: how much each landmark counts. */
  readonly weights: Float64Array;
  /** E×2: lower and upper limit of each expression coefficient. */
  readonly limits: Float64Array;
  /** Pixels at 512²: standard deviation of a landmark, of the size that makes its correlated neighbours count as one. */
  readonly pixelSigma: number;
  /** Pixels at 512²: the same for the depth that the face net guesses; infinite: depths are not used. */
  readonly depthSigma: number;
  /** Cost per unit of |coefficient|: prefers few active expressions. */
  readonly expressionSparsity: number;
  /** What pictures are compared with, where frames have one; without it landmarks alone count. */
  readonly photometric?: PhotometricTarget;
}

/** A step that lowers the cost by a smaller share ends the search. */
const SMALLEST_GAIN = 2e-4;
/** Which unknowns get landmark terms: the pose alone, pose and expression, or the shared ones too. */
export type Extent = 'pose' | 'frame' | 'shared';

/** Width in coefficient units over which |e| is rounded off, so that its curvature stays finite. */
const SPARSITY_ROUNDING = 0.02;

/**
 * Normal equations of one frame about its current state: cost = Σ_l w_l·ρ(|r_l|²)/(2σ²) + expression prior, with
 * ρ(s) = c²s/(c² + s) (Geman–McClure), r in pixels at 512². Unknowns: rotation 3 (left perturbation), u, v, log depth,
 * expression E, and, `withShared`, log focal and identity I. Buffers are kept between calls.
 */
export class FrameEquations {
  /** E + 6. */
  readonly localCount: number;
  /** I + 1. */
  readonly sharedCount: number;
  /** m×m, upper triangle, m = `localCount` (+ `sharedCount`). */
  readonly hessian: Float64Array;
  /** m: ∂cost/∂unknown. */
  readonly gradient: Float64Array;
  private readonly problem: FrameProblem;
  /** A landmark's two rows: entries of the local unknowns that move it, packed; from `localCount` on the shared ones. */
  private readonly rowX: Float64Array;
  private readonly rowY: Float64Array;
  /** Local unknown of each packed entry. */
  private readonly unknowns: Uint32Array;
  private readonly position = new Float64Array(3);
  private readonly depth: DepthEquations;
  private readonly photometric: PhotometricEquations;

  constructor(problem: FrameProblem) {
    this.problem = problem;
    this.depth = new DepthEquations(problem);
    this.localCount = POSE_UNKNOWNS + problem.basis.expressionCount;
    this.sharedCount = CAMERA_UNKNOWNS + problem.basis.identityCount;
    this.photometric = new PhotometricEquations(this.localCount);
    const size = this.localCount + this.sharedCount;
    this.hessian = new Float64Array(size * size);
    this.gradient = new Float64Array(size);
    this.rowX = new Float64Array(size);
    this.rowY = new Float64Array(size);
    this.unknowns = Uint32Array.from({ length: this.localCount }, (_, i) => i);
  }

  /** Fills `hessian` and `gradient` (prior included) and returns the cost. */
  build(clip: ClipState, frame: FrameState, data: FrameData, robustScale: number, extent: Extent): number {
    const { basis, weights, pixelSigma } = this.problem;
    const withShared = extent === 'shared';
    const size = this.localCount + (withShared ? this.sharedCount : 0);
    this.hessian.fill(0, 0, size * size);
    this.gradient.fill(0, 0, size);
    const { rowX, rowY, unknowns } = this;
    const focal = Math.exp(clip.logFocal);
    const depth = Math.exp(clip.logFocal + frame.position[2]);
    const tx = depth * frame.position[0];
    const ty = depth * frame.position[1];
    const r = frame.rotation;
    const robustSquared = robustScale * robustScale;
    const inverseVariance = 1 / (pixelSigma * pixelSigma);
    let cost = 0;
    for (let landmark = 0; landmark < basis.landmarkCount; landmark++) {
      const base = weights[landmark] * data.present[landmark];
      if (base === 0) continue;
      locateLandmark(basis, clip, frame, landmark, this.position);
      const hx = this.position[0];
      const hy = this.position[1];
      const hz = this.position[2];
      const ax = r[0] * hx + r[1] * hy + r[2] * hz;
      const ay = r[3] * hx + r[4] * hy + r[5] * hz;
      const az = r[6] * hx + r[7] * hy + r[8] * hz;
      const x = ax + tx;
      const y = ay + ty;
      const z = Math.max(az + depth, 0.05 * depth);
      const scale = (focal * data.pixelScale) / z;
      const rx = scale * x - data.points[landmark * 2] * data.pixelScale;
      const ry = scale * y - data.points[landmark * 2 + 1] * data.pixelScale;
      const squared = rx * rx + ry * ry;
      const seen = base * landmarkVisibility(basis.normals, landmark, r, x, y, z) * inverseVariance;
      const damped = robustSquared / (robustSquared + squared);
      cost += 0.5 * seen * squared * damped;
      const weight = seen * damped * damped;
      // ∂(rx, ry)/∂(camera point): (scale, 0, zx) and (0, scale, zy).
      const zx = (-scale * x) / z;
      const zy = (-scale * y) / z;
      // Rotation: ∂/∂ω = (turned point) × (∂r/∂camera point).
      rowX[0] = ay * zx;
      rowX[1] = az * scale - ax * zx;
      rowX[2] = -ay * scale;
      rowY[0] = ay * zy - az * scale;
      rowY[1] = -ax * zy;
      rowY[2] = ax * scale;
      rowX[3] = scale * depth;
      rowX[4] = 0;
      rowX[5] = scale * tx + zx * depth;
      rowY[3] = 0;
      rowY[4] = scale * depth;
      rowY[5] = scale * ty + zy * depth;
      const xx = scale * r[0] + zx * r[6];
      const xy = scale * r[1] + zx * r[7];
      const xz = scale * r[2] + zx * r[8];
      const yx = scale * r[3] + zy * r[6];
      const yy = scale * r[4] + zy * r[7];
      const yz = scale * r[5] + zy * r[8];
      const { starts, indices, moves } = basis.expression;
      let localEntries = POSE_UNKNOWNS;
      const last = extent === 'pose' ? starts[landmark] : starts[landmark + 1];
      for (let entry = starts[landmark]; entry < last; entry++) {
        const dx = moves[entry * 3];
        const dy = moves[entry * 3 + 1];
        const dz = moves[entry * 3 + 2];
        unknowns[localEntries] = POSE_UNKNOWNS + indices[entry];
        rowX[localEntries] = xx * dx + xy * dy + xz * dz;
        rowY[localEntries] = yx * dx + yy * dy + yz * dz;
        localEntries += 1;
      }
      if (withShared) {
        const first = this.localCount;
        // Depth follows the focal length (see FrameState.position).
        rowX[first] = scale * x + rowX[5];
        rowY[first] = scale * y + rowY[5];
        blendRows(rowX, rowY, first + 1, basis.identity, landmark, basis.identityCount, xx, xy, xz, yx, yy, yz);
      }
      this.add(size, localEntries, weight, rx, ry);
    }
    cost += this.depth.add(this, clip, frame, data, extent);
    const target = this.problem.photometric;
    if (target && data.picture) {
      cost += this.photometric.add(this, size, target, clip, frame, data.picture, extent === 'pose');
    }
    return cost + this.addPrior(frame, data, size);
  }

  /** The cost alone. */
  cost(clip: ClipState, frame: FrameState, data: FrameData, robustScale: number): number {
    const { basis, weights, pixelSigma } = this.problem;
    const focal = Math.exp(clip.logFocal);
    const depth = Math.exp(clip.logFocal + frame.position[2]);
    const r = frame.rotation;
    const robustSquared = robustScale * robustScale;
    let cost = 0;
    for (let landmark = 0; landmark < basis.landmarkCount; landmark++) {
      const base = weights[landmark] * data.present[landmark];
      if (base === 0) continue;
      locateLandmark(basis, clip, frame, landmark, this.position);
      const hx = this.position[0];
      const hy = this.position[1];
      const hz = this.position[2];
      const x = r[0] * hx + r[1] * hy + r[2] * hz + depth * frame.position[0];
      const y = r[3] * hx + r[4] * hy + r[5] * hz + depth * frame.position[1];
      const z = Math.max(r[6] * hx + r[7] * hy + r[8] * hz + depth, 0.05 * depth);
      const scale = (focal * data.pixelScale) / z;
      const rx = scale * x - data.points[landmark * 2] * data.pixelScale;
      const ry = scale * y - data.points[landmark * 2 + 1] * data.pixelScale;
      const squared = rx * rx + ry * ry;
      cost +=
        (0.5 * base * landmarkVisibility(basis.normals, landmark, r, x, y, z) * squared * robustSquared) /
        (robustSquared + squared);
    }
    cost = cost / (pixelSigma * pixelSigma) + this.depth.cost(clip, frame, data);
    const target = this.problem.photometric;
    if (target && data.picture) cost += this.photometric.cost(target, clip, frame, data.picture);
    for (let k = 0; k < frame.expression.length; k++) {
      const value = frame.expression[k];
      const off = value - data.expressionPrior[k];
      cost += 0.5 * data.expressionPrecision[k] * off * off;
      cost += this.problem.expressionSparsity * Math.sqrt(value * value + SPARSITY_ROUNDING * SPARSITY_ROUNDING);
    }
    return cost;
  }

  /** Adds one landmark's two rows; `localEntries` of the local unknowns are in them, and all shared ones or none. */
  private add(size: number, localEntries: number, weight: number, residualX: number, residualY: number): void {
    const { hessian, gradient, rowX, rowY, unknowns, localCount: n } = this;
    const sharedCount = size - n;
    for (let a = 0; a < localEntries; a++) {
      const wx = weight * rowX[a];
      const wy = weight * rowY[a];
      const i = unknowns[a];
      const start = i * size;
      gradient[i] += wx * residualX + wy * residualY;
      for (let b = a; b < localEntries; b++) hessian[start + unknowns[b]] += wx * rowX[b] + wy * rowY[b];
      for (let k = 0; k < sharedCount; k++) hessian[start + n + k] += wx * rowX[n + k] + wy * rowY[n + k];
    }
    for (let i = n; i < size; i++) {
      const wx = weight * rowX[i];
      const wy = weight * rowY[i];
      const start = i * size;
      gradient[i] += wx * residualX + wy * residualY;
      for (let j = i; j < size; j++) hessian[start + j] += wx * rowX[j] + wy * rowY[j];
    }
  }

  private addPrior(frame: FrameState, data: FrameData, size: number): number {
    const sparsity = this.problem.expressionSparsity;
    let cost = 0;
    for (let k = 0; k < frame.expression.length; k++) {
      const i = POSE_UNKNOWNS + k;
      const value = frame.expression[k];
      const off = value - data.expressionPrior[k];
      const length = Math.sqrt(value * value + SPARSITY_ROUNDING * SPARSITY_ROUNDING);
      cost += 0.5 * data.expressionPrecision[k] * off * off + sparsity * length;
      this.gradient[i] += data.expressionPrecision[k] * off + (sparsity * value) / length;
      this.hessian[i * size + i] += data.expressionPrecision[k] + sparsity / length;
    }
    return cost;
  }
}

/** Rows' entries of K linear shapes: the 2×3 matrix (xx … yz) times each shape's displacement of the landmark. */
function blendRows(
  rowX: Float64Array,
  rowY: Float64Array,
  first: number,
  shapes: Float64Array,
  landmark: number,
  shapeCount: number,
  xx: number,
  xy: number,
  xz: number,
  yx: number,
  yy: number,
  yz: number,
): void {
  const startX = landmark * 3 * shapeCount;
  const startY = startX + shapeCount;
  const startZ = startY + shapeCount;
  for (let k = 0; k < shapeCount; k++) {
    const dx = shapes[startX + k];
    const dy = shapes[startY + k];
    const dz = shapes[startZ + k];
    rowX[first + k] = xx * dx + xy * dy + xz * dz;
    rowY[first + k] = yx * dx + yy * dy + yz * dz;
  }
}

/** True for each expression at a limit that its gradient pushes against: such a one takes no part in the step. */
export function isHeld(frame: FrameState, limits: Float64Array, k: number, gradient: number): boolean {
  const value = frame.expression[k];
  return (value <= limits[k * 2] && gradient > 0) || (value >= limits[k * 2 + 1] && gradient < 0);
}

/** Solves one frame by Levenberg–Marquardt within the expression limits, the clip's state held. */
export class FrameSolver {
  private readonly problem: FrameProblem;
  private readonly equations: FrameEquations;
  private readonly factor: Float64Array;
  private readonly step: Float64Array;
  private readonly trial: FrameState;

  constructor(problem: FrameProblem) {
    this.problem = problem;
    this.equations = new FrameEquations(problem);
    const n = this.equations.localCount;
    this.factor = new Float64Array(n * n);
    this.step = new Float64Array(n);
    this.trial = createFrameState(problem.basis.expressionCount);
  }

  /** Improves `frame` in place; returns the final cost. `poseOnly` leaves the expression as it is. */
  solve(
    clip: ClipState,
    frame: FrameState,
    data: FrameData,
    robustScale: number,
    iterations: number,
    poseOnly = false,
  ): number {
    const extent = poseOnly ? 'pose' : 'frame';
    let damping = 1e-4;
    let cost = this.equations.build(clip, frame, data, robustScale, extent);
    for (let iteration = 0; iteration < iterations; iteration++) {
      if (!this.findStep(frame, damping, poseOnly)) {
        damping *= 10;
        continue;
      }
      moveFrame(this.trial, frame, this.step, 0, this.problem.limits);
      const trialCost = this.equations.cost(clip, this.trial, data, robustScale);
      if (!(trialCost < cost)) {
        damping *= 10;
        continue;
      }
      copyFrameState(frame, this.trial);
      const gained = cost - trialCost;
      cost = trialCost;
      if (gained < SMALLEST_GAIN * cost || iteration === iterations - 1) break;
      damping = Math.max(1e-7, damping / 5);
      this.equations.build(clip, frame, data, robustScale, extent);
    }
    return cost;
  }

  private findStep(frame: FrameState, damping: number, poseOnly: boolean): boolean {
    const { factor, step, equations } = this;
    const n = equations.localCount;
    for (let i = 0; i < n; i++) {
      for (let j = 0; j <= i; j++) factor[i * n + j] = equations.hessian[j * n + i];
      factor[i * n + i] = factor[i * n + i] * (1 + damping) + 1e-9;
      step[i] = -equations.gradient[i];
    }
    for (let k = 0; k < n - POSE_UNKNOWNS; k++) {
      const i = POSE_UNKNOWNS + k;
      if (!poseOnly && !isHeld(frame, this.problem.limits, k, equations.gradient[i])) continue;
      for (let j = 0; j < i; j++) factor[i * n + j] = 0;
      for (let j = i + 1; j < n; j++) factor[j * n + i] = 0;
      factor[i * n + i] = 1;
      step[i] = 0;
    }
    if (!factorCholesky(factor, n)) return false;
    solveLower(factor, n, step);
    solveLowerTransposed(factor, n, step);
    return true;
  }
}
