import type { Avatar } from '../avatar/avatar.ts';
import type { Clip } from '../fitting/clip.ts';
import { fitPoses } from '../fitting/fit-poses.ts';
import { correctPose } from '../tracking/track-correction.ts';
import type { Gpu } from '../gpu/gpu.ts';
import type { HeadPose } from '../head/pose.ts';
import type { MetricImage } from '../losses/metrics.ts';
import type { ImageDistance } from '../losses/perceptual/image-distance.ts';
import type { Image, OnProgress } from '../video/frame.ts';
import { AvatarRenderer } from '../viewer/avatar-renderer.ts';
import type { FrameScores } from './metrics-file.ts';
import { asShown, compositeOnWhite, scoreFrame, type Scores } from './score-frames.ts';

/** A held-out frame, scored and drawn. */
export interface ScoredFrame {
  readonly scores: FrameScores;
  readonly truth: Image;
  /** After test-time fitting, on white. */
  readonly rendering: Image;
}

export interface ScoreContext {
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
  /** LPIPS, where its weights are given. */
  readonly lpips?: ImageDistance | null;
}

/**
 * Scores an avatar on frames that the fit never saw: as tracked, with the correction of the track that the fit learned
 * from its own frames (and without it, for comparison), and after 50 steps of pose, expression and translation per frame
 * with the avatar frozen (method §8). With `lpips`, made for the clip's size, that is scored too.
 */
export async function scoreAvatar(
  gpu: Gpu,
  avatar: Avatar,
  clip: Clip,
  sourceIndices: readonly number[],
  { onProgress, signal, lpips = null }: ScoreContext = {},
): Promise<{ frames: ScoredFrame[]; fittedPoses: HeadPose[] }> {
  const corrected: Clip = {
    ...clip,
    frames: clip.frames.map((frame) => ({ ...frame, pose: correctPose(frame.pose, avatar.trackCorrection) })),
  };
  const fittedPoses = await fitPoses(gpu, avatar, corrected, {}, onProgress, signal);
  const renderer = await AvatarRenderer.create(gpu, avatar);
  try {
    const frames: ScoredFrame[] = [];
    for (const [index, frame] of clip.frames.entries()) {
      signal?.throwIfAborted();
      const truth = frameImage(clip, index);
      const renderings: MetricImage[] = [];
      for (const pose of [corrected.frames[index]!.pose, frame.pose, fittedPoses[index]!])
        renderings.push(asShown(await renderer.renderFloat(pose, frame.camera), frame.shown));
      const [asTracked, uncorrected, fitted] = (await scoreAll(truth, renderings, lpips)) as [Scores, Scores, Scores];
      const rendering = bytesOf(renderings[2]!); // as it was scored
      frames.push({ scores: { sourceIndex: sourceIndices[index]!, asTracked, uncorrected, fitted }, truth, rendering });
      onProgress?.({ stage: 'score', done: index + 1, total: clip.frames.length });
    }
    return { frames, fittedPoses };
  } finally {
    renderer.dispose();
  }
}

function bytesOf({ width, height, data }: MetricImage): Image {
  return { width, height, channels: 3, data: Uint8Array.from(data, (value) => Math.round(value * 255)) };
}

/** Scores of several renderings of one frame. */
async function scoreAll(
  truth: Image,
  renderings: readonly MetricImage[],
  lpips: ImageDistance | null,
): Promise<Scores[]> {
  const scores = renderings.map((rendering) => scoreFrame(truth, rendering));
  if (!lpips) return scores;
  const distances = await lpips.distances(compositeOnWhite(truth), renderings);
  return scores.map((score, index) => ({ ...score, lpips: distances[index]! }));
}

function frameImage(clip: Clip, index: number): Image {
  const pixels = clip.pixels(index);
  return {
    width: clip.size,
    height: clip.size,
    channels: 4,
    data: new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength),
  };
}
