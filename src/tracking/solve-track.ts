import { arkitFromEyePose } from '../head/eye-pose.ts';
import type { HeadModel } from '../head/head-model.ts';
import { median } from '../math/median.ts';
import type { OnProgress } from '../video/frame.ts';
import type { CropSquare } from './crop.ts';
import type { FaceObservation } from './observation.ts';
import { assembleTrack } from './solve-assemble.ts';
import { solveDepthOffsets } from './solve-depth.ts';
import { findStretches, residualThreshold } from './solve-exclusion.ts';
import type { FeaturePyramid } from './photometric/feature-image.ts';
import { refinePoses, type PicturedFrame } from './photometric/refine-poses.ts';
import { FrameSolver, type FrameProblem } from './solve-frame.ts';
import { solveGaze, type Gaze } from './solve-gaze.ts';
import { initializePose } from './solve-initial.ts';
import { chooseKeyframes } from './solve-keyframes.ts';
import { FACE_MESH_PARTS, landmarkBasis, landmarkWeights } from './solve-landmarks.ts';
import { prepareFrame, scoreBaseline } from './solve-observations.ts';
import { solveOffsets } from './solve-offsets.ts';
import { frameResidual } from './solve-residual.ts';
import { solveSequence, type MotionPrior } from './solve-sequence.ts';
import { solveShared, type SharedPrior, type SolveFrame } from './solve-shared.ts';
import { createClipState, createFrameState, type ClipState } from './solve-state.ts';
import { checkOptions, SOLVE_TRACK_DEFAULTS, type SolveTrackOptions } from './solve-track-options.ts';
import type { Track } from './track.ts';

/** No frame shows a face that the solver can use. */
export class NoUsableFaceError extends Error {
  override readonly name = 'NoUsableFaceError';
}

const PIXEL_SIGMA = 2.5;
/** Between what rendered heads ask for (2.5: nods come out whole) and real ones (6: brows do not make up for nods). */
const DEPTH_SIGMA = 4;
const EXPRESSION_SPARSITY = 1;
const EXPRESSION_PRIOR = { scoredSigma: 0.15, unscoredSigma: 0.5 };
const KEYFRAME_COUNT = 20;
/** All keyframes' landmarks share the net's errors: together they count as this many independent frames. */
const EFFECTIVE_FRAMES = 4;
/**
 * Landmarks barely tell a near head in a wide view from a far one in a narrow view: on real clips the residual is flat
 * from 20° to 75°. So beliefs decide: heads are filmed from about this far (metres), cameras see about this wide
 * (diagonal, radians; cropped clips see less). The standard deviations of the logarithms are tighter than the beliefs,
 * because what perspective the net's points show is mostly its own habit.
 */
const USUAL_DISTANCE = { value: 0.65, sigma: 0.04 };
const USUAL_FIELD_OF_VIEW = { value: (50 * Math.PI) / 180, sigma: 0.08 };
/** Standard deviation of the logarithm of a focal length that was given. */
const GIVEN_FOCAL_SIGMA = 0.02;
const MOTION: MotionPrior = { rotation: 0.006, position: 0.002, expression: 0.06 };
/** Pixels at 512²: start and end of the robust scale (Geman–McClure). */
const COARSE_SCALE = 25;
const FINE_SCALE = 9;
/** A stretch after a cut whose residual is this many times the main one's shows someone or something else. */
const FOREIGN_RATIO = 1.5;

/** Standard deviation of an `eyeLook*` weight about what the eyeball's turn asks for. */
const GAZE_LID_SIGMA = 0.15;
/** Metres: how far landmarks may lie off the model's embedding. Lids and lips must stay on the model's own edges. */
const OFFSET_SIGMA = 0.0025;
const OFFSET_SIGMA_FEATURES = 0.001;
const OFFSET_SIGMA_OVAL = 0.005;

/** A frame on its way through the solver. */
export interface TrackedFrame extends SolveFrame {
  readonly crop: CropSquare;
  readonly landmarks: Float32Array | null;
  readonly isReported: boolean;
  excluded: string | null;
}

/**
 * From landmarks to a track: one focal length and identity for the clip; rotation, translation, expression and gaze per
 * frame. Landmarks alone barely tell focal length from distance: priors weigh in. The net's z counts a little.
 * The jaw moves by the expression `jawOpen`: `jawPose` stays zero. Draws no random numbers: the same input gives the
 * same track. Frames that cannot be explained come back with the reason in `excluded` and a pose interpolated from
 * their neighbours. Throws `NoUsableFaceError` when no frame is left, `RangeError` for options that do not fit.
 *
 * Order: rigid poses (affine start), keyframes that differ most, joint solve of focal, identity and their expressions,
 * constant landmark offsets, every frame alone, exclusions, a second joint solve, whole clip with the motion prior.
 * `TrackSolver` goes on with the frames' pictures.
 */
export async function solveTrack(
  head: HeadModel,
  observations: readonly FaceObservation[],
  options: SolveTrackOptions,
  onProgress?: OnProgress,
  signal?: AbortSignal,
): Promise<Track> {
  return new TrackSolver(head, observations, options, onProgress, signal).solve();
}

/** `solveTrack` in two steps: what pictures add comes when there are pictures. */
export class TrackSolver {
  private readonly head: HeadModel;
  private readonly options: Required<SolveTrackOptions>;
  private readonly problem: FrameProblem;
  /** Mean and standard deviation of the logarithm of the focal length. */
  private focalPrior = { logFocal: 0, logFocalSigma: 1 };
  private readonly clip: ClipState;
  private readonly frames: TrackedFrame[];
  private readonly solver: FrameSolver;
  /** Without depths, whose offsets are not known at first. */
  private readonly flatSolver: FrameSolver;
  private readonly offsetSigmas: Float64Array;
  private readonly warnings: string[] = [];
  private readonly onProgress: OnProgress | undefined;
  private readonly signal: AbortSignal | undefined;
  private stretches: readonly TrackedFrame[][] = [];
  private lastPause = performance.now();

  /** As `solveTrack`. Throws `RangeError` for options that do not fit. */
  constructor(
    head: HeadModel,
    observations: readonly FaceObservation[],
    given: SolveTrackOptions,
    onProgress?: OnProgress,
    signal?: AbortSignal,
  ) {
    checkOptions(observations, given);
    const options = { ...SOLVE_TRACK_DEFAULTS, ...given };
    this.head = head;
    this.options = options;
    this.onProgress = onProgress;
    this.signal = signal;
    const basis = landmarkBasis(head);
    this.problem = {
      basis,
      weights: landmarkWeights(basis.landmarkCount),
      limits: Float64Array.from(head.expressionLimits),
      pixelSigma: PIXEL_SIGMA,
      depthSigma: DEPTH_SIGMA,
      expressionSparsity: EXPRESSION_SPARSITY,
    };
    const video = { width: options.videoWidth, height: options.videoHeight };
    const diagonal = Math.hypot(video.width, video.height);
    this.clip = createClipState(basis, diagonal / 2 / Math.tan((options.fieldOfView ?? USUAL_FIELD_OF_VIEW.value) / 2));
    this.solver = new FrameSolver(this.problem);
    this.flatSolver = new FrameSolver({ ...this.problem, depthSigma: Number.POSITIVE_INFINITY });
    this.offsetSigmas = offsetSigmas(basis.landmarkCount);
    const baseline = scoreBaseline(observations);
    this.frames = observations.map((observation, i) => ({
      ...prepareFrame(head, observation, options.crops[i], video, basis.landmarkCount, EXPRESSION_PRIOR, baseline),
      crop: options.crops[i],
      state: createFrameState(basis.expressionCount),
    }));
  }

  /** The track by landmarks alone. */
  async solve(): Promise<Track> {
    await this.solvePoses();
    this.expectFocal();
    const stretches = this.splitStretches();
    this.stretches = stretches;
    const main = stretches.reduce((best, stretch) => (stretch.length > best.length ? stretch : best));
    await this.solveClip(main, 2);
    await this.solveEachFrame(10);
    this.excludeForeign(stretches, main);
    this.excludeUnexplained();
    this.alignLidsWithGaze();
    await this.solveClip(this.included(main), 1);
    await this.solveEachFrame(6);
    if (this.options.smooth) await this.smoothStretches(stretches);
    this.excludeUnexplained();
    if (this.included(this.frames).length === 0) this.throwNothingLeft();
    return this.assemble();
  }

  /**
   * The track again, improved by pictures: one per frame (null: none), and whether it may teach how the head looks (held
   * out frames never may). Excluded frames stay so. Once, after `solve`.
   */
  async refine(pictures: readonly (FeaturePyramid | null)[], isLearned: readonly boolean[]): Promise<Track> {
    const index = new Map(this.frames.map((frame, i) => [frame, i]));
    const chains = this.stretches.map((stretch) =>
      this.included(stretch).flatMap((frame): PicturedFrame[] => {
        const i = index.get(frame)!;
        const pyramid = pictures[i];
        return pyramid ? [{ ...frame, pyramid, isLearned: isLearned[i] === true }] : [];
      }),
    );
    const { head, problem, clip, offsetSigmas } = this;
    const video = { width: this.options.videoWidth, height: this.options.videoHeight };
    await refinePoses({ head, problem, clip, video, robustScale: FINE_SCALE, offsetSigmas }, chains, (done, total) =>
      this.pause('pictures', done, total),
    );
    return this.assemble();
  }

  private assemble(): Track {
    const gaze = this.gaze();
    const { neckFraction, size } = this.options;
    const video = { width: this.options.videoWidth, height: this.options.videoHeight };
    return assembleTrack(this.head, this.problem.basis, this.clip, this.frames, gaze, this.warnings, {
      neckFraction,
      size,
      video,
    });
  }

  /** Rigid poses of the mean face. */
  private async solvePoses(): Promise<void> {
    for (const [i, frame] of this.frames.entries()) {
      if (frame.excluded !== null) continue;
      if (initializePose(this.problem, this.clip, frame.data, frame.state)) {
        this.flatSolver.solve(this.clip, frame.state, frame.data, COARSE_SCALE, 8, true);
      } else {
        frame.excluded = 'its face points do not determine a head pose';
      }
      await this.pause('head pose', i, this.frames.length);
    }
    const usable = this.included(this.frames);
    if (usable.length === 0) this.throwNothingLeft();
    solveDepthOffsets(this.problem, this.clip, usable, EFFECTIVE_FRAMES);
  }

  /** The focal length that a field of view and the usual distance agree on; a given field of view counts alone. */
  private expectFocal(): void {
    const { logFocal } = this.clip;
    if (this.options.fieldOfView !== null) {
      this.focalPrior = { logFocal, logFocalSigma: GIVEN_FOCAL_SIGMA };
      return;
    }
    // Depth is focal·exp(position[2]), and the picture fixes position[2].
    const middle = median(this.included(this.frames).map(({ state }) => state.position[2]));
    const byDistance = Math.log(USUAL_DISTANCE.value) - middle;
    const [a, b] = [1 / USUAL_FIELD_OF_VIEW.sigma ** 2, 1 / USUAL_DISTANCE.sigma ** 2];
    this.clip.logFocal = (a * logFocal + b * byDistance) / (a + b);
    this.focalPrior = { logFocal: this.clip.logFocal, logFocalSigma: 1 / Math.sqrt(a + b) };
  }

  /** Continuous stretches of usable frames; strays are excluded. */
  private splitStretches(): TrackedFrame[][] {
    const usable = this.included(this.frames);
    const { stretches, strays } = findStretches(this.clip, usable);
    for (const i of strays) usable[i].excluded = 'the head jumps there and back';
    for (const stretch of stretches.slice(1)) {
      this.warnings.push(
        `The head jumps at frame ${usable[stretch[0]].data.sourceIndex}: taken as a cut; motion is not smoothed across it.`,
      );
    }
    return stretches.map((stretch) => stretch.map((i) => usable[i]));
  }

  /** Focal length, identity and offsets from keyframes of the given frames. */
  private async solveClip(frames: readonly TrackedFrame[], rounds: number): Promise<void> {
    const keyframes = chooseKeyframes(this.problem, this.clip, frames, KEYFRAME_COUNT).map((i) => frames[i]);
    const weight = Math.max(1, keyframes.length / EFFECTIVE_FRAMES);
    const prior: SharedPrior = {
      ...this.focalPrior,
      weight,
      identityWeight: (this.head.identityFirmness ?? 1) * weight,
    };
    const pause = (): Promise<void> => this.pause('identity', 0, 1);
    for (let round = 0; round < rounds; round++) {
      const scale = round === 0 && rounds > 1 ? COARSE_SCALE : FINE_SCALE;
      await solveShared(this.problem, prior, this.clip, keyframes, scale, round === 0 ? 8 : 5, pause);
      solveOffsets(this.problem, this.clip, keyframes, FINE_SCALE, this.offsetSigmas, EFFECTIVE_FRAMES);
      solveDepthOffsets(this.problem, this.clip, keyframes, EFFECTIVE_FRAMES);
    }
    await solveShared(this.problem, prior, this.clip, keyframes, FINE_SCALE, 3, pause);
  }

  /** Every frame alone; the first time each starts from its solved neighbour where that fits better. */
  private async solveEachFrame(iterations: number): Promise<void> {
    const usable = this.included(this.frames);
    for (const [i, frame] of usable.entries()) {
      this.solver.solve(this.clip, frame.state, frame.data, FINE_SCALE, iterations);
      await this.pause('expression', i, usable.length);
    }
  }

  private excludeForeign(stretches: readonly TrackedFrame[][], main: readonly TrackedFrame[]): void {
    const usual = median(this.residuals(main));
    for (const stretch of stretches) {
      if (stretch === main || median(this.residuals(stretch)) <= Math.max(2, FOREIGN_RATIO * usual)) continue;
      for (const frame of stretch) frame.excluded ??= 'after a cut, another face or camera';
    }
  }

  private excludeUnexplained(): void {
    const usable = this.included(this.frames);
    const residuals = this.residuals(usable);
    const threshold = residualThreshold(residuals);
    usable.forEach((frame, i) => {
      if (residuals[i] <= threshold) return;
      frame.excluded = `its landmarks lie ${residuals[i].toFixed(1)} px off, more than ${threshold.toFixed(1)} px`;
    });
  }

  private async smoothStretches(stretches: readonly TrackedFrame[][]): Promise<void> {
    for (const stretch of stretches) {
      const chain = this.included(stretch);
      for (let pass = 0; pass < 2; pass++) {
        solveSequence(this.problem, MOTION, this.clip, chain, FINE_SCALE, 1);
        await this.pause('motion', pass, 2);
      }
    }
  }

  /** Turns of the eyeballs; frames without irises look straight ahead. */
  private gaze(): Gaze {
    const principal = [this.options.videoWidth / 2, this.options.videoHeight / 2] as const;
    const frames = this.frames.map(({ state, data, landmarks, excluded }) => ({
      state,
      timestamp: data.timestamp,
      landmarks: excluded === null ? landmarks : null,
      principal,
    }));
    return solveGaze(this.head, this.clip, frames);
  }

  /** The lids' `eyeLook*` shapes follow the eyeballs: a lowered gaze lowers the upper lid without a blink. */
  private alignLidsWithGaze(): void {
    const gaze = this.gaze();
    if (!gaze.observed) return;
    this.frames.forEach(({ data }, i) => {
      const weights = arkitFromEyePose({
        leftEyePose: Float32Array.from(gaze.left.subarray(i * 2, i * 2 + 2)),
        rightEyePose: Float32Array.from(gaze.right.subarray(i * 2, i * 2 + 2)),
      });
      this.head.expressionNames.forEach((name, k) => {
        if (!(name in weights)) return;
        data.expressionPrior[k] = weights[name];
        data.expressionPrecision[k] = 1 / GAZE_LID_SIGMA ** 2;
      });
    });
  }

  private included(frames: readonly TrackedFrame[]): TrackedFrame[] {
    return frames.filter(({ excluded }) => excluded === null);
  }

  private residuals(frames: readonly TrackedFrame[]): number[] {
    return frames.map(({ state, data }) => frameResidual(this.problem.basis, this.clip, state, data));
  }

  private throwNothingLeft(): never {
    const reasons = new Map<string, number>();
    for (const { excluded } of this.frames) {
      if (excluded !== null) reasons.set(excluded, (reasons.get(excluded) ?? 0) + 1);
    }
    const [reason, count] = [...reasons].sort((a, b) => b[1] - a[1])[0] ?? ['there are no frames', 0];
    throw new NoUsableFaceError(
      `No frame can be tracked (${count} of ${this.frames.length}: ${reason}). ` +
        'Use a clip in which one face, lit and unobstructed, looks towards the camera.',
    );
  }

  /** Lets the page or the process breathe, tells progress, and stops when asked to. */
  private async pause(note: string, done: number, total: number): Promise<void> {
    if (performance.now() - this.lastPause < 50) return;
    this.onProgress?.({ stage: 'track', done, total, note });
    await new Promise<void>((resolve) => {
      setTimeout(resolve);
    });
    this.lastPause = performance.now();
    this.signal?.throwIfAborted();
  }
}

function offsetSigmas(landmarkCount: number): Float64Array {
  const sigmas = new Float64Array(landmarkCount).fill(OFFSET_SIGMA);
  const set = (indices: readonly number[], sigma: number): void => {
    for (const index of indices) if (index < landmarkCount) sigmas[index] = sigma;
  };
  const { faceOval, lipsOuter, lipsInner, leftEyelids, rightEyelids } = FACE_MESH_PARTS;
  set(faceOval, OFFSET_SIGMA_OVAL);
  set([...lipsOuter, ...lipsInner, ...leftEyelids, ...rightEyelids], OFFSET_SIGMA_FEATURES);
  return sigmas;
}
