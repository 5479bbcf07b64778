import { sampleUvs } from '../binding/sampling.ts';
import type { Avatar } from '../avatar/avatar.ts';
import { avatarInputs } from '../fitting/avatar-inputs.ts';
import { STEPS_PER_SUBMIT, type PerceptualInputs, type TrainingInputs } from '../fitting/training-parts.ts';
import { Training } from '../fitting/training.ts';
import type { Clip } from '../fitting/clip.ts';
import { createStorageBuffer, Ownership, readFloats, writeBuffer } from '../gpu/buffer.ts';
import { Commands } from '../gpu/commands.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { createActivate, type Activate, type ChannelActivation } from './activate/activate.ts';
import {
  channelsOf,
  MAP_CHANNEL_COUNT,
  splitMaps,
  type AttributeMaps,
  type MappedAttributes,
} from './attribute-maps.ts';
import type { BakeOptions } from './bake-options.ts';
import { addFittedDetail } from './fitted-detail.ts';
import { channelStatistics, fittedSamples, rawOf, type ChannelStatistics } from './fitted-samples.ts';
import type { MapSource } from './map-source.ts';
import {
  createSampleRegularisers,
  type SampleRegularisers,
  type SampleRegulariserWeights,
} from './sample-regularisers/sample-regularisers.ts';
import { createMapSampling, SAMPLE_STRIDE, type MapSampling } from './sample/sample.ts';
import { mapTaps, type MapTaps } from './sample/taps.ts';

/** The mapped attributes of a variant. */
export function mappedBy({ variant }: Pick<BakeOptions, 'variant'>): MappedAttributes {
  return variant === 'appearance' ? 'appearance' : 'all';
}

/** A training over a fitted avatar with everything but the Gaussians' attributes frozen. */
export function frozenInputs(
  avatar: Avatar,
  clip: Clip,
  options: BakeOptions,
  perceptual?: PerceptualInputs,
): TrainingInputs {
  const { steps, seed, exposure, background, weights, decayShare, decayTo } = options;
  const fit = { steps, seed, exposure, background, weights, decayShare, decayTo, refineTrack: false };
  return { ...avatarInputs(avatar, clip, fit), ...(perceptual ? { perceptual } : {}) };
}

/** Frames that one network step learns from, and where it stands in the bake. */
export interface BakeBatch {
  /** Steps of the training, from 1, with their frames. */
  readonly frames: readonly { readonly step: number; readonly frame: number }[];
  /** Number of this update of the network, from 1, warm-up included. */
  readonly update: number;
  readonly rate: number;
}

interface Parts {
  readonly training: Training;
  readonly source: MapSource;
  readonly activate: Activate;
  readonly sampling: MapSampling;
  readonly regularisers: SampleRegularisers;
  readonly maps: GPUBuffer;
  readonly channels: readonly ChannelActivation[];
  readonly taps: MapTaps;
  readonly targets: Float32Array;
  readonly statistics: ChannelStatistics;
  readonly contribution: Float32Array;
  readonly owned: Ownership;
}

/**
 * The buffers and operations of one bake, and one step of it: the source makes raw channels, which become maps, which
 * the Gaussians read; some frames are drawn from them and their gradient takes the same way back.
 */
export class BakeTraining {
  readonly training: Training;
  readonly source: MapSource;
  readonly #gpu: Gpu;
  readonly #options: BakeOptions;
  readonly #parts: Parts;
  #pending: Promise<void> | null = null;

  private constructor(gpu: Gpu, options: BakeOptions, parts: Parts) {
    this.#gpu = gpu;
    this.#options = options;
    this.#parts = parts;
    this.training = parts.training;
    this.source = parts.source;
  }

  /** `channels` must be those that the source was made for. Takes over the source. */
  static async create(
    gpu: Gpu,
    inputs: TrainingInputs,
    options: BakeOptions,
    { source, channels }: { source: MapSource; channels: readonly ChannelActivation[] },
  ): Promise<BakeTraining> {
    const { initial, head } = inputs;
    const owned = new Ownership();
    const mapBytes = MAP_CHANNEL_COUNT * options.mapSize ** 2 * 4;
    const own = (label: string, content: Parameters<typeof createStorageBuffer>[2]): GPUBuffer =>
      owned.own(createStorageBuffer(gpu, label, content));
    const training = await Training.create(gpu, inputs);
    const maps = own('attribute maps', mapBytes);
    const mapGradient = own('map gradient', mapBytes);
    const { raw, rawGradient } = source;
    const taps = mapTaps(sampleUvs(head, initial), options.mapSize);
    const sampling = await createMapSampling(gpu, {
      taps,
      mapped: mappedBy(options),
      maps,
      mapGradient,
      local: training.gaussians.local,
      localGradients: training.gaussians.localGradients,
    });
    const targets = fittedSamples(initial);
    const contribution = await measureContribution(training, inputs.clip.frames.length);
    contribution.forEach((pixels, gaussian) => {
      targets[gaussian * SAMPLE_STRIDE + MAP_CHANNEL_COUNT] = Math.max(0, 1 - pixels / WELL_SEEN_PIXELS);
    });
    const regularisers = await createSampleRegularisers(gpu, {
      gaussianCount: initial.count,
      samples: sampling.samples,
      sampleGradient: sampling.sampleGradient,
      targets: own('fitted samples', targets),
      history: training.history,
    });
    return new BakeTraining(gpu, options, {
      training,
      source,
      activate: await createActivate(gpu, { size: options.mapSize, channels, raw, maps, mapGradient, rawGradient }),
      sampling,
      regularisers,
      maps,
      channels,
      taps,
      targets,
      statistics: channelStatistics(targets),
      contribution,
      owned,
    });
  }

  /** N: pixels of a mean frame that each Gaussian contributed as fitted. */
  get contribution(): Float32Array {
    return this.#parts.contribution;
  }

  /** One step towards the fitted attributes; nothing is drawn. */
  async warmUp(update: number, rate: number): Promise<void> {
    const { activate, sampling, regularisers, source } = this.#parts;
    await source.produce();
    const commands = this.training.commands();
    activate.forward(commands);
    sampling.forward(commands);
    regularisers.record(commands, {
      slot: 0,
      startsStep: true,
      weights: { attributes: 1, kept: UNSEEN_WARM_UP - 1, tilt: 0, channels: this.#channelWeights('all') },
    });
    sampling.gather(commands);
    activate.backward(commands);
    await this.#submit(commands);
    await source.learn(update, { rate, gradientScale: 1 });
  }

  /** One step of the network on the frames of a batch, drawn from maps that hold still meanwhile. */
  async learn({ frames, update, rate }: BakeBatch): Promise<void> {
    const { activate, sampling, source } = this.#parts;
    await source.produce();
    const commands = this.training.commands();
    activate.forward(commands);
    sampling.forward(commands);
    for (const [index, { step, frame }] of frames.entries()) {
      await this.training.takeStep(commands, step, frame, { holdGaussians: true });
      sampling.backward(commands);
      if ((index + 1) % STEPS_PER_SUBMIT === 0) commands.submit();
    }
    this.#recordRegularisers(commands, frames[frames.length - 1]!.step, frames.length);
    sampling.gather(commands);
    activate.backward(commands);
    await this.#submit(commands);
    await source.learn(update, { rate, gradientScale: 1 / frames.length });
  }

  /**
   * From now on the maps themselves learn. They begin with what of the fitted attributes the network could not say, where
   * there was a fit; nothing happens when they learn already.
   */
  async release(): Promise<void> {
    const { source, maps, channels, taps, targets, contribution } = this.#parts;
    if (source.isReleased) return;
    await source.release();
    if (this.#options.variant === 'oneStage') return;
    await this.#produceMaps();
    const detailed = addFittedDetail({
      taps,
      maps: await readFloats(this.#gpu, maps),
      targets,
      importance: contribution.map((pixels) => UNSEEN_DETAIL + Math.min(1, pixels / WELL_SEEN_PIXELS)),
    });
    const texelCount = taps.size * taps.size;
    writeBuffer(
      this.#gpu,
      source.raw,
      detailed.map((value, element) => rawOf(channels[Math.floor(element / texelCount)]!, value)),
    );
  }

  /** At most one batch runs while the next is recorded: more would only use memory and delay Ctrl-C. */
  async #submit(commands: Commands): Promise<void> {
    commands.submit();
    await this.#pending;
    this.#pending = commands.done();
  }

  /** The maps as they stand: what the source makes of its present state. */
  async readMaps(): Promise<AttributeMaps> {
    await this.#produceMaps();
    return splitMaps(await readFloats(this.#gpu, this.#parts.maps), this.#options.mapSize);
  }

  /** Puts the present maps' attributes on the training's Gaussians. */
  async #produceMaps(): Promise<void> {
    await this.source.produce();
    const commands = new Commands(this.#gpu);
    this.#parts.activate.forward(commands);
    this.#parts.sampling.forward(commands);
    commands.submit();
  }

  /** Eq 26 and 27, once per batch with the weight of its frames. */
  #recordRegularisers(commands: Commands, step: number, frameCount: number): void {
    const { attributeWeight, keptWeight, tiltWeight } = this.#options;
    const mapped = mappedBy(this.#options);
    this.#parts.regularisers.record(commands, {
      slot: (step - 1) % this.training.history.slotCount,
      startsStep: false,
      weights: {
        attributes: attributeWeight * frameCount,
        kept: keptWeight * frameCount,
        tilt: mapped === 'appearance' ? 0 : tiltWeight * frameCount,
        channels: this.#channelWeights(mapped),
      },
    });
  }

  /** Per squared standard deviation of the fitted attribute; 0 for what is not read from maps. */
  #channelWeights(mapped: MappedAttributes): SampleRegulariserWeights['channels'] {
    const { deviation } = this.#parts.statistics;
    const isFree = (channel: number): boolean => mapped === 'appearance' && !APPEARANCE_CHANNELS.includes(channel);
    return deviation.map((value, channel) => (isFree(channel) ? 0 : 1 / (value * value * MAP_CHANNEL_COUNT)));
  }

  async dispose(): Promise<void> {
    const { training, activate, sampling, regularisers, owned, source } = this.#parts;
    for (const part of [training, activate, sampling, regularisers]) part.dispose();
    owned.destroy();
    await source.dispose();
  }
}

/** From this many pixels of a mean frame on, frames alone tell what a Gaussian is like; below, its fit does so too. */
const WELL_SEEN_PIXELS = 0.3;
/** Weight in the warm-up of what no frame shows: the network is small, and what is seen comes first. */
const UNSEEN_WARM_UP = 0.1;
/** Weight, when detail is added, of what no frame shows: where texels are shared, what is seen decides. */
const UNSEEN_DETAIL = 0.01;
/** Frames, spread over the clip, that tell which Gaussians are seen at all. */
const VISIBILITY_FRAMES = 40;

async function measureContribution(training: Training, frameCount: number): Promise<Float32Array> {
  const every = Math.max(1, Math.floor(frameCount / VISIBILITY_FRAMES));
  const frames = Array.from({ length: Math.ceil(frameCount / every) }, (_, index) => index * every);
  return (await training.measureContribution(frames)).map((sum) => sum / frames.length);
}

const APPEARANCE_CHANNELS: readonly number[] = channelsOf('colorMap', 'opacityMap');
