import { resolve } from 'node:path';
import type { Avatar } from '../../../avatar/avatar.ts';
import { bakedGaussians, type BakedAvatar } from '../../../baking/baked-avatar.ts';
import { collectMetrics, type Metrics } from '../../../evaluation/metrics-file.ts';
import { scoreAvatar, type ScoredFrame } from '../../../evaluation/score-avatar.ts';
import { splitFrames, type SplitRule } from '../../../evaluation/split-frames.ts';
import type { Clip } from '../../../fitting/clip.ts';
import type { Gpu } from '../../../gpu/gpu.ts';
import type { HeadPose } from '../../../head/pose.ts';
import { bakedHeldOutSheet } from '../../../report/baked-section.ts';
import { lossPlot } from '../../../report/loss-plot.ts';
import { mapSheet } from '../../../report/map-sheet.ts';
import type { Track } from '../../../tracking/track.ts';
import type { Image } from '../../../video/frame.ts';
import { AvatarRenderer } from '../../../viewer/avatar-renderer.ts';
import { readBaked } from '../baked-folder.ts';
import { encodePng } from '../image-file.ts';
import { findLpips, type FoundNet } from '../optional-files.ts';
import { RunFolder, RunFolderError } from '../run-folder.ts';
import { readBakeLosses, type BakeFacts } from './bake-run.ts';
import { addBakedSection, BAKED_REPORT, readJson, type BakedMetrics } from './baked-report.ts';
import { withGpu, type RunContext } from './context.ts';
import { openLpips } from './evaluate-run.ts';
import { peakMemoryMB, readAvatar, readClip, readTrack, trackModels } from './fit-run.ts';

const SHOWN_FRAMES = 6;

type ScoredAvatar = Awaited<ReturnType<typeof scoreAvatar>>;

/** Scores a folder's baked avatar on the frames held out from it, just as the fitted one; adds it to the report. */
export async function evaluateBaked(
  { folder: path, models = null }: { folder: string; models?: string | null },
  context: RunContext = {},
): Promise<BakedMetrics> {
  const folder = await RunFolder.open(resolve(path));
  try {
    if (!folder.isDone('bake'))
      throw new RunFolderError(`${folder.path} has no finished maps; run \`fate bake\` first.`);
    const stored = folder.isDone('evaluateBaked') ? await readJson<BakedMetrics>(folder, BAKED_REPORT.metrics) : null;
    return (
      stored ?? (await score(folder, context, await findLpips(models === null ? trackModels(folder) : resolve(models))))
    );
  } finally {
    await folder.close();
  }
}

async function score(folder: RunFolder, context: RunContext, found: FoundNet | null): Promise<BakedMetrics> {
  const fitted = await readAvatar(folder);
  const baked = await readBaked(folder.path, { avatar: fitted });
  const heldOut = await readHeldOut(folder, context);
  await folder.begin('evaluateBaked');
  return withGpu(context, async (gpu) => {
    const scored = await scoreHeldOut(gpu, bakedGaussians(baked), heldOut, found, context);
    const before = await readJson<Metrics>(folder, 'report/metrics.json');
    const bake = folder.stage('bake')!;
    const facts = bake.facts as unknown as BakeFacts;
    const metrics: BakedMetrics = {
      ...metricsOf(folder, gpu, heldOut, scored, facts.gaussianCount),
      bake: { ...facts, seconds: bake.seconds },
      beforeBaking: before?.heldOut ?? null,
    };
    const renderings = await renderIn(gpu, fitted, heldOut.clip, scored.fittedPoses);
    await writeReport(folder, baked, { metrics, frames: scored.frames, fitted: renderings });
    await folder.finish('evaluateBaked');
    return metrics;
  });
}

/** The frames that a run's avatar never saw. */
export interface HeldOut {
  readonly clip: Clip;
  /** Positions in the video. */
  readonly sourceIndices: readonly number[];
  readonly track: Track;
  /** Frames that were learned from. */
  readonly trained: number;
}

export async function readHeldOut(folder: RunFolder, { signal }: RunContext): Promise<HeldOut> {
  const track = await readTrack(folder);
  const { heldOut, train } = splitFrames(track.frames, folder.stage('fit')!.options['split'] as SplitRule);
  return {
    clip: await readClip(folder, track, heldOut, signal),
    sourceIndices: heldOut.map((position) => track.frames[position]!.sourceIndex),
    track,
    trained: train.length,
  };
}

export async function scoreHeldOut(
  gpu: Gpu,
  avatar: Avatar,
  { clip, sourceIndices }: HeldOut,
  found: FoundNet | null,
  { onProgress, signal }: RunContext,
): Promise<ScoredAvatar> {
  const lpips = found && clip.frames.length > 0 ? await openLpips(found, clip.size) : null;
  try {
    return await scoreAvatar(gpu, avatar, clip, sourceIndices, { onProgress, signal, lpips });
  } finally {
    await lpips?.dispose();
  }
}

/** Scores with what the bake and all before it took. */
export function metricsOf(
  folder: RunFolder,
  gpu: Gpu,
  { track, trained }: HeldOut,
  { frames }: ScoredAvatar,
  gaussianCount: number,
): Metrics {
  const [tracking, fit, bake] = (['track', 'fit', 'bake'] as const).map((stage) => folder.stage(stage)!);
  const facts = bake!.facts as unknown as BakeFacts;
  return collectMetrics(
    frames.map((frame) => frame.scores),
    {
      gaussianCount,
      stepsPerSecond: facts.stepsPerSecond,
      seconds: {
        track: tracking!.seconds,
        fit: fit!.seconds,
        total: tracking!.seconds + fit!.seconds + bake!.seconds,
      },
      peakMemoryMB: Math.max(peakMemoryMB(), facts.peakMemoryMB),
      seed: Number(bake!.options['seed']),
      avatarSha256: String(fit!.facts['avatarSha256']),
      adapter: gpu.adapter.description || gpu.adapter.vendor,
      frames: {
        video: Number(tracking!.facts['videoFrames']),
        tracked: track.frames.length,
        excluded: track.frames.filter((frame) => frame.excluded !== null).length,
        trained,
      },
      warnings: track.warnings,
    },
  );
}

/** An avatar in given poses of the frames that reports show. */
export async function renderIn(
  gpu: Gpu,
  avatar: Avatar,
  clip: Clip,
  poses: readonly HeadPose[],
): Promise<ReadonlyMap<number, Image>> {
  const renderer = await AvatarRenderer.create(gpu, avatar);
  const images = new Map<number, Image>();
  try {
    for (const frame of evenly(clip.frames.length, SHOWN_FRAMES))
      images.set(frame, await renderer.render(poses[frame]!, clip.frames[frame]!.camera));
  } finally {
    renderer.dispose();
  }
  return images;
}

async function writeReport(
  folder: RunFolder,
  baked: BakedAvatar,
  {
    metrics,
    frames,
    fitted,
  }: {
    metrics: BakedMetrics;
    frames: readonly ScoredFrame[];
    fitted: ReadonlyMap<number, Image>;
  },
): Promise<void> {
  const examples = [...fitted].map(([index, image]) => {
    const { truth, rendering, scores } = frames[index]!;
    return {
      truth,
      fitted: image,
      baked: rendering,
      caption: `frame ${scores.sourceIndex}: ${scores.fitted.psnr.toFixed(1)} dB`,
    };
  });
  await folder.write('evaluateBaked', BAKED_REPORT.maps, await encodePng(mapSheet(baked.maps, baked.avatar.head, baked.mapped))); // prettier-ignore
  if (examples.length > 0)
    await folder.write('evaluateBaked', BAKED_REPORT.heldOut, await encodePng(bakedHeldOutSheet(examples)));
  const losses = await readBakeLosses(folder);
  const x = losses.map((point) => point.step);
  const lossSvg = lossPlot([
    { name: 'total', x, y: losses.map((point) => point.total) },
    { name: 'L1', x, y: losses.map((point) => point.l1) },
    { name: '1 − SSIM', x, y: losses.map((point) => point.dissimilarity) },
  ]);
  await folder.write('evaluateBaked', BAKED_REPORT.loss, lossSvg);
  await folder.write('evaluateBaked', BAKED_REPORT.metrics, `${JSON.stringify(metrics, null, 2)}\n`);
  await addBakedSection(folder);
}

function evenly(length: number, count: number): number[] {
  const wanted = Math.min(length, count);
  return Array.from({ length: wanted }, (_, index) => Math.round((index * (length - 1)) / Math.max(1, wanted - 1)));
}
