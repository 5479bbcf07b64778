import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { randomBits } from '../math/random.ts';
import { decodePngRaster, encodePngRaster, type Raster } from './png.ts';

function made(channels: Raster['channels'], bitDepth: Raster['bitDepth'], width = 13, height = 9): Raster {
  const data = new (bitDepth === 8 ? Uint8Array : Uint16Array)(width * height * channels);
  // A slope with some noise: every filter has rows for which it is best.
  data.forEach((_, index) => (data[index] = index * (bitDepth === 8 ? 1 : 301) + (randomBits(1, 2, index) % 9)));
  return { width, height, channels, bitDepth, data };
}

const KINDS = ([1, 3, 4] as const).flatMap((channels) => ([8, 16] as const).map((bits) => [channels, bits] as const));

describe('PNG', () => {
  it.each(KINDS)(
    'of %i channels and %i bits comes back as it was, and another reader sees the same',
    async (...kind) => {
      const raster = made(...kind);
      const bytes = encodePngRaster(raster);
      expect(decodePngRaster(bytes, 'a.png')).toEqual(raster);
      const { width, height, channels, depth } = await sharp(bytes).metadata();
      expect([width, height, channels, depth]).toEqual([
        13,
        9,
        raster.channels,
        raster.bitDepth === 8 ? 'uchar' : 'ushort',
      ]);
      const space = kind[0] === 1 ? (kind[1] === 8 ? 'b-w' : 'grey16') : kind[1] === 8 ? 'srgb' : 'rgb16';
      const other = await sharp(bytes)
        .toColourspace(space)
        .raw({ depth: kind[1] === 8 ? 'uchar' : 'ushort' })
        .toBuffer();
      const seen =
        kind[1] === 8 ? other : new Uint16Array(other.buffer.slice(other.byteOffset, other.byteOffset + other.length));
      expect([...seen]).toEqual([...raster.data]);
    },
  );

  it('written by another program is read', async () => {
    const { data } = made(4, 8);
    for (const adaptiveFiltering of [false, true]) {
      const bytes = await sharp(data as Uint8Array, { raw: { width: 13, height: 9, channels: 4 } })
        .png({ adaptiveFiltering, compressionLevel: 2 })
        .toBuffer();
      expect(decodePngRaster(bytes, 'b.png').data).toEqual(data);
    }
  });

  it('that is damaged says so and names the file', async () => {
    const bytes = encodePngRaster(made(3, 16));
    for (const length of [0, 7, 20, 60, bytes.length - 4])
      expect(() => decodePngRaster(bytes.subarray(0, length), 'scale.png')).toThrow(
        /^scale\.png is not a readable PNG/,
      );
    const bent = bytes.slice();
    bent[60] ^= 4;
    expect(() => decodePngRaster(bent, 'scale.png')).toThrow(/scale\.png .*damaged/);
    const palette = await sharp(made(3, 8).data as Uint8Array, { raw: { width: 13, height: 9, channels: 3 } })
      .png({ palette: true })
      .toBuffer();
    expect(() => decodePngRaster(palette, 'p.png')).toThrow(/p\.png is a PNG with . bits, colour type 3; save it as/);
  });

  it('refuses data that does not fit its size', () => {
    expect(() => encodePngRaster({ ...made(3, 8), width: 14 })).toThrow(/14×9×3, but 351 values/);
    expect(() => encodePngRaster({ ...made(3, 8), bitDepth: 16 })).toThrow(/bitDepth is 16, its data a Uint8Array/);
  });
});
