import { sampleUvs } from '../binding/sampling.ts';
import { beforeAll, describe, expect, it } from 'vitest';
import { madeMaps } from '../../test/made-maps.ts';
import { sampleAvatar } from '../../test/sample-avatar.ts';
import { decodePngRaster, encodePngRaster, type Raster } from '../avatar/png.ts';
import { decodeTensors, encodeTensors } from '../avatar/safetensors.ts';
import { atlasCoverage } from './atlas-coverage.ts';
import { bilinearTexels, MAP_CHANNELS, MAP_NAMES } from './attribute-maps.ts';
import type { BakedAvatar } from './baked-avatar.ts';
import { importColor } from './import-color.ts';
import { avatarHash, decodeMaps, encodeMaps, type NamedFiles } from './maps-file.ts';

const SIZE = 64;
let baked: BakedAvatar;
let files: NamedFiles;
beforeAll(() => {
  const avatar = sampleAvatar(3000);
  baked = { avatar, maps: madeMaps(avatar, SIZE), mapped: 'all' };
  // Values that no picture shows, in one texel that is used and one that is not.
  const { isUsed } = atlasCoverage(avatar.head, SIZE);
  baked.maps.colorMap[isUsed.indexOf(1)] = 1.25;
  baked.maps.colorMap[isUsed.indexOf(0)] = -7;
  files = encodeMaps(baked);
});

function changed(name: string, bytes: Uint8Array | null): NamedFiles {
  const copy = new Map(files);
  if (bytes) copy.set(name, bytes);
  else copy.delete(name);
  return copy;
}
const text = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const record = (): Record<string, unknown> => JSON.parse(new TextDecoder().decode(files.get('maps.json')));

describe('texels that the atlas reads', () => {
  it('are those that Gaussians anywhere on the head read, and hardly more', () => {
    const { isUsed, nearestUsed } = atlasCoverage(baked.avatar.head, SIZE);
    const dense = sampleAvatar(60_000);
    const uvs = sampleUvs(dense.head, dense.gaussians);
    const isRead = new Uint8Array(SIZE * SIZE);
    for (let index = 0; index < dense.gaussians.count; index++) {
      for (const { texel, weight } of bilinearTexels(SIZE, uvs[index * 2], uvs[index * 2 + 1]))
        if (weight > 0) isRead[texel] = 1;
    }
    expect(isRead.every((read, texel) => !read || isUsed[texel] === 1)).toBe(true);
    const [used, read] = [isUsed, isRead].map((flags) => flags.reduce((sum, flag) => sum + flag, 0));
    expect(used - read).toBeLessThan(0.03 * read);
    expect(
      nearestUsed.every((texel, index) => isUsed[texel] === 1 && (texel === index) === (isUsed[index] === 1)),
    ).toBe(true);
  });
});

describe('baked maps as files', () => {
  it('come back exactly, and again as the same bytes', () => {
    expect(decodeMaps(files, { avatar: avatarHash(baked.avatar), source: 'baked' })).toEqual({
      maps: baked.maps,
      mapped: 'all',
    });
    for (const [name, bytes] of encodeMaps(baked)) expect(Buffer.from(files.get(name)!).equals(bytes), name).toBe(true);
  });

  it('come back from the images within half a level of each', () => {
    const { maps } = decodeMaps(files, { source: 'baked', from: 'images' });
    const { isUsed } = atlasCoverage(baked.avatar.head, SIZE);
    const { images } = record() as { images: Record<string, { ranges: [number, number][]; bitDepth: number }> };
    for (const name of MAP_NAMES) {
      for (let index = 0; index < MAP_CHANNELS[name] * SIZE * SIZE; index++) {
        if (!isUsed[index % (SIZE * SIZE)]) continue;
        const { ranges, bitDepth } = images[name];
        const [low, high] = ranges[Math.floor(index / (SIZE * SIZE))];
        const shown = Math.max(low, Math.min(high, baked.maps[name][index]));
        expect(Math.abs(maps[name][index] - shown)).toBeLessThanOrEqual(
          ((high - low) / (2 ** bitDepth - 1)) * 0.5001 + 1e-6,
        );
      }
    }
  });

  it('of the appearance alone hold colour and opacity', () => {
    const own = encodeMaps({ ...baked, mapped: 'appearance' });
    expect([...own.keys()].toSorted()).toEqual(['color.png', 'maps.json', 'maps.safetensors', 'opacity.png']);
    for (const from of ['exact', 'images'] as const) {
      const { maps, mapped } = decodeMaps(own, { source: 'baked', from });
      expect(mapped).toBe('appearance');
      expect(maps.scaleMap).toEqual(new Float32Array(3 * SIZE * SIZE));
    }
  });

  it('say which file is missing, cut or of another kind', () => {
    const read =
      (own: NamedFiles, from: 'exact' | 'images' = 'images') =>
      () =>
        decodeMaps(own, { source: 'DIR/baked', from });
    expect(read(changed('scale.png', null))).toThrow(/DIR\/baked\/scale\.png is missing; restore .*fate bake/);
    expect(read(changed('maps.json', null))).toThrow(/DIR\/baked\/maps\.json is missing/);
    expect(read(changed('maps.json', new Uint8Array([123])))).toThrow(/maps\.json is not JSON/);
    expect(read(changed('scale.png', files.get('scale.png')!.subarray(0, 500)))).toThrow(
      /baked\/scale\.png is not a readable PNG: it is cut short/,
    );
    const whole = files.get('maps.safetensors')!;
    expect(read(changed('maps.safetensors', whole.subarray(0, 5000)), 'exact')).toThrow(
      /baked\/maps\.safetensors .*ends inside/,
    );
    const image = (change: Partial<Raster>): Uint8Array =>
      encodePngRaster({
        width: SIZE,
        height: SIZE,
        channels: 1,
        bitDepth: 16,
        data: new Uint16Array(SIZE * SIZE),
        ...change,
      });
    expect(read(changed('opacity.png', image({ width: SIZE / 2, height: SIZE * 2 })))).toThrow(
      /opacity\.png is 32×128, the maps are 64×64/,
    );
    expect(read(changed('opacity.png', image({ bitDepth: 8, data: new Uint8Array(SIZE * SIZE) })))).toThrow(
      /opacity\.png has 8 bits per channel, 16 are needed/,
    );
    expect(read(changed('opacity.png', image({ channels: 3, data: new Uint16Array(3 * SIZE * SIZE) })))).toThrow(
      /opacity\.png has 3 channels, 1 are needed/,
    );
  });

  it('say that they are of another version, variant or avatar', () => {
    const read = (own: NamedFiles, avatar?: string) => () =>
      decodeMaps(own, { source: 'DIR/baked', from: 'images', avatar });
    expect(read(changed('maps.json', text({ ...record(), version: 9 })))).toThrow(
      /maps\.json has maps version 9, this program reads 1; bake it again/,
    );
    expect(read(changed('maps.json', text({ ...record(), format: 'x' })))).toThrow(/no record of baked maps/);
    expect(read(changed('maps.json', text({ ...record(), mapped: 'some' })))).toThrow(/unknown variant "some"/);
    expect(read(changed('maps.json', text({ ...record(), images: {} })))).toThrow(/does not describe scaleMap/);
    expect(read(files, 'cafe')).toThrow(/belongs to another avatar \([0-9a-f]{16}\) than the one beside it \(cafe\)/);
    const { tensors, metadata } = decodeTensors(files.get('maps.safetensors')!, 'x');
    const older = changed('maps.safetensors', encodeTensors(tensors, { ...metadata, version: '0' }));
    expect(() => decodeMaps(older, { source: 'DIR/baked' })).toThrow(/maps\.safetensors has maps version 0/);
    const less = new Map(tensors);
    less.set('scaleMap', { shape: [3, 1, 1], data: new Float32Array(3) });
    expect(() =>
      decodeMaps(changed('maps.safetensors', encodeTensors(less, metadata)), { source: 'DIR/baked' }),
    ).toThrow(/scaleMap is 3×1×1, not 3×64×64/);
    expect(() => encodeMaps({ ...baked, maps: { ...baked.maps, size: 32 } })).toThrow(
      /scaleMap has 12288 values; 3×32×32/,
    );
  });
});

describe('a colour picture from another program', () => {
  const exported = (): Raster => decodePngRaster(files.get('color.png')!, 'color.png');

  it('that is the export changes nothing, at 8 and at 16 bits, with and without alpha', () => {
    const image = exported();
    expect(importColor(baked.maps, baked.avatar.head, image).colorMap).toEqual(baked.maps.colorMap);
    const wide: Raster = { ...image, bitDepth: 16, data: Uint16Array.from(image.data, (byte) => byte * 257) };
    expect(importColor(baked.maps, baked.avatar.head, wide).colorMap).toEqual(baked.maps.colorMap);
    const flat: Raster = {
      ...image,
      channels: 3,
      data: image.data.filter((_, index) => index % 4 !== 3) as Uint8Array,
    };
    expect(importColor(baked.maps, baked.avatar.head, flat).colorMap).toEqual(baked.maps.colorMap);
  });

  it('changes the painted texels alone, as far as its alpha goes', () => {
    const image = exported();
    const data = image.data.slice() as Uint8Array;
    const { isUsed } = atlasCoverage(baked.avatar.head, SIZE);
    const [full, half, none] = [...isUsed.keys()].filter((texel) => isUsed[texel] && data[texel * 4] !== 10).slice(100);
    const outside = isUsed.indexOf(0);
    for (const texel of [full, half, none, outside]) data[texel * 4] = 10;
    data[half * 4 + 3] = 51;
    data[none * 4 + 3] = 0;
    const { colorMap } = importColor(baked.maps, baked.avatar.head, { ...image, data });
    const before = baked.maps.colorMap;
    expect(colorMap[full]).toBeCloseTo(10 / 255, 6);
    expect(colorMap[half]).toBeCloseTo(before[half] + 0.2 * (10 / 255 - before[half]), 6);
    expect([...colorMap.keys()].filter((index) => colorMap[index] !== before[index])).toEqual([full, half]);
  });

  it('of another size is refused', () => {
    const image: Raster = { width: 32, height: 32, channels: 3, bitDepth: 8, data: new Uint8Array(3072) };
    expect(() => importColor(baked.maps, baked.avatar.head, image, 'paint.png')).toThrow(
      /^paint\.png is 32×32, the colour map 64×64: scale it/,
    );
  });
});
