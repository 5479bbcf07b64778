import { resolve } from 'node:path';
import {
  CREATE_OPTIONS,
  FIT_RUN_OPTIONS,
  TRACK_COMMAND_OPTIONS,
  type CreateOptions,
  type FitCommandOptions,
  type TrackOptions,
} from '../../../command-options.ts';
import type { Metrics } from '../../../evaluation/metrics-file.ts';
import { FIT_DEFAULTS } from '../../../fitting/fit-options.ts';
import { resolveOptions } from '../../../options.ts';
import { fileDigest } from '../atomic-file.ts';
import { findLpips } from '../optional-files.ts';
import { RunFolder, type RunVideo } from '../run-folder.ts';
import { absoluteHead, withGpu, type RunContext } from './context.ts';
import { runEvaluate } from './evaluate-run.ts';
import { openPerceptualNet, runFit, type FitStageOptions } from './fit-run.ts';
import { runTrack } from './track-run.ts';
import { stat } from 'node:fs/promises';
import { UnsupportedVideoError } from '../../../video/errors.ts';

/** A video to an avatar, with its report: tracks, fits and scores in `out`, going on where an earlier call stopped. */
export async function createAvatar(
  { video, out, ...given }: { video: string; out: string } & Partial<CreateOptions>,
  context: RunContext = {},
): Promise<Metrics> {
  const options = resolveOptions(CREATE_OPTIONS, given);
  const fit = fitStageOptions(options);
  const track = { ...trackStageOptions(options), ...(fit.split === 'fifth' ? {} : { split: fit.split }) };
  return inFolder(
    out,
    { video: await describeVideo(video), stages: { track, fit }, force: options.force },
    async (folder) => {
      if (folder.isDone('track', 'fit', 'evaluate')) {
        context.log?.(`${folder.path} is finished; nothing to do.`);
        return runEvaluate(folder, context);
      }
      // The device first: a machine without one should say so before it tracks for a minute.
      return withGpu(context, async (gpu) => {
        // And the weights that the user gave: better a wrong file now than after the fit.
        if (!folder.isDone('fit')) await openPerceptualNet(fit, track.models);
        await findLpips(track.models);
        await runTrack(folder, track, { ...context, gpu });
        await runFit(folder, fit, { ...context, gpu });
        return runEvaluate(folder, { ...context, gpu });
      });
    },
  );
}

/** Tracks a video into `out`; `fitAvatar` goes on from there. */
export async function trackVideo(
  { video, out, ...given }: { video: string; out: string } & Partial<TrackOptions>,
  context: RunContext = {},
): Promise<{
  folder: string;
  frames: number;
  excluded: number;
  meanResidual: number;
  seconds: number;
  warnings: readonly string[];
}> {
  const options = resolveOptions(TRACK_COMMAND_OPTIONS, given);
  const track = trackStageOptions(options);
  return inFolder(
    out,
    { video: await describeVideo(video), stages: { track }, force: options.force },
    async (folder) => {
      if (folder.isDone('track')) context.log?.(`${folder.path} has its track; nothing to do.`);
      const facts = await runTrack(folder, track, context);
      return { folder: folder.path, ...facts, seconds: folder.stage('track')!.seconds };
    },
  );
}

/** Fits the tracked video of a folder. */
export async function fitAvatar(
  { folder: path, ...given }: { folder: string } & Partial<FitCommandOptions>,
  context: RunContext = {},
): Promise<{ folder: string; gaussianCount: number; stepsPerSecond: number; avatarSha256: string; seconds: number }> {
  const options = resolveOptions(FIT_RUN_OPTIONS, given);
  const fit = fitStageOptions(options);
  return inFolder(path, { stages: { fit }, force: options.force }, async (folder) => {
    if (folder.isDone('fit')) context.log?.(`${folder.path} has its avatar; nothing to do.`);
    await runFit(folder, fit, context);
    const { facts, seconds } = folder.stage('fit')!;
    const { gaussianCount, stepsPerSecond, avatarSha256 } = facts as Record<string, never>;
    return { folder: folder.path, gaussianCount, stepsPerSecond, avatarSha256, seconds };
  });
}

/** Scores a folder's avatar on its held-out frames and writes the report. */
export async function evaluateAvatar(
  { folder: path, models = null }: { folder: string; models?: string | null },
  context: RunContext = {},
): Promise<Metrics> {
  return inFolder(path, {}, (folder) => runEvaluate(folder, context, { models: models && resolve(models) }));
}

function trackStageOptions({ head, size, models, frames }: Omit<TrackOptions, 'force'>) {
  return { head: absoluteHead(head), size, models: models === null ? null : resolve(models), frames };
}

function fitStageOptions(options: Omit<FitCommandOptions, 'force'>): FitStageOptions {
  const { gaussians, steps, seed, split, densify, withoutDeltas, keepTrack, exposure } = options;
  const { perceptual, perceptualLayers, perceptualWeight, perceptualEvery } = options;
  // What was not given stays out, as in folders of earlier versions.
  return {
    ...{ gaussians, steps, seed, split, densify, withoutDeltas, keepTrack, exposure },
    ...(perceptual === null ? {} : { perceptual: perceptual === 'off' ? perceptual : resolve(perceptual) }),
    ...(perceptualLayers === null ? {} : { perceptualLayers }),
    ...(perceptualWeight === FIT_DEFAULTS.weights.perceptual ? {} : { perceptualWeight }),
    ...(perceptualEvery === null ? {} : { perceptualEvery }),
  };
}

async function describeVideo(video: string): Promise<RunVideo> {
  const path = resolve(video);
  const info = await stat(path).catch(() => null);
  if (!info?.isFile()) {
    throw new UnsupportedVideoError(
      'missing',
      `${path} ${info ? 'is a folder' : 'does not exist'}; give a video file.`,
    );
  }
  return { path, ...(await fileDigest(path)) };
}

async function inFolder<T>(
  path: string,
  options: NonNullable<Parameters<typeof RunFolder.open>[1]>,
  work: (folder: RunFolder) => Promise<T>,
): Promise<T> {
  const folder = await RunFolder.open(resolve(path), options);
  try {
    return await work(folder);
  } finally {
    await folder.close();
  }
}
