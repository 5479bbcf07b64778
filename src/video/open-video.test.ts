import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { ffmpegOutput, makeVideo, videoFolder } from '../../test/make-video.ts';
import { sharedPath } from '../../test/shared.ts';
import { nodeVideoPlatform } from '../platform/node/node-video.ts';
import { chooseFrames } from './choose-frames.ts';
import { UnsupportedVideoError, type VideoProblem } from './errors.ts';
import type { Frame } from './frame.ts';
import { openVideo, type FramesOptions, type VideoSource } from './open-video.ts';

const folder = videoFolder();
afterAll(folder.remove);

// Soft edges: how chroma is interpolated across a hard one is every reader's own choice.
const PATTERN = 'testsrc2=s=128x96:r=30:d=1,gblur=sigma=2';
const H264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'];
const open = (path: string): Promise<VideoSource> => openVideo(path, nodeVideoPlatform);

async function readAll(video: VideoSource, options?: FramesOptions): Promise<Frame[]> {
  const frames: Frame[] = [];
  for await (const frame of video.frames(options)) frames.push(frame);
  return frames;
}

async function expectProblem(path: string, problem: VideoProblem, sentence: RegExp): Promise<void> {
  const failure = await open(path)
    .then(readAll)
    .then(
      () => null,
      (error: unknown) => error,
    );
  expect(failure).toBeInstanceOf(UnsupportedVideoError);
  expect((failure as UnsupportedVideoError).problem).toBe(problem);
  expect((failure as UnsupportedVideoError).message).toMatch(sentence);
}

/** Mean absolute difference from what ffmpeg itself makes of one frame. */
function differenceFromFfmpeg(path: string, frame: Frame, filters = ''): number {
  const scale = `${filters}scale=in_h_chr_pos=0:in_v_chr_pos=128:sws_flags=accurate_rnd+full_chroma_int+full_chroma_inp+bilinear`;
  const rgb = ffmpegOutput(
    '-i',
    path,
    '-vf',
    `select=eq(n\\,${frame.index}),${scale}`,
    '-frames:v',
    '1',
    '-f',
    'rawvideo',
    '-pix_fmt',
    'rgb24',
  );
  expect(frame.image.data.length).toBe(rgb.length);
  let sum = 0;
  for (let i = 0; i < rgb.length; i++) sum += Math.abs(rgb[i] - frame.image.data[i]);
  return sum / rgb.length;
}

/** Colour in the middle of the picture. */
function middle({ image }: Frame): number[] {
  const at = ((image.height >> 1) * image.width + (image.width >> 1)) * 3;
  return [...image.data.subarray(at, at + 3)];
}

describe('openVideo', () => {
  it('reads every frame of H.264 with B-frames, in order, with the times of the file', async () => {
    const video = await open(
      makeVideo('-f', 'lavfi', '-i', PATTERN, ...H264, '-preset', 'medium', '-bf', '3', folder.path('plain.mp4')),
    );
    expect(video.info).toMatchObject({
      width: 128,
      height: 96,
      frameRate: 30,
      frameCount: 30,
      codec: 'avc',
      rotation: 0,
      constantFrameRate: true,
    });
    const frames = await readAll(video);
    expect(frames.map((frame) => frame.index)).toEqual([...Array(30).keys()]);
    frames.forEach((frame, i) => expect(frame.timestamp).toBeCloseTo(i / 30, 4));
    expect(differenceFromFfmpeg(folder.path('plain.mp4'), frames[17])).toBeLessThan(2.5);
    expect(video.warnings).toEqual([]);
    const again = await readAll(video, { indices: [3, 17] });
    expect(again.map((frame) => frame.index)).toEqual([3, 17]);
    expect(again[1].image.data).toEqual(frames[17].image.data);
    video.close();
  });

  it('takes the bytes of a file as well as its path', async () => {
    const path = makeVideo('-f', 'lavfi', '-i', PATTERN, ...H264, folder.path('bytes.mp4'));
    const video = await openVideo(readFileSync(path), nodeVideoPlatform);
    expect(await readAll(video)).toHaveLength(30);
  });

  it.each([90, 180, 270])('turns a video that asks for %i degrees upright', async (degrees) => {
    const plain = makeVideo('-f', 'lavfi', '-i', PATTERN, ...H264, folder.path('unturned.mp4'));
    const path = folder.path(`turned-${degrees}.mp4`);
    try {
      makeVideo('-i', plain, '-metadata:s:v', `rotate=${360 - degrees}`, '-c', 'copy', path); // ffmpeg up to 6
    } catch {
      makeVideo('-display_rotation', String(-degrees), '-i', plain, '-c', 'copy', path);
    }
    let video = await open(path);
    if (video.info.rotation === 0) {
      makeVideo('-display_rotation', String(-degrees), '-i', plain, '-c', 'copy', path);
      video = await open(path);
    }
    expect(video.info.rotation).toBe(degrees);
    expect([video.info.width, video.info.height]).toEqual(degrees === 180 ? [128, 96] : [96, 128]);
    const [frame] = await readAll(video, { indices: [5] });
    // ffmpeg turns before it interpolates chroma, hence a few levels; a wrong turn differs by 60 and more.
    expect(differenceFromFfmpeg(path, frame)).toBeLessThan(8);
  });

  it('makes pixels square', async () => {
    const video = await open(
      makeVideo('-f', 'lavfi', '-i', PATTERN, '-vf', 'setsar=15/16', ...H264, folder.path('narrow.mp4')),
    );
    expect(video.info.width / video.info.height).toBeCloseTo((128 / 96) * (15 / 16), 1);
    const [frame] = await readAll(video, { indices: [5] });
    expect([frame.image.width, frame.image.height]).toEqual([video.info.width, video.info.height]);
    const stretch = `scale=${video.info.width}:${video.info.height}:flags=bilinear,`;
    expect(differenceFromFfmpeg(folder.path('narrow.mp4'), frame, stretch)).toBeLessThan(3);
  });

  it('keeps the times of a variable frame rate', async () => {
    const filter = "select='not(mod(n,3))+gt(n,15)'";
    const path = makeVideo(
      '-f',
      'lavfi',
      '-i',
      PATTERN,
      '-vf',
      filter,
      '-vsync',
      'vfr',
      ...H264,
      folder.path('variable.mp4'),
    );
    const video = await open(path);
    expect(video.info.constantFrameRate).toBe(false);
    const times = (await readAll(video)).map((frame) => Math.round(frame.timestamp * 30));
    expect(times).toEqual([0, 3, 6, 9, 12, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29]);
  });

  it.each(['bt709', 'smpte170m'])('honours the matrix %s and both ranges', async (matrix) => {
    for (const range of ['tv', 'pc']) {
      const filter = `scale=out_color_matrix=${matrix}:out_range=${range},format=${range === 'pc' ? 'yuvj420p' : 'yuv420p'}`;
      const tags = ['-colorspace', matrix, '-color_primaries', matrix, '-color_trc', matrix, '-color_range', range];
      const source = 'color=c=0xC83250:s=64x64:r=30:d=0.2';
      const path = makeVideo(
        '-f',
        'lavfi',
        '-i',
        source,
        '-vf',
        filter,
        ...tags,
        '-c:v',
        'libx264',
        '-qp',
        '0',
        folder.path(`${matrix}-${range}.mp4`),
      );
      const [frame] = await readAll(await open(path), { indices: [2] });
      middle(frame).forEach((value, i) => expect(Math.abs(value - [0xc8, 0x32, 0x50][i])).toBeLessThanOrEqual(3));
    }
  });

  it.each([
    ['10-bit H.264', 'libx264', 'yuv420p10le', 'avc'],
    ['10-bit 4:2:2', 'libx264', 'yuv422p10le', 'avc'],
    ['4:4:4', 'libx264', 'yuv444p', 'avc'],
    ['10-bit HEVC', 'libx265', 'yuv420p10le', 'hevc'],
  ])('decodes %s', async (_, encoder, format, codec) => {
    const quiet = encoder === 'libx265' ? ['-x265-params', 'log-level=none'] : [];
    const path = makeVideo(
      '-f',
      'lavfi',
      '-i',
      PATTERN,
      '-c:v',
      encoder,
      ...quiet,
      '-pix_fmt',
      format,
      folder.path(`${encoder}-${format}.mp4`),
    );
    const video = await open(path);
    expect(video.info.codec).toBe(codec);
    const frames = await readAll(video);
    expect(frames).toHaveLength(30);
    expect(differenceFromFfmpeg(path, frames[9])).toBeLessThan(2);
  });

  it('decodes grayscale', async () => {
    const path = makeVideo(
      '-f',
      'lavfi',
      '-i',
      PATTERN,
      '-c:v',
      'libx264',
      '-pix_fmt',
      'gray',
      folder.path('gray.mp4'),
    );
    const frames = await readAll(await open(path));
    expect(frames).toHaveLength(30);
    const { data } = frames[3].image;
    for (let i = 0; i < data.length; i += 3)
      if (data[i] !== data[i + 1] || data[i] !== data[i + 2]) throw new Error('a pixel is not gray');
  });

  it('streams 4K without holding the frames', async () => {
    const path = makeVideo('-f', 'lavfi', '-i', 'testsrc2=s=3840x2160:r=30:d=1', ...H264, folder.path('4k.mp4'));
    const video = await open(path);
    expect([video.info.width, video.info.height]).toEqual([3840, 2160]);
    const before = process.memoryUsage().rss;
    let count = 0;
    for await (const frame of video.frames({ indices: [0, 15, 29] }))
      count += frame.image.data.length / (3840 * 2160 * 3);
    expect(count).toBe(3);
    expect((process.memoryUsage().rss - before) / 1e6).toBeLessThan(450); // 30 frames alone would be 750 MB
  });

  it('reads a video of one frame', async () => {
    const video = await open(
      makeVideo('-f', 'lavfi', '-i', PATTERN, '-frames:v', '1', ...H264, folder.path('one.mp4')),
    );
    expect(video.info.frameCount).toBe(1);
    expect(await readAll(video)).toHaveLength(1);
  });

  it('warns when a file ends before its index does', async () => {
    const whole = readFileSync(
      makeVideo('-f', 'lavfi', '-i', PATTERN, ...H264, '-movflags', '+faststart', folder.path('whole.mp4')),
    );
    writeFileSync(folder.path('truncated.mp4'), whole.subarray(0, whole.length * 0.6));
    const video = await open(folder.path('truncated.mp4'));
    const frames = await readAll(video);
    expect(frames.length).toBeGreaterThan(5);
    expect(frames.length).toBeLessThan(30);
    expect(video.warnings).toEqual([expect.stringContaining(`${frames.length} of 30 frames could be decoded`)]);
  });

  it('warns when a Matroska file ends before its header says', async () => {
    const whole = readFileSync(
      makeVideo(
        '-f',
        'lavfi',
        '-i',
        PATTERN.replace('d=1', 'd=4'),
        ...H264,
        '-g',
        '15',
        '-cluster_time_limit',
        '500',
        folder.path('whole.mkv'),
      ),
    );
    writeFileSync(folder.path('truncated.mkv'), whole.subarray(0, whole.length * 0.6));
    const video = await open(folder.path('truncated.mkv'));
    expect((await readAll(video)).length).toBeGreaterThan(10);
    expect(video.warnings[0]).toContain('promises 4.0 s');
  });

  it('survives damaged packets', async () => {
    const bytes = readFileSync(
      makeVideo('-f', 'lavfi', '-i', PATTERN, ...H264, '-movflags', '+faststart', folder.path('sound.mp4')),
    );
    const from = bytes.indexOf('mdat') + 4 + Math.floor(bytes.length * 0.3);
    for (let i = from; i < from + 6000; i++) bytes[i] = (i * 2654435761) >>> 13;
    writeFileSync(folder.path('damaged.mp4'), bytes);
    expect((await readAll(await open(folder.path('damaged.mp4')))).length).toBeGreaterThan(3);
  });

  it('refuses what is no video with the cause and the way out', async () => {
    await expectProblem(folder.path('absent.mp4'), 'missing', /does not exist. Check the path/);
    await expectProblem(folder.path('.'), 'missing', /is not a file/);
    writeFileSync(folder.path('empty.mp4'), '');
    await expectProblem(folder.path('empty.mp4'), 'empty', /0 bytes/);
    writeFileSync(folder.path('notes.mp4'), 'Dear diary, today I renamed this file.\n'.repeat(50));
    await expectProblem(folder.path('notes.mp4'), 'not-a-video', /not a video file .* Give an MP4/);
    makeVideo('-f', 'lavfi', '-i', 'sine=d=1', '-c:a', 'aac', folder.path('sound-only.mp4'));
    await expectProblem(folder.path('sound-only.mp4'), 'no-video-track', /sound but no video/);
    const whole = readFileSync(makeVideo('-f', 'lavfi', '-i', PATTERN, ...H264, folder.path('late-index.mp4')));
    writeFileSync(folder.path('no-index.mp4'), whole.subarray(0, whole.length * 0.6));
    await expectProblem(folder.path('no-index.mp4'), 'incomplete', /cut off/);
    const media = whole.indexOf('mdat') + 4;
    const noise = whole.map((byte, i) =>
      i >= media && i < whole.indexOf('moov') - 4 ? (i * 2654435761) >>> 11 : byte,
    );
    writeFileSync(folder.path('noise.mp4'), noise);
    await expectProblem(folder.path('noise.mp4'), 'corrupt', /damaged.*Export it again/);
  });

  it('points to H.264 when ffmpeg cannot decode HEVC', async () => {
    const path = makeVideo(
      '-f',
      'lavfi',
      '-i',
      PATTERN,
      '-c:v',
      'libx265',
      '-x265-params',
      'log-level=none',
      folder.path('phone.mp4'),
    );
    const program = folder.path('ffmpeg-without-hevc');
    writeFileSync(
      program,
      '#!/bin/sh\nif [ "$1" = -version ]; then echo "ffmpeg version 5.1"; exit 0; fi\necho "Decoder (codec hevc) not found for input stream #0:0" >&2\nexit 1\n',
    );
    chmodSync(program, 0o755);
    process.env.FFMPEG_PATH = program;
    try {
      await expectProblem(path, 'codec', /cannot decode HEVC .* Convert the video to H\.264/);
    } finally {
      delete process.env.FFMPEG_PATH;
    }
  });

  it('says how to get ffmpeg when there is none', async () => {
    const path = makeVideo('-f', 'lavfi', '-i', PATTERN, ...H264, folder.path('fine.mp4'));
    process.env.FFMPEG_PATH = folder.path('no-such-ffmpeg');
    try {
      await expectProblem(path, 'decoder', /cannot be started as .*no-such-ffmpeg.*FFMPEG_PATH/);
    } finally {
      delete process.env.FFMPEG_PATH;
    }
  });

  it('stops at once when cancelled, and when the loop is left', async () => {
    const video = await open(
      makeVideo('-f', 'lavfi', '-i', PATTERN.replace('d=1', 'd=20'), ...H264, folder.path('long.mp4')),
    );
    const before = childProcesses();
    const cancel = new AbortController();
    let count = 0;
    const reading = (async () => {
      for await (const _ of video.frames({ signal: cancel.signal })) if (++count === 5) cancel.abort();
    })();
    await expect(reading).rejects.toThrow(/abort/i);
    expect(count).toBe(5);
    for await (const frame of video.frames()) if (frame.index === 3) break;
    // Node lets go of an ended process a moment later.
    await vi.waitFor(() => expect(childProcesses()).toBeLessThanOrEqual(before), 5000);
  });

  const clip = sharedPath('data/clips/selfie-glasses.mp4');
  it.skipIf(!clip)('reads a real clip with pixels that are not square (needs ../shared/data/clips)', async () => {
    const video = await open(clip!);
    expect(video.info).toMatchObject({ width: 512, height: 512, frameCount: 587, frameRate: 30 });
    const frames = await readAll(video, { indices: [0, 100] });
    expect(differenceFromFfmpeg(clip!, frames[1], 'scale=512:512:flags=bilinear,')).toBeLessThan(1.5);
  });
});

/** Child processes of this one that are still running. */
function childProcesses(): number {
  const resources = (process as unknown as { getActiveResourcesInfo(): string[] }).getActiveResourcesInfo();
  return resources.filter((kind) => kind === 'ProcessWrap').length;
}

describe('chooseFrames', () => {
  it('takes all when they fit, else evenly spaced ones', () => {
    expect(chooseFrames(3, 5)).toEqual([0, 1, 2]);
    expect(chooseFrames(10, 4)).toEqual([0, 2, 5, 7]);
    expect(chooseFrames(0, 4)).toEqual([]);
    expect(() => chooseFrames(10, 0)).toThrow(RangeError);
  });
});
