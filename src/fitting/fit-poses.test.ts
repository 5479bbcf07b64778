import { beforeAll, describe, expect, it } from 'vitest';
import { testGpu } from '../../test/gpu.ts';
import { madeSubject, type MadeSubject } from '../../test/made-subject.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { packPose, unpackPose, type HeadPose } from '../head/pose.ts';
import { randomNormal } from '../math/random.ts';
import type { Clip } from './clip.ts';
import { fitPoses } from './fit-poses.ts';

/** How far tracked poses are off: metres, radians, coefficients. */
const DISTURBANCE = { translation: 0.002, rotation: 0.015, expression: 0.02 };

describe('fitPoses', () => {
  let gpu: Gpu;
  let subject: MadeSubject;
  let disturbed: Clip;
  beforeAll(async () => {
    gpu = await testGpu();
    subject = await madeSubject(gpu, { frameCount: 3 });
    disturbed = {
      ...subject.clip,
      frames: subject.clip.frames.map((frame) => ({ ...frame, pose: disturb(frame.pose, frame.index) })),
    };
  });

  it('brings disturbed poses back to the pictures, the avatar held still', async () => {
    const fitted = await fitPoses(gpu, subject.avatar, disturbed);
    subject.poses.forEach((truth, frame) => {
      const before = disturbed.frames[frame].pose;
      const after = fitted[frame];
      expect(distance(after.headTranslation.slice(0, 2), truth.headTranslation.slice(0, 2))).toBeLessThan(
        0.5 * distance(before.headTranslation.slice(0, 2), truth.headTranslation.slice(0, 2)),
      );
      expect(distance(after.headRotation, truth.headRotation)).toBeLessThan(
        0.7 * distance(before.headRotation, truth.headRotation),
      );
    });
    expect(await fitPoses(gpu, subject.avatar, disturbed)).toEqual(fitted);
  });

  it('fits each frame by itself: alone or among others, the same pose', async () => {
    const among = await fitPoses(gpu, subject.avatar, disturbed, { steps: 9 });
    const alone = { ...disturbed, frames: disturbed.frames.slice(1, 2), pixels: () => subject.clip.pixels(1) };
    expect(await fitPoses(gpu, subject.avatar, alone, { steps: 9 })).toEqual(among.slice(1, 2));
  });

  it('leaves exact poses about where they are, reports each frame, and stops on a signal', async () => {
    const done: number[] = [];
    const fitted = await fitPoses(gpu, subject.avatar, subject.clip, { steps: 20 }, (progress) =>
      done.push(progress.done),
    );
    expect(done).toEqual([1, 2, 3]);
    fitted.forEach((pose, frame) =>
      expect(distance(packPose(pose), packPose(subject.poses[frame]))).toBeLessThan(0.02),
    );
    const controller = new AbortController();
    const stopped = fitPoses(gpu, subject.avatar, subject.clip, {}, () => controller.abort(), controller.signal);
    await expect(stopped).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
  });

  it('refuses a pose that is no number, and takes an empty clip', async () => {
    const pose = { ...subject.poses[0], jawPose: Float32Array.of(Number.NaN, 0, 0) };
    const broken = { ...subject.clip, frames: [{ ...subject.clip.frames[0], pose }] };
    await expect(fitPoses(gpu, subject.avatar, broken)).rejects.toThrow(
      /frame 0 of the track cannot be used: its pose holds NaN/,
    );
    expect(await fitPoses(gpu, subject.avatar, { ...subject.clip, frames: [] })).toEqual([]);
  });
});

function disturb(pose: HeadPose, frame: number): HeadPose {
  const packed = packPose(pose);
  const { translation, rotation, expression } = DISTURBANCE;
  packed.forEach((value, i) => {
    const size = i < 3 ? translation : i < 6 ? rotation : i < 18 ? 0 : expression;
    packed[i] = value + size * randomNormal(51, frame, i);
  });
  return unpackPose(packed);
}

function distance(a: Float32Array, b: Float32Array): number {
  return Math.hypot(...a.map((value, i) => value - b[i]));
}
