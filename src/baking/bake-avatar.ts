import type { Avatar } from '../avatar/avatar.ts';
import { checkClip, type Clip } from '../fitting/clip.ts';
import {
  trainedAvatar,
  trainingInputsOf,
  type FitContext,
  type FitInputs,
  type LossPoint,
} from '../fitting/fit-avatar.ts';
import { FIT_DEFAULTS } from '../fitting/fit-options.ts';
import type { PerceptualInputs, TrainingInputs } from '../fitting/training-parts.ts';
import type { Gpu } from '../gpu/gpu.ts';
import type { NetworkRuntime } from '../network/index.ts';
import { createMapSource } from './network-source.ts';
import { checkBakeOptions, type BakeOptions } from './bake-options.ts';
import { BakeRun } from './bake-run.ts';
import { frozenInputs, mappedBy } from './bake-training.ts';
import { bakedGaussians, type BakedAvatar } from './baked-avatar.ts';
import { channelActivations, channelStatistics, checkGaussians, fittedSamples } from './fitted-samples.ts';

export interface BakeInputs {
  /** As fitted: its head, deltas and Gaussians' places stay; its attributes are what the maps start from. */
  readonly avatar: Avatar;
  /** Training frames alone, with their poses as the fit refined them. */
  readonly clip: Clip;
  /** The perceptual term of the fit; none without it. */
  readonly perceptual?: PerceptualInputs;
}

export interface BakeResult {
  readonly baked: BakedAvatar;
  /** N: pixels of a mean frame that each Gaussian contributed before the bake: what `visibleTexels` takes. */
  readonly contribution: Float32Array;
  /** Mean losses of the drawn frames. */
  readonly losses: readonly LossPoint[];
  /** Frames per second of this process's part of the run, the network's steps included. */
  readonly stepsPerSecond: number;
}

/** Where a bake reports to, and where its checkpoints go. */
export type BakeContext = FitContext;

/**
 * Stage II (§3.3): turns a fitted avatar's attributes into maps that a U-Net makes, by drawing the clip's frames again
 * with everything but the maps frozen. Deterministic: one seed on one device gives identical maps, also when the run was
 * stopped and resumed from its checkpoints. `runtime` may be null for `freeMap`, which has no network.
 *
 * Throws `OptionError`, `UnusableAvatarError`, `UnusableClipError`.
 */
export async function bakeAvatar(
  gpu: Gpu,
  runtime: NetworkRuntime | null,
  { avatar, clip, perceptual }: BakeInputs,
  options: BakeOptions,
  context: BakeContext = {},
): Promise<BakeResult> {
  checkBakeOptions(options);
  if (options.variant === 'oneStage')
    throw new RangeError('bake option "variant" is "oneStage", which starts from no fitted avatar: use bakeInOneStage');
  checkGaussians(avatar.gaussians);
  checkClip(clip);
  const inputs = frozenInputs(avatar, clip, options, perceptual);
  return runBake(gpu, runtime, inputs, options, context, (maps) =>
    Promise.resolve({ avatar, maps, mapped: mappedBy(options) }),
  );
}

/**
 * The paper's comparison: the U-Net, the head's deltas and the frames' poses learned together from the initial Gaussians,
 * without a fit before. The avatar of the result is the one learned here.
 */
export async function bakeInOneStage(
  gpu: Gpu,
  runtime: NetworkRuntime,
  fit: FitInputs,
  options: BakeOptions & { readonly gaussians: number },
  context: BakeContext = {},
): Promise<BakeResult> {
  checkBakeOptions(options);
  checkClip(fit.clip);
  const { steps, seed, gaussians, exposure, background, weights, decayShare, decayTo } = options;
  const inputs = trainingInputsOf(fit, {
    ...FIT_DEFAULTS,
    ...{ steps, seed, gaussians, exposure, background, weights, decayShare, decayTo },
    densify: 'none',
    fillUnseen: false,
  });
  return runBake(gpu, runtime, inputs, options, context, async (maps, { training }) => {
    const { avatar } = await trainedAvatar(gpu, training, inputs);
    return { avatar: bakedGaussians({ avatar, maps, mapped: 'all' }), maps, mapped: 'all' };
  });
}

async function runBake(
  gpu: Gpu,
  runtime: NetworkRuntime | null,
  inputs: TrainingInputs,
  options: BakeOptions,
  context: BakeContext,
  finish: (...result: Awaited<ReturnType<BakeRun['finish']>>) => Promise<BakedAvatar>,
): Promise<BakeResult> {
  const channels = channelActivations(channelStatistics(fittedSamples(inputs.initial)), options.scaleLimit);
  const run = new BakeRun(gpu, inputs, options, context, {
    channels,
    createSource: () => createMapSource(gpu, runtime, options, channels),
  });
  try {
    await run.begin();
    while (!run.isDone) await run.advance();
    const [maps, bake] = await run.finish();
    const { losses, stepsPerSecond } = run;
    return { baked: await finish(maps, bake), contribution: bake.contribution, losses, stepsPerSecond };
  } finally {
    await run.dispose();
  }
}
