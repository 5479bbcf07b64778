import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { collectMetrics } from '../../evaluation/metrics-file.ts';
import type { Image } from '../../video/frame.ts';
import { decodeImage } from './image-file.ts';
import { writeReport, writeVideo, type ReportData } from './report-files.ts';
import { RunFolder } from './run-folder.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fate-report-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function image(value: number): Image {
  return { width: 32, height: 32, channels: 4, data: new Uint8Array(32 * 32 * 4).fill(value) };
}

const scores = { psnr: 20, psnrForeground: 15, ssim: 0.9 };
const DATA: ReportData = {
  title: 'clip',
  metrics: collectMetrics([{ sourceIndex: 4, asTracked: scores, uncorrected: scores, fitted: scores }], {
    gaussianCount: 1,
    stepsPerSecond: 1,
    seconds: { track: 1, fit: 1, total: 2 },
    peakMemoryMB: 1,
    seed: 1,
    avatarSha256: 'ab',
    adapter: 'x',
    frames: { video: 5, tracked: 5, excluded: 0, trained: 4 },
    warnings: [],
  }),
  facts: [],
  heldOut: [{ truth: image(200), rendering: image(190), caption: 'frame 4' }],
  views: [0, 180].map((yaw) => ({ yaw, image: image(yaw) })),
  turn: { framesPerSecond: 10, frames: [image(250), image(100)] },
  expressions: [{ image: image(9), caption: 'neutral' }],
  landmarks: [],
  losses: [{ name: 'all', x: [0, 1], y: [1, 0.5] }],
};

describe('writeReport', () => {
  it('writes every file that there is something for, as files of the evaluate stage', async () => {
    const run = await RunFolder.open(folder, { video: { path: 'a', sha256: 'a', bytes: 1 } });
    await run.begin('evaluate');
    const page = await writeReport(run, DATA);
    const names = [
      'expressions.png',
      'held-out.png',
      'loss.svg',
      'metrics.json',
      'report.html',
      'turntable.mp4',
      'turntable.png',
    ];
    expect((await readdir(join(folder, 'report'))).toSorted()).toEqual(names);
    expect(run.stage('evaluate')!.files.toSorted()).toEqual(names.map((name) => `report/${name}`));
    const html = await readFile(page, 'utf8');
    expect(html).toContain('src="data:video/mp4;base64,');
    expect(html.match(/src="data:image\/jpeg/g)).toHaveLength(3);
    const metrics = JSON.parse(await readFile(join(folder, 'report/metrics.json'), 'utf8'));
    expect(metrics.heldOut).toEqual({ ...scores, lpips: null, frames: 1, fitted: scores, uncorrected: scores });
    const turntable = await decodeImage(await readFile(join(folder, 'report/turntable.png')));
    expect(turntable.channels).toBe(3);
    await run.close();
  });

  it('stops between pictures when told', async () => {
    const run = await RunFolder.open(folder, { video: { path: 'a', sha256: 'a', bytes: 1 } });
    await run.begin('evaluate');
    await expect(writeReport(run, DATA, AbortSignal.abort())).rejects.toThrow(/abort/i);
    await run.close();
  });
});

describe('writeVideo', () => {
  it('leaves no file when a frame fails or there are none', async () => {
    function* failing(): Generator<Image> {
      yield image(1);
      throw new Error('no second frame');
    }
    await expect(writeVideo(join(folder, 'a.mp4'), failing(), 25)).rejects.toThrow('no second frame');
    expect(await writeVideo(join(folder, 'b.mp4'), [], 25)).toBe(0);
    expect(await readdir(folder)).toEqual([]);
  });
});
