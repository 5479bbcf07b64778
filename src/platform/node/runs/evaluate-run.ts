import { splitFrames, type SplitRule } from '../../../evaluation/split-frames.ts';
import { collectMetrics, type Metrics } from '../../../evaluation/metrics-file.ts';
import { scoreAvatar, type ScoredFrame } from '../../../evaluation/score-avatar.ts';
import type { Curve } from '../../../report/loss-plot.ts';
import type { LandmarkExample } from '../../../report/sheets.ts';
import type { LossPoint } from '../../../fitting/fit-avatar.ts';
import type { Image } from '../../../video/frame.ts';
import { AvatarRenderer } from '../../../viewer/avatar-renderer.ts';
import { centredCamera, poseForView } from '../../../viewer/views.ts';
import type { Track } from '../../../tracking/track.ts';
import { createImageDistance, type ImageDistance } from '../../../losses/perceptual/image-distance.ts';
import { FrameImages } from '../frame-images.ts';
import { createNodeNetworkRuntime } from '../network-runtime.ts';
import { findLpips, type FoundNet } from '../optional-files.ts';
import { writeReport } from '../report-files.ts';
import type { RunFolder } from '../run-folder.ts';
import { addBakedSection } from './baked-report.ts';
import { withGpu, type RunContext } from './context.ts';
import { FRAMES_FOLDER, peakMemoryMB, readAvatar, readClip, readLosses, readTrack, trackModels } from './fit-run.ts';
import { LANDMARKS_FILE, type LandmarkFile } from './landmarks-file.ts';

/** Edge of the report's renderings, whatever the size of the clip. */
const VIEW_SIZE = 512;
const TURN_SECONDS = 5;
export const FRAMES_PER_SECOND = 25;
const VIEW_YAWS = [0, 45, 90, 135, 180, -135, -90, -45];
const EXPRESSIONS: readonly (readonly [string, Readonly<Record<string, number>>])[] = [
  ['neutral', {}],
  ['smile', { smile: 0.9, cheekSquint: 0.4 }],
  ['blink', { blink: 1 }],
  ['jaw open', { jawOpen: 0.8 }],
];

/** Scores a run's avatar on the held-out frames and writes `report/`; returns the metrics. */
export async function runEvaluate(
  folder: RunFolder,
  context: RunContext,
  { models = null }: { models?: string | null } = {},
): Promise<Metrics> {
  const found = await findLpips(models ?? trackModels(folder));
  const stored = folder.isDone('evaluate') ? await folder.read('report/metrics.json') : null;
  if (stored) {
    const metrics = JSON.parse(new TextDecoder().decode(stored)) as Metrics;
    // Weights that came after the scores are worth scoring again.
    if (!found || !metrics.heldOut || metrics.heldOut.lpips !== null) return metrics;
    context.log?.(`Scoring again: ${found.net.name} is there now.`);
  }
  const { onProgress, signal } = context;
  const avatar = await readAvatar(folder);
  const track = await readTrack(folder);
  const split = splitFrames(track.frames, folder.stage('fit')!.options['split'] as SplitRule);
  const clip = await readClip(folder, track, split.heldOut, signal);
  await folder.begin('evaluate');
  return withGpu(context, async (gpu) => {
    const sourceIndices = split.heldOut.map((position) => track.frames[position]!.sourceIndex);
    const lpips = found && clip.frames.length > 0 ? await openLpips(found, clip.size) : null;
    const scored = await scoreAvatar(gpu, avatar, clip, sourceIndices, { onProgress, signal, lpips });
    await lpips?.dispose();
    const metrics = metricsOf(
      folder,
      track,
      scored.frames,
      gpu.adapter.description || gpu.adapter.vendor,
      split.train.length,
    );
    const renderer = await AvatarRenderer.create(gpu, avatar);
    try {
      await writeReport(
        folder,
        {
          title: `Avatar from ${folder.video?.path.split('/').pop() ?? 'a video'}`,
          metrics,
          facts: [
            ['head model', track.headName],
            ['frame size', `${avatar.camera.width}²`],
            ['steps', String(folder.stage('fit')!.options['steps'])],
          ],
          heldOut: pickEvenly(scored.frames, 6).map(({ truth, rendering, scores }) => ({
            truth,
            rendering,
            caption: `frame ${scores.sourceIndex}: ${scores.fitted.psnr.toFixed(1)} dB`,
          })),
          views: await renderViews(renderer),
          turn: {
            framesPerSecond: FRAMES_PER_SECOND,
            frames: renderTurn(renderer, VIEW_SIZE, TURN_SECONDS, onProgress),
          },
          expressions: await renderExpressions(renderer),
          landmarks: await landmarkExamples(folder, track),
          losses: lossCurves(await readLosses(folder)),
        },
        signal,
      );
    } finally {
      renderer.dispose();
    }
    await addBakedSection(folder);
    await folder.finish('evaluate');
    return metrics;
  });
}

export async function openLpips({ net }: FoundNet, size: number): Promise<ImageDistance> {
  return createImageDistance(await createNodeNetworkRuntime(), net, { width: size, height: size });
}

function metricsOf(
  folder: RunFolder,
  track: Track,
  scored: readonly ScoredFrame[],
  adapter: string,
  trained: number,
): Metrics {
  const [tracking, fit] = [folder.stage('track')!, folder.stage('fit')!];
  const facts = fit.facts as {
    gaussianCount: number;
    stepsPerSecond: number;
    avatarSha256: string;
    peakMemoryMB: number;
  };
  const trackFacts = tracking.facts as { videoFrames: number; peakMemoryMB: number };
  return collectMetrics(
    scored.map((frame) => frame.scores),
    {
      gaussianCount: facts.gaussianCount,
      stepsPerSecond: facts.stepsPerSecond,
      seconds: { track: tracking.seconds, fit: fit.seconds, total: tracking.seconds + fit.seconds },
      peakMemoryMB: Math.max(peakMemoryMB(), facts.peakMemoryMB, trackFacts.peakMemoryMB),
      seed: Number(fit.options['seed']),
      avatarSha256: facts.avatarSha256,
      adapter,
      frames: {
        video: trackFacts.videoFrames,
        tracked: track.frames.length,
        excluded: track.frames.filter((frame) => frame.excluded !== null).length,
        trained,
      },
      warnings: track.warnings,
    },
  );
}

async function renderViews(renderer: AvatarRenderer): Promise<{ yaw: number; image: Image }[]> {
  const camera = centredCamera(renderer.avatar.camera, VIEW_SIZE);
  const views = [];
  for (const yaw of VIEW_YAWS)
    views.push({ yaw, image: await renderer.render(poseForView(renderer.avatar, { yaw }), camera) });
  return views;
}

async function renderExpressions(renderer: AvatarRenderer): Promise<{ image: Image; caption: string }[]> {
  const camera = centredCamera(renderer.avatar.camera, VIEW_SIZE);
  const pictures = [];
  for (const [caption, expression] of EXPRESSIONS) {
    pictures.push({ caption, image: await renderer.render(poseForView(renderer.avatar, {}, expression), camera) });
  }
  return pictures;
}

/** A full turn, one picture at a time. */
export async function* renderTurn(
  renderer: AvatarRenderer,
  size: number,
  seconds: number,
  onProgress?: RunContext['onProgress'],
  expression: Readonly<Record<string, number>> = {},
  pitch = 0,
): AsyncIterable<Image> {
  const camera = centredCamera(renderer.avatar.camera, size);
  const count = Math.max(1, Math.round(seconds * FRAMES_PER_SECOND));
  for (let index = 0; index < count; index++) {
    yield await renderer.render(
      poseForView(renderer.avatar, { yaw: (360 * index) / count, pitch }, expression),
      camera,
    );
    onProgress?.({ stage: 'turntable', done: index + 1, total: count });
  }
}

/** Landmarks as the network saw them and as the solved head projects them, over some frames. */
async function landmarkExamples(folder: RunFolder, track: Track): Promise<LandmarkExample[]> {
  const bytes = await folder.read(LANDMARKS_FILE);
  if (!bytes) return [];
  const { frames } = JSON.parse(new TextDecoder().decode(bytes)) as LandmarkFile;
  const images = new FrameImages(folder.resolve(FRAMES_FOLDER));
  const examples: LandmarkExample[] = [];
  for (const frame of frames) {
    examples.push({
      image: await images.read(frame.position),
      layers: [
        { points: frame.observed, color: [40, 120, 255] },
        { points: frame.solved, color: [255, 60, 40] },
      ],
      caption: `frame ${track.frames[frame.position]!.sourceIndex}: ${track.frames[frame.position]!.residual.toFixed(1)} px`,
    });
  }
  return examples;
}

function lossCurves(losses: readonly LossPoint[]): Curve[] {
  const x = losses.map((point) => point.step);
  const curve = (name: string, term: 'total' | 'l1' | 'dissimilarity' | 'perceptual'): Curve => ({
    name,
    x,
    y: losses.map((point) => point[term]),
  });
  if (losses.length === 0) return [];
  const curves = [curve('total', 'total'), curve('L1', 'l1'), curve('1 − SSIM', 'dissimilarity')];
  return losses.some((point) => point.perceptual > 0) ? [...curves, curve('perceptual', 'perceptual')] : curves;
}

/** `count` entries, evenly spread, first and last among them. */
export function pickEvenly<T>(entries: readonly T[], count: number): T[] {
  if (entries.length <= count) return [...entries];
  return Array.from(
    { length: count },
    (_, index) => entries[Math.round((index * (entries.length - 1)) / (count - 1))]!,
  );
}
