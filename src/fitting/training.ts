import { createStorageBuffer, readFloats, writeBuffer } from '../gpu/buffer.ts';
import { Commands, type Profiler } from '../gpu/commands.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { createKernel } from '../gpu/kernel.ts';
import type { Placement } from '../binding/placement.ts';
import type { WorldGaussians } from '../gaussians/layout.ts';
import type {
  Deformation,
  DeformationBackwardOptions,
  DeformationForwardOptions,
} from '../head/deformation/deformation.ts';
import { padVertices } from '../head/deformation/layout.ts';
import { packPose } from '../head/pose.ts';
import type { LossHistory } from '../losses/loss-history.ts';
import { randomUniform } from '../math/random.ts';
import { IDENTITY_VIEW, packCamera } from '../rasterizer/camera.ts';
import type { Rasterizer } from '../rasterizer/rasterizer.ts';
import { stepTogether } from './adam.ts';
import type { PersistentBuffer } from './checkpoint.ts';
import { contributionWeights, type FrameContribution } from './contributions.ts';
import type { GaussianState } from './gaussian-state.ts';
import { childrenPerEvent, eventsAfter, rateFactor } from './schedule.ts';
import {
  createTrainingParts,
  LOSS_SLOTS,
  STEPS_PER_SUBMIT,
  type TrainingInputs,
  type TrainingParts,
} from './training-parts.ts';
import visibilityText from './visibility.wgsl?raw';

/** Random streams, so that no two uses of one seed draw the same numbers. */
const STREAM = { background: 0x10000000, densify: 0x20000000 } as const;
const WHITE = [1, 1, 1] as const;

export interface StepOptions {
  /** The set stays as it is, and its gradients are left in `gaussians.localGradients` (baking). Default false. */
  readonly holdGaussians?: boolean;
}

/** Everything on the GPU that one fit needs, and how one step is recorded: the method of Stage I from top to bottom. */
export class Training {
  readonly gaussians: GaussianState;
  readonly deformation: Deformation;
  readonly placement: Placement;
  readonly rasterizer: Rasterizer;
  readonly history: LossHistory;
  /** F pose records: the track, and its refinement. */
  readonly poses: GPUBuffer;
  readonly poseStride: number;
  readonly #gpu: Gpu;
  readonly #inputs: TrainingInputs;
  readonly #parts: TrainingParts;
  /** Updates that each frame's own parameters (pose, exposure) have had. */
  readonly frameUpdates: Uint32Array;

  private constructor(gpu: Gpu, inputs: TrainingInputs, parts: TrainingParts) {
    this.#gpu = gpu;
    this.#inputs = inputs;
    this.#parts = parts;
    this.gaussians = parts.gaussians;
    this.deformation = parts.deformation;
    this.placement = parts.placement;
    this.rasterizer = parts.rasterizer;
    this.history = parts.history;
    this.poses = parts.poses;
    this.poseStride = parts.poseStride;
    this.frameUpdates = new Uint32Array(inputs.clip.frames.length);
  }

  static async create(gpu: Gpu, inputs: TrainingInputs): Promise<Training> {
    const training = new Training(gpu, inputs, await createTrainingParts(gpu, inputs));
    training.#begin();
    return training;
  }

  /** Takes the triangles' sizes in the canonical pose, and indexes the initial set. */
  #begin(): void {
    const { canonical, vertexOffset } = this.#inputs;
    const commands = this.commands();
    const pose = createStorageBuffer(this.#gpu, 'canonical pose', this.poseStride);
    if (canonical instanceof Float32Array) {
      this.placement.setCanonicalSizes(canonical);
    } else {
      writeBuffer(this.#gpu, pose, packPose(canonical));
      this.deformation.forward(commands, { buffer: pose }, { withDifference: true });
      this.placement.takeCanonicalSizes(commands);
    }
    this.placement.rebuildIndex(commands);
    commands.submit();
    pose.destroy();
    if (vertexOffset) writeBuffer(this.#gpu, this.deformation.vertexOffset, padVertices(vertexOffset));
  }

  /** What a checkpoint must hold beside `frameUpdates`. */
  get persistent(): PersistentBuffer[] {
    const { deformation, deltaAdam, poses, poseAdam, exposure, exposureAdam } = this.#parts;
    return [
      ...this.gaussians.persistent,
      { name: 'displacements', buffer: deformation.displacements },
      { name: 'displacement moments', buffer: deltaAdam.deltaMoments },
      { name: 'vertex offset', buffer: deformation.vertexOffset },
      { name: 'vertex offset moments', buffer: deltaAdam.vertexOffsetMoments },
      // A batch of deltas may be half gathered at a checkpoint.
      { name: 'blended gradient', buffer: deformation.blendedGradient },
      { name: 'frame states', buffer: deformation.frameStates },
      { name: 'poses', buffer: poses },
      { name: 'pose moments', buffer: poseAdam.moments },
      ...(exposure ? [{ name: 'exposure', buffer: exposure.parameters }] : []),
      ...(exposureAdam ? [{ name: 'exposure moments', buffer: exposureAdam.moments }] : []),
    ];
  }

  /** Must be called after anything changed the set of Gaussians outside `recordStep` (a restored checkpoint). */
  rebuildIndex(): void {
    const commands = new Commands(this.#gpu);
    this.placement.rebuildIndex(commands);
    commands.submit();
  }

  commands(profiler: Profiler | null = null): Commands {
    return new Commands(this.#gpu, profiler);
  }

  /**
   * Records step `step` (from 1) on frame `frame` of the clip: deform, place, rasterise, compare, and back again, then
   * the updates and what the schedule asks for. The target's pixels are written at once, into the step's own slot.
   * The perceptual term is left out: `takeStep` has it.
   */
  recordStep(commands: Commands, step: number, frame: number, options: StepOptions = {}): void {
    this.#recordComparison(commands, step, frame);
    this.#recordLearning(commands, step, frame, options);
  }

  /**
   * `recordStep`, with the perceptual term where there is one and it is its turn: then what `commands` hold is
   * submitted, and the net is waited for.
   */
  async takeStep(commands: Commands, step: number, frame: number, options: StepOptions = {}): Promise<void> {
    this.#recordComparison(commands, step, frame);
    const { perceptual, perceptualEvery, photometric, exposure, targets } = this.#parts;
    if (perceptual && step % perceptualEvery === 0) {
      const { clip, options: fit } = this.#inputs;
      await perceptual.add(commands, {
        image: exposure?.exposed ?? this.rasterizer.image,
        target: targets,
        targetOffset: this.#target * clip.size * clip.size,
        background: this.#background,
        ...(clip.frames[frame]!.shown ? { shown: clip.frames[frame]!.shown } : {}),
        imageGradient: photometric.imageGradient,
        // Adam divides by the root of the mean square, which a rare strong gradient raises for all the steps between:
        // n times as strong ended worse than without the term, √n times better (docs/decisions/perceptual.md).
        weight: fit.weights.perceptual * Math.sqrt(perceptualEvery),
        slot: (step - 1) % LOSS_SLOTS,
      });
    }
    this.#recordLearning(commands, step, frame, options);
  }

  /** The first half of a step: the rendered image, and the gradient of its loss. */
  #recordComparison(commands: Commands, step: number, frame: number): void {
    const { slot, endsBatch } = this.#batchOf(step);
    this.#recordForward(commands, step, frame, { slot, withDifference: endsBatch });
    if (endsBatch) this.#recordDeltaPenalties(commands, step);
  }

  /** The second half: the way back, and the updates. */
  #recordLearning(commands: Commands, step: number, frame: number, { holdGaussians = false }: StepOptions): void {
    const { options } = this.#inputs;
    const { gaussians, poseAdam, deltaAdam, exposureAdam, regularisers } = this.#parts;
    const { slot, endsBatch } = this.#batchOf(step);
    this.#recordBackward(commands, frame, { slot, withDifferenceGradient: endsBatch }, options.refineTrack);
    const { weights } = options;
    regularisers.record(commands, {
      slot: (step - 1) % LOSS_SLOTS,
      // A set that is held is drawn from maps, which have regularisers of their own.
      weights: { scaleRatio: weights.scale, offset: holdGaussians ? 0 : weights.offset },
    });
    if (!holdGaussians) gaussians.gather(commands, this.rasterizer.mean2dGradient);
    const factor = rateFactor(step, options);
    const updates = holdGaussians ? [] : gaussians.updates(step, factor);
    const update = ++this.frameUpdates[frame]!;
    if (options.refineTrack) {
      updates.push([poseAdam, { step: update, record: frame, learningRate: options.rates.pose * factor }]);
    }
    if (exposureAdam) updates.push([exposureAdam, { step: update, record: frame }]);
    if (updates.length > 0) stepTogether(commands, 'adam', updates);
    if (endsBatch) {
      deltaAdam.step(commands, {
        step: step / options.deltaFrames,
        deltaRate: options.rates.basisDelta * Math.sqrt(options.deltaFrames) * factor,
        vertexOffsetRate: options.rates.vertexDelta * Math.sqrt(options.deltaFrames) * factor,
      });
    }
    if (!holdGaussians) this.#recordEvents(commands, step);
  }

  /** Place of a step in its batch of delta updates. */
  #batchOf(step: number): { slot: number; endsBatch: boolean } {
    const { deltas, deltaFrames } = this.#inputs.options;
    const slot = (step - 1) % deltaFrames;
    // The deltas' penalties change little between frames: once per batch, with the batch's weight.
    return { slot, endsBatch: deltas && slot === deltaFrames - 1 };
  }

  /** Records one update of a frame's pose alone, everything else held still: test-time fitting. */
  recordPoseStep(commands: Commands, frame: number, rate: number): void {
    this.#recordForward(commands, 1, frame, {});
    this.#recordBackward(commands, frame, {}, true);
    const update = ++this.frameUpdates[frame]!;
    this.#parts.poseAdam.step(commands, { step: update, record: frame, learningRate: rate });
  }

  /** What each Gaussian contributes to the pictures of some frames. Reads back: between stretches of steps. */
  async measureContributions(frames: readonly number[]): Promise<FrameContribution[]> {
    const { clip } = this.#inputs;
    const { capacity, count } = this.gaussians;
    const kernel = await createKernel(this.#gpu, {
      label: 'contribution',
      files: [{ name: 'src/fitting/visibility.wgsl', text: visibilityText }],
      bindings: { count: 'read', rgbGradient: 'read', contribution: 'readWrite' },
    });
    const contribution = createStorageBuffer(this.#gpu, 'contribution', capacity * 8);
    const contributions: FrameContribution[] = [];
    const imageGradient = createStorageBuffer(this.#gpu, 'weights of the pixels', clip.size * clip.size * 16);
    const group = kernel.bind({ count, rgbGradient: this.rasterizer.gradients.rgb, contribution });
    const commands = this.commands();
    // The last slot of a batch holds nothing between steps; the others may wait for its end.
    const slot = this.#inputs.options.deltaFrames - 1;
    for (const frame of frames) {
      writeBuffer(this.#gpu, imageGradient, contributionWeights(clip, frame));
      commands.clear(contribution);
      this.#recordForward(commands, 1, frame, { slot });
      this.rasterizer.backward(commands, { ...this.#input, imageGradient });
      commands.pass('contribution', (pass) => kernel.dispatch(pass, group, Math.ceil(capacity / 64)));
      commands.submit();
      const sums = await readFloats(this.#gpu, contribution);
      const column = (k: number): Float32Array => Float32Array.from({ length: capacity }, (_, i) => sums[i * 2 + k]!);
      contributions.push({ shown: column(0), inner: column(1) });
    }
    contribution.destroy();
    imageGradient.destroy();
    return contributions;
  }

  /** N: what each Gaussian contributes to all that the frames show. */
  async measureContribution(frames: readonly number[]): Promise<Float32Array> {
    const sums = new Float32Array(this.gaussians.capacity);
    for (const { shown } of await this.measureContributions(frames))
      for (const [i, value] of shown.entries()) sums[i]! += value;
    return sums;
  }

  /** Binding of a frame's pose record. */
  poseBinding(frame: number): GPUBufferBinding {
    return { buffer: this.poses, offset: frame * this.poseStride, size: this.poseStride };
  }

  dispose(): void {
    const {
      owned,
      gaussians,
      deformation,
      placement,
      rasterizer,
      history,
      deltaAdam,
      poseAdam,
      photometric,
      regularisers,
      vertexRegularisers,
      exposure,
      exposureAdam,
      perceptual,
    } = this.#parts;
    perceptual?.dispose();
    for (const part of [
      gaussians,
      deformation,
      placement,
      history,
      deltaAdam,
      poseAdam,
      photometric,
      regularisers,
      vertexRegularisers,
    ])
      part.dispose();
    exposure?.dispose();
    exposureAdam?.dispose();
    rasterizer.destroy();
    owned.destroy();
  }

  #recordForward(commands: Commands, step: number, frame: number, deform: DeformationForwardOptions): void {
    const { clip, options } = this.#inputs;
    const { targets, cameras, photometric, exposure } = this.#parts;
    const background = options.background === 'white' ? WHITE : this.#randomBackground(step);
    this.#background = background;
    const record = packCamera({ camera: clip.frames[frame]!.camera, cameraFromWorld: IDENTITY_VIEW, background });
    const camera = cameras.binding(cameras.write(commands, record));
    const pixelCount = clip.size * clip.size;
    const target = this.#nextTarget++ % STEPS_PER_SUBMIT;
    this.#target = target;
    writeBuffer(this.#gpu, targets, clip.pixels(frame), target * pixelCount * 4);
    this.deformation.forward(commands, this.poseBinding(frame), deform);
    this.placement.forward(commands);
    this.#input = { gaussians: this.placement.world, count: this.gaussians.count, camera };
    this.rasterizer.forward(commands, this.#input);
    exposure?.forward(commands, { frame, background });
    photometric.record(commands, {
      image: exposure?.exposed ?? this.rasterizer.image,
      target: targets,
      targetOffset: target * pixelCount,
      background,
      ...(clip.frames[frame]!.shown ? { shown: clip.frames[frame]!.shown } : {}),
      weights: { ssim: options.weights.ssim, matte: options.weights.matte },
      slot: (step - 1) % LOSS_SLOTS,
    });
  }

  #nextTarget = 0;
  #target = 0;
  #background: readonly number[] = WHITE;
  #input!: { gaussians: WorldGaussians; count: GPUBuffer; camera: GPUBufferBinding };

  #recordDeltaPenalties(commands: Commands, step: number): void {
    const { weights, deltaFrames } = this.#inputs.options;
    const { vertexRegularisers, laplacianWeight } = this.#parts;
    vertexRegularisers.record(commands, {
      slot: (step - 1) % LOSS_SLOTS,
      weights: { vertexDifference: weights.vertex * deltaFrames, laplacian: laplacianWeight * deltaFrames },
    });
  }

  #recordBackward(commands: Commands, frame: number, deform: DeformationBackwardOptions, withPose: boolean): void {
    const { photometric, poseGradient, exposure } = this.#parts;
    exposure?.backward(commands, { frame, background: this.#background });
    this.rasterizer.backward(commands, { ...this.#input, imageGradient: photometric.imageGradient });
    this.placement.backward(commands, this.rasterizer.gradients);
    if (!withPose && !this.#inputs.options.deltas) return; // nothing of the surface is learned
    this.deformation.backward(commands, this.poseBinding(frame), {
      ...deform,
      ...(withPose ? { poseGradient: { buffer: poseGradient } } : {}),
    });
  }

  #recordEvents(commands: Commands, step: number): void {
    const { options } = this.#inputs;
    const { densify, opacityMoments } = this.gaussians;
    const events = eventsAfter(step, options);
    const stream = STREAM.densify + step;
    if (events.densify && options.densify === 'sampling') {
      const { seed, sampleScale: scaleFactor, sampleOpacity: opacity } = options;
      densify.sample(commands, { seed, stream, draws: childrenPerEvent(options), scaleFactor, opacity });
    } else if (events.densify) {
      // 3DGS's limit, in its unit; SplattingAvatar lets children walk over the mesh, GaussianAvatars keeps them near.
      const nearness = options.densify === 'gaussianAvatars' ? 0.8 : 0;
      densify.cloneAndSplit(commands, { seed: options.seed, stream, threshold: 2e-4, splitScale: 0.002, nearness });
    }
    if (events.prune) densify.prune(commands, options.pruneOpacity);
    if (events.resetOpacity) densify.resetOpacity(commands, 0.01, [opacityMoments]);
    if (events.densify || events.prune) this.placement.rebuildIndex(commands);
  }

  #randomBackground(step: number): [number, number, number] {
    const { seed } = this.#inputs.options;
    const channel = (index: number): number => randomUniform(seed, STREAM.background + step, index);
    return [channel(0), channel(1), channel(2)];
  }
}
