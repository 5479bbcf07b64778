import { readFile } from 'node:fs/promises';
import type { Metrics } from '../../evaluation/metrics-file.ts';
import { lossPlot, type Curve } from '../../report/loss-plot.ts';
import { reportPage } from '../../report/report-page.ts';
import {
  expressionSheet,
  heldOutSheet,
  landmarkSheet,
  turntableSheet,
  type Cell,
  type HeldOutExample,
  type LandmarkExample,
} from '../../report/sheets.ts';
import type { Image } from '../../video/frame.ts';
import { dataUrl, encodeJpeg, encodePng } from './image-file.ts';
import type { RunFolder } from './run-folder.ts';
import { createVideoWriter } from './video-writer.ts';

/** What a report is made of. A list without entries leaves its picture out. */
export interface ReportData {
  readonly title: string;
  readonly metrics: Metrics;
  /** Further facts for the page: options, head model, machine. */
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly heldOut: readonly HeldOutExample[];
  /** Eight views round the head, yaw in degrees. */
  readonly views: readonly { readonly yaw: number; readonly image: Image }[];
  /** Frames of the full turn, drawn one at a time as the video is written. */
  readonly turn: { readonly framesPerSecond: number; readonly frames: AsyncIterable<Image> | Iterable<Image> };
  readonly expressions: readonly Required<Cell>[];
  readonly landmarks: readonly LandmarkExample[];
  readonly losses: readonly Curve[];
}

/**
 * Writes `report/` of a run: held-out.png, turntable.png, turntable.mp4, expressions.png, landmarks.png, loss.svg,
 * report.html with all of it, and metrics.json last, so that it stands for a whole report. Returns the page's path.
 */
export async function writeReport(run: RunFolder, data: ReportData, signal?: AbortSignal): Promise<string> {
  const sheets = [
    ['held-out.png', 'Held-out frames', 'The end of the clip, which the fit never saw.', data.heldOut, heldOutSheet],
    ['turntable.png', 'Turntable', 'Neutral expression, eight views round the head.', data.views, turntableSheet],
    [
      'expressions.png',
      'Expressions',
      'Set on the avatar by name, not taken from a frame.',
      data.expressions,
      expressionSheet,
    ],
    ['landmarks.png', 'Track', 'The tracked head’s points over frames of the clip.', data.landmarks, landmarkSheet],
  ] as const;
  const pictures = [];
  for (const [name, title, text, entries, draw] of sheets) {
    signal?.throwIfAborted();
    if (entries.length === 0) continue;
    const sheet = (draw as (entries: readonly unknown[]) => Image)(entries);
    await run.write('evaluate', `report/${name}`, await encodePng(sheet));
    pictures.push({ title, text, url: dataUrl('image/jpeg', await encodeJpeg(sheet)) });
  }
  const turntableVideo = await writeTurn(run, data.turn, signal);
  const lossSvg = data.losses.length > 0 ? lossPlot(data.losses) : undefined;
  if (lossSvg) await run.write('evaluate', 'report/loss.svg', lossSvg);
  const { title, metrics, facts } = data;
  await run.write(
    'evaluate',
    'report/report.html',
    reportPage({ title, metrics, facts, pictures, turntableVideo, lossSvg }),
  );
  await run.write('evaluate', 'report/metrics.json', `${JSON.stringify(metrics, null, 2)}\n`);
  return run.resolve('report/report.html');
}

async function writeTurn(run: RunFolder, turn: ReportData['turn'], signal?: AbortSignal): Promise<string | undefined> {
  const path = await run.claim('evaluate', 'report/turntable.mp4');
  const frameCount = await writeVideo(path, turn.frames, turn.framesPerSecond, signal);
  return frameCount > 0 ? dataUrl('video/mp4', await readFile(path)) : undefined;
}

/** Writes frames of one size as an H.264 file. Returns how many there were; without any, no file is made. */
export async function writeVideo(
  path: string,
  frames: AsyncIterable<Image> | Iterable<Image>,
  framesPerSecond: number,
  signal?: AbortSignal,
): Promise<number> {
  let writer: Awaited<ReturnType<typeof createVideoWriter>> | null = null;
  let count = 0;
  try {
    for await (const frame of frames) {
      signal?.throwIfAborted();
      writer ??= await createVideoWriter(path, { width: frame.width, height: frame.height, framesPerSecond });
      await writer.write(frame);
      count++;
    }
    await writer?.finish();
  } catch (error) {
    await writer?.abort();
    throw error;
  }
  return count;
}
