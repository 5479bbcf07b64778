import type { Raster } from '../avatar/png.ts';
import { bilinearTexels } from '../baking/attribute-maps.ts';
import { atlasCoverage } from '../baking/atlas-coverage.ts';
import type { BakedAvatar } from '../baking/baked-avatar.ts';
import { ImportError } from '../baking/import-color.ts';
import { colorImage } from '../baking/map-images.ts';
import { texelNeighbours } from '../baking/texel-neighbours.ts';

/** Widths of a painted picture over the map's: paint may be finer than the map. */
const LARGEST_SCALE = 8;
/** Levels by which a picture that was scaled up may differ from the export without being painted on: filters differ. */
const SCALED_TOLERANCE = 6;
/** How far a filter may leave the range of the texels around, over that range: Lanczos's do by a tenth. */
const OVERSHOOT = 0.2;

/**
 * A colour map that was painted in another program as the picture of a layer: coverage only where the paint differs from
 * what was exported, be it the baked map or the map with its layers, so that importing an untouched export paints nothing.
 * It may be a whole number of times as large as the map. `edited`: 3×H×W, the colours with the layers there are. Throws
 * `ImportError` for another size.
 */
export function paintedPicture(
  { maps, avatar }: BakedAvatar,
  edited: Float32Array,
  image: Raster,
  source: string,
): Raster {
  const { size } = maps;
  const { width } = image;
  const scale = width / size;
  if (image.height !== width || !Number.isInteger(scale) || scale < 1 || scale > LARGEST_SCALE) {
    throw new ImportError(
      `${source} is ${width}×${image.height}, the colour map ${size}×${size}: scale it to ${size}×${size}, or to 2 to ${LARGEST_SCALE} times that, in the program that it comes from, or paint on a fresh export`,
    );
  }
  const coverage = atlasCoverage(avatar.head, size);
  const exports = [colorImage(maps.colorMap, coverage), colorImage(edited, coverage)];
  const touched = exports.map((exported) => touchedPixels(image, exported, scale));
  const data = new Uint8Array(width * width * 4);
  for (let pixel = 0; pixel < width * width; pixel++) {
    const [column, row] = [pixel % width, Math.floor(pixel / width)];
    const isUsed = coverage.isUsed[Math.floor(row / scale) * size + Math.floor(column / scale)];
    const isPainted = isUsed && touched.every((pixels) => pixels[pixel] !== UNTOUCHED);
    const alpha = image.channels === 4 ? byteAt(image, pixel, 3) : 255;
    for (let k = 0; k < 3; k++) data[pixel * 4 + k] = byteAt(image, pixel, k);
    data[pixel * 4 + 3] = isPainted ? alpha : 0;
  }
  return { width, height: width, channels: 4, bitDepth: 8, data };
}

const [UNTOUCHED, DOUBTFUL, TOUCHED] = [0, 1, 2];

/**
 * Per pixel, whether a picture differs from an export. One that was scaled up differs by what its filter did: it counts
 * as touched where it leaves the range of the texels around, and where it differs next to that.
 */
function touchedPixels(image: Raster, exported: Raster, scale: number): Uint8Array {
  const { width } = image;
  const touched = new Uint8Array(width * width);
  for (let pixel = 0; pixel < touched.length; pixel++) {
    const [column, row] = [pixel % width, Math.floor(pixel / width)];
    for (let k = 0; k < 3 && touched[pixel] !== TOUCHED; k++) {
      const value = byteAt(image, pixel, k);
      if (scale === 1) touched[pixel] = value === exported.data[pixel * 4 + k] ? touched[pixel]! : TOUCHED;
      else
        touched[pixel] = Math.max(
          touched[pixel]!,
          differs(value, exported, k, (column + 0.5) / scale, (row + 0.5) / scale),
        );
    }
  }
  if (scale > 1) settleDoubts(touched, width);
  return touched;
}

/**
 * How a pixel at (x, y) texels, of a picture that was scaled up, differs from the texels around. Where some of those are
 * of no chart there is no telling what a filter made of them.
 */
function differs(value: number, { width, data }: Raster, channel: number, x: number, y: number): number {
  const [left, top] = [Math.floor(x - 0.5) - 1, Math.floor(y - 0.5) - 1];
  let [low, high] = [255, 0];
  let isAtBorder = false;
  for (let row = Math.max(0, top); row <= Math.min(width - 1, top + 3); row++) {
    for (let column = Math.max(0, left); column <= Math.min(width - 1, left + 3); column++) {
      const at = (row * width + column) * 4;
      isAtBorder ||= data[at + 3] === 0;
      low = Math.min(low, data[at + channel]!);
      high = Math.max(high, data[at + channel]!);
    }
  }
  const slack = SCALED_TOLERANCE + OVERSHOOT * (high - low);
  if (!isAtBorder && (value < low - slack || value > high + slack)) return TOUCHED;
  const texels = bilinearTexels(width, x / width, y / width);
  const smooth = texels.reduce((sum, { texel, weight }) => sum + weight * data[texel * 4 + channel]!, 0);
  return Math.abs(value - smooth) > slack ? DOUBTFUL : UNTOUCHED;
}

/** Doubtful pixels are touched where they hang together with some that are. */
function settleDoubts(touched: Uint8Array, width: number): void {
  const open = [...touched.keys()].filter((pixel) => touched[pixel] === TOUCHED);
  for (let pixel = open.pop(); pixel !== undefined; pixel = open.pop()) {
    for (const next of texelNeighbours(pixel, width)) {
      if (touched[next] !== DOUBTFUL) continue;
      touched[next] = TOUCHED;
      open.push(next);
    }
  }
  touched.forEach((value, pixel) => {
    if (value === DOUBTFUL) touched[pixel] = UNTOUCHED;
  });
}

/** A channel in 8 bits; grey stands for all colours. */
function byteAt({ data, channels, bitDepth }: Raster, pixel: number, channel: number): number {
  const value = data[pixel * channels + (channels === 1 ? 0 : channel)]!;
  return bitDepth === 8 ? value : Math.round((255 * value) / 65535);
}
