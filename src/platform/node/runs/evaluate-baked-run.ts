import { resolve } from 'node:path';
import type { Avatar } from '../../../avatar/avatar.ts';
import { bakedGaussians, type BakedAvatar } from '../../../baking/baked-avatar.ts';
import { collectMetrics, type Metrics } from '../../../evaluation/metrics-file.ts';
import { scoreAvatar, type ScoredFrame } from '../../../evaluation/score-avatar.ts';
import { splitFrames, type SplitRule } from '../../../evaluation/split-frames.ts';
import type { Clip } from '../../../fitting/clip.ts';
import type { Gpu } from '../../../gpu/gpu.ts';
import type { HeadPose } from '../../../head/pose.ts';
import { bakedHeldOutSheet, bakedSection, insertBakedSection, type VariantRow } from '../../../report/baked-section.ts';
import { lossPlot } from '../../../report/loss-plot.ts';
import { mapSheet } from '../../../report/map-sheet.ts';
import type { Image } from '../../../video/frame.ts';
import { AvatarRenderer } from '../../../viewer/avatar-renderer.ts';
import { writeFileAtomically } from '../atomic-file.ts';
import { readBaked } from '../baked-folder.ts';
import { dataUrl, encodeJpeg, encodePng } from '../image-file.ts';
import { findLpips, type FoundNet } from '../optional-files.ts';
import { RunFolder, RunFolderError } from '../run-folder.ts';
import { readBakeLosses, type BakeFacts } from './bake-run.ts';
import { withGpu, type RunContext } from './context.ts';
import { openLpips } from './evaluate-run.ts';
import { peakMemoryMB, readAvatar, readClip, readTrack, trackModels } from './fit-run.ts';

/** `report/baked/metrics.json`: the scores of the baked avatar, beside the bake's facts and the fitted avatar's scores. */
export interface BakedMetrics extends Metrics {
  readonly bake: BakeFacts & { readonly seconds: number };
  /** Of the fitted avatar, where it was evaluated. */
  readonly beforeBaking: Metrics['heldOut'];
}

const FOLDER = 'report/baked';
const SHOWN_FRAMES = 6;

/** Scores a folder's baked avatar on the frames held out from it, just as the fitted one; adds it to the report. */
export async function evaluateBaked(
  { folder: path, models = null }: { folder: string; models?: string | null },
  context: RunContext = {},
): Promise<BakedMetrics> {
  const folder = await RunFolder.open(resolve(path));
  try {
    if (!folder.isDone('bake'))
      throw new RunFolderError(`${folder.path} has no finished maps; run \`fate bake\` first.`);
    const stored = folder.isDone('evaluateBaked')
      ? await readJson<BakedMetrics>(folder, `${FOLDER}/metrics.json`)
      : null;
    return (
      stored ?? (await score(folder, context, await findLpips(models === null ? trackModels(folder) : resolve(models))))
    );
  } finally {
    await folder.close();
  }
}

async function score(folder: RunFolder, context: RunContext, found: FoundNet | null): Promise<BakedMetrics> {
  const { onProgress, signal } = context;
  const fitted = await readAvatar(folder);
  const baked = await readBaked(folder.path, { avatar: fitted });
  const track = await readTrack(folder);
  const { heldOut, train } = splitFrames(track.frames, folder.stage('fit')!.options['split'] as SplitRule);
  const clip = await readClip(folder, track, heldOut, signal);
  await folder.begin('evaluateBaked');
  return withGpu(context, async (gpu) => {
    const indices = heldOut.map((position) => track.frames[position]!.sourceIndex);
    const lpips = found && clip.frames.length > 0 ? await openLpips(found, clip.size) : null;
    const scored = await scoreAvatar(gpu, bakedGaussians(baked), clip, indices, { onProgress, signal, lpips });
    await lpips?.dispose();
    const before = await readJson<Metrics>(folder, 'report/metrics.json');
    const bake = folder.stage('bake')!;
    const facts = bake.facts as unknown as BakeFacts;
    const [tracking, fit] = [folder.stage('track')!, folder.stage('fit')!];
    const metrics: BakedMetrics = {
      ...collectMetrics(
        scored.frames.map((frame) => frame.scores),
        {
          gaussianCount: facts.gaussianCount,
          stepsPerSecond: facts.stepsPerSecond,
          seconds: { track: tracking.seconds, fit: fit.seconds, total: tracking.seconds + fit.seconds + bake.seconds },
          peakMemoryMB: Math.max(peakMemoryMB(), facts.peakMemoryMB),
          seed: Number(bake.options['seed']),
          avatarSha256: String(fit.facts['avatarSha256']),
          adapter: gpu.adapter.description || gpu.adapter.vendor,
          frames: {
            video: Number(tracking.facts['videoFrames']),
            tracked: track.frames.length,
            excluded: track.frames.filter((frame) => frame.excluded !== null).length,
            trained: train.length,
          },
          warnings: track.warnings,
        },
      ),
      bake: { ...facts, seconds: bake.seconds },
      beforeBaking: before?.heldOut ?? null,
    };
    const renderings = await renderFitted(gpu, fitted, clip, scored.fittedPoses);
    await writeReport(folder, baked, { metrics, before, frames: scored.frames, fitted: renderings });
    await folder.finish('evaluateBaked');
    return metrics;
  });
}

/** The fitted avatar in the poses that were found for the baked one, for the frames that the report shows. */
async function renderFitted(
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
    before,
    frames,
    fitted,
  }: {
    metrics: BakedMetrics;
    before: Metrics | null;
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
  const sheets = [
    { file: 'maps.png', title: 'Attribute maps', text: 'What the Gaussians read, in UV.', sheet: mapSheet(baked.maps, baked.avatar.head, baked.mapped) },
    ...(examples.length > 0
      ? [{ file: 'held-out.png', title: 'Before and after baking', text: 'Frames that neither the fit nor the bake saw.', sheet: bakedHeldOutSheet(examples) }]
      : []),
  ]; // prettier-ignore
  const pictures = [];
  for (const { file, title, text, sheet } of sheets) {
    await folder.write('evaluateBaked', `${FOLDER}/${file}`, await encodePng(sheet));
    pictures.push({ title, text, url: dataUrl('image/jpeg', await encodeJpeg(sheet)) });
  }
  const losses = await readBakeLosses(folder);
  const x = losses.map((point) => point.step);
  const lossSvg = lossPlot([
    { name: 'total', x, y: losses.map((point) => point.total) },
    { name: 'L1', x, y: losses.map((point) => point.l1) },
    { name: '1 − SSIM', x, y: losses.map((point) => point.dissimilarity) },
  ]);
  await folder.write('evaluateBaked', `${FOLDER}/loss.svg`, lossSvg);
  const section = bakedSection({ rows: rowsOf(metrics, before), pictures, lossSvg });
  const page = await folder.read('report/report.html');
  if (page) {
    // The page belongs to the evaluation of the fit: it stays when this stage is done again.
    await writeFileAtomically(
      folder.resolve('report/report.html'),
      insertBakedSection(new TextDecoder().decode(page), section),
    );
  }
  await folder.write('evaluateBaked', `${FOLDER}/metrics.json`, `${JSON.stringify(metrics, null, 2)}\n`);
}

function rowsOf(metrics: BakedMetrics, before: Metrics | null): VariantRow[] {
  const row = (name: string, { heldOut, gaussianCount }: Metrics): Omit<VariantRow, 'seconds' | 'totalVariation'> => ({
    name,
    heldOut: heldOut && { psnr: heldOut.psnr, psnrForeground: heldOut.psnrForeground, ssim: heldOut.ssim },
    fitted: heldOut?.fitted ?? null,
    gaussians: gaussianCount,
  });
  const { seconds, variant, colorMap } = metrics.bake;
  return [
    ...(before ? [{ ...row('fitted, not baked', before), seconds: null, totalVariation: null }] : []),
    { ...row(`baked: ${variant}`, metrics), seconds, totalVariation: colorMap.totalVariation },
  ];
}

function evenly(length: number, count: number): number[] {
  const wanted = Math.min(length, count);
  return Array.from({ length: wanted }, (_, index) => Math.round((index * (length - 1)) / Math.max(1, wanted - 1)));
}

async function readJson<T>(folder: RunFolder, name: string): Promise<T | null> {
  const bytes = await folder.read(name);
  return bytes ? (JSON.parse(new TextDecoder().decode(bytes)) as T) : null;
}
