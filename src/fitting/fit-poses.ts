import type { Avatar } from '../avatar/avatar.ts';
import { readFloats } from '../gpu/buffer.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { packPose, unpackPose, type HeadPose } from '../head/pose.ts';
import type { OnProgress } from '../video/frame.ts';
import { avatarInputs } from './avatar-inputs.ts';
import { checkClip, type Clip } from './clip.ts';
import { FIT_DEFAULTS } from './fit-options.ts';
import { STEPS_PER_SUBMIT } from './training-parts.ts';
import { Training } from './training.ts';

export interface FitPosesOptions {
  /** Steps per frame. The paper takes 50. */
  readonly steps: number;
  /** Of rotations and translation; expression learns 8 times as fast. The paper takes 5e-4 for all, which 50 steps do not bring to rest. */
  readonly rate: number;
}

export const FIT_POSES_DEFAULTS: FitPosesOptions = { steps: 50, rate: 1e-3 };

/**
 * Test-time fitting: pose, expression and translation of every frame of the clip to its picture, with the avatar frozen
 * (the paper does so on DECA data before it scores). Scores after it must be reported as such.
 */
export async function fitPoses(
  gpu: Gpu,
  avatar: Avatar,
  clip: Clip,
  given: Partial<FitPosesOptions> = {},
  onProgress?: OnProgress,
  signal?: AbortSignal,
): Promise<HeadPose[]> {
  if (clip.frames.length === 0) return [];
  checkClip(clip);
  let intersectionCapacity = avatar.gaussians.count * 16 + clip.size * 64;
  for (;;) {
    const training = await createFrozen(gpu, avatar, clip, intersectionCapacity);
    try {
      await refine(training, clip, { ...FIT_POSES_DEFAULTS, ...given }, onProgress, signal);
      const needed = await training.rasterizer.neededIntersections();
      if (needed <= intersectionCapacity) return await readPoses(gpu, training, clip);
      intersectionCapacity = Math.ceil(needed * 1.5); // an image was cut: once more, with room
    } finally {
      training.dispose();
    }
  }
}

function createFrozen(gpu: Gpu, avatar: Avatar, clip: Clip, intersectionCapacity: number): Promise<Training> {
  const weights = { ...FIT_DEFAULTS.weights, matte: 0 };
  return Training.create(gpu, {
    ...avatarInputs(avatar, clip, { background: 'white', weights }),
    intersectionCapacity,
  });
}

async function refine(
  training: Training,
  clip: Clip,
  { steps, rate }: FitPosesOptions,
  onProgress?: OnProgress,
  signal?: AbortSignal,
): Promise<void> {
  const commands = training.commands();
  let pending: Promise<void> | null = null;
  for (let frame = 0; frame < clip.frames.length; frame++) {
    for (let step = 1; step <= steps; step++) {
      training.recordPoseStep(commands, frame, rate);
      if (step % STEPS_PER_SUBMIT !== 0 && step !== steps) continue;
      commands.submit();
      await pending;
      pending = commands.done();
    }
    signal?.throwIfAborted();
    onProgress?.({ stage: 'fit held-out poses', done: frame + 1, total: clip.frames.length });
  }
  await pending;
}

async function readPoses(gpu: Gpu, training: Training, clip: Clip): Promise<HeadPose[]> {
  const poses = await readFloats(gpu, training.poses);
  const stride = training.poseStride / 4;
  const length = packPose(clip.frames[0]!.pose).length;
  return clip.frames.map((_, frame) => unpackPose(poses.slice(frame * stride, frame * stride + length)));
}
