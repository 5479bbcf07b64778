/**
 * Image metrics for evaluation, in float64 on the host. An image is H×W×C numbers, row-major; `range` is the value of
 * white (1 for floats, 255 for bytes).
 */
export interface MetricImage {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly data: ArrayLike<number>;
  /** Value of white. Default 1. */
  readonly range?: number;
}

/** SSIM's constants for a range of 1: (0.01)², (0.03)². */
export const SSIM_C1 = 1e-4;
export const SSIM_C2 = 9e-4;
const SSIM_RADIUS = 5;
const SSIM_SIGMA = 1.5;

/** The 11 weights of the window along one axis; they sum to 1. */
export const SSIM_WINDOW: readonly number[] = gaussianWindow();

function gaussianWindow(): number[] {
  const weights = Array.from({ length: 2 * SSIM_RADIUS + 1 }, (_, index) =>
    Math.exp(-((index - SSIM_RADIUS) ** 2) / (2 * SSIM_SIGMA ** 2)),
  );
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

/**
 * Peak signal-to-noise ratio in dB, 10·log₁₀(range² / MSE) over all pixels and channels; Infinity for equal images.
 * `mask` (H×W) weights pixels: any value of 0 leaves one out.
 */
export function psnr(a: MetricImage, b: MetricImage, mask?: ArrayLike<number>): number {
  requireAlike(a, b);
  const { channels } = a;
  const [rangeA, rangeB] = [a.range ?? 1, b.range ?? 1];
  const pixels = a.width * a.height;
  if (mask && mask.length !== pixels) {
    throw new RangeError(`psnr: mask has ${mask.length} values for ${pixels} pixels; give one per pixel`);
  }
  let sum = 0;
  let weightSum = 0;
  for (let pixel = 0; pixel < pixels; pixel++) {
    const weight = mask ? mask[pixel]! : 1;
    weightSum += weight;
    if (weight === 0) continue;
    for (let channel = 0; channel < channels; channel++) {
      const index = pixel * channels + channel;
      sum += weight * (a.data[index]! / rangeA - b.data[index]! / rangeB) ** 2;
    }
  }
  if (weightSum === 0) throw new RangeError('psnr: the mask leaves no pixel; give one with a positive value');
  return -10 * Math.log10(sum / (weightSum * channels));
}

/**
 * Mean structural similarity (Wang et al. 2004) over pixels and channels: 11×11 Gaussian window, σ 1.5, C1 = 0.01²,
 * C2 = 0.03², population variances.
 *
 * `border`: `zero` takes every pixel, with black around the image, as 3DGS and its descendants report it (and as the
 * training loss does); `valid` takes the pixels whose window lies inside the image, as Wang's own code does.
 */
export function ssim(a: MetricImage, b: MetricImage, { border = 'zero' }: { border?: 'zero' | 'valid' } = {}): number {
  requireAlike(a, b);
  const { width, height, channels } = a;
  const margin = border === 'valid' ? SSIM_RADIUS : 0;
  const count = (width - 2 * margin) * (height - 2 * margin);
  if (width <= 2 * margin || height <= 2 * margin) {
    throw new RangeError(
      `ssim: the image is ${width}×${height}; border "valid" needs at least 11×11, use border "zero"`,
    );
  }
  let sum = 0;
  for (let channel = 0; channel < channels; channel++) {
    const map = similarityMap(plane(a, channel), plane(b, channel), width, height);
    for (let row = margin; row < height - margin; row++) {
      for (let column = margin; column < width - margin; column++) sum += map[row * width + column]!;
    }
  }
  return sum / (count * channels);
}

function plane({ data, channels, range = 1 }: MetricImage, channel: number): Float64Array {
  return Float64Array.from({ length: data.length / channels }, (_, pixel) => data[pixel * channels + channel]! / range);
}

function similarityMap(x: Float64Array, y: Float64Array, width: number, height: number): Float64Array {
  const blur = (values: Float64Array): Float64Array => windowed(values, width, height);
  const meanX = blur(x);
  const meanY = blur(y);
  const squareX = blur(x.map((value) => value * value));
  const squareY = blur(y.map((value) => value * value));
  const product = blur(x.map((value, pixel) => value * y[pixel]!));
  return x.map((_, pixel) => {
    const [mx, my] = [meanX[pixel]!, meanY[pixel]!];
    const above = (2 * mx * my + SSIM_C1) * (2 * (product[pixel]! - mx * my) + SSIM_C2);
    const below = (mx * mx + my * my + SSIM_C1) * (squareX[pixel]! - mx * mx + squareY[pixel]! - my * my + SSIM_C2);
    return above / below;
  });
}

/** One plane under the window, with zeros around the image. Symmetric, so it is its own transpose. */
export function windowed(values: Float64Array, width: number, height: number): Float64Array {
  const across = new Float64Array(values.length);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      let sum = 0;
      const last = Math.min(SSIM_RADIUS, width - 1 - column);
      for (let offset = Math.max(-SSIM_RADIUS, -column); offset <= last; offset++) {
        sum += SSIM_WINDOW[offset + SSIM_RADIUS]! * values[row * width + column + offset]!;
      }
      across[row * width + column] = sum;
    }
  }
  const result = new Float64Array(values.length);
  for (let row = 0; row < height; row++) {
    const last = Math.min(SSIM_RADIUS, height - 1 - row);
    for (let offset = Math.max(-SSIM_RADIUS, -row); offset <= last; offset++) {
      const weight = SSIM_WINDOW[offset + SSIM_RADIUS]!;
      const source = (row + offset) * width;
      for (let column = 0; column < width; column++) result[row * width + column]! += weight * across[source + column]!;
    }
  }
  return result;
}

function requireAlike(a: MetricImage, b: MetricImage): void {
  if (a.width !== b.width || a.height !== b.height || a.channels !== b.channels) {
    throw new RangeError(
      `images differ in shape: ${a.width}×${a.height}×${a.channels} against ${b.width}×${b.height}×${b.channels}; resize one first`,
    );
  }
  for (const image of [a, b]) {
    if (image.data.length !== image.width * image.height * image.channels) {
      throw new RangeError(
        `an image of ${image.width}×${image.height}×${image.channels} has ${image.data.length} values`,
      );
    }
  }
}
