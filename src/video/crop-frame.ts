import type { Image } from './frame.ts';

/**
 * Resamples a square of an image to `size`² RGBA: bicubic (Catmull–Rom), widened where the image is finer than the result
 * so that nothing aliases. Beyond the image: white with alpha 0; alpha is 255 inside.
 *
 * @param square In pixels of the image; may reach beyond it.
 */
export function cropFrame(
  image: Image,
  square: { readonly x: number; readonly y: number; readonly size: number },
  size: number,
): Image {
  const columns = axisWeights(square.x, square.size, size, image.width);
  const rows = axisWeights(square.y, square.size, size, image.height);
  const data = new Uint8Array(size * size * 4).fill(255);
  const firstRow = Math.min(...rows.starts);
  const lastRow = Math.max(...rows.starts.map((start, i) => start + rows.counts[i]));
  const band = resampleColumns(image, columns, Math.max(firstRow, 0), Math.max(lastRow, 0), size);
  const sums = new Float64Array(size * 3);
  for (let y = 0; y < size; y++) {
    sums.fill(0);
    for (let tap = 0; tap < rows.counts[y]; tap++) {
      const weight = rows.weights[y * rows.taps + tap];
      const from = (rows.starts[y] + tap - Math.max(firstRow, 0)) * size * 3;
      for (let i = 0; i < size * 3; i++) sums[i] += weight * band[from + i];
    }
    for (let x = 0; x < size; x++) {
      const at = (y * size + x) * 4;
      if (columns.counts[x] === 0 || rows.counts[y] === 0) {
        data[at + 3] = 0;
        continue;
      }
      for (let channel = 0; channel < 3; channel++)
        data[at + channel] = Math.min(Math.max(sums[3 * x + channel] + 0.5, 0), 255);
    }
  }
  return { width: size, height: size, channels: 4, data };
}

/** Whole pixels of an image: columns `left` … `right` − 1, rows `top` … `bottom` − 1. */
export interface PixelRectangle {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** The pixels of a crop that `cropFrame` has something to show for: those whose centres lie in the image. */
export function shownRectangle(
  image: { readonly width: number; readonly height: number },
  square: { readonly x: number; readonly y: number; readonly size: number },
  size: number,
): PixelRectangle {
  const [left, right] = shownRange(square.x, square.size, size, image.width);
  const [top, bottom] = shownRange(square.y, square.size, size, image.height);
  return { left, top, right, bottom };
}

function shownRange(origin: number, length: number, size: number, limit: number): [number, number] {
  const shown = [...Array(size).keys()].filter((i) => isShown(origin + (i + 0.5) * (length / size), limit));
  return shown.length > 0 ? [shown[0], shown[shown.length - 1] + 1] : [0, 0];
}

const isShown = (center: number, limit: number): boolean => center > 0 && center < limit;

/** Taps of each output sample along one axis. `counts` is 0 where the sample's centre lies beyond the image. */
interface AxisWeights {
  readonly taps: number;
  readonly starts: number[];
  readonly counts: Int32Array;
  readonly weights: Float64Array;
}

function axisWeights(origin: number, length: number, size: number, limit: number): AxisWeights {
  const step = length / size;
  const stretch = Math.max(step, 1);
  const reach = 2 * stretch;
  const taps = Math.ceil(2 * reach) + 1;
  const starts = new Array<number>(size).fill(0);
  const counts = new Int32Array(size);
  const weights = new Float64Array(size * taps);
  for (let i = 0; i < size; i++) {
    const center = origin + (i + 0.5) * step;
    if (!isShown(center, limit)) continue;
    const first = Math.max(Math.ceil(center - reach - 0.5), 0);
    const last = Math.min(Math.floor(center + reach - 0.5), limit - 1);
    starts[i] = first;
    counts[i] = last - first + 1;
    let total = 0;
    for (let sample = first; sample <= last; sample++)
      total += weights[i * taps + sample - first] = catmullRom((sample + 0.5 - center) / stretch);
    for (let tap = 0; tap < counts[i]; tap++) weights[i * taps + tap] /= total;
  }
  return { taps, starts, counts, weights };
}

function catmullRom(distance: number): number {
  const x = Math.abs(distance);
  if (x < 1) return 1.5 * x ** 3 - 2.5 * x ** 2 + 1;
  return x < 2 ? -0.5 * x ** 3 + 2.5 * x ** 2 - 4 * x + 2 : 0;
}

/** Resamples rows `first`…`last` horizontally. */
function resampleColumns(image: Image, columns: AxisWeights, first: number, last: number, size: number): Float32Array {
  const band = new Float32Array(Math.max(last - first, 0) * size * 3);
  const { data, width, channels } = image;
  for (let y = first; y < last; y++) {
    for (let x = 0; x < size; x++) {
      let red = 0;
      let green = 0;
      let blue = 0;
      let from = (y * width + columns.starts[x]) * channels;
      for (let tap = x * columns.taps; tap < x * columns.taps + columns.counts[x]; tap++, from += channels) {
        const weight = columns.weights[tap];
        red += weight * data[from];
        green += weight * data[from + 1];
        blue += weight * data[from + 2];
      }
      const at = ((y - first) * size + x) * 3;
      band[at] = red;
      band[at + 1] = green;
      band[at + 2] = blue;
    }
  }
  return band;
}
