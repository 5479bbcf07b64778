import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Image } from '../../video/frame.ts';
import { asDiskFull } from './atomic-file.ts';
import { childEnd, FFMPEG_HELP, FfmpegMissingError, ffmpegPath } from './ffmpeg.ts';

export interface VideoWriterOptions {
  readonly width: number;
  readonly height: number;
  readonly framesPerSecond: number;
  /** x264's constant rate factor: 0 (lossless) to 51; 18 looks lossless. */
  readonly quality?: number;
}

/** Takes frames one by one and makes a video of them. */
export interface VideoWriter {
  /** Adds a frame (RGB, or RGBA laid over white) of the video's size; resolves when the encoder wants more. */
  write(frame: Image): Promise<void>;
  /** Completes the file. Until then nothing stands under its name. */
  finish(): Promise<void>;
  /** Gives up; leaves no file. */
  abort(): Promise<void>;
}

/**
 * An H.264 file (mp4, yuv420p, BT.709, playable everywhere) through the system's ffmpeg. An odd edge is padded by one
 * white pixel. Throws `FfmpegMissingError`, `DiskFullError`.
 */
export async function createVideoWriter(path: string, options: VideoWriterOptions): Promise<VideoWriter> {
  const { width, height, framesPerSecond, quality = 18 } = options;
  await mkdir(dirname(path), { recursive: true });
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  const child = spawn(
    ffmpegPath(),
    [
      ...['-loglevel', 'error', '-y'],
      ...['-f', 'rawvideo', '-pix_fmt', 'rgb24', '-s', `${width}x${height}`, '-r', String(framesPerSecond), '-i', '-'],
      ...['-vf', 'pad=ceil(iw/2)*2:ceil(ih/2)*2:0:0:white,scale=out_color_matrix=bt709:out_range=tv,format=yuv420p'],
      ...['-c:v', 'libx264', '-crf', String(quality), '-preset', 'medium'],
      ...['-colorspace', 'bt709', '-color_primaries', 'bt709', '-color_trc', 'bt709', '-color_range', 'tv'],
      ...['-map_metadata', '-1', '-fflags', '+bitexact', '-movflags', '+faststart', '-f', 'mp4', temporary],
    ],
    { stdio: ['pipe', 'ignore', 'pipe'] },
  );
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (part: string) => (complaint = (complaint + part).slice(-2000)));
  child.stdin.on('error', () => {}); // ffmpeg has ended: told by its exit
  const end = childEnd(child);

  async function check(): Promise<void> {
    const { code, error } = await end;
    if (code === 0) return;
    await rm(temporary, { force: true });
    if (error)
      throw new FfmpegMissingError(`ffmpeg, which writes ${path}, cannot be started. ${FFMPEG_HELP}`, { cause: error });
    if (/No space left/i.test(complaint))
      throw asDiskFull(Object.assign(new Error(complaint), { code: 'ENOSPC' }), path);
    throw new Error(`ffmpeg could not write ${path}: ${complaint.trim() || `it ended with code ${code}`}`);
  }

  return {
    async write(frame) {
      if (frame.width !== width || frame.height !== height) {
        throw new RangeError(`frame is ${frame.width}×${frame.height}, but the video is ${width}×${height}`);
      }
      if (child.stdin.write(rgbOnWhite(frame))) return;
      await Promise.race([once(child.stdin, 'drain'), end.then(check)]);
    },
    async finish() {
      child.stdin.end();
      await check();
      await rename(temporary, path);
    },
    async abort() {
      child.kill('SIGKILL');
      await end;
      await rm(temporary, { force: true });
    },
  };
}

function rgbOnWhite({ width, height, channels, data }: Image): Uint8Array {
  if (channels === 3) return data.slice(); // the encoder reads it later; the caller may reuse its own
  const result = new Uint8Array(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const coverage = data[pixel * 4 + 3]! / 255;
    for (let channel = 0; channel < 3; channel++) {
      result[pixel * 3 + channel] = Math.round(255 + coverage * (data[pixel * 4 + channel]! - 255));
    }
  }
  return result;
}
