import { psnr, ssim, type MetricImage } from '../losses/metrics.ts';
import type { PixelRectangle } from '../video/crop-frame.ts';
import type { Image } from '../video/frame.ts';
import { foregroundMask } from './foreground.ts';

/** Scores of one frame, or means over frames. */
export interface Scores {
  /** dB, white = 1, over the whole frame on white. */
  readonly psnr: number;
  /** dB, over the matte dilated by 8 px at 512²; null when the frame has no foreground. */
  readonly psnrForeground: number | null;
  /** 11×11 Gaussian window, σ 1.5, over the whole frame on white. */
  readonly ssim: number;
  /** LPIPS v0.1 (AlexNet) over the whole frame on white, lower is better; left out where its weights were not given. */
  readonly lpips?: number;
}

/** Scores a rendering on white (RGB, 0…1) against a frame whose alpha is its matte. */
export function scoreFrame(truth: Image, rendering: MetricImage): Scores {
  const target = compositeOnWhite(truth);
  const mask = foregroundMask(truth);
  return {
    psnr: psnr(target, rendering),
    psnrForeground: mask.includes(1) ? psnr(target, rendering, mask) : null,
    ssim: ssim(target, rendering),
  };
}

/**
 * A rendering, white where the frame shows nothing (as its truth is, on white): beyond the video the avatar may go on, and
 * nobody knows whether rightly. H×W×3.
 */
export function asShown(rendering: MetricImage, shown: PixelRectangle | undefined): MetricImage {
  if (!shown) return rendering;
  const { width } = rendering;
  const data = Float32Array.from(rendering.data, (value, i) => {
    const [column, row] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
    return column < shown.left || column >= shown.right || row < shown.top || row >= shown.bottom ? 1 : value;
  });
  return { ...rendering, data };
}

/** The frame as it is scored: its straight colour over white by its alpha; RGB, 0…1. */
export function compositeOnWhite(image: Image): MetricImage {
  const { width, height, channels, data } = image;
  if (channels !== 4) throw new TypeError('compositeOnWhite: the image has no alpha; give RGBA with the matte in it');
  const result = new Float32Array(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const coverage = data[pixel * 4 + 3]! / 255;
    for (let channel = 0; channel < 3; channel++) {
      result[pixel * 3 + channel] = 1 - coverage + (coverage * data[pixel * 4 + channel]!) / 255;
    }
  }
  return { width, height, channels: 3, data: result };
}

/** Means over frames; each score over the frames that have it. Null without frames. */
export function meanScores(scores: readonly Scores[]): Scores | null {
  if (scores.length === 0) return null;
  const withForeground = scores.flatMap((score) => score.psnrForeground ?? []);
  const withLpips = scores.flatMap((score) => score.lpips ?? []);
  return {
    psnr: mean(scores.map((score) => score.psnr)),
    psnrForeground: withForeground.length > 0 ? mean(withForeground) : null,
    ssim: mean(scores.map((score) => score.ssim)),
    ...(withLpips.length > 0 ? { lpips: mean(withLpips) } : {}),
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
