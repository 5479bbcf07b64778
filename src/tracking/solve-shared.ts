import { factorCholesky, solveLower, solveLowerColumns, solveLowerTransposed } from './solve-cholesky.ts';
import { FrameEquations, isHeld, type FrameProblem } from './solve-frame.ts';
import {
  CAMERA_UNKNOWNS,
  copyFrameState,
  createFrameState,
  moveFrame,
  POSE_UNKNOWNS,
  updateShape,
  type ClipState,
  type FrameData,
  type FrameState,
} from './solve-state.ts';

/** A frame with its measurements. */
export interface SolveFrame {
  readonly state: FrameState;
  readonly data: FrameData;
}

/** Beliefs about the clip before any landmark is seen. */
export interface SharedPrior {
  /** Natural logarithm of the expected focal length in source pixels, and its standard deviation. */
  readonly logFocal: number;
  readonly logFocalSigma: number;
  /** Keyframes' landmarks share the net's bias, so they do not add up like independent ones: weight of the priors. */
  readonly weight: number;
  /** The same for identity: `weight` times the head's `identityFirmness`. */
  readonly identityWeight: number;
}

/** Identity coefficients stay within ± this many standard deviations. */
const IDENTITY_LIMIT = 3;

/**
 * Levenberg–Marquardt over log focal, identity and every keyframe's own unknowns together. Each frame's unknowns are
 * eliminated exactly (Schur complement), so the shared step is the joint step: focal and depth do not creep.
 * Improves `clip` and the frames' states in place and returns the final cost.
 */
export function solveShared(
  problem: FrameProblem,
  prior: SharedPrior,
  clip: ClipState,
  frames: readonly SolveFrame[],
  robustScale: number,
  iterations: number,
  onIteration?: () => Promise<void>,
): Promise<number> {
  const solver = new SharedSolver(problem, prior, frames);
  return solver.solve(clip, robustScale, iterations, onIteration);
}

class SharedSolver {
  private readonly problem: FrameProblem;
  private readonly prior: SharedPrior;
  private readonly frames: readonly SolveFrame[];
  private readonly equations: FrameEquations;
  /** Per frame: Cholesky factor n×n, L⁻¹·(cross block) n×g, gradient n. */
  private readonly factors: readonly Float64Array[];
  private readonly crosses: readonly Float64Array[];
  private readonly gradients: readonly Float64Array[];
  private readonly trials: readonly FrameState[];
  private readonly reduced: Float64Array;
  private readonly sharedStep: Float64Array;

  constructor(problem: FrameProblem, prior: SharedPrior, frames: readonly SolveFrame[]) {
    this.problem = problem;
    this.prior = prior;
    this.frames = frames;
    this.equations = new FrameEquations(problem);
    const { localCount: n, sharedCount: g } = this.equations;
    this.factors = frames.map(() => new Float64Array(n * n));
    this.crosses = frames.map(() => new Float64Array(n * g));
    this.gradients = frames.map(() => new Float64Array(n));
    this.trials = frames.map(() => createFrameState(problem.basis.expressionCount));
    this.reduced = new Float64Array(g * g);
    this.sharedStep = new Float64Array(g);
  }

  async solve(
    clip: ClipState,
    robustScale: number,
    iterations: number,
    onIteration?: () => Promise<void>,
  ): Promise<number> {
    let damping = 1e-3;
    let cost = this.totalCost(clip, robustScale, (i) => this.frames[i].state);
    const trialClip: ClipState = {
      logFocal: clip.logFocal,
      identity: new Float64Array(clip.identity),
      offsets: clip.offsets,
      depthOffsets: clip.depthOffsets,
      shape: new Float64Array(clip.shape),
    };
    for (let iteration = 0; iteration < iterations; iteration++) {
      await onIteration?.();
      if (!this.findStep(clip, robustScale, damping)) {
        damping *= 10;
        continue;
      }
      this.takeStep(clip, trialClip);
      const trialCost = this.totalCost(trialClip, robustScale, (i) => this.trials[i]);
      if (!(trialCost < cost)) {
        damping *= 10;
        if (damping > 1e4) break;
        continue;
      }
      clip.logFocal = trialClip.logFocal;
      clip.identity.set(trialClip.identity);
      clip.shape.set(trialClip.shape);
      this.frames.forEach((frame, i) => copyFrameState(frame.state, this.trials[i]));
      const gained = cost - trialCost;
      cost = trialCost;
      damping = Math.max(1e-6, damping / 4);
      if (gained < 1e-4 * cost) break;
    }
    return cost;
  }

  private totalCost(clip: ClipState, robustScale: number, stateOf: (i: number) => FrameState): number {
    const { prior } = this;
    const offFocal = (clip.logFocal - prior.logFocal) / prior.logFocalSigma;
    let cost = 0.5 * prior.weight * offFocal * offFocal;
    for (const coefficient of clip.identity) cost += 0.5 * prior.identityWeight * coefficient * coefficient;
    this.frames.forEach(({ data }, i) => {
      cost += this.equations.cost(clip, stateOf(i), data, robustScale);
    });
    return cost;
  }

  /** Fills the shared step and what each frame needs to follow it. False when a matrix is not positive definite. */
  private findStep(clip: ClipState, robustScale: number, damping: number): boolean {
    const { equations, reduced, sharedStep, prior } = this;
    const { sharedCount: g } = equations;
    reduced.fill(0);
    sharedStep.fill(0);
    for (let i = 0; i < this.frames.length; i++) {
      if (!this.eliminateFrame(clip, i, robustScale, damping)) return false;
    }
    const inverseFocalVariance = prior.weight / (prior.logFocalSigma * prior.logFocalSigma);
    reduced[0] += inverseFocalVariance;
    sharedStep[0] -= inverseFocalVariance * (clip.logFocal - prior.logFocal);
    for (let k = CAMERA_UNKNOWNS; k < g; k++) {
      reduced[k * g + k] += prior.identityWeight;
      sharedStep[k] -= prior.identityWeight * clip.identity[k - CAMERA_UNKNOWNS];
    }
    for (let k = 0; k < g; k++) reduced[k * g + k] *= 1 + damping;
    if (!factorCholesky(reduced, g)) return false;
    solveLower(reduced, g, sharedStep);
    solveLowerTransposed(reduced, g, sharedStep);
    return true;
  }

  private eliminateFrame(clip: ClipState, index: number, robustScale: number, damping: number): boolean {
    const { equations, reduced, sharedStep } = this;
    const { localCount: n, sharedCount: g } = equations;
    const { state, data } = this.frames[index];
    const [factor, cross, gradient] = [this.factors[index], this.crosses[index], this.gradients[index]];
    equations.build(clip, state, data, robustScale, 'shared');
    const { hessian } = equations;
    const m = n + g;
    for (let i = 0; i < n; i++) {
      for (let j = 0; j <= i; j++) factor[i * n + j] = hessian[j * m + i];
      for (let j = 0; j < g; j++) cross[i * g + j] = hessian[i * m + n + j];
      factor[i * n + i] = factor[i * n + i] * (1 + damping) + 1e-9;
      gradient[i] = equations.gradient[i];
    }
    for (let k = 0; k < n - POSE_UNKNOWNS; k++) {
      const i = POSE_UNKNOWNS + k;
      if (!isHeld(state, this.problem.limits, k, gradient[i])) continue;
      for (let j = 0; j < i; j++) factor[i * n + j] = 0;
      for (let j = i + 1; j < n; j++) factor[j * n + i] = 0;
      cross.fill(0, i * g, (i + 1) * g);
      factor[i * n + i] = 1;
      gradient[i] = 0;
    }
    if (!factorCholesky(factor, n)) return false;
    solveLowerColumns(factor, n, cross, g);
    solveLower(factor, n, gradient);
    for (let i = 0; i < g; i++) {
      sharedStep[i] -= equations.gradient[n + i];
      for (let j = 0; j <= i; j++) reduced[i * g + j] += hessian[(n + j) * m + n + i];
    }
    for (let k = 0; k < n; k++) {
      const start = k * g;
      for (let i = 0; i < g; i++) {
        const value = cross[start + i];
        if (value === 0) continue;
        sharedStep[i] += value * gradient[k];
        for (let j = 0; j <= i; j++) reduced[i * g + j] -= value * cross[start + j];
      }
    }
    return true;
  }

  private takeStep(clip: ClipState, trial: ClipState): void {
    const { sharedStep } = this;
    const { localCount: n, sharedCount: g } = this.equations;
    trial.logFocal = clip.logFocal + Math.min(0.5, Math.max(-0.5, sharedStep[0]));
    for (let k = 0; k < clip.identity.length; k++) {
      const value = clip.identity[k] + sharedStep[CAMERA_UNKNOWNS + k];
      trial.identity[k] = Math.min(IDENTITY_LIMIT, Math.max(-IDENTITY_LIMIT, value));
    }
    updateShape(this.problem.basis, trial);
    const step = new Float64Array(n);
    this.frames.forEach(({ state }, index) => {
      // A·step = −gradient − cross·sharedStep, with both already multiplied by L⁻¹.
      const [cross, gradient] = [this.crosses[index], this.gradients[index]];
      for (let i = 0; i < n; i++) {
        let sum = -gradient[i];
        for (let j = 0; j < g; j++) sum -= cross[i * g + j] * sharedStep[j];
        step[i] = sum;
      }
      solveLowerTransposed(this.factors[index], n, step);
      moveFrame(this.trials[index], state, step, 0, this.problem.limits);
    });
  }
}
