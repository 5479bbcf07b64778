import type { Image } from '../../video/frame.ts';

/**
 * A picture as the photometric pass sees it: brightness less its local mean, over its local deviation. Exposure, gain
 * and slow shading leave that as it is. Only what the matte shows counts.
 */
export interface FeatureImage {
  /** Pixels of the side: the picture is square. */
  readonly size: number;
  /** size²: local deviations, times `FEATURE_SCALE`; 0 outside the matte. */
  readonly values: Int16Array;
}

/** One frame at every level: the first is the finest, each further one has half its size. */
export interface FeaturePyramid {
  readonly levels: readonly FeatureImage[];
  /** Of the finest level: 1 where the matte shows the head. */
  readonly mask: Uint8Array;
}

/** Units of a stored feature per local deviation. */
export const FEATURE_SCALE = 4096;
/** Local deviations beyond which a feature is cut. */
const LARGEST_FEATURE = 4;
/** Pixels from a window's centre to its side, at every level. */
const WINDOW_RADIUS = 8;
/** Brightness (0…255) that counts as texture: skin without any must not become noise. */
const LEAST_DEVIATION = 8;
/** Coverage from which a pixel is taken for the head's own. */
const COVERED = 0.9;

/**
 * Features of a square picture, RGBA with its matte, at `levelCount` levels. The finest is the picture halved until it
 * is smaller than 2·`size`. Throws a `RangeError` for a picture that is not square or too small for its levels.
 */
export function featurePyramid(picture: Image, size: number, levelCount: number): FeaturePyramid {
  const { width, height } = picture;
  if (width !== height || width >> (levelCount - 1) < 8) {
    throw new RangeError(
      `the picture is ${width}×${height}; give a square crop of at least ${8 << (levelCount - 1)}².`,
    );
  }
  let map = readPicture(picture);
  while (map.size >= 2 * size) map = halve(map);
  const mask = map.coverage.map((value) => (value >= COVERED ? 1 : 0));
  const levels: FeatureImage[] = [];
  for (let level = 0; level < levelCount; level++) {
    if (level > 0) map = halve(map);
    levels.push({ size: map.size, values: normalise(map) });
  }
  return { levels, mask: Uint8Array.from(mask) };
}

/** size² each. */
interface BrightnessMap {
  readonly size: number;
  /** 0…255. */
  readonly brightness: Float32Array;
  /** 0…1. */
  readonly coverage: Float32Array;
}

function readPicture({ width, channels, data }: Image): BrightnessMap {
  const brightness = new Float32Array(width * width);
  const coverage = new Float32Array(width * width).fill(1);
  for (let pixel = 0; pixel < brightness.length; pixel++) {
    const at = pixel * channels;
    brightness[pixel] = 0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2];
    if (channels === 4) coverage[pixel] = data[at + 3] / 255;
  }
  return { size: width, brightness, coverage };
}

/** Means of 2×2 blocks, by coverage. */
function halve({ size, brightness, coverage }: BrightnessMap): BrightnessMap {
  const half = size >> 1;
  const result = { size: half, brightness: new Float32Array(half * half), coverage: new Float32Array(half * half) };
  for (let y = 0; y < half; y++) {
    for (let x = 0; x < half; x++) {
      const at = 2 * y * size + 2 * x;
      const [a, b, c, d] = [coverage[at], coverage[at + 1], coverage[at + size], coverage[at + size + 1]];
      const total = a + b + c + d;
      const sum =
        a * brightness[at] + b * brightness[at + 1] + c * brightness[at + size] + d * brightness[at + size + 1];
      result.brightness[y * half + x] = total > 0 ? sum / total : 0;
      result.coverage[y * half + x] = total / 4;
    }
  }
  return result;
}

function normalise({ size, brightness, coverage }: BrightnessMap): Int16Array {
  const count = size * size;
  const [weighted, first, second] = [new Float32Array(count), new Float32Array(count), new Float32Array(count)];
  for (let i = 0; i < count; i++) weighted[i] = brightness[i] * coverage[i];
  // Blurred like the coarser levels, so that slopes hold for about a pixel.
  const smooth = blur(weighted, size);
  const smoothCoverage = blur(coverage, size);
  for (let i = 0; i < count; i++) {
    smooth[i] = smoothCoverage[i] > 1e-3 ? smooth[i] / smoothCoverage[i] : 0;
    first[i] = smooth[i] * coverage[i];
    second[i] = first[i] * smooth[i];
  }
  const share = boxSum(coverage, size, WINDOW_RADIUS);
  const sums = boxSum(first, size, WINDOW_RADIUS);
  const squares = boxSum(second, size, WINDOW_RADIUS);
  const values = new Int16Array(count);
  for (let i = 0; i < count; i++) {
    if (coverage[i] < COVERED) continue;
    const mean = sums[i] / share[i];
    const variance = Math.max(0, squares[i] / share[i] - mean * mean);
    const feature = (smooth[i] - mean) / Math.sqrt(variance + LEAST_DEVIATION * LEAST_DEVIATION);
    values[i] = Math.round(Math.max(-LARGEST_FEATURE, Math.min(LARGEST_FEATURE, feature)) * FEATURE_SCALE);
  }
  return values;
}

/** Binomial 1 4 6 4 1 along both axes: a Gaussian of deviation 1; the border repeats. */
function blur(source: Float32Array, size: number): Float32Array {
  return blurRows(blurRows(source, size, 1), size, size);
}

/** Along lines whose samples lie `step` apart. */
function blurRows(source: Float32Array, size: number, step: number): Float32Array {
  const result = new Float32Array(source.length);
  const across = step === 1 ? size : 1;
  const end = (size - 1) * step;
  for (let line = 0; line < size; line++) {
    const start = line * across;
    for (let i = 0; i <= end; i += step) {
      const a = source[start + Math.max(0, i - 2 * step)];
      const b = source[start + Math.max(0, i - step)];
      const d = source[start + Math.min(end, i + step)];
      const e = source[start + Math.min(end, i + 2 * step)];
      result[start + i] = (a + e + 4 * (b + d) + 6 * source[start + i]) / 16;
    }
  }
  return result;
}

/** Sum over the (2·radius + 1)² window, zero beyond the border. */
function boxSum(source: Float32Array, size: number, radius: number): Float64Array {
  return boxRows(boxRows(source, size, 1, radius), size, size, radius);
}

function boxRows(source: Float32Array | Float64Array, size: number, step: number, radius: number): Float64Array {
  const result = new Float64Array(source.length);
  const across = step === 1 ? size : 1;
  for (let line = 0; line < size; line++) {
    const start = line * across;
    let sum = 0;
    for (let i = 0; i < radius; i++) sum += source[start + i * step];
    for (let i = 0; i < size; i++) {
      if (i + radius < size) sum += source[start + (i + radius) * step];
      if (i > radius) sum -= source[start + (i - radius - 1) * step];
      result[start + i * step] = sum;
    }
  }
  return result;
}
