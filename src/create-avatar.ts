import { encodeAvatar, type Avatar } from './avatar/avatar.ts';
import { scoreAvatar, type ScoredFrame } from './evaluation/score-avatar.ts';
import { splitFrames, type SplitRule } from './evaluation/split-frames.ts';
import type { Clip } from './fitting/clip.ts';
import { fitAvatar, type FitContext, type FitResult } from './fitting/fit-avatar.ts';
import { FIT_DEFAULTS, type FitOptions } from './fitting/fit-options.ts';
import { packPixels } from './fitting/frame-pixels.ts';
import type { Gpu } from './gpu/gpu.ts';
import type { HeadModel } from './head/head-model.ts';
import type { FaceModels } from './inference/face-models.ts';
import { createMatting } from './matting/matting.ts';
import { crownAboveBrow, landmarksInCrop, planCrop, type CropSquare } from './tracking/crop.ts';
import type { ClipObservation, FaceObservation } from './tracking/observation.ts';
import { observeVideo, OBSERVE_DEFAULTS } from './tracking/observe-video.ts';
import { featurePyramid, type FeaturePyramid } from './tracking/photometric/feature-image.ts';
import { PICTURE_LEVELS, PICTURE_SIZE } from './tracking/photometric/refine-poses.ts';
import { TrackSolver } from './tracking/solve-track.ts';
import type { Track } from './tracking/track.ts';
import { cropFrame } from './video/crop-frame.ts';
import type { Image, OnProgress } from './video/frame.ts';
import type { VideoSource } from './video/open-video.ts';

/** What the stages work with; the platform opens them. */
export interface AvatarTools {
  readonly gpu: Gpu;
  readonly head: HeadModel;
  readonly models: FaceModels;
}

export interface TrackClipOptions {
  /** Pixels of the square frames that are learned. */
  readonly size: number;
  /** Most frames to take, spread evenly over the video. */
  readonly maximumFrames: number;
  /** Frames that this rule holds out do not teach the tracker how the head looks. */
  readonly split: SplitRule;
}

export const TRACK_CLIP_DEFAULTS: TrackClipOptions = {
  size: 256,
  maximumFrames: OBSERVE_DEFAULTS.maximumFrames,
  split: 'fifth',
};

export interface TrackContext {
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
}

export interface TrackedClip {
  readonly track: Track;
  readonly observation: ClipObservation;
  /** Per frame, the square of source pixels that became the frame. */
  readonly crops: readonly CropSquare[];
}

/**
 * Video → landmarks → crop → track → matte → track by pictures. `onFrame` receives every usable frame of the track,
 * cropped and with the matte of head, hair and neck as alpha.
 */
export async function trackClip(
  video: VideoSource,
  { head, models }: Omit<AvatarTools, 'gpu'>,
  given: Partial<TrackClipOptions>,
  onFrame: (position: number, image: Image) => Promise<void> | void,
  { onProgress, signal }: TrackContext = {},
): Promise<TrackedClip> {
  const { size, maximumFrames, split } = { ...TRACK_CLIP_DEFAULTS, ...given };
  const observation = await observeVideo(video, models, { maximumFrames }, onProgress, signal);
  const { observations } = observation;
  const crops = planCrop(observations, await measureCrown(video, models, observations, size, signal));
  const { width: videoWidth, height: videoHeight } = video.info;
  const options = { videoWidth, videoHeight, crops, size };
  const solver = new TrackSolver(head, observations, options, onProgress, signal);
  const { frames } = await solver.solve();
  const pictures = new Array<FeaturePyramid | null>(frames.length).fill(null);
  const matting = createMatting(models);
  const indices = observations.map((frame) => frame.sourceIndex);
  let position = 0;
  // A frame is stored while the next one is cut out.
  let stored: Promise<void> | void = undefined;
  try {
    for await (const frame of video.frames({ indices, ...(signal ? { signal } : {}) })) {
      const crop = crops[position]!;
      if (frames[position]!.excluded === null) {
        const landmarks = landmarksInCrop(observations[position]!.landmarks, crop, size);
        const { image } = await matting.matte(cropFrame(frame.image, crop, size), { landmarks });
        pictures[position] = featurePyramid(image, PICTURE_SIZE, PICTURE_LEVELS);
        await stored;
        stored = onFrame(position, image);
        stored?.catch(() => undefined); // told where it is awaited
      } else {
        matting.reset();
      }
      position++;
      onProgress?.({ stage: 'matte', done: position, total: indices.length });
    }
  } finally {
    await stored;
  }
  const train = new Set(teachingFrames(frames, split));
  const refined = await solver.refine(
    pictures,
    frames.map((_, index) => train.has(index)),
  );
  const track = { ...refined, warnings: [...observation.warnings, ...refined.warnings] };
  return { track, observation, crops };
}

/** Frames that may teach: none in a clip too short for the rule, which the fit turns down later. */
function teachingFrames(frames: Track['frames'], split: SplitRule): readonly number[] {
  try {
    return splitFrames(frames, split).train;
  } catch (error) {
    if (error instanceof RangeError) return [];
    throw error;
  }
}

/** Frames that tell how high the hair is. */
const CROWN_FRAMES = 8;

/** How high the hair reaches over the brows (`crownAboveBrow`): landmarks do not tell, so a few frames are matted first. */
async function measureCrown(
  video: VideoSource,
  models: FaceModels,
  observations: readonly FaceObservation[],
  size: number,
  signal?: AbortSignal,
): Promise<number | undefined> {
  const seen = observations.filter((observation) => observation.excluded === null);
  const every = Math.max(1, Math.floor(seen.length / CROWN_FRAMES));
  const chosen = seen.filter((_, index) => index % every === 0);
  if (chosen.length === 0) return undefined;
  const crops = planCrop(chosen);
  const matting = createMatting(models);
  const heights: number[] = [];
  let position = 0;
  for await (const frame of video.frames({
    indices: chosen.map((observation) => observation.sourceIndex),
    ...(signal ? { signal } : {}),
  })) {
    const crop = crops[position]!;
    const { landmarks } = chosen[position++]!;
    matting.reset();
    const { alpha } = await matting.matte(cropFrame(frame.image, crop, size), {
      landmarks: landmarksInCrop(landmarks, crop, size),
    });
    const top = Math.floor(alpha.findIndex((value) => value > 127) / size);
    // A head that leaves the picture at the top hides its crown.
    if (top > 1 && crop.y + (top * crop.size) / size > 2)
      heights.push(crownAboveBrow(landmarks, crop.y + (top * crop.size) / size));
  }
  return heights.toSorted((a, b) => a - b)[Math.floor(heights.length / 2)];
}

export interface CreateAvatarOptions {
  readonly track: Partial<TrackClipOptions>;
  readonly fit: Partial<FitOptions>;
  readonly split: SplitRule;
}

export interface CreatedAvatar {
  readonly avatar: Avatar;
  /** The avatar as a file (safetensors). */
  readonly file: Uint8Array;
  readonly track: Track;
  readonly fit: FitResult;
  /** Held-out frames, scored. */
  readonly heldOut: readonly ScoredFrame[];
}

/**
 * The whole method in memory: a video to an avatar, scored on frames that it never saw. The command does the same with
 * a folder behind every stage, so that a stopped run resumes.
 */
export async function createAvatar(
  video: VideoSource,
  tools: AvatarTools,
  { track: trackOptions = {}, fit: fitOptions = {}, split = 'fifth' }: Partial<CreateAvatarOptions> = {},
  context: FitContext = {},
): Promise<CreatedAvatar> {
  const { gpu, head } = tools;
  const pixels = new Map<number, Uint32Array>();
  const { track } = await trackClip(
    video,
    tools,
    { ...trackOptions, split },
    (position, image) => void pixels.set(position, packPixels(image)),
    context,
  );
  const clipOf = (positions: readonly number[]): Clip => ({
    size: track.frames[0]!.camera.width,
    frames: positions.map((index) => ({ index, camera: track.frames[index]!.camera, pose: track.frames[index]!.pose })),
    pixels: (frame) => pixels.get(positions[frame]!)!,
  });
  const { train, heldOut } = splitFrames(track.frames, split);
  const inputs = { head, identityCoefficients: track.identityCoefficients, clip: clipOf(train) };
  const fit = await fitAvatar(gpu, inputs, { ...FIT_DEFAULTS, ...fitOptions }, context);
  const sourceIndices = heldOut.map((index) => track.frames[index]!.sourceIndex);
  const scored = await scoreAvatar(gpu, fit.avatar, clipOf(heldOut), sourceIndices, context);
  return { avatar: fit.avatar, file: encodeAvatar(fit.avatar), track, fit, heldOut: scored.frames };
}
