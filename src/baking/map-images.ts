import type { Raster } from '../avatar/png.ts';
import { dilate, type AtlasCoverage } from './atlas-coverage.ts';

/** Lowest and highest value of a channel: 0 and 65535 in its image. */
export type ChannelRange = readonly [low: number, high: number];

/**
 * The colour map as a picture: 8-bit sRGB RGBA. Alpha is 255 where the surface reads the texel and 0 elsewhere; colour
 * goes on beyond, so that neither a paint program's filter nor a mip-map pulls another colour over a chart's border.
 */
export function colorImage(colorMap: Float32Array, coverage: AtlasCoverage): Raster {
  const { size, isUsed, nearestUsed } = coverage;
  const plane = size * size;
  const data = new Uint8Array(plane * 4);
  for (let texel = 0; texel < plane; texel++) {
    for (let channel = 0; channel < 3; channel++)
      data[texel * 4 + channel] = toByte(colorMap[channel * plane + nearestUsed[texel]]);
    data[texel * 4 + 3] = isUsed[texel] ? 255 : 0;
  }
  return { width: size, height: size, channels: 4, bitDepth: 8, data };
}

/** The byte that stands for an encoded value; values outside 0…1 are cut off, as on a screen. */
export function toByte(value: number): number {
  return Math.round(255 * Math.max(0, Math.min(1, value)));
}

/** A map as a 16-bit image of 1 or 3 channels, each from its lowest to its highest used value. Error ≤ range/131070. */
export function valueImage(
  map: Float32Array,
  channels: 1 | 3,
  coverage: AtlasCoverage,
  /** Width of one level of each channel at least: coarser levels make smaller files. */
  step = 0,
): { readonly image: Raster; readonly ranges: readonly ChannelRange[] } {
  const { size } = coverage;
  const plane = size * size;
  const data = new Uint16Array(plane * channels);
  const ranges: ChannelRange[] = [];
  for (let channel = 0; channel < channels; channel++) {
    const values = dilate(map.subarray(channel * plane, (channel + 1) * plane), coverage);
    const [least, most] = extremes(values);
    const high = Math.max(most, least + step * 65535);
    ranges.push([least, high]);
    const scale = high > least ? 65535 / (high - least) : 0;
    values.forEach((value, texel) => (data[texel * channels + channel] = Math.round((value - least) * scale)));
  }
  return { image: { width: size, height: size, channels, bitDepth: 16, data }, ranges };
}

/** Inverse of `valueImage`: C×H×W. */
export function valuesFromImage({ data, channels }: Raster, ranges: readonly ChannelRange[]): Float32Array {
  const plane = data.length / channels;
  const map = new Float32Array(data.length);
  ranges.forEach(([low, high], channel) => {
    for (let texel = 0; texel < plane; texel++)
      map[channel * plane + texel] = low + (data[texel * channels + channel] / 65535) * (high - low);
  });
  return map;
}

/** 3×H×W, 0…1, of a colour picture with 8 or 16 bits; alpha is not looked at. */
export function colorFromImage({ data, channels, bitDepth }: Raster): Float32Array {
  const plane = data.length / channels;
  const most = bitDepth === 8 ? 255 : 65535;
  const map = new Float32Array(plane * 3);
  for (let texel = 0; texel < plane; texel++) {
    for (let channel = 0; channel < 3; channel++)
      map[channel * plane + texel] = data[texel * channels + (channels === 1 ? 0 : channel)] / most;
  }
  return map;
}

function extremes(values: Float32Array): [number, number] {
  let [least, most] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  if (!Number.isFinite(least) || !Number.isFinite(most))
    throw new RangeError('a map holds a value that is not a finite number; bake it again.');
  return [least, most];
}
