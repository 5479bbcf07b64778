import {
  captureCheckpoint,
  decodeCheckpoint,
  encodeCheckpoint,
  restoreCheckpoint,
  type Checkpoint,
} from '../fitting/checkpoint.ts';
import { CHECKPOINT_STEPS, readLossPoints, type FitContext, type LossPoint } from '../fitting/fit-avatar.ts';
import { FrameOrder, rateFactor } from '../fitting/schedule.ts';
import { LOSS_SLOTS, type TrainingInputs } from '../fitting/training-parts.ts';
import type { Gpu } from '../gpu/gpu.ts';
import type { ChannelActivation } from './activate/activate.ts';
import type { AttributeMaps } from './attribute-maps.ts';
import type { BakeOptions } from './bake-options.ts';
import { BakeTraining } from './bake-training.ts';
import { fillUnread } from './fill-unread.ts';
import type { MapSource } from './map-source.ts';

/** What the maps are made by. */
export interface BakeSource {
  readonly channels: readonly ChannelActivation[];
  readonly createSource: () => Promise<MapSource>;
}

/**
 * One bake from checkpoint to checkpoint. Its clock counts batches: first those of the warm-up, then K frames each, from
 * which first the network learns and then the maps themselves.
 */
export class BakeRun {
  readonly #gpu: Gpu;
  readonly #inputs: TrainingInputs;
  readonly #options: BakeOptions;
  readonly #context: FitContext;
  readonly #source: BakeSource;
  readonly #order: FrameOrder;
  #bake!: BakeTraining;
  #checkpoint!: Checkpoint;
  #losses: LossPoint[] = [];
  #intersectionCapacity: number;
  #startedAt = 0;
  #startedWith = 0;

  constructor(gpu: Gpu, inputs: TrainingInputs, options: BakeOptions, context: FitContext, source: BakeSource) {
    const { checkpointSteps = CHECKPOINT_STEPS } = context;
    if (!(Number.isInteger(checkpointSteps) && checkpointSteps >= 1 && checkpointSteps <= LOSS_SLOTS))
      throw new RangeError(`checkpointSteps is ${checkpointSteps}; give a whole number from 1 to ${LOSS_SLOTS}`);
    for (const name of ['hold', 'polishHold'] as const) {
      if (options[name] > LOSS_SLOTS)
        throw new RangeError(`bake option "${name}" is ${options[name]}; give at most ${LOSS_SLOTS}`);
    }
    this.#gpu = gpu;
    this.#inputs = inputs;
    this.#options = options;
    this.#context = context;
    this.#source = source;
    this.#order = new FrameOrder(inputs.clip.frames.length, options.seed);
    this.#intersectionCapacity = context.intersectionCapacity ?? inputs.initial.count * 16 + inputs.clip.size * 64;
  }

  get isDone(): boolean {
    return this.#checkpoint.step >= this.#batchCount;
  }

  get losses(): readonly LossPoint[] {
    return this.#losses;
  }

  /** Frames per second since `begin`. */
  get stepsPerSecond(): number {
    const seconds = (performance.now() - this.#startedAt) / 1000;
    return seconds > 0 ? (this.#stepsAfter(this.#checkpoint.step) - this.#startedWith) / seconds : 0;
  }

  async begin(): Promise<void> {
    const { checkpoints, key = '', log } = this.#context;
    const stored = await checkpoints?.read();
    const resumed = stored ? decodeCheckpoint(stored, key) : null;
    if (stored && !resumed)
      log?.('The checkpoint in the folder is of another bake or damaged; the bake starts afresh.');
    if (resumed) this.#intersectionCapacity = Number(resumed.notes['intersections']);
    this.#bake = await this.#createTraining();
    if (resumed) {
      await this.#restore(resumed);
      this.#losses = JSON.parse(resumed.notes['losses'] ?? '[]') as LossPoint[];
      this.#checkpoint = resumed;
      log?.(`The bake goes on after ${this.#stepsAfter(resumed.step)} of ${this.#frameCount} frames.`);
    } else {
      this.#checkpoint = await this.#capture(0);
    }
    this.#startedAt = performance.now();
    this.#startedWith = this.#stepsAfter(this.#checkpoint.step);
  }

  /** Runs up to the next checkpoint and writes it. */
  async advance(): Promise<void> {
    const { hold, polishHold, warmUp } = this.#options;
    const from = this.#checkpoint.step;
    const framesPerBatch = from < this.#networkBatches ? hold : polishHold;
    const stretch = Math.max(1, Math.floor((this.#context.checkpointSteps ?? CHECKPOINT_STEPS) / framesPerBatch));
    // A stretch ends where another way of learning begins.
    const ends = [warmUp, this.#networkBatches, this.#batchCount].filter((end) => end > from);
    const to = Math.min(from + stretch, ...ends);
    if (from >= this.#networkBatches) await this.#bake.release();
    await this.#runBatches(from, to);
    const { rasterizer, history } = this.#bake.training;
    const needed = await rasterizer.neededIntersections();
    if (needed > rasterizer.intersectionCapacity) {
      await this.#growIntersections(needed);
      return; // the same stretch again, from its beginning
    }
    if (to > warmUp) {
      const points = await readLossPoints(history, this.#stepsAfter(from), this.#stepsAfter(to));
      this.#losses = [...this.#losses, ...points];
      checkLoss(points, this.#stepsAfter(to));
    }
    this.#checkpoint = await this.#capture(to);
    await this.#context.checkpoints?.write(encodeCheckpoint(this.#checkpoint));
  }

  async finish(): Promise<[AttributeMaps, BakeTraining]> {
    const { head, initial } = this.#inputs;
    const made = await this.#bake.readMaps();
    const maps = this.#polishes && this.#options.polish > 0 ? fillUnread(made, head, initial) : made;
    for (const [name, values] of Object.entries(maps)) {
      const fault =
        typeof values === 'number' ? undefined : (values as Float32Array).find((value) => !Number.isFinite(value));
      if (fault !== undefined) throw new Error(`the bake ended with ${fault} in ${name}: please report this clip`);
    }
    return [maps, this.#bake];
  }

  async dispose(): Promise<void> {
    await this.#bake?.dispose();
  }

  get #batchCount(): number {
    return this.#networkBatches + (this.#polishes ? Math.ceil(this.#options.polish / this.#options.polishHold) : 0);
  }

  /** Batches from which the network learns, warm-up included. */
  get #networkBatches(): number {
    return this.#options.warmUp + Math.ceil(this.#options.steps / this.#options.hold);
  }

  /** A free map is one of texels all along. */
  get #polishes(): boolean {
    return this.#options.variant !== 'freeMap';
  }

  get #frameCount(): number {
    return this.#stepsAfter(this.#batchCount);
  }

  /** Frames drawn in the first `batches` batches. */
  #stepsAfter(batches: number): number {
    const { warmUp, hold, steps, polish, polishHold } = this.#options;
    const drawn = Math.min(steps, Math.max(0, batches - warmUp) * hold);
    return drawn + Math.min(polish, Math.max(0, batches - this.#networkBatches) * polishHold);
  }

  async #runBatches(from: number, to: number): Promise<void> {
    const { onProgress, signal } = this.#context;
    const { warmUp } = this.#options;
    for (let batch = from; batch < to; batch++) {
      signal?.throwIfAborted();
      if (batch < warmUp) {
        await this.#bake.warmUp(batch + 1, this.#rate(1));
        onProgress?.({ stage: 'bake: learn attributes', done: batch + 1, total: warmUp });
        continue;
      }
      const [first, last] = [this.#stepsAfter(batch) + 1, this.#stepsAfter(batch + 1)];
      const frames = Array.from({ length: last - first + 1 }, (_, index) => ({
        step: first + index,
        frame: this.#order.at(first + index - 1),
      }));
      await this.#bake.learn({ frames, update: batch + 1, rate: this.#rate(last) });
      const loss = this.#losses[this.#losses.length - 1]?.total;
      onProgress?.({
        stage: 'bake',
        done: last,
        total: this.#frameCount,
        note: loss === undefined ? '' : `loss ${loss.toFixed(4)}`,
      });
    }
  }

  #rate(step: number): number {
    const { variant, rate, freeRate, steps, polish, polishRate, decayTo } = this.#options;
    if (step > steps) return polishRate * Math.pow(decayTo, (step - steps) / polish);
    return (variant === 'freeMap' ? freeRate : rate) * rateFactor(step, this.#inputs.options);
  }

  /** What the training learns beside the maps; nothing, where all of it is frozen. */
  get #learnedElsewhere() {
    const { deltas, refineTrack, exposure } = this.#inputs.options;
    return deltas || refineTrack || exposure ? this.#bake.training.persistent : [];
  }

  async #capture(batch: number): Promise<Checkpoint> {
    const notes = {
      losses: JSON.stringify(this.#losses),
      frameUpdates: JSON.stringify([...this.#bake.training.frameUpdates]),
      intersections: String(this.#intersectionCapacity),
    };
    const key = this.#context.key ?? '';
    const captured = await captureCheckpoint(this.#gpu, this.#learnedElsewhere, { step: batch, key, notes });
    return { ...captured, tensors: new Map([...captured.tensors, ...(await this.#bake.source.save())]) };
  }

  async #restore(checkpoint: Checkpoint): Promise<void> {
    const { training, source } = this.#bake;
    restoreCheckpoint(this.#gpu, this.#learnedElsewhere, checkpoint);
    training.frameUpdates.set(JSON.parse(checkpoint.notes['frameUpdates'] ?? '[]') as number[]);
    training.rebuildIndex();
    await source.load(checkpoint.tensors);
  }

  /** An image needed more Gaussian–tile pairs than there was room for: repeat the stretch with more. */
  async #growIntersections(needed: number): Promise<void> {
    this.#intersectionCapacity = Math.ceil(needed * 1.5);
    await this.#bake.dispose();
    this.#bake = await this.#createTraining();
    await this.#restore(this.#checkpoint);
  }

  async #createTraining(): Promise<BakeTraining> {
    const source = await this.#source.createSource();
    const inputs = { ...this.#inputs, intersectionCapacity: this.#intersectionCapacity };
    return BakeTraining.create(this.#gpu, inputs, this.#options, { source, channels: this.#source.channels });
  }
}

function checkLoss(points: readonly LossPoint[], step: number): void {
  const total = points[points.length - 1]!.total;
  if (!Number.isFinite(total))
    throw new Error(
      `the loss is ${total} after ${step} frames: please report this clip. The last good checkpoint is kept.`,
    );
}
