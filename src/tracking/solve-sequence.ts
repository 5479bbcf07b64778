import { axisAngleFromMatrix, multiplyMatrices, transposeMatrix } from '../math/rotation.ts';
import { factorBandedCholesky, solveBanded } from './solve-cholesky.ts';
import { FrameEquations, isHeld, type FrameProblem } from './solve-frame.ts';
import type { SolveFrame } from './solve-shared.ts';
import {
  copyFrameState,
  createFrameState,
  moveFrame,
  POSE_UNKNOWNS,
  type ClipState,
  type FrameState,
} from './solve-state.ts';

/** How freely a head moves: standard deviations of accelerations, each per (1/30 s)². Faster moves cost ever less. */
export interface MotionPrior {
  /** Radians. */
  readonly rotation: number;
  /** Share of the distance to the camera, for u, v and log depth alike. */
  readonly position: number;
  /** Expression units. */
  readonly expression: number;
}

/** An acceleration of this many standard deviations keeps half its stiffness (Cauchy): blinks stay crisp. */
const FREE_MOTION = 2;
/** Frames per second in whose steps the motion prior counts. */
const PRIOR_RATE = 30;
/** Frames solved at once; longer chains go in pieces whose seams move from pass to pass. */
const PIECE_FRAMES = 128;
/** Frames further apart than this many prior steps (and 2.5 median gaps) do not bind each other. */
const LONGEST_GAP = 3;

/** One second difference, over chain frames i − 1, i, i + 1. */
interface Bend {
  readonly first: number;
  /** Factors of the three frames. */
  readonly factors: readonly [number, number, number];
}

/**
 * Solves a chain of consecutive frames together: landmarks against the motion prior, the clip's state held. Exact
 * Gauss–Newton over up to `PIECE_FRAMES` frames by banded Cholesky. Improves the states in place.
 */
export function solveSequence(
  problem: FrameProblem,
  motion: MotionPrior,
  clip: ClipState,
  chain: readonly SolveFrame[],
  robustScale: number,
  passes: number,
  onPiece?: () => void,
): void {
  const bends = findBends(chain);
  if (bends.length === 0) return;
  const solver = new PieceSolver(problem, motion, clip, chain, bends, robustScale);
  for (let pass = 0; pass < passes; pass++) {
    const shift = chain.length > PIECE_FRAMES && pass % 2 === 1 ? PIECE_FRAMES / 2 : 0;
    for (let start = -shift; start < chain.length; start += PIECE_FRAMES) {
      const from = Math.max(0, start);
      const to = Math.min(chain.length, start + PIECE_FRAMES);
      if (to > from) solver.solve(from, to);
      onPiece?.();
    }
  }
}

function findBends(chain: readonly SolveFrame[]): Bend[] {
  const gaps = chain.slice(1).map(({ data }, i) => (data.timestamp - chain[i].data.timestamp) * PRIOR_RATE);
  const middle = [...gaps].sort((a, b) => a - b)[gaps.length >> 1] ?? 1;
  const longest = Math.max(LONGEST_GAP, 2.5 * middle);
  const bends: Bend[] = [];
  for (let i = 0; i + 1 < gaps.length; i++) {
    const [before, after] = [gaps[i], gaps[i + 1]];
    if (!(before > 1e-3 && after > 1e-3 && before <= longest && after <= longest)) continue;
    const left = 2 / (before * (before + after));
    const right = 2 / (after * (before + after));
    bends.push({ first: i, factors: [left, -left - right, right] });
  }
  return bends;
}

class PieceSolver {
  private readonly problem: FrameProblem;
  private readonly clip: ClipState;
  private readonly chain: readonly SolveFrame[];
  private readonly bends: readonly Bend[];
  private readonly robustScale: number;
  private readonly equations: FrameEquations;
  private readonly sigmas: Float64Array;
  private readonly band: Float64Array;
  private readonly step: Float64Array;
  private readonly trials: readonly FrameState[];
  /** Second difference of one bend: n values, and the stiffness of each. */
  private readonly bent: Float64Array;
  private readonly stiffness: Float64Array;

  constructor(
    problem: FrameProblem,
    motion: MotionPrior,
    clip: ClipState,
    chain: readonly SolveFrame[],
    bends: readonly Bend[],
    robustScale: number,
  ) {
    this.problem = problem;
    this.clip = clip;
    this.chain = chain;
    this.bends = bends;
    this.robustScale = robustScale;
    this.equations = new FrameEquations(problem);
    const n = this.equations.localCount;
    const frames = Math.min(PIECE_FRAMES, chain.length);
    this.sigmas = new Float64Array(n).fill(motion.expression);
    this.sigmas.fill(motion.rotation, 0, 3).fill(motion.position, 3, 6);
    this.band = new Float64Array(frames * n * (2 * n + 1));
    this.step = new Float64Array(frames * n);
    this.trials = chain.map(() => createFrameState(problem.basis.expressionCount));
    this.bent = new Float64Array(n);
    this.stiffness = new Float64Array(n);
  }

  /** Up to two Gauss–Newton steps over frames from … to − 1. */
  solve(from: number, to: number): void {
    let damping = 1e-5;
    for (let i = Math.max(0, from - 2); i < Math.min(this.chain.length, to + 2); i++) {
      copyFrameState(this.trials[i], this.chain[i].state);
    }
    let cost = this.cost(from, to);
    for (let iteration = 0; iteration < 2; iteration++) {
      if (!this.findStep(from, to, damping)) {
        damping = Math.max(1e-3, damping * 100);
        continue;
      }
      const n = this.equations.localCount;
      for (let i = from; i < to; i++) {
        moveFrame(this.trials[i], this.chain[i].state, this.step, (i - from) * n, this.problem.limits);
      }
      const trialCost = this.cost(from, to);
      if (trialCost < cost) {
        cost = trialCost;
        for (let i = from; i < to; i++) copyFrameState(this.chain[i].state, this.trials[i]);
      } else {
        damping = Math.max(1e-2, damping * 100);
      }
    }
  }

  /** Cost of the trial states. */
  private cost(from: number, to: number): number {
    let cost = 0;
    for (let i = from; i < to; i++) {
      cost += this.equations.cost(this.clip, this.trials[i], this.chain[i].data, this.robustScale);
    }
    for (const bend of this.bends) {
      if (bend.first + 2 < from || bend.first >= to) continue;
      cost += this.bend(bend, this.trials);
    }
    return cost;
  }

  /** Fills `bent` and `stiffness`; returns the bend's cost. Rotations and positions are freed as one, expressions singly. */
  private bend({ first, factors }: Bend, states: readonly FrameState[]): number {
    const { bent, stiffness, sigmas } = this;
    const [a, b, c] = [states[first], states[first + 1], states[first + 2]];
    const before = axisAngleFromMatrix(multiplyMatrices(b.rotation, transposeMatrix(a.rotation)));
    const after = axisAngleFromMatrix(multiplyMatrices(c.rotation, transposeMatrix(b.rotation)));
    for (let k = 0; k < 3; k++) {
      bent[k] = factors[2] * after[k] - factors[0] * before[k];
      bent[3 + k] = factors[0] * a.position[k] + factors[1] * b.position[k] + factors[2] * c.position[k];
    }
    let cost = 0;
    for (let group = 0; group < 6; group += 3) {
      const sum = bent[group] ** 2 + bent[group + 1] ** 2 + bent[group + 2] ** 2;
      cost += free(sum, sigmas[group]);
      stiffness.fill(stiffnessOf(sum, sigmas[group]), group, group + 3);
    }
    for (let k = 0; k < a.expression.length; k++) {
      const i = POSE_UNKNOWNS + k;
      bent[i] = factors[0] * a.expression[k] + factors[1] * b.expression[k] + factors[2] * c.expression[k];
      cost += free(bent[i] * bent[i], sigmas[i]);
      stiffness[i] = stiffnessOf(bent[i] * bent[i], sigmas[i]);
    }
    return cost;
  }

  private findStep(from: number, to: number, damping: number): boolean {
    const { equations, band, step } = this;
    const n = equations.localCount;
    const bandwidth = 2 * n;
    const stride = bandwidth + 1;
    const size = (to - from) * n;
    band.fill(0, 0, size * stride);
    step.fill(0, 0, size);
    for (let frame = from; frame < to; frame++) {
      const { state, data } = this.chain[frame];
      equations.build(this.clip, state, data, this.robustScale, 'frame');
      const first = (frame - from) * n;
      for (let i = 0; i < n; i++) {
        const row = (first + i) * stride + bandwidth - i;
        for (let j = 0; j <= i; j++) band[row + j] = equations.hessian[j * n + i];
        step[first + i] = -equations.gradient[i];
      }
    }
    this.addBends(from, to);
    for (let i = 0; i < size; i++) band[i * stride + bandwidth] = band[i * stride + bandwidth] * (1 + damping) + 1e-9;
    this.holdAtLimits(from, to);
    if (!factorBandedCholesky(band, size, bandwidth)) return false;
    solveBanded(band, size, bandwidth, step);
    return true;
  }

  private addBends(from: number, to: number): void {
    const { band, step, bent, stiffness } = this;
    const n = this.equations.localCount;
    const bandwidth = 2 * n;
    const states = this.chain.map(({ state }) => state);
    for (const bend of this.bends) {
      if (bend.first + 2 < from || bend.first >= to) continue;
      this.bend(bend, states);
      for (let p = 0; p < 3; p++) {
        const frame = bend.first + p;
        if (frame < from || frame >= to) continue;
        for (let i = 0; i < n; i++) {
          const row = (frame - from) * n + i;
          const weight = stiffness[i] * bend.factors[p];
          step[row] -= weight * bent[i];
          for (let q = 0; q <= p; q++) {
            if (bend.first + q < from) continue;
            band[row * (bandwidth + 1) + bandwidth - (p - q) * n] += weight * bend.factors[q];
          }
        }
      }
    }
  }

  /** Takes the expressions that their gradient presses against a limit out of the step. */
  private holdAtLimits(from: number, to: number): void {
    const { band, step } = this;
    const n = this.equations.localCount;
    const bandwidth = 2 * n;
    const stride = bandwidth + 1;
    const size = (to - from) * n;
    for (let frame = from; frame < to; frame++) {
      for (let k = 0; k < n - POSE_UNKNOWNS; k++) {
        const i = (frame - from) * n + POSE_UNKNOWNS + k;
        if (!isHeld(this.chain[frame].state, this.problem.limits, k, -step[i])) continue;
        band.fill(0, i * stride, i * stride + bandwidth);
        for (let j = i + 1; j <= Math.min(size - 1, i + bandwidth); j++) band[j * stride + bandwidth - (j - i)] = 0;
        band[i * stride + bandwidth] = 1;
        step[i] = 0;
      }
    }
  }
}

/** Cauchy cost of a squared acceleration. */
function free(squared: number, sigma: number): number {
  const width = (FREE_MOTION * sigma) ** 2;
  return 0.5 * FREE_MOTION ** 2 * Math.log1p(squared / width);
}

function stiffnessOf(squared: number, sigma: number): number {
  const width = (FREE_MOTION * sigma) ** 2;
  return 1 / (sigma * sigma * (1 + squared / width));
}
