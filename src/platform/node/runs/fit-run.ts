import { fileDigest } from '../atomic-file.ts';
import { decodeAvatar, encodeAvatar, type Avatar } from '../../../avatar/avatar.ts';
import type { FitCommandOptions } from '../../../command-options.ts';
import { splitFrames } from '../../../evaluation/split-frames.ts';
import type { Clip } from '../../../fitting/clip.ts';
import { fitAvatar, type LossPoint } from '../../../fitting/fit-avatar.ts';
import { FIT_DEFAULTS, type FitOptions } from '../../../fitting/fit-options.ts';
import { packPixels } from '../../../fitting/frame-pixels.ts';
import { packPose } from '../../../head/pose.ts';
import type { CropSquare } from '../../../tracking/crop.ts';
import { parseTrack } from '../../../tracking/track-json.ts';
import type { Track } from '../../../tracking/track.ts';
import { shownRectangle, type PixelRectangle } from '../../../video/crop-frame.ts';
import { FrameImages } from '../frame-images.ts';
import { createNodeNetworkRuntime } from '../network-runtime.ts';
import { openHead } from '../open-head.ts';
import { findPerceptualNet, type FoundNet } from '../optional-files.ts';
import { RunFolderError, type RunFolder } from '../run-folder.ts';
import { withGpu, type RunContext } from './context.ts';

export const TRACK_FILE = 'track.json';
export const AVATAR_FILE = 'avatar.safetensors';
export const LOSSES_FILE = 'losses.json';
export const REFINED_POSES_FILE = 'refined-poses.json';
export const FRAMES_FOLDER = 'frames';
/** Per frame of the track, the square of the video that became it. */
export const CROPS_FILE = 'crops.json';
const CHECKPOINT_FILE = 'checkpoint.safetensors';

/** Options of the perceptual term; a run's record has those that were given. */
type PerceptualOptions = Pick<
  FitCommandOptions,
  'perceptual' | 'perceptualLayers' | 'perceptualWeight' | 'perceptualEvery'
>;
export type FitStageOptions = Omit<FitCommandOptions, 'force' | keyof PerceptualOptions> & Partial<PerceptualOptions>;

/** The library's options for those of the command. */
export function fitOptionsOf(options: FitStageOptions): FitOptions {
  return {
    ...FIT_DEFAULTS,
    gaussians: options.gaussians,
    steps: options.steps,
    seed: options.seed,
    densify: options.densify,
    deltas: !options.withoutDeltas,
    refineTrack: !options.keepTrack,
    exposure: options.exposure,
    perceptualEvery: options.perceptualEvery ?? FIT_DEFAULTS.perceptualEvery,
    weights: { ...FIT_DEFAULTS.weights, perceptual: options.perceptualWeight ?? FIT_DEFAULTS.weights.perceptual },
  };
}

/** The folder of models that a run was tracked with. */
export function trackModels(folder: RunFolder): string | null {
  return (folder.stage('track')?.options['models'] as string | null | undefined) ?? null;
}

/** The perceptual net that the options or the models' folder have; null without one, which the log says. */
export async function openPerceptualNet(
  options: Partial<PerceptualOptions>,
  models: string | null,
  log?: (line: string) => void,
): Promise<FoundNet | null> {
  if (options.perceptual === 'off' || options.perceptualWeight === 0) return null;
  const layers = options.perceptualLayers?.split(',').map((name) => name.trim()) ?? [];
  const found = await findPerceptualNet(models, options.perceptual ?? null, layers);
  log?.(
    found
      ? `The loss has a perceptual term: ${found.net.name}.`
      : 'No weights of VGG16 are there (see `fate models`): 1 − SSIM stands in for the perceptual term.',
  );
  return found;
}

/** Fits the tracked clip of a run folder, or does nothing when that is done. Checkpoints make it resumable. */
export async function runFit(folder: RunFolder, options: FitStageOptions, context: RunContext): Promise<void> {
  if (folder.isDone('fit')) return;
  if (!folder.isDone('track'))
    throw new RunFolderError(`${folder.path} has no finished track; run \`fate track\` or \`fate create\` first.`);
  const { log, onProgress, signal, checkpointSteps } = context;
  const perceptual = await openPerceptualNet(options, trackModels(folder), log);
  const track = await readTrack(folder);
  if (options.split === 'insta' && folder.stage('track')!.options['split'] !== 'insta') {
    log?.(
      'The track learned how the head looks from frames that this split holds out; for figures to publish run ' +
        '`fate create --split insta` in a new folder.',
    );
  }
  const head = await openHead(String(folder.stage('track')!.options['head']));
  const clip = await readClip(folder, track, splitFrames(track.frames, options.split).train, signal);
  await folder.begin('fit', { ...options });
  await folder.claim('fit', CHECKPOINT_FILE);
  try {
    const result = await withGpu(context, async (gpu) => {
      const inputs = {
        head,
        identityCoefficients: track.identityCoefficients,
        clip,
        ...(perceptual
          ? { perceptual: { net: perceptual.net, runtime: await createNodeNetworkRuntime({ gpu }) } }
          : {}),
      };
      return fitAvatar(gpu, inputs, fitOptionsOf(options), {
        ...(onProgress ? { onProgress } : {}),
        ...(signal ? { signal } : {}),
        ...(log ? { log } : {}),
        ...(checkpointSteps ? { checkpointSteps } : {}),
        key: JSON.stringify([
          options,
          folder.video?.sha256,
          folder.stage('track')!.facts['trackSha256'],
          ...(perceptual ? [perceptual.sha256] : []),
        ]),
        checkpoints: {
          read: () => folder.read(CHECKPOINT_FILE),
          write: (bytes) => folder.write('fit', CHECKPOINT_FILE, bytes),
        },
      });
    });
    await folder.write('fit', AVATAR_FILE, encodeAvatar(result.avatar));
    await folder.write('fit', LOSSES_FILE, JSON.stringify(result.losses));
    await folder.write(
      'fit',
      REFINED_POSES_FILE,
      JSON.stringify(result.refinedPoses.map((pose) => [...packPose(pose)])),
    );
    await folder.remove(CHECKPOINT_FILE);
    await folder.finish('fit', {
      gaussianCount: result.avatar.gaussians.count,
      stepsPerSecond: result.stepsPerSecond,
      trainedFrames: clip.frames.length,
      perceptual: perceptual ? { net: perceptual.net.name, sha256: perceptual.sha256 } : null,
      avatarSha256: (await fileDigest(folder.resolve(AVATAR_FILE))).sha256,
      peakMemoryMB: peakMemoryMB(),
    });
  } catch (error) {
    await folder.pause('fit').catch(() => {}); // a full disk has been reported already
    throw error;
  }
}

export async function readTrack(folder: RunFolder): Promise<Track> {
  const bytes = await folder.read(TRACK_FILE);
  if (!bytes) throw new RunFolderError(`${folder.path} has no ${TRACK_FILE}; run \`fate track\` again with --force.`);
  return parseTrack(new TextDecoder().decode(bytes));
}

/** Loads frames of a run, by their positions in the track. */
export async function readClip(
  folder: RunFolder,
  track: Track,
  positions: readonly number[],
  signal?: AbortSignal,
): Promise<Clip> {
  const images = new FrameImages(folder.resolve(FRAMES_FOLDER));
  const pixels: Uint32Array[] = [];
  for (const position of positions) {
    signal?.throwIfAborted();
    pixels.push(packPixels(await images.read(position)));
  }
  const shownOf = await readShown(folder);
  const frames = positions.map((index) => {
    const { camera, pose } = track.frames[index]!;
    const shown = shownOf(index, camera.width);
    return { index, camera, pose, ...(shown ? { shown } : {}) };
  });
  return { size: frames[0]?.camera.width ?? 0, frames, pixels: (frame) => pixels[frame]! };
}

/** What of each frame the video shows; nothing is known of it in a folder that an older version tracked. */
async function readShown(folder: RunFolder): Promise<(position: number, size: number) => PixelRectangle | null> {
  const { videoWidth: width, videoHeight: height } = folder.stage('track')?.facts ?? {};
  const bytes = await folder.read(CROPS_FILE);
  if (!bytes || typeof width !== 'number' || typeof height !== 'number') return () => null;
  const crops = JSON.parse(new TextDecoder().decode(bytes)) as CropSquare[];
  return (position, size) => {
    const crop = crops[position];
    return crop ? shownRectangle({ width, height }, crop, size) : null;
  };
}

export async function readAvatar(folder: RunFolder): Promise<Avatar> {
  const bytes = await folder.read(AVATAR_FILE);
  if (!bytes || !folder.isDone('fit'))
    throw new RunFolderError(`${folder.path} has no finished avatar; run \`fate fit\` first.`);
  return decodeAvatar(bytes, folder.resolve(AVATAR_FILE));
}

export async function readLosses(folder: RunFolder): Promise<LossPoint[]> {
  const bytes = await folder.read(LOSSES_FILE);
  return bytes ? (JSON.parse(new TextDecoder().decode(bytes)) as LossPoint[]) : [];
}

/** The process's peak resident memory so far. */
export function peakMemoryMB(): number {
  return Math.round(process.resourceUsage().maxRSS / 1024);
}
