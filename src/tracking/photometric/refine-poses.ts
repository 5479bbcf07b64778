import type { HeadModel } from '../../head/head-model.ts';
import type { CropSquare } from '../crop.ts';
import { FrameSolver, type FrameProblem } from '../solve-frame.ts';
import { solveOffsets } from '../solve-offsets.ts';
import { frameResidual } from '../solve-residual.ts';
import { solveSequence, type MotionPrior } from '../solve-sequence.ts';
import type { SolveFrame } from '../solve-shared.ts';
import { copyFrameState, createFrameState, type ClipState, type FrameState } from '../solve-state.ts';
import { averageAppearance, takeFeatures, type Appearance } from './appearance.ts';
import type { FeaturePyramid } from './feature-image.ts';
import type { FramePicture } from './frame-picture.ts';
import { SurfaceDepth } from './surface-depth.ts';
import { sampleSurface, type SurfaceSamples } from './surface-samples.ts';
import { findVisible } from './visibility.ts';

/** A solved frame whose picture is known. */
export interface PicturedFrame extends SolveFrame {
  readonly crop: CropSquare;
  readonly pyramid: FeaturePyramid;
  /** Whether the picture may teach how the head looks: never true for frames that are held out. */
  readonly isLearned: boolean;
}

/** Picture levels that the pass needs, the finest about this wide. */
export const PICTURE_SIZE = 256;
export const PICTURE_LEVELS = 3;

/** Levels of the rounds: each first averages the appearance, then moves the heads. */
const SCHEDULE = [2, 1, 1, 0, 0];
const ITERATIONS = 4;
const SAMPLE_COUNT = 6000;
/** Per level, every which sample is compared: a face of 256² has two pixels per sample, one of 64² an eighth of one. */
const STRIDES = [1, 2, 4];
/** What a sample counts beside the landmarks. */
const WEIGHT = 4;
const ROBUST_SCALE = 2.5;
/** Fewer frames than this do not tell what is the head and what is their own error. */
const LEAST_LEARNED = 8;
/** A picture needs this many points that show, and this mean square of their features. */
const LEAST_VISIBLE = 150;
const LEAST_TEXTURE = 0.05;
/** All frames' landmarks share the net's errors: together they count as this many independent frames. */
const EFFECTIVE_FRAMES = 40;
/** Pictures know motion far better than landmarks do: their prior is that much looser. */
const MOTION: MotionPrior = { rotation: 0.02, position: 0.006, expression: 0.2 };
/** Pixels at 512²: landmarks further off than this say that the pass went astray. */
const LARGEST_RESIDUAL = 6;
/** Correlation of a frame's features with the appearance below which it shows something else: blur, a hand, noise. */
const LEAST_LIKENESS = 0.1;

/** What the pass takes over from the landmark solve. */
export interface RefineInputs {
  readonly head: HeadModel;
  readonly problem: FrameProblem;
  readonly clip: ClipState;
  /** Source pixels. */
  readonly video: { readonly width: number; readonly height: number };
  /** Pixels at 512²: scale of the landmarks' robust weights. */
  readonly robustScale: number;
  /** L metres: how far landmarks may lie off the embedding. */
  readonly offsetSigmas: Float64Array;
}

/**
 * The photometric last pass: how the head looks is averaged over the learned frames, every frame's pose and expression
 * moves to where its picture agrees (landmarks stay as a prior), and so on from coarse to fine. What landmarks cannot
 * place (a turn seen in the hair, a cheek) comes from the picture, and their noise goes. Landmarks that lie off by rule
 * follow (`solveOffsets`), so that they do not pull against the picture. `chains` are runs of frames of one motion.
 * Improves the states and the clip's offsets in place; frames without texture, and frames that the pass would lead
 * astray, keep what the landmarks gave.
 */
export async function refinePoses(
  inputs: RefineInputs,
  chains: readonly (readonly PicturedFrame[])[],
  pause: (done: number, total: number) => Promise<void>,
): Promise<void> {
  const { head, clip } = inputs;
  const samples = sampleSurface(head, clip.identity, SAMPLE_COUNT);
  const workChains = chains.map((chain) =>
    chain.map((frame) => prepareFrame(inputs, frame)).filter((frame) => isTextured(samples, clip, frame)),
  );
  const work = workChains.flat();
  const learned = work.filter(({ isLearned }) => isLearned);
  if (learned.length < LEAST_LEARNED) return;
  const depth = new SurfaceDepth(samples);
  for (const [round, level] of SCHEDULE.entries()) {
    for (const frame of work) findVisible(samples, clip, frame.state, frame.picture);
    depth.improve(clip, learned, averageAppearance(samples, clip, learned, level));
    const appearance = averageAppearance(samples, clip, learned, level);
    solveOffsets(inputs.problem, clip, learned, inputs.robustScale, inputs.offsetSigmas, EFFECTIVE_FRAMES);
    const photometric = { samples, appearance, weight: WEIGHT, stride: STRIDES[level], robustScale: ROBUST_SCALE };
    const problem = { ...inputs.problem, photometric };
    const solver = new FrameSolver(problem);
    for (const [i, frame] of work.entries()) {
      solver.solve(clip, frame.state, frame.data, inputs.robustScale, ITERATIONS);
      await pause(round * work.length + i, SCHEDULE.length * work.length);
    }
    for (const chain of workChains) solveSequence(problem, MOTION, clip, chain, inputs.robustScale, 1);
  }
  const appearance = averageAppearance(samples, clip, learned, 0);
  for (const frame of work) {
    const residual = frameResidual(inputs.problem.basis, clip, frame.state, frame.data);
    const isExplained = residual <= LARGEST_RESIDUAL && likeness(samples, clip, frame, appearance) >= LEAST_LIKENESS;
    if (!isExplained) copyFrameState(frame.state, frame.start);
  }
}

interface WorkFrame extends SolveFrame {
  readonly picture: FramePicture;
  readonly isLearned: boolean;
  /** What the landmarks gave. */
  readonly start: FrameState;
}

function prepareFrame({ video }: RefineInputs, { state, data, crop, pyramid, isLearned }: PicturedFrame): WorkFrame {
  const scale = pyramid.levels[0].size / crop.size;
  const picture = {
    pyramid,
    scale,
    x: (video.width / 2 - crop.x) * scale,
    y: (video.height / 2 - crop.y) * scale,
    visible: new Uint32Array(0),
    weights: new Float32Array(0),
  };
  const start = createFrameState(state.expression.length);
  copyFrameState(start, state);
  return { state, start, picture, isLearned, data: { ...data, picture } };
}

/** Correlation −1…1 of what the frame shows with what the surface looks like. */
function likeness(
  samples: SurfaceSamples,
  clip: ClipState,
  frame: WorkFrame,
  { level, reference }: Appearance,
): number {
  const features = takeFeatures(samples, clip, frame, level);
  let [product, seen, known] = [0, 0, 0];
  frame.picture.visible.forEach((sample, i) => {
    product += features[i] * reference[sample];
    seen += features[i] ** 2;
    known += reference[sample] ** 2;
  });
  return product / Math.sqrt(seen * known || 1);
}

function isTextured(samples: SurfaceSamples, clip: ClipState, frame: WorkFrame): boolean {
  findVisible(samples, clip, frame.state, frame.picture);
  const features = takeFeatures(samples, clip, frame, 0);
  const squares = features.reduce((sum, value) => sum + value * value, 0);
  return features.length >= LEAST_VISIBLE && squares >= LEAST_TEXTURE * features.length;
}
