import type { Image } from '../video/frame.ts';

/** A square of an image, turned clockwise by `rotation` about its centre. Pixels. */
export interface Region {
  readonly centerX: number;
  readonly centerY: number;
  readonly size: number;
  /** Radians. */
  readonly rotation: number;
}

export interface SampleOptions {
  /** Pixels per side of the result. */
  readonly size: number;
  /** What 0 and 255 become. */
  readonly low: number;
  readonly high: number;
  /** Outside the image: its nearest pixel, or `low`. */
  readonly outside: 'nearest' | 'low';
  /** Values per pixel of the result, 3 (default) or 4; the fourth is 0. */
  readonly channels?: 3 | 4;
}

/** More samples than this per output pixel and axis would cost more than they smooth. */
const MAXIMUM_SUPERSAMPLING = 8;

/** Samples a region bilinearly into a network's input, averaging where the image is finer than the result. */
export function sampleRegion(image: Image, region: Region, options: SampleOptions): Float32Array {
  const { size, low, high, outside } = options;
  const channels = options.channels ?? 3;
  const result = new Float32Array(size * size * channels);
  const step = region.size / size;
  const grid = Math.min(Math.max(Math.ceil(step - 0.5), 1), MAXIMUM_SUPERSAMPLING);
  if (region.rotation === 0) return sampleUpright(image, region, options, grid);
  const cos = Math.cos(region.rotation) * step;
  const sin = Math.sin(region.rotation) * step;
  const scale = (high - low) / (255 * grid * grid);
  const { width, height, data, channels: stride } = image;
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      let red = 0;
      let green = 0;
      let blue = 0;
      for (let sample = 0; sample < grid * grid; sample++) {
        const u = x + ((sample % grid) + 0.5) / grid - size / 2;
        const v = y + (Math.floor(sample / grid) + 0.5) / grid - size / 2;
        let imageX = region.centerX + cos * u - sin * v - 0.5;
        let imageY = region.centerY + sin * u + cos * v - 0.5;
        if (outside === 'low' && (imageX < -0.5 || imageY < -0.5 || imageX > width - 0.5 || imageY > height - 0.5))
          continue;
        imageX = Math.min(Math.max(imageX, 0), width - 1);
        imageY = Math.min(Math.max(imageY, 0), height - 1);
        const left = Math.min(Math.floor(imageX), Math.max(width - 2, 0));
        const top = Math.min(Math.floor(imageY), Math.max(height - 2, 0));
        const right = imageX - left;
        const bottom = imageY - top;
        const a = (top * width + left) * stride;
        const b = width > 1 ? a + stride : a;
        const c = height > 1 ? a + width * stride : a;
        const d = c + (b - a);
        const weightA = (1 - right) * (1 - bottom);
        const weightB = right * (1 - bottom);
        const weightC = (1 - right) * bottom;
        const weightD = right * bottom;
        red += weightA * data[a] + weightB * data[b] + weightC * data[c] + weightD * data[d];
        green += weightA * data[a + 1] + weightB * data[b + 1] + weightC * data[c + 1] + weightD * data[d + 1];
        blue += weightA * data[a + 2] + weightB * data[b + 2] + weightC * data[c + 2] + weightD * data[d + 2];
      }
      const at = (y * size + x) * channels;
      result[at] = low + red * scale;
      result[at + 1] = low + green * scale;
      result[at + 2] = low + blue * scale;
    }
  }
  return result;
}

/** The same where rows and columns stay rows and columns: their places are worked out once. */
function sampleUpright(image: Image, region: Region, options: SampleOptions, grid: number): Float32Array {
  const { size, low, high, outside } = options;
  const channels = options.channels ?? 3;
  const { width, height, data, channels: stride } = image;
  const columns = axisSamples(region.centerX, region.size, size * grid, width, outside);
  const rows = axisSamples(region.centerY, region.size, size * grid, height, outside);
  const nextColumn = width > 1 ? stride : 0;
  const nextRow = height > 1 ? width * stride : 0;
  const sums = new Float32Array(size * size * channels);
  for (let v = 0; v < size * grid; v++) {
    if (rows.places[v] < 0) continue;
    const row = rows.places[v] * width * stride;
    const bottom = rows.weights[v];
    const to = Math.floor(v / grid) * size * channels;
    for (let u = 0; u < size * grid; u++) {
      if (columns.places[u] < 0) continue;
      const a = row + columns.places[u] * stride;
      const right = columns.weights[u];
      const at = to + Math.floor(u / grid) * channels;
      for (let channel = 0; channel < 3; channel++) {
        const upper = data[a + channel] + (data[a + nextColumn + channel] - data[a + channel]) * right;
        const c = a + nextRow + channel;
        const lower = data[c] + (data[c + nextColumn] - data[c]) * right;
        sums[at + channel] += upper + (lower - upper) * bottom;
      }
    }
  }
  const scale = (high - low) / (255 * grid * grid);
  for (let i = 0; i < sums.length; i++) if (i % channels < 3) sums[i] = low + sums[i] * scale;
  return sums;
}

/** Pixels that samples along one axis lie between; place −1 where a sample counts as `low`. */
function axisSamples(
  center: number,
  length: number,
  count: number,
  limit: number,
  outside: SampleOptions['outside'],
): { places: Int32Array; weights: Float32Array } {
  const places = new Int32Array(count);
  const weights = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    const position = center + ((i + 0.5) / count - 0.5) * length - 0.5;
    const inside = Math.min(Math.max(position, 0), limit - 1);
    places[i] = Math.min(Math.floor(inside), Math.max(limit - 2, 0));
    weights[i] = inside - places[i];
    if (outside === 'low' && (position < -0.5 || position > limit - 0.5)) places[i] = -1;
  }
  return { places, weights };
}

/** Maps a point in a region, 0…1 in both axes, to the image. */
export function imageFromRegion(region: Region, u: number, v: number): [number, number] {
  const x = (u - 0.5) * region.size;
  const y = (v - 0.5) * region.size;
  const cos = Math.cos(region.rotation);
  const sin = Math.sin(region.rotation);
  return [region.centerX + cos * x - sin * y, region.centerY + sin * x + cos * y];
}
