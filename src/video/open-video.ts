import {
  ALL_FORMATS,
  BlobSource,
  BufferSource,
  Input,
  type InputVideoTrack,
  type Source,
  type VideoCodec,
} from 'mediabunny';
import { convertToRgb, resolveColor, type ContainerColor } from './color.ts';
import { UnsupportedVideoError } from './errors.ts';
import type { Frame } from './frame.ts';
import { orient, uprightSize, type Orientation } from './orient.ts';
import type { Picture } from './picture.ts';
import type { VideoPlatform } from './video-platform.ts';

/** A path (or whatever name the platform opens), a file from a browser's picker, or the file's bytes. */
export type VideoInput = string | Blob | Uint8Array;

/** What is known of a video before a frame is decoded. */
export interface VideoInfo {
  /** Upright, in square pixels: after rotation and pixel aspect. */
  readonly width: number;
  readonly height: number;
  /** Frames per second, averaged over the file. */
  readonly frameRate: number;
  /** From the container's index; a damaged file may yield fewer. */
  readonly frameCount: number;
  /** Seconds. */
  readonly duration: number;
  /** `avc`, `hevc`, `vp9`, `av1`, … */
  readonly codec: string;
  /** Clockwise degrees that the file asks for; already applied to every frame. */
  readonly rotation: number;
  /** False when frames stand for unequal times; timestamps are always the file's own. */
  readonly constantFrameRate: boolean;
}

export interface FramesOptions {
  /** Frames to convert and yield, by index; all when absent. Skipped ones are decoded but cost no conversion. */
  readonly indices?: readonly number[];
  readonly signal?: AbortSignal;
}

/** An open video. Frames can be read any number of times, each time from the start. */
export interface VideoSource {
  readonly info: VideoInfo;
  /** What a reader should know though it did not stop the reading: a file that ends early, for one. Grows while reading. */
  readonly warnings: readonly string[];
  /** Streams frames in presentation order. A frame's image belongs to the receiver. */
  frames(options?: FramesOptions): AsyncIterable<Frame>;
  close(): void;
}

/** Opens a video. Throws `UnsupportedVideoError` with the cause and the way out. */
export async function openVideo(input: VideoInput, platform: VideoPlatform): Promise<VideoSource> {
  const name = typeof input === 'string' ? input : 'The video';
  const media = new Input({ source: await sourceOf(input, platform), formats: ALL_FORMATS });
  try {
    return await probe(media, name, platform);
  } catch (error) {
    media.dispose();
    if (error instanceof UnsupportedVideoError) throw error;
    throw new UnsupportedVideoError(
      'corrupt',
      `${name} is damaged (${messageOf(error)}). Export it again, as MP4 with H.264.`,
      { cause: error },
    );
  }
}

async function sourceOf(input: VideoInput, platform: VideoPlatform): Promise<Source> {
  if (typeof input === 'string') return platform.openSource(input);
  const size = input instanceof Uint8Array ? input.byteLength : input.size;
  if (size === 0) throw new UnsupportedVideoError('empty', 'The video is empty (0 bytes). Copy or export it again.');
  return input instanceof Uint8Array ? new BufferSource(input) : new BlobSource(input);
}

async function probe(media: Input, name: string, platform: VideoPlatform): Promise<VideoSource> {
  if (!(await media.canRead())) {
    throw new UnsupportedVideoError(
      'not-a-video',
      `${name} is not a video file that can be read. Give an MP4, MOV, MKV or WebM file.`,
    );
  }
  const track = await media.getPrimaryVideoTrack();
  if (!track) throw await trackMissing(media, name);
  const codec = await track.getCodec();
  if (!codec)
    throw new UnsupportedVideoError(
      'codec',
      `${name} uses a video codec that is not known here. Convert it to MP4 with H.264.`,
    );
  const statistics = await track.computePacketStats();
  if (statistics.packetCount === 0) {
    throw new UnsupportedVideoError(
      'incomplete',
      `${name} holds no frames: it was probably cut off while recording or copying. Copy or export it again.`,
    );
  }
  const rates = await track.computeFrameRateMetrics();
  const orientation: Orientation = {
    codedWidth: await track.getCodedWidth(),
    codedHeight: await track.getCodedHeight(),
    squareWidth: await track.getSquarePixelWidth(),
    squareHeight: await track.getSquarePixelHeight(),
    rotation: await track.getRotation(),
    flip: await track.getFlip(),
  };
  const info: VideoInfo = {
    ...uprightSize(orientation),
    frameRate: statistics.packetCount > 1 ? statistics.averagePacketRate : rates.bestGuessFrameRate,
    frameCount: statistics.packetCount,
    duration: await track.computeDuration(),
    codec,
    rotation: orientation.rotation,
    constantFrameRate: rates.frameRateIsConstant,
  };
  const video = new OpenVideo(media, track, codec, info, orientation, await track.getColorSpace(), name, platform);
  const promised = await track.getDurationFromMetadata();
  // Matroska has no index of its packets, only a duration in its header.
  if (promised !== null && promised > info.duration + Math.max(0.5, 0.02 * promised)) {
    video.warn(
      `${name} is cut short: it promises ${promised.toFixed(1)} s and holds ${info.duration.toFixed(1)} s; those are used.`,
    );
  }
  return video;
}

async function trackMissing(media: Input, name: string): Promise<UnsupportedVideoError> {
  const tracks = await media.getTracks();
  return tracks.length > 0
    ? new UnsupportedVideoError('no-video-track', `${name} holds sound but no video. Give a file with a video track.`)
    : new UnsupportedVideoError(
        'incomplete',
        `${name} has no index of its contents: it was probably cut off while recording or copying. Copy or export it again.`,
      );
}

class OpenVideo implements VideoSource {
  readonly warnings: string[] = [];

  constructor(
    private readonly media: Input,
    private readonly track: InputVideoTrack,
    private readonly codec: VideoCodec,
    readonly info: VideoInfo,
    private readonly orientation: Orientation,
    private readonly color: ContainerColor,
    private readonly name: string,
    private readonly platform: VideoPlatform,
  ) {}

  async *frames(options: FramesOptions = {}): AsyncGenerator<Frame, void, undefined> {
    const wanted = options.indices ? new Set(options.indices) : null;
    const last = options.indices?.length ? Math.max(...options.indices) : Infinity;
    let index = 0;
    let start = 0;
    options.signal?.throwIfAborted();
    for await (const picture of this.platform.decode(this.track, this.codec, options.signal)) {
      options.signal?.throwIfAborted();
      if (index === 0) start = picture.timestamp;
      if (!wanted || wanted.has(index))
        yield { index, timestamp: picture.timestamp - start, image: this.convert(picture) };
      index++;
      if (index > last) return;
    }
    options.signal?.throwIfAborted();
    if (index === 0)
      throw new UnsupportedVideoError(
        'corrupt',
        `No frame of ${this.name} could be decoded: the file is damaged. Export it again, as MP4 with H.264.`,
      );
    if (index < this.info.frameCount) {
      this.warn(
        `${this.name} is damaged or cut short: ${index} of ${this.info.frameCount} frames could be decoded; those are used.`,
      );
    }
  }

  close(): void {
    this.media.dispose();
  }

  private convert(picture: Picture): Frame['image'] {
    const color = resolveColor(this.color, picture.width, picture.height, picture.fullRange);
    const orientation = { ...this.orientation, codedWidth: picture.width, codedHeight: picture.height };
    return { ...uprightSize(orientation), channels: 3, data: orient(convertToRgb(picture, color), orientation) };
  }

  /** Adds a warning once. */
  warn(message: string): void {
    if (!this.warnings.includes(message)) this.warnings.push(message);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
