import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Image } from '../../video/frame.ts';
import { createVideoWriter } from './video-writer.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fate-video-'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

function plain(width: number, height: number, color: readonly number[]): Image {
  const data = Uint8Array.from({ length: width * height * color.length }, (_, index) => color[index % color.length]!);
  return { width, height, channels: color.length as 3 | 4, data };
}

/** RGB of the pixel in the middle of each frame, as ffmpeg decodes it. */
function decode(path: string, width: number, height: number): number[][] {
  const bytes = execFileSync('ffmpeg', ['-loglevel', 'error', '-i', path, '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-']);
  const middle = (Math.floor(height / 2) * width + Math.floor(width / 2)) * 3;
  return Array.from({ length: bytes.length / (width * height * 3) }, (_, frame) => [
    ...bytes.subarray(frame * width * height * 3 + middle, frame * width * height * 3 + middle + 3),
  ]);
}

describe('createVideoWriter', () => {
  it('writes every frame in its colours, alpha over white, odd edges padded', async () => {
    const path = join(folder, 'deep/turn.mp4');
    const writer = await createVideoWriter(path, { width: 63, height: 48, framesPerSecond: 25 });
    const colors = [
      [200, 40, 60, 255],
      [20, 160, 90, 255],
      [0, 0, 0, 51],
    ];
    for (const color of colors) await writer.write(plain(63, 48, color));
    expect(await readdir(join(folder, 'deep'))).not.toContain('turn.mp4');
    await writer.finish();
    expect(await readdir(join(folder, 'deep'))).toEqual(['turn.mp4']);
    const frames = decode(path, 64, 48);
    [
      [200, 40, 60],
      [20, 160, 90],
      [204, 204, 204],
    ].forEach((expected, frame) => {
      expected.forEach((value, channel) => expect(Math.abs(frames[frame]![channel]! - value)).toBeLessThanOrEqual(4));
    });
    expect(frames).toHaveLength(3);
  });

  it('refuses frames of another size, and leaves nothing after abort', async () => {
    const writer = await createVideoWriter(join(folder, 'x.mp4'), { width: 32, height: 32, framesPerSecond: 25 });
    await expect(writer.write(plain(16, 32, [0, 0, 0]))).rejects.toThrow('frame is 16×32, but the video is 32×32');
    await writer.abort();
    expect(await readdir(folder)).toEqual([]);
  });

  it('says how to get ffmpeg when there is none', async () => {
    vi.stubEnv('FFMPEG_PATH', '/no/such/ffmpeg');
    const writer = await createVideoWriter(join(folder, 'x.mp4'), { width: 32, height: 32, framesPerSecond: 25 });
    await expect(writer.finish()).rejects.toThrow(/cannot be started\. Install it/);
  });

  it('says what ffmpeg says when it cannot write', async () => {
    const writer = await createVideoWriter(join(folder, 'x.mp4'), { width: 32, height: 32, framesPerSecond: 0 });
    await expect(writer.finish()).rejects.toThrow(/ffmpeg could not write .*x\.mp4: /);
  });
});
