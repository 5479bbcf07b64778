import { resolve } from 'node:path';
import { encodeAvatar } from '../../../avatar/avatar.ts';
import { bakeAvatar, bakeInOneStage, type BakeInputs, type BakeResult } from '../../../baking/bake-avatar.ts';
import { BAKE_RUN_OPTIONS, type BakeCommandOptions } from '../../../baking/bake-command-options.ts';
import { BAKE_DEFAULTS, BAKE_GPU_DEFAULTS, checkBakeOptions, type BakeOptions } from '../../../baking/bake-options.ts';
import { colorMapQuality, visibleTexels, type ColorMapQuality } from '../../../baking/map-quality.ts';
import { splitFrames, type SplitRule } from '../../../evaluation/split-frames.ts';
import type { Clip } from '../../../fitting/clip.ts';
import type { LossPoint } from '../../../fitting/fit-avatar.ts';
import type { Gpu } from '../../../gpu/gpu.ts';
import { unpackPose } from '../../../head/pose.ts';
import type { NetworkRuntime } from '../../../network/index.ts';
import { resolveOptions } from '../../../options.ts';
import type { Track } from '../../../tracking/track.ts';
import { BAKED_FILES, BAKED_FOLDER, OWN_AVATAR_FILE, writeBaked } from '../baked-folder.ts';
import { createNodeNetworkRuntime } from '../network-runtime.ts';
import { openHead } from '../open-head.ts';
import { RunFolder, RunFolderError } from '../run-folder.ts';
import { withGpu, type RunContext } from './context.ts';
import {
  openPerceptualNet,
  peakMemoryMB,
  readAvatar,
  readClip,
  readTrack,
  REFINED_POSES_FILE,
  trackModels,
  type FitStageOptions,
} from './fit-run.ts';

export const BAKE_LOSSES_FILE = `${BAKED_FOLDER}/losses.json`;
const CHECKPOINT_FILE = `${BAKED_FOLDER}/checkpoint.safetensors`;

type BakeStageOptions = Omit<BakeCommandOptions, 'force'>;

/** What a bake found out; kept in `run.json`. */
export interface BakeFacts {
  readonly variant: string;
  readonly mapSize: number;
  readonly gaussianCount: number;
  readonly steps: number;
  readonly stepsPerSecond: number;
  readonly colorMap: ColorMapQuality;
  readonly network: string | null;
  /** Processor time of the call that finished the bake, over all cores. */
  readonly processorSeconds: number;
  readonly peakMemoryMB: number;
}

/** Bakes a folder's fitted avatar into maps under DIR/baked, going on where an earlier call stopped. */
export async function bakeRun(
  { folder: path, ...given }: { folder: string } & Partial<BakeCommandOptions>,
  context: RunContext = {},
): Promise<{ folder: string; seconds: number } & BakeFacts> {
  const { force, ...options } = resolveOptions(BAKE_RUN_OPTIONS, given);
  // Before the folder is touched: sizes that do not go together must not void a bake, nor bind the folder.
  checkBakeOptions(bakeOptionsOf(options, null, 1));
  const folder = await RunFolder.open(resolve(path), { stages: { bake: options }, force });
  try {
    if (folder.isDone('bake')) context.log?.(`${folder.path} is baked; nothing to do.`);
    else await runBake(folder, options, context);
    const { facts, seconds } = folder.stage('bake')!;
    return { folder: folder.path, seconds, ...(facts as unknown as BakeFacts) };
  } finally {
    await folder.close();
  }
}

async function runBake(folder: RunFolder, options: BakeStageOptions, context: RunContext): Promise<void> {
  const startedWith = process.cpuUsage();
  const avatar = await readAvatar(folder);
  const track = await readTrack(folder);
  const positions = splitFrames(track.frames, folder.stage('fit')!.options['split'] as SplitRule).train;
  const tracked = await readClip(folder, track, positions, context.signal);
  const refined = await withRefinedPoses(folder, tracked);
  const fit = folder.stage('fit')!.options as Partial<FitStageOptions>;
  const found = await openPerceptualNet(fit, trackModels(folder), context.log);
  await folder.begin('bake', { ...options });
  await folder.claim('bake', CHECKPOINT_FILE);
  try {
    await withGpu(context, async (gpu) => {
      const runtime = options.variant === 'freeMap' ? null : await createNodeNetworkRuntime({ gpu });
      const bake = bakeOptionsOf(options, runtime, tracked.frames.length);
      const bakeContext = contextOf(folder, [bake, found?.sha256 ?? null], context);
      const perceptual = found && { net: found.net, runtime: runtime ?? (await createNodeNetworkRuntime({ gpu })) };
      const term = perceptual ? { perceptual } : {};
      const result =
        options.variant === 'oneStage'
          ? await bakeFromTrack(gpu, runtime!, { folder, track, clip: tracked, bake, term }, bakeContext)
          : await bakeAvatar(gpu, runtime, { avatar, clip: refined, ...term }, bake, bakeContext);
      await store(folder, result, bake, { runtime, startedWith });
    });
  } catch (error) {
    await folder.pause('bake').catch(() => {}); // a full disk has been reported already
    throw error;
  }
}

/** The library's options for those of the command. Size and network fit the device that trains it. */
export function bakeOptionsOf(
  { epochs, steps, width, depth, ...same }: BakeStageOptions,
  runtime: NetworkRuntime | null,
  frameCount: number,
): BakeOptions {
  const defaults = { ...BAKE_DEFAULTS, ...(runtime?.home === 'device' ? BAKE_GPU_DEFAULTS : {}) };
  return {
    ...defaults,
    ...same,
    steps: epochs === null ? steps : Math.max(1, Math.round(epochs * frameCount)),
    width: width ?? defaults.width,
    depth: depth ?? defaults.depth,
  };
}

function contextOf(folder: RunFolder, key: unknown, { onProgress, signal, log, checkpointSteps }: RunContext) {
  return {
    ...(onProgress ? { onProgress } : {}),
    ...(signal ? { signal } : {}),
    ...(log ? { log } : {}),
    ...(checkpointSteps ? { checkpointSteps } : {}),
    key: JSON.stringify([key, folder.stage('fit')!.facts['avatarSha256']]),
    checkpoints: {
      read: () => folder.read(CHECKPOINT_FILE),
      write: (bytes: Uint8Array) => folder.write('bake', CHECKPOINT_FILE, bytes),
    },
  };
}

async function bakeFromTrack(
  gpu: Gpu,
  runtime: NetworkRuntime,
  {
    folder,
    track,
    clip,
    bake,
    term,
  }: { folder: RunFolder; track: Track; clip: Clip; bake: BakeOptions; term: Pick<BakeInputs, 'perceptual'> },
  context: ReturnType<typeof contextOf>,
): Promise<BakeResult> {
  const head = await openHead(String(folder.stage('track')!.options['head']));
  const gaussians = Number(folder.stage('fit')!.options['gaussians']);
  const inputs = { head, identityCoefficients: track.identityCoefficients, clip, ...term };
  return bakeInOneStage(gpu, runtime, inputs, { ...bake, gaussians }, context);
}

async function store(
  folder: RunFolder,
  { baked, contribution, losses, stepsPerSecond }: BakeResult,
  bake: BakeOptions,
  { runtime, startedWith }: { runtime: NetworkRuntime | null; startedWith: NodeJS.CpuUsage },
): Promise<void> {
  const { avatar, maps } = baked;
  if (bake.variant === 'oneStage') await folder.write('bake', OWN_AVATAR_FILE, encodeAvatar(avatar));
  for (const name of BAKED_FILES) await folder.claim('bake', name);
  await writeBaked(folder.path, baked);
  await folder.write('bake', BAKE_LOSSES_FILE, JSON.stringify(losses));
  await folder.remove(CHECKPOINT_FILE);
  const isVisible = visibleTexels(avatar.head, avatar.gaussians, contribution, maps.size);
  const used = process.cpuUsage(startedWith);
  const facts: BakeFacts = {
    variant: bake.variant,
    mapSize: maps.size,
    gaussianCount: avatar.gaussians.count,
    steps: bake.steps,
    stepsPerSecond,
    colorMap: colorMapQuality(maps.colorMap, isVisible, maps.size),
    network: runtime?.name ?? null,
    processorSeconds: (used.user + used.system) / 1e6,
    peakMemoryMB: peakMemoryMB(),
  };
  await folder.finish('bake', { ...facts });
}

/** The clip's poses as the fit refined them. */
async function withRefinedPoses(folder: RunFolder, clip: Clip): Promise<Clip> {
  const bytes = await folder.read(REFINED_POSES_FILE);
  const poses = bytes ? (JSON.parse(new TextDecoder().decode(bytes)) as number[][]) : [];
  if (poses.length !== clip.frames.length) {
    throw new RunFolderError(
      `${folder.resolve(REFINED_POSES_FILE)} has the poses of ${poses.length} frames, the fit used ${clip.frames.length}; fit again with \`fate fit --force\`.`,
    );
  }
  const frames = clip.frames.map((frame, index) => ({ ...frame, pose: unpackPose(Float32Array.from(poses[index]!)) }));
  return { ...clip, frames };
}

export async function readBakeLosses(folder: RunFolder): Promise<LossPoint[]> {
  const bytes = await folder.read(BAKE_LOSSES_FILE);
  return bytes ? (JSON.parse(new TextDecoder().decode(bytes)) as LossPoint[]) : [];
}
