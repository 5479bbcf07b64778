import type { PixelRectangle } from '../../video/crop-frame.ts';
import { SSIM_C1, SSIM_C2, windowed } from '../metrics.ts';

/** What the photometric loss compares, in float64. */
export interface PhotometricScene {
  readonly width: number;
  readonly height: number;
  /** H×W RGBA8, straight alpha, red lowest. */
  readonly target: Uint32Array;
  /** H×W bytes. */
  readonly mask?: Uint8Array;
  /** What is known of the target; all of it without. */
  readonly shown?: PixelRectangle;
  readonly background: readonly number[];
  readonly weights: { readonly l1: number; readonly ssim: number; readonly matte: number; readonly mask: number };
}

export interface PhotometricValue {
  readonly total: number;
  readonly l1: number;
  /** 1 − SSIM. */
  readonly dissimilarity: number;
  readonly matte: number;
  /** H×W×4. */
  readonly imageGradient: Float64Array;
}

const isUsable = (value: number): boolean => Math.abs(value) <= 1e4;

/** L1 + (1 − SSIM) + matte between a rendered image (H×W×4: rgb, transmittance) and a target, with the gradient. */
export function photometricReference(image: ArrayLike<number>, scene: PhotometricScene): PhotometricValue {
  const { width, height, target, weights } = scene;
  const pixels = width * height;
  const imageGradient = new Float64Array(pixels * 4);
  const isShown = (pixel: number): boolean => {
    const { left, top, right, bottom } = scene.shown ?? { left: 0, top: 0, right: width, bottom: height };
    const [column, row] = [pixel % width, Math.floor(pixel / width)];
    return column >= left && row >= top && column < right && row < bottom;
  };
  const weightOf = (pixel: number): number =>
    isShown(pixel) ? 1 + (weights.mask * (scene.mask?.[pixel] ?? 0)) / 255 : 0;
  const sums = { l1: 0, dissimilarity: 0, matte: 0 };
  for (let channel = 0; channel < 3; channel++) {
    const y = Float64Array.from(target, (pixel, index) => {
      const alpha = isShown(index) ? (pixel >>> 24) / 255 : 0;
      return (((pixel >>> (8 * channel)) & 255) / 255) * alpha + scene.background[channel]! * (1 - alpha);
    });
    const takesPart = (pixel: number): boolean => isShown(pixel) && isUsable(image[pixel * 4 + channel]!);
    const x = y.map((value, pixel) => (takesPart(pixel) ? image[pixel * 4 + channel]! : value));
    const similarity = similarityWithGradient(x, y, width, height, weightOf);
    sums.dissimilarity += similarity.dissimilarity;
    for (let pixel = 0; pixel < pixels; pixel++) {
      sums.l1 += weightOf(pixel) * Math.abs(x[pixel]! - y[pixel]!);
      if (!takesPart(pixel)) continue;
      const bySign = weights.l1 * weightOf(pixel) * Math.sign(x[pixel]! - y[pixel]!);
      imageGradient[pixel * 4 + channel] = (bySign + weights.ssim * similarity.gradient[pixel]!) / (3 * pixels);
    }
  }
  for (let pixel = 0; pixel < pixels; pixel++) {
    const transmittance = image[pixel * 4 + 3]!;
    if (!isUsable(transmittance) || !isShown(pixel)) continue;
    const difference = 1 - transmittance - (target[pixel]! >>> 24) / 255;
    sums.matte += weightOf(pixel) * Math.abs(difference);
    imageGradient[pixel * 4 + 3] = (-weights.matte * weightOf(pixel) * Math.sign(difference)) / pixels;
  }
  const l1 = sums.l1 / (3 * pixels);
  const dissimilarity = sums.dissimilarity / (3 * pixels);
  const matte = sums.matte / pixels;
  const total = weights.l1 * l1 + weights.ssim * dissimilarity + weights.matte * matte;
  return { total, l1, dissimilarity, matte, imageGradient };
}

/** Σ weight·(1 − SSIM) of one channel and its gradient by x. */
function similarityWithGradient(
  x: Float64Array,
  y: Float64Array,
  width: number,
  height: number,
  weightOf: (pixel: number) => number,
): { dissimilarity: number; gradient: Float64Array } {
  const blur = (values: Float64Array): Float64Array => windowed(values, width, height);
  const meanX = blur(x);
  const meanY = blur(y);
  const squareX = blur(x.map((value) => value * value));
  const squareY = blur(y.map((value) => value * value));
  const product = blur(x.map((value, pixel) => value * y[pixel]!));
  const byMean = new Float64Array(x.length);
  const bySquare = new Float64Array(x.length);
  const byProduct = new Float64Array(x.length);
  let dissimilarity = 0;
  for (let pixel = 0; pixel < x.length; pixel++) {
    const [mx, my] = [meanX[pixel]!, meanY[pixel]!];
    const meanAbove = 2 * mx * my + SSIM_C1;
    const meanBelow = mx * mx + my * my + SSIM_C1;
    const spreadAbove = 2 * (product[pixel]! - mx * my) + SSIM_C2;
    const spreadBelow = squareX[pixel]! - mx * mx + squareY[pixel]! - my * my + SSIM_C2;
    const similarity = (meanAbove * spreadAbove) / (meanBelow * spreadBelow);
    const weight = weightOf(pixel);
    dissimilarity += weight * (1 - similarity);
    bySquare[pixel] = (weight * similarity) / spreadBelow;
    byProduct[pixel] = (-weight * 2 * meanAbove) / (meanBelow * spreadBelow);
    byMean[pixel] =
      -weight *
      ((2 * my * (spreadAbove - meanAbove)) / (meanBelow * spreadBelow) -
        2 * mx * similarity * (1 / meanBelow - 1 / spreadBelow));
  }
  const [mean, square, cross] = [blur(byMean), blur(bySquare), blur(byProduct)];
  const gradient = x.map((value, pixel) => mean[pixel]! + 2 * value * square[pixel]! + y[pixel]! * cross[pixel]!);
  return { dissimilarity, gradient };
}
