import type { Avatar } from '../avatar/avatar.ts';
import { FrameOrder } from '../fitting/schedule.ts';
import { STEPS_PER_SUBMIT } from '../fitting/training-parts.ts';
import { Training } from '../fitting/training.ts';
import type { GaussianSet } from '../gaussians/layout.ts';
import type { Gpu } from '../gpu/gpu.ts';
import type { OnProgress } from '../video/frame.ts';
import { bakedGaussians, type BakedAvatar } from './baked-avatar.ts';
import { drawLesson, lessonInputs, measureImportance, type Lesson } from './lesson.ts';
import { resample } from './level-of-detail.ts';
import { MATCH_DEFAULTS, type MatchOptions } from './match-options.ts';

/** What a resampled avatar is to look like, and how it learns to. */
export interface ResampleMatchedOptions extends Partial<MatchOptions> {
  /** An avatar of the same head: the maps' own by default, or that of their edits with finer detail than the maps'. */
  readonly original?: Avatar;
}

/**
 * `resample`, and then the Gaussians learn their colour, opacity, shape and offset from pictures of the original: what
 * another number of Gaussians cannot copy one by one, they show together. Where there are fewer, those that the
 * pictures show most of are kept. No video is looked at: views and expressions are drawn by the seed. What no view shows
 * stays as it was sampled; with the count that was fitted, or no steps, everything does.
 *
 * Throws as `resample` does, `RangeError` for numbers of steps or views that cannot be, and what `signal` was aborted with.
 */
export async function resampleMatched(
  gpu: Gpu,
  baked: BakedAvatar,
  count: number,
  { original, ...given }: ResampleMatchedOptions = {},
  onProgress?: OnProgress,
  signal?: AbortSignal,
): Promise<Avatar> {
  const wanted: MatchOptions = { ...MATCH_DEFAULTS, ...given };
  checkNumber('steps', wanted.steps, 0);
  checkNumber('views', wanted.views, 1);
  const options = { ...wanted, views: Math.min(wanted.views, Math.max(1, wanted.steps)) };
  const sampled = resample(baked, count, options.seed);
  const full = bakedGaussians(baked);
  const isSame = count === full.gaussians.count && original === undefined;
  if (options.steps === 0 || isSame) return sampled;
  const lesson = await drawLesson(gpu, original ?? full, options, signal);
  if (count >= full.gaussians.count) return learn(gpu, sampled, lesson, options, onProgress, signal);
  const importance = await measureImportance(gpu, full, lesson, options);
  return learn(gpu, resample(baked, count, options.seed, importance), lesson, options, onProgress, signal);
}

function checkNumber(name: string, value: number, least: number): void {
  if (!Number.isInteger(value) || value < least)
    throw new RangeError(`match option "${name}" is ${value}; give a whole number of at least ${least}`);
}

async function learn(
  gpu: Gpu,
  avatar: Avatar,
  lesson: Lesson,
  options: MatchOptions,
  onProgress?: OnProgress,
  signal?: AbortSignal,
): Promise<Avatar> {
  let intersectionCapacity = avatar.gaussians.count * 16 + lesson.size * 64;
  for (;;) {
    const training = await Training.create(gpu, { ...lessonInputs(avatar, lesson, options), intersectionCapacity });
    try {
      await takeSteps(training, lesson, options, onProgress, signal);
      const needed = await training.rasterizer.neededIntersections();
      if (needed <= intersectionCapacity) return { ...avatar, gaussians: await readSet(training) };
      intersectionCapacity = Math.ceil(needed * 1.5); // an image was cut: once more, with room
    } finally {
      training.dispose();
    }
  }
}

async function takeSteps(
  training: Training,
  { frames }: Lesson,
  { steps, seed }: MatchOptions,
  onProgress?: OnProgress,
  signal?: AbortSignal,
): Promise<void> {
  const order = new FrameOrder(frames.length, seed);
  const commands = training.commands();
  let pending: Promise<void> | null = null;
  for (let step = 1; step <= steps; step++) {
    training.recordStep(commands, step, order.at(step - 1));
    if (step % STEPS_PER_SUBMIT !== 0 && step !== steps) continue;
    commands.submit();
    await pending;
    pending = commands.done();
    signal?.throwIfAborted();
    onProgress?.({ stage: 'match the avatar', done: step, total: steps });
  }
  await pending;
}

async function readSet(training: Training): Promise<GaussianSet> {
  const set = await training.gaussians.read();
  const fault = set.logScale.find((value) => !Number.isFinite(value));
  if (fault !== undefined) throw new Error(`matching ended with ${fault} among the scales: please report this avatar`);
  return set;
}
