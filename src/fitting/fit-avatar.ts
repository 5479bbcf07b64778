import type { Avatar } from '../avatar/avatar.ts';
import type { GaussianSet } from '../gaussians/layout.ts';
import { readFloats } from '../gpu/buffer.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { unpadVertices } from '../head/deformation/layout.ts';
import type { HeadModel } from '../head/head-model.ts';
import { packPose, unpackPose, type HeadPose } from '../head/pose.ts';
import type { LossHistory, LossRecord } from '../losses/loss-history.ts';
import { learnTrackCorrection } from '../tracking/track-correction.ts';
import type { OnProgress } from '../video/frame.ts';
import {
  captureCheckpoint,
  decodeCheckpoint,
  encodeCheckpoint,
  restoreCheckpoint,
  type Checkpoint,
  type CheckpointStore,
} from './checkpoint.ts';
import { checkClip, UnusableClipError, type Clip } from './clip.ts';
import type { FitOptions } from './fit-options.ts';
import { childrenInAll, fillStep, FrameOrder, recolorSteps } from './schedule.ts';
import { LOSS_SLOTS, STEPS_PER_SUBMIT, type PerceptualInputs, type TrainingInputs } from './training-parts.ts';
import { Training } from './training.ts';
import { measureSurface } from './measure-surface.ts';
import { filled, finished, recolored, type SeenSurface } from './seen-surface.ts';
import { outlineOffsets } from './outline.ts';
import { personalHead } from './personal-head.ts';
import { canonicalPoseOf, frontalPose, initialGaussians } from './initial-state.ts';

export interface FitInputs {
  readonly head: HeadModel;
  readonly identityCoefficients: Float32Array;
  /** Training frames alone: held-out frames must not be in it. */
  readonly clip: Clip;
  /** The net of the perceptual term (method §3); without it 1 − SSIM stands in alone. */
  readonly perceptual?: PerceptualInputs;
}

export interface FitContext {
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
  readonly checkpoints?: CheckpointStore;
  /** Names everything that the result depends on; a checkpoint with another key is not resumed. */
  readonly key?: string;
  /** Steps between checkpoints. The result does not depend on it. Default `CHECKPOINT_STEPS`. */
  readonly checkpointSteps?: number;
  /** (Gaussian, tile) pairs of one image that there is room for at first; more is made when needed. Same result. */
  readonly intersectionCapacity?: number;
  readonly log?: (line: string) => void;
}

export interface FitResult {
  readonly avatar: Avatar;
  /** Poses of the clip's frames as refined along the way. */
  readonly refinedPoses: readonly HeadPose[];
  /** Losses of all steps of this run (those before a resume are in `losses` too). */
  readonly losses: readonly LossPoint[];
  /** Optimisation steps per second of this process's part of the run, checkpoints included. */
  readonly stepsPerSecond: number;
}

/** Mean losses over some steps. */
export interface LossPoint extends LossRecord {
  readonly step: number;
}

/** Steps between checkpoints, which are also when losses are read and the intersection list is checked. */
export const CHECKPOINT_STEPS = 500;

/**
 * Stage I: fits Gaussians on the head's surface, and the head's deltas, to the clip (method §§1–4). Deterministic: one
 * seed on one device gives identical avatars, also when the run was stopped and resumed from its checkpoints.
 */
export async function fitAvatar(
  gpu: Gpu,
  inputs: FitInputs,
  options: FitOptions,
  context: FitContext = {},
): Promise<FitResult> {
  const { clip } = inputs;
  checkOptions(options);
  checkClip(clip);
  const { checkpointSteps = CHECKPOINT_STEPS } = context;
  if (!(Number.isInteger(checkpointSteps) && checkpointSteps >= 1 && checkpointSteps <= LOSS_SLOTS)) {
    throw new RangeError(`checkpointSteps is ${checkpointSteps}; give a whole number from 1 to ${LOSS_SLOTS}`);
  }
  const order = new FrameOrder(clip.frames.length, options.seed);
  if (!clip.frames.some((_, frame) => clip.pixels(frame).some((pixel) => pixel >>> 24 !== 0))) {
    throw new UnusableClipError('the mattes of all frames are empty: there is no head to learn; track the video again');
  }
  const trainingInputs = trainingInputsOf(inputs, options);
  const run = new FitRun(gpu, trainingInputs, order, context);
  try {
    await run.begin();
    while (!run.isDone) await run.advance();
    return await run.result();
  } finally {
    run.dispose();
  }
}

/** What a fit's training starts from: Gaussians over the atlas, the mesh within the mattes, the canonical pose, room to grow. */
export function trainingInputsOf(inputs: FitInputs, options: FitOptions): TrainingInputs {
  const { head, identityCoefficients, clip } = inputs;
  const canonical = canonicalPoseOf(head, clip);
  const shape = options.deltas ? { vertexOffset: outlineOffsets(head, identityCoefficients, clip) } : {};
  return {
    ...shape,
    head,
    identityCoefficients,
    initial: initialGaussians({ head, identityCoefficients, clip, ...shape }, canonical, options),
    canonical,
    clip,
    options,
    capacity: capacityOf(options),
    supportThreshold: options.supportThreshold,
    ...(inputs.perceptual ? { perceptual: inputs.perceptual } : {}),
  };
}

/** The avatar that a training holds, with its poses of the clip's frames. Reads back: for the end of a stage. */
export async function trainedAvatar(
  gpu: Gpu,
  training: Training,
  { head, identityCoefficients, clip, options }: TrainingInputs,
): Promise<{ avatar: Avatar; refinedPoses: HeadPose[] }> {
  const { deformation } = training;
  const gaussians = await training.gaussians.read();
  checkGaussians(gaussians);
  const refinedPoses = await readPoses(gpu, training, clip);
  const avatar: Avatar = {
    head: personalHead(head, identityCoefficients, deformation.support, await deformation.readDisplacements()),
    vertexOffset: unpadVertices(await readFloats(gpu, deformation.vertexOffset), head.vertexCount),
    gaussians,
    canonicalSizes: await training.placement.readCanonicalSizes(),
    neutralPose: frontalPose(clip),
    camera: clip.frames[0]!.camera,
    identityCoefficients,
    trackCorrection: options.refineTrack
      ? learnTrackCorrection(
          clip.frames.map((frame) => frame.pose),
          refinedPoses,
        )
      : null,
  };
  return { avatar, refinedPoses };
}

async function readPoses(gpu: Gpu, training: Training, clip: Clip): Promise<HeadPose[]> {
  const poses = await readFloats(gpu, training.poses);
  const stride = training.poseStride / 4;
  const length = packPose(clip.frames[0]!.pose).length;
  return clip.frames.map((_, frame) => unpackPose(poses.slice(frame * stride, frame * stride + length)));
}

/** One fit from checkpoint to checkpoint. */
class FitRun {
  readonly #gpu: Gpu;
  readonly #inputs: TrainingInputs;
  readonly #order: FrameOrder;
  readonly #context: FitContext;
  #training!: Training;
  #checkpoint!: Checkpoint;
  #losses: LossPoint[] = [];
  #intersectionCapacity: number | undefined;
  #startedAt = 0;
  #startedWith = 0;

  constructor(gpu: Gpu, inputs: TrainingInputs, order: FrameOrder, context: FitContext) {
    this.#gpu = gpu;
    this.#inputs = inputs;
    this.#order = order;
    this.#context = context;
  }

  get isDone(): boolean {
    return this.#checkpoint.step >= this.#inputs.options.steps;
  }

  async begin(): Promise<void> {
    const { checkpoints, key = '', log } = this.#context;
    const stored = await checkpoints?.read();
    const resumed = stored ? decodeCheckpoint(stored, key) : null;
    if (stored && !resumed) log?.('The checkpoint in the folder is of another run or damaged; the fit starts afresh.');
    this.#intersectionCapacity = this.#context.intersectionCapacity;
    if (resumed?.notes['intersections'])
      this.#intersectionCapacity = Number(resumed.notes['intersections']) || undefined;
    this.#training = await this.#createTraining();
    if (resumed) {
      this.#restore(resumed);
      this.#losses = JSON.parse(resumed.notes['losses'] ?? '[]') as LossPoint[];
      this.#checkpoint = resumed;
      log?.(`The fit goes on from step ${resumed.step}.`);
    } else {
      this.#checkpoint = await this.#capture(0);
    }
    this.#startedAt = performance.now();
    this.#startedWith = this.#checkpoint.step;
  }

  /** Runs up to the next checkpoint and writes it. */
  async advance(): Promise<void> {
    const { options } = this.#inputs;
    const from = this.#checkpoint.step;
    const fillAt = fillStep(options);
    const next = from + (this.#context.checkpointSteps ?? CHECKPOINT_STEPS);
    const recolorAt = recolorSteps(options);
    const to = Math.min(options.steps, next, ...[fillAt, ...recolorAt].filter((step) => step > from));
    await this.#runSteps(from, to);
    const needed = await this.#training.rasterizer.neededIntersections();
    if (needed > this.#training.rasterizer.intersectionCapacity) {
      await this.#growIntersections(needed);
      return; // the same stretch again, from its beginning
    }
    this.#losses = [...this.#losses, ...(await readLossPoints(this.#training.history, from, to))];
    const last = this.#losses[this.#losses.length - 1]!;
    if (!Number.isFinite(last.total)) {
      throw new Error(
        `the loss is ${last.total} after step ${to}: please report this clip. The last good checkpoint is kept.`,
      );
    }
    if (to === fillAt) await this.#change(filled);
    if (recolorAt.includes(to)) await this.#change(to === options.steps ? finished : recolored);
    this.#checkpoint = await this.#capture(to);
    await this.#context.checkpoints?.write(encodeCheckpoint(this.#checkpoint));
  }

  async result(): Promise<FitResult> {
    const { options } = this.#inputs;
    const { avatar, refinedPoses } = await trainedAvatar(this.#gpu, this.#training, this.#inputs);
    const seconds = (performance.now() - this.#startedAt) / 1000;
    return {
      avatar,
      refinedPoses,
      losses: this.#losses,
      stepsPerSecond: seconds > 0 ? (options.steps - this.#startedWith) / seconds : 0,
    };
  }

  /** Replaces the learned set by what `change` makes of it and of what the clip shows of it. */
  async #change(change: (surface: SeenSurface) => GaussianSet): Promise<void> {
    this.#training.gaussians.write(change(await measureSurface(this.#gpu, this.#training, this.#inputs)));
  }

  dispose(): void {
    this.#training?.dispose();
  }

  async #runSteps(from: number, to: number): Promise<void> {
    const { onProgress, signal } = this.#context;
    const { options } = this.#inputs;
    const commands = this.#training.commands();
    let pending: Promise<void> | null = null;
    for (let done = from; done < to;) {
      const end = Math.min(to, done + STEPS_PER_SUBMIT);
      for (let step = done + 1; step <= end; step++)
        await this.#training.takeStep(commands, step, this.#order.at(step - 1));
      commands.submit();
      // One submit runs while the next is recorded; more in flight would only use memory and delay Ctrl-C.
      await pending;
      pending = commands.done();
      done = end;
      signal?.throwIfAborted();
      const note = this.#losses.length > 0 ? `loss ${this.#losses[this.#losses.length - 1]!.total.toFixed(4)}` : '';
      onProgress?.({ stage: 'fit', done, total: options.steps, note });
    }
    await pending;
  }

  async #capture(step: number): Promise<Checkpoint> {
    return captureCheckpoint(this.#gpu, this.#training.persistent, {
      step,
      key: this.#context.key ?? '',
      notes: {
        losses: JSON.stringify(this.#losses),
        frameUpdates: JSON.stringify([...this.#training.frameUpdates]),
        intersections: String(this.#intersectionCapacity ?? ''),
      },
    });
  }

  #restore(checkpoint: Checkpoint): void {
    restoreCheckpoint(this.#gpu, this.#training.persistent, checkpoint);
    this.#training.frameUpdates.set(JSON.parse(checkpoint.notes['frameUpdates'] ?? '[]') as number[]);
    this.#training.rebuildIndex();
  }

  /** An image needed more Gaussian–tile pairs than there was room for: repeat the stretch with twice the need. */
  async #growIntersections(needed: number): Promise<void> {
    this.#intersectionCapacity = Math.ceil(needed * 1.5);
    this.#training.dispose();
    this.#training = await this.#createTraining();
    this.#restore(this.#checkpoint);
  }

  async #createTraining(): Promise<Training> {
    this.#intersectionCapacity ??= this.#inputs.capacity * 8 + this.#inputs.clip.size * 16;
    return Training.create(this.#gpu, { ...this.#inputs, intersectionCapacity: this.#intersectionCapacity });
  }
}

/** Mean losses of every 50 of the steps after `from` up to `to`, at most `LOSS_SLOTS` of them. */
export async function readLossPoints(history: LossHistory, from: number, to: number): Promise<LossPoint[]> {
  const records = await history.read();
  const points: LossPoint[] = [];
  for (let first = from; first < to; first += 50) {
    const steps = Math.min(50, to - first);
    const sums: Record<string, number> = {};
    let looks = 0;
    for (let step = first; step < first + steps; step++) {
      const record = records[step % LOSS_SLOTS]!;
      for (const [term, value] of Object.entries(record)) sums[term] = (sums[term] ?? 0) + value / steps;
      if (record.perceptual !== 0) looks++;
    }
    // Not every step has this term: its mean is over those that do.
    if (looks > 0) sums['perceptual']! *= steps / looks;
    points.push({ ...(sums as unknown as LossRecord), step: first + steps });
  }
  return points;
}

/** Most Gaussians that the densification rule can reach. */
function capacityOf(options: FitOptions): number {
  const { densify, gaussians, gaussianLimit } = options;
  if (densify === 'none' || densify === 'pruneOnly') return gaussians;
  if (densify === 'sampling') return Math.max(gaussians, Math.min(gaussianLimit, gaussians + childrenInAll(options)));
  return Math.max(gaussians, Math.min(gaussianLimit, gaussians * 8));
}

function checkOptions(options: FitOptions): void {
  const positive = ['steps', 'gaussians', 'deltaFrames'] as const;
  for (const name of positive) {
    if (!(Number.isInteger(options[name]) && options[name] > 0)) {
      throw new RangeError(`fit option "${name}" is ${options[name]}; give a whole number above 0`);
    }
  }
}

/** A fit that went wrong must not be written as an avatar that draws nothing. */
function checkGaussians(gaussians: GaussianSet): void {
  if (gaussians.count === 0) {
    throw new UnusableClipError(
      'the fit removed every Gaussian: the frames show no head where the track has it; track the video again',
    );
  }
  for (const [name, values] of Object.entries(gaussians)) {
    const fault =
      typeof values === 'number' ? undefined : (values as Float32Array).find((value) => !Number.isFinite(value));
    if (fault !== undefined) throw new Error(`the fit ended with ${fault} in "${name}": please report this clip`);
  }
}
