import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ffmpegPath } from '../src/platform/node/ffmpeg.ts';

/** A folder of its own for a test file's videos; `remove` when done. */
export function videoFolder(): { path: (name: string) => string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'fate-video-'));
  return { path: (name) => join(folder, name), remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Runs ffmpeg to make a test input; the last argument is the output. Throws with its message when it fails. */
export function makeVideo(...args: string[]): string {
  execFileSync(ffmpegPath(), ['-v', 'error', '-y', ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  return args[args.length - 1];
}

/** ffmpeg's colour bars with a clock, for as long and at the size that is given: no face in it. Returns the path. */
export function makeTestPattern(path: string, pattern = 'size=64x64:rate=5:duration=1'): string {
  return makeVideo('-f', 'lavfi', '-i', `testsrc=${pattern}`, '-pix_fmt', 'yuv420p', path);
}

/** Standard output of ffmpeg: how another reader sees a file. */
export function ffmpegOutput(...args: string[]): Buffer {
  return execFileSync(ffmpegPath(), ['-v', 'error', ...args, 'pipe:1'], { maxBuffer: 1 << 28 });
}
