import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { madeMaps } from '../../../test/made-maps.ts';
import { sampleAvatar } from '../../../test/sample-avatar.ts';
import { encodeAvatar } from '../../avatar/avatar.ts';
import { decodePngRaster, encodePngRaster } from '../../avatar/png.ts';
import type { BakedAvatar } from '../../baking/baked-avatar.ts';
import { BAKED_FILES, importColorFile, readBaked, writeBaked } from './baked-folder.ts';

const SIZE = 64;
let folder: string;
let baked: BakedAvatar;
const baked_ = (name: string): string => join(folder, 'baked', name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fate-baked-'));
  const avatar = sampleAvatar(2000);
  baked = { avatar, maps: madeMaps(avatar, SIZE), mapped: 'all' };
  await writeFile(join(folder, 'avatar.safetensors'), encodeAvatar(avatar));
  await writeBaked(folder, baked, { guides: 256 });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('DIR/baked', () => {
  it('holds the files that it says, and reads back as the same avatar', async () => {
    expect((await readdir(join(folder, 'baked'))).map((name) => `baked/${name}`).toSorted()).toEqual(
      BAKED_FILES.toSorted(),
    );
    const read = await readBaked(folder);
    expect([read.maps, read.mapped]).toEqual([baked.maps, 'all']);
    expect(encodeAvatar(read.avatar)).toEqual(encodeAvatar(baked.avatar));
    expect((await readBaked(folder, { avatar: baked.avatar, from: 'images' })).maps.size).toBe(SIZE);
  });

  it('has guides of the size asked for', async () => {
    for (const [name, channels] of [
      ['uv-wireframe.png', 4],
      ['uv-regions.png', 3],
    ] as const) {
      const metadata = await sharp(baked_(name)).metadata();
      expect([metadata.width, metadata.height, metadata.channels]).toEqual([256, 256, channels]);
    }
  });

  it('leaves what a user put there alone when it is written again', async () => {
    await copyFile(baked_('color.png'), baked_('my-painting.png'));
    await writeBaked(folder, baked, { guides: 0 });
    expect(await readFile(baked_('my-painting.png'))).toEqual(await readFile(baked_('color.png')));
    await rm(baked_('my-painting.png'));
  });

  it('is told from a folder that was never baked, and from one fitted again', async () => {
    const other = await mkdtemp(join(tmpdir(), 'fate-unbaked-'));
    try {
      await expect(readBaked(other)).rejects.toThrow(/has no baked maps \(no maps\.json\); run `fate bake` first/);
      await writeBaked(other, baked, { guides: 0 });
      await expect(readBaked(other)).rejects.toThrow(/avatar\.safetensors is missing/);
      await writeFile(join(other, 'avatar.safetensors'), encodeAvatar(sampleAvatar(2001)));
      await expect(readBaked(other)).rejects.toThrow(/belongs to another avatar .* fitted again since; bake it again/);
    } finally {
      await rm(other, { recursive: true, force: true });
    }
  });
});

describe('a colour picture that a paint program saved', () => {
  const pipelines: Record<string, (image: Sharp) => Sharp> = {
    unchanged: (image) => image.png(),
    interlaced: (image) => image.png({ progressive: true }),
    'with an sRGB profile': (image) => image.withIccProfile('srgb').png(),
    'without alpha': (image) => image.flatten({ background: '#fff' }).png(),
  };
  it.each(Object.entries(pipelines))('%s comes back exactly', async (_, save) => {
    const file = join(folder, 'paint.png');
    await save(sharp(baked_('color.png'))).toFile(file);
    expect((await importColorFile(baked, file)).maps).toEqual(baked.maps);
  });

  it('with 16 bits comes back exactly, some levels off', async () => {
    const image = decodePngRaster(await readFile(baked_('color.png')), 'color.png');
    const wide = Uint16Array.from(image.data, (byte, index) => Math.min(65535, byte * 257 + (index % 3)));
    await writeFile(join(folder, 'paint.png'), encodePngRaster({ ...image, bitDepth: 16, data: wide }));
    expect((await sharp(join(folder, 'paint.png')).metadata()).depth).toBe('ushort');
    expect((await importColorFile(baked, join(folder, 'paint.png'))).maps).toEqual(baked.maps);
  });

  it('as grey or with a palette is put on', async () => {
    const file = join(folder, 'paint.png');
    const few = Buffer.alloc(SIZE * SIZE * 3, Uint8Array.of(200, 40, 90));
    await sharp(few, { raw: { width: SIZE, height: SIZE, channels: 3 } })
      .png({ palette: true })
      .toFile(file);
    expect((await sharp(file).metadata()).isPalette).toBe(true);
    const { colorMap } = (await importColorFile(baked, file)).maps;
    const { data } = decodePngRaster(await readFile(baked_('color.png')), 'color.png');
    const used = data.findIndex((value, index) => index % 4 === 3 && value === 255) >> 2;
    expect(colorMap[SIZE * SIZE + used]).toBeCloseTo(40 / 255, 6);
    await sharp(Buffer.alloc(SIZE * SIZE, 128), { raw: { width: SIZE, height: SIZE, channels: 1 } })
      .toColourspace('b-w')
      .png()
      .toFile(file);
    expect((await importColorFile(baked, file)).maps.colorMap[2 * SIZE * SIZE + used]).toBeCloseTo(128 / 255, 6);
  });

  it('in another format, damaged or missing is refused with what to do', async () => {
    const file = join(folder, 'paint.png');
    await sharp(baked_('color.png')).jpeg().toFile(join(folder, 'paint.jpg'));
    await expect(importColorFile(baked, join(folder, 'paint.jpg'))).rejects.toThrow(
      /paint\.jpg is JPEG, which may lose colours; save it as PNG/,
    );
    await writeFile(file, (await readFile(baked_('color.png'))).subarray(0, 3000));
    await expect(importColorFile(baked, file)).rejects.toThrow(
      /paint\.png cannot be read as a picture \(.*\); save it again as PNG/,
    );
    await writeFile(file, 'no picture');
    await expect(importColorFile(baked, file)).rejects.toThrow(/paint\.png cannot be read as a picture/);
    await expect(importColorFile(baked, join(folder, 'gone.png'))).rejects.toThrow(
      /gone\.png does not exist; give a PNG file/,
    );
    await sharp(baked_('color.png')).resize(32, 32).png().toFile(file);
    await expect(importColorFile(baked, file)).rejects.toThrow(/is 32×32, the colour map 64×64/);
  });
});
