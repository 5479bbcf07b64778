import { describe, expect, it } from 'vitest';
import type { Image } from '../video/frame.ts';
import { dilate, foregroundMask } from './foreground.ts';
import { collectMetrics, type FrameScores } from './metrics-file.ts';
import { asShown, compositeOnWhite, meanScores, scoreFrame } from './score-frames.ts';
import { splitFrames } from './split-frames.ts';

const frames = (count: number, excluded: number[] = []) =>
  Array.from({ length: count }, (_, index) => ({ excluded: excluded.includes(index) ? 'no face' : null }));

/** Grey square on a transparent ground. */
function square(edge: number, from: number, to: number, grey: number): Image {
  const data = new Uint8Array(edge * edge * 4);
  for (let row = from; row < to; row++) {
    for (let column = from; column < to; column++) data.set([grey, grey, grey, 255], (row * edge + column) * 4);
  }
  return { width: edge, height: edge, channels: 4, data };
}

describe('splitFrames', () => {
  it('holds out the last fifth of the usable frames', () => {
    expect(splitFrames(frames(10))).toEqual({ train: [0, 1, 2, 3, 4, 5, 6, 7], heldOut: [8, 9] });
    expect(splitFrames(frames(12, [10, 11]))).toEqual({ train: [0, 1, 2, 3, 4, 5, 6, 7], heldOut: [8, 9] });
    expect(splitFrames(frames(3))).toEqual({ train: [0, 1], heldOut: [2] });
    expect(splitFrames(frames(1))).toEqual({ train: [0], heldOut: [] });
  });

  it('holds out the last 350 by the INSTA rule', () => {
    const { train, heldOut } = splitFrames(frames(1000), 'insta');
    expect([train.length, heldOut.length, heldOut[0]]).toEqual([650, 350, 650]);
    expect(() => splitFrames(frames(350), 'insta')).toThrow('has 350 usable ones; use split "fifth"');
  });

  it('refuses a track without a usable frame', () => {
    expect(() => splitFrames(frames(2, [0, 1]))).toThrow('none of the 2 frames can be used');
  });
});

describe('foreground', () => {
  it('grows by a disc', () => {
    const mask = new Uint8Array(49);
    mask[24] = 1;
    const grown = dilate(mask, 7, 7, 2);
    const rows = Array.from({ length: 7 }, (_, row) => grown.slice(row * 7, row * 7 + 7).join(''));
    expect(rows).toEqual(['0000000', '0001000', '0011100', '0111110', '0011100', '0001000', '0000000']);
  });

  it('agrees with the distance to every pixel', () => {
    const mask = Uint8Array.from({ length: 600 }, (_, index) => (index % 97 === 3 ? 1 : 0));
    const [width, height, radius] = [30, 20, 3.5];
    const grown = dilate(mask, width, height, radius);
    for (let pixel = 0; pixel < mask.length; pixel++) {
      const isNear = mask.some(
        (value, other) =>
          value === 1 &&
          Math.hypot((pixel % width) - (other % width), Math.floor(pixel / width) - Math.floor(other / width)) <=
            radius,
      );
      expect(grown[pixel]).toBe(isNear ? 1 : 0);
    }
  });

  it('dilates in proportion to the image', () => {
    const countOf = (edge: number): number =>
      foregroundMask(square(edge, edge / 4, (edge * 3) / 4, 0)).reduce((a, b) => a + b, 0);
    expect(countOf(128)).toBeCloseTo(68 ** 2 - (4 - Math.PI) * 4, -1.5); // 64² grown by 2 px: corners rounded
    expect(countOf(256)).toBeGreaterThan(countOf(128) * 3.9);
    expect(countOf(256)).toBeLessThan(countOf(128) * 4.1);
  });
});

describe('scoreFrame', () => {
  it('composites straight colour on white by coverage', () => {
    const image: Image = { width: 1, height: 1, channels: 4, data: Uint8Array.of(255, 0, 51, 51) };
    const [red, green, blue] = compositeOnWhite(image).data as Float32Array;
    expect([red, green, blue].map((value) => value!.toFixed(4))).toEqual(['1.0000', '0.8000', '0.8400']);
  });

  it('scores the foreground harder than the white around it', () => {
    const truth = square(64, 16, 48, 100);
    const rendering = {
      width: 64,
      height: 64,
      channels: 3,
      data: (compositeOnWhite(square(64, 16, 48, 110)).data as Float32Array).slice(),
    };
    const scores = scoreFrame(truth, rendering);
    const error = (10 / 255) ** 2;
    expect(scores.psnr).toBeCloseTo(-10 * Math.log10(error / 4), 3);
    const maskSize = foregroundMask(truth).reduce((a, b) => a + b, 0);
    expect(scores.psnrForeground).toBeCloseTo(-10 * Math.log10((error * 1024) / maskSize), 3);
    expect(scores.psnrForeground!).toBeLessThan(scores.psnr);
    expect(scores.ssim).toBeGreaterThan(0.9);
  });

  it('does not look at what the frame does not show', () => {
    const truth = square(32, 10, 22, 100);
    const rendering = compositeOnWhite(truth);
    const beyond = { ...rendering, data: Float32Array.from(rendering.data, (value, i) => (i % 96 < 24 ? 0.2 : value)) };
    const shown = { left: 8, top: 0, right: 32, bottom: 32 };
    expect(scoreFrame(truth, asShown(beyond, shown))).toEqual(scoreFrame(truth, rendering));
    expect(asShown(beyond, undefined)).toBe(beyond);
  });

  it('has no foreground score where there is no foreground', () => {
    const empty = square(32, 0, 0, 0);
    const { psnrForeground } = scoreFrame(empty, {
      width: 32,
      height: 32,
      channels: 3,
      data: new Float32Array(3072).fill(0.9),
    });
    expect(psnrForeground).toBeNull();
  });
});

describe('metrics', () => {
  const scores = (psnr: number, psnrForeground: number | null) => ({ psnr, psnrForeground, ssim: 0.9 });
  const facts = {
    gaussianCount: 5,
    stepsPerSecond: 2,
    seconds: { track: 1, fit: 2, total: 3 },
    peakMemoryMB: 100,
    seed: 1,
    avatarSha256: 'ab',
    adapter: 'x',
    frames: { video: 3, tracked: 3, excluded: 0, trained: 1 },
    warnings: [],
  };

  it('averages each score over the frames that have it', () => {
    expect(meanScores([scores(20, 10), scores(30, null)])).toMatchObject({ psnr: 25, psnrForeground: 10 });
    expect(meanScores([])).toBeNull();
  });

  it('collects as-tracked and fitted scores, LPIPS null without weights', () => {
    const perFrame: FrameScores[] = [
      { sourceIndex: 7, asTracked: scores(20, 10), uncorrected: scores(19, 9), fitted: scores(22, 12) },
      { sourceIndex: 9, asTracked: scores(24, 14), uncorrected: scores(21, 11), fitted: scores(26, 16) },
    ];
    expect(collectMetrics(perFrame, facts)).toMatchObject({
      heldOut: {
        psnr: 22,
        psnrForeground: 12,
        lpips: null,
        frames: 2,
        fitted: { psnr: 24, psnrForeground: 14 },
        uncorrected: { psnr: 20 },
      },
      gaussianCount: 5,
    });
    expect(collectMetrics([], facts).heldOut).toBeNull();
  });
});
