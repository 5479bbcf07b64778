import type { Avatar } from '../avatar/avatar.ts';
import type { Clip } from '../fitting/clip.ts';
import { fitPoses } from '../fitting/fit-poses.ts';
import type { Gpu } from '../gpu/gpu.ts';
import type { HeadPose } from '../head/pose.ts';
import type { Image, OnProgress } from '../video/frame.ts';
import { AvatarRenderer } from '../viewer/avatar-renderer.ts';
import type { FrameScores } from './metrics-file.ts';
import { scoreFrame } from './score-frames.ts';

/** A held-out frame, scored and drawn. */
export interface ScoredFrame {
  readonly scores: FrameScores;
  readonly truth: Image;
  /** After test-time fitting, on white. */
  readonly rendering: Image;
}

/**
 * Scores an avatar on frames that the fit never saw, twice: as tracked, and after 50 steps of pose, expression and
 * translation per frame with the avatar frozen (method §8).
 */
export async function scoreAvatar(
  gpu: Gpu,
  avatar: Avatar,
  clip: Clip,
  sourceIndices: readonly number[],
  onProgress?: OnProgress,
  signal?: AbortSignal,
): Promise<{ frames: ScoredFrame[]; fittedPoses: HeadPose[] }> {
  const fittedPoses = await fitPoses(gpu, avatar, clip, {}, onProgress, signal);
  const renderer = await AvatarRenderer.create(gpu, avatar);
  try {
    const frames: ScoredFrame[] = [];
    for (const [index, frame] of clip.frames.entries()) {
      signal?.throwIfAborted();
      const truth = frameImage(clip, index);
      const asTracked = scoreFrame(truth, await renderer.renderFloat(frame.pose, frame.camera));
      const fitted = scoreFrame(truth, await renderer.renderFloat(fittedPoses[index]!, frame.camera));
      const rendering = await renderer.render(fittedPoses[index]!, frame.camera);
      frames.push({ scores: { sourceIndex: sourceIndices[index]!, asTracked, fitted }, truth, rendering });
      onProgress?.({ stage: 'score', done: index + 1, total: clip.frames.length });
    }
    return { frames, fittedPoses };
  } finally {
    renderer.dispose();
  }
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
