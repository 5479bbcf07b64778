import { spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import {
  EncodedPacketSink,
  EncodedVideoPacketSource,
  MkvOutputFormat,
  Output,
  StreamTarget,
  type InputVideoTrack,
  type StreamTargetChunk,
  type VideoCodec,
} from 'mediabunny';
import { UnsupportedVideoError } from '../../video/errors.ts';
import type { Picture } from '../../video/picture.ts';
import { childEnd, ffmpegPath, ffmpegVersion, FfmpegMissingError } from './ffmpeg.ts';
import { readY4m } from './y4m.ts';

/** Planar formats that YUV4MPEG2 can carry; ffmpeg converts anything else to the nearest of them. */
const PIXEL_FORMATS = ['yuv420p', 'yuvj420p', 'yuv422p', 'yuvj422p', 'yuv444p', 'yuvj444p', 'gray']
  .concat([
    'yuv420p10le',
    'yuv422p10le',
    'yuv444p10le',
    'gray10le',
    'yuv420p12le',
    'yuv422p12le',
    'yuv444p12le',
    'gray12le',
  ])
  .join('|');

/** Room for pictures that precede the first packet's timestamp (open GOPs), seconds. */
const LEAD_IN = 10;

/**
 * Decodes a track with the system's ffmpeg: packets go in as append-only Matroska, planes come out as YUV4MPEG2, and
 * each picture's time through a third pipe, so that a picture that the decoder drops shifts nothing. The pipes hold a few
 * pictures at most: ffmpeg waits for the reader. Ends early without an error where the file does.
 */
export async function* decodeWithFfmpeg(
  track: InputVideoTrack,
  codec: VideoCodec,
  signal?: AbortSignal,
): AsyncGenerator<Picture, void, undefined> {
  const version = await ffmpegVersion().catch((error: unknown) => {
    if (error instanceof FfmpegMissingError)
      throw new UnsupportedVideoError('decoder', error.message, { cause: error });
    throw error;
  });
  signal?.throwIfAborted();
  const passthrough =
    version.major > 5 || (version.major === 5 && version.minor >= 1)
      ? ['-fps_mode', 'passthrough']
      : ['-vsync', 'passthrough'];
  // A key must be added for the filter `metadata=print` to print anything, the time included.
  const filters = `format=${PIXEL_FORMATS},metadata=add:key=t:value=0,metadata=print:file='pipe\\:3':direct=1`;
  const child = spawn(
    ffmpegPath(),
    [
      '-hide_banner',
      '-loglevel',
      'error',
      '-nostats',
      '-copyts',
      '-noautorotate',
      '-probesize',
      '32',
      '-analyzeduration',
      '0',
      '-f',
      'matroska',
      '-i',
      'pipe:0',
    ].concat(['-map', '0:v:0', '-filter:v', filters, ...passthrough, '-f', 'yuv4mpegpipe', '-strict', '-1', 'pipe:1']),
    { stdio: ['pipe', 'pipe', 'pipe', 'pipe'] },
  );
  const end = childEnd(child);
  const abort = (): void => void child.kill('SIGKILL');
  signal?.addEventListener('abort', abort, { once: true });
  const errors = new ErrorTail(child.stderr as Readable);
  const times = new PictureTimes(child.stdio[3] as Readable);
  const origin = await firstTimestamp(track);
  const exactTimes = new Map<number, number>();
  const feeding = feed(track, codec, child.stdin as Writable, (timestamp) => {
    const shifted = timestamp - origin + LEAD_IN;
    exactTimes.set(Math.round(shifted * 1000), timestamp);
    return shifted;
  });
  let count = 0;
  try {
    for await (const { format, data } of readY4m(child.stdout as Readable)) {
      const time = await times.next();
      if (time === null) break;
      count++;
      // Matroska rounds to milliseconds; the packet's own time is exact.
      const key = Math.round(time * 1000);
      const timestamp = exactTimes.get(key) ?? time - LEAD_IN + origin;
      exactTimes.delete(key);
      yield { ...format, data, timestamp };
    }
    signal?.throwIfAborted();
    await feeding;
    const { code } = await end;
    signal?.throwIfAborted();
    if (count === 0 && code !== 0) throw decodingFailed(codec, errors.text);
  } finally {
    signal?.removeEventListener('abort', abort);
    child.kill('SIGKILL');
    child.stdout?.destroy();
    await end;
    await feeding.catch(() => undefined);
  }
}

async function firstTimestamp(track: InputVideoTrack): Promise<number> {
  return (await new EncodedPacketSink(track).getFirstPacket())?.timestamp ?? 0;
}

/** Writes the track's packets to ffmpeg as it takes them. Resolves when all are written or ffmpeg has closed its end. */
async function feed(
  track: InputVideoTrack,
  codec: VideoCodec,
  pipe: Writable,
  shift: (timestamp: number) => number,
): Promise<void> {
  let isOpen = true;
  let resume = (): void => undefined;
  const closed = (): void => {
    isOpen = false;
    resume();
  };
  pipe.on('error', closed).on('close', closed); // EPIPE: ffmpeg has ended
  pipe.on('drain', () => resume());
  const writable = new WritableStream<StreamTargetChunk>({
    async write(chunk) {
      if (!isOpen || pipe.write(chunk.data)) return;
      await new Promise<void>((resolve) => (resume = resolve));
    },
  });
  const source = new EncodedVideoPacketSource(codec);
  const output = new Output({
    format: new MkvOutputFormat({ appendOnly: true, minimumClusterDuration: 0.2 }),
    target: new StreamTarget(writable),
  });
  output.addVideoTrack(source);
  await output.start();
  const decoderConfig = (await track.getDecoderConfig()) ?? undefined;
  try {
    for await (const packet of new EncodedPacketSink(track).packets()) {
      if (!isOpen) break;
      await source.add(packet.clone({ timestamp: shift(packet.timestamp) }), { decoderConfig });
    }
  } catch {
    // A damaged file: the packets up to here are what there is. The reader compares counts.
  }
  await output.finalize().catch(() => undefined);
  if (isOpen) pipe.end();
}

function decodingFailed(codec: VideoCodec, message: string): UnsupportedVideoError {
  if (/decoder.*not found|no decoder|unknown decoder/i.test(message)) {
    return new UnsupportedVideoError(
      'codec',
      `This machine's ffmpeg cannot decode ${codecName(codec)}. Convert the video to H.264, or install an ffmpeg that has the decoder.`,
    );
  }
  const detail = message.trim().split('\n').pop() ?? '';
  return new UnsupportedVideoError(
    'corrupt',
    `The video could not be decoded${detail ? ` (ffmpeg: ${detail})` : ''}: the file is damaged. Export it again, as MP4 with H.264.`,
  );
}

function codecName(codec: VideoCodec): string {
  return { avc: 'H.264', hevc: 'HEVC (H.265)', vp8: 'VP8', vp9: 'VP9', av1: 'AV1', prores: 'ProRes' }[codec];
}

/** The last lines that ffmpeg wrote to its error stream. */
class ErrorTail {
  text = '';

  constructor(stream: Readable) {
    stream.setEncoding('utf8').on('data', (part: string) => (this.text = (this.text + part).slice(-4000)));
  }
}

/** Picture times, in seconds, read from lines such as `frame:0    pts:40      pts_time:0.04`. */
class PictureTimes {
  private readonly ready: number[] = [];
  private waiting: ((time: number | null) => void) | null = null;
  private isEnded = false;
  private rest = '';

  constructor(stream: Readable) {
    stream.setEncoding('utf8').on('data', (part: string) => this.read(part));
    stream.on('close', () => this.finish());
    stream.on('error', () => this.finish());
  }

  /** The next picture's time; null when ffmpeg has ended. */
  next(): Promise<number | null> {
    const time = this.ready.shift();
    if (time !== undefined) return Promise.resolve(time);
    if (this.isEnded) return Promise.resolve(null);
    return new Promise((resolve) => (this.waiting = resolve));
  }

  private read(part: string): void {
    const lines = (this.rest + part).split('\n');
    this.rest = lines.pop() ?? '';
    for (const line of lines) {
      const match = /^frame:\d+\s+pts:\S+\s+pts_time:(\S+)/.exec(line);
      if (match) this.ready.push(Number(match[1]));
    }
    this.settle();
  }

  private finish(): void {
    this.isEnded = true;
    this.settle();
  }

  private settle(): void {
    if (!this.waiting || (this.ready.length === 0 && !this.isEnded)) return;
    const resolve = this.waiting;
    this.waiting = null;
    resolve(this.ready.shift() ?? null);
  }
}
