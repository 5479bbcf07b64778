import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { madeMaps } from '../../../../test/made-maps.ts';
import { sampleAvatar } from '../../../../test/sample-avatar.ts';
import { encodeAvatar, type Avatar } from '../../../avatar/avatar.ts';
import { fileDigest } from '../atomic-file.ts';
import { readBaked, writeBaked } from '../baked-folder.ts';
import { RunFolder } from '../run-folder.ts';
import { editAvatarRun } from './edit-run.ts';
import { openAvatar } from './open-avatar.ts';

let root: string;
let folder: string;
let avatar: Avatar;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'fate-edit-'));
  avatar = sampleAvatar(1500);
  folder = join(root, 'run');
  await fittedFolder(folder, encodeAvatar(avatar));
  await writeBaked(folder, { avatar, maps: madeMaps(avatar, 64), mapped: 'appearance' }, { guides: 0 });
  for (const [name, value] of [['star', 200], ['black', 0]] as const) {
    await sharp({ create: { width: 20, height: 20, channels: 3, background: { r: value, g: value, b: 0 } } }).png().toFile(join(root, `${name}.png`));
  } // prettier-ignore
}, 60_000);
afterAll(() => rm(root, { recursive: true, force: true }));

async function fittedFolder(path: string, bytes: Uint8Array): Promise<void> {
  const video = join(root, 'clip.mp4');
  await writeFile(video, 'stands for a video');
  const run = await RunFolder.open(path, { video: { path: video, ...(await fileDigest(video)) } });
  await run.begin('track');
  await run.finish('track');
  await run.begin('fit');
  await run.write('fit', 'avatar.safetensors', bytes);
  await run.finish('fit');
  await run.close();
}

const list = (): Promise<string> => readFile(join(folder, 'edits/edits.json'), 'utf8');
const file = (name: string): string => join(root, name);
const on = { on: 'left-cheek' } as const;

describe('fate edit', () => {
  it('piles up layers over calls, goes back and forth, and leaves the baked maps alone', async () => {
    const before = await readFile(join(folder, 'baked/maps.safetensors'));
    await editAvatarRun({ folder, sticker: file('star.png'), ...on, size: 0.02 });
    await editAvatarRun({ folder, recolor: 'lips=#b01030', opacity: 0.5 });
    await editAvatarRun({ folder, brush: 'red', at: '0.3,0.3 0.32,0.3', name: 'scar' });
    const hidden = await editAvatarRun({ folder, toggle: 'lips' });
    expect(hidden.layers.map(({ name, isVisible }) => [name, isVisible])).toEqual([['scar', true], ['lips', false], ['star', true]]); // prettier-ignore
    expect((await editAvatarRun({ folder, undo: true })).layers[1].isVisible).toBe(true);
    await editAvatarRun({ folder, undo: true });
    expect((await editAvatarRun({ folder, redo: true })).changed).toBe('did again: add stroke "scar"');
    const changed = await editAvatarRun({ folder, change: 'star', size: 0.03, on: 'forehead' });
    expect(changed.layers[2]).toMatchObject({ name: 'star', size: 0.03 });
    expect((await editAvatarRun({ folder, list: true })).layers.length).toBe(3);
    expect((await readFile(join(folder, 'baked/maps.safetensors'))).equals(before)).toBe(true);
  });

  it('is drawn with the edits when asked, and as baked or fitted otherwise', async () => {
    const run = await RunFolder.open(folder);
    const [fitted, baked, edited] = await Promise.all([openAvatar(run, {}), openAvatar(run, { baked: true }), openAvatar(run, { edited: true })]); // prettier-ignore
    await run.close();
    expect(fitted.gaussians.color).toEqual(avatar.gaussians.color);
    expect(baked.gaussians.count).toBe(1500);
    expect(edited.gaussians.count).toBeGreaterThan(3000);
  }, 60_000);

  it('takes its own colour map back without a change, and paint where there is some', async () => {
    const map = file('map.png');
    await editAvatarRun({ folder, exportColor: map });
    const { maps } = await readBaked(folder);
    const untouched = await editAvatarRun({ folder, importColor: map, name: 'untouched' });
    const image = await sharp(join(folder, 'edits', (untouched.layers[0] as { image: string }).image))
      .raw()
      .toBuffer();
    expect(image.filter((value, at) => at % 4 === 3 && value > 0).length).toBe(0);
    await editAvatarRun({ folder, undo: true });
    const { data, info } = await sharp(map).raw().toBuffer({ resolveWithObject: true });
    const at = (Math.floor(0.3 * maps.size) * maps.size + Math.floor(0.2 * maps.size)) * 4;
    data.set([1, 2, 3], at);
    await sharp(data, { raw: { width: info.width, height: info.height, channels: 4 } }).png().toFile(file('painted.png')); // prettier-ignore
    await editAvatarRun({ folder, importColor: file('painted.png') });
    await editAvatarRun({ folder, exportColor: file('again.png') });
    const again = await sharp(file('again.png')).raw().toBuffer();
    expect([...again.subarray(at, at + 3)]).toEqual([1, 2, 3]);
    await editAvatarRun({ folder, undo: true });
  });

  it('takes a map that was scaled up and painted on, and only the paint of it, whatever filter scaled it', async () => {
    const map = file('map.png');
    await editAvatarRun({ folder, exportColor: map });
    const [left, top, edge] = [0.3 * 256, 0.3 * 256, 20].map(Math.floor);
    const dot = await sharp({ create: { width: edge, height: edge, channels: 3, background: '#00ff00' } }).png().toBuffer(); // prettier-ignore
    for (const kernel of ['nearest', 'cubic', 'lanczos3'] as const) {
      const large = sharp(map).resize(256, 256, { kernel });
      await large.clone().composite([{ input: dot, left, top }]).png().toFile(file('large.png')); // prettier-ignore
      const { layers } = await editAvatarRun({ folder, importColor: file('large.png') });
      const { data, info } = await sharp(join(folder, 'edits', (layers[0] as { image: string }).image)).raw().toBuffer({ resolveWithObject: true }); // prettier-ignore
      expect([info.width, info.height]).toEqual([256, 256]);
      let [inside, outside] = [0, 0];
      for (let pixel = 0; pixel < 256 * 256; pixel++) {
        const [x, y] = [(pixel % 256) - left, Math.floor(pixel / 256) - top];
        const isDot = x >= 0 && y >= 0 && x < edge && y < edge;
        if (data[pixel * 4 + 3] === 0) continue;
        if (isDot) inside++;
        else outside++;
      }
      expect(inside, kernel).toBe(edge * edge);
      expect(outside, kernel).toBeLessThan(0.001 * 256 * 256);
      await editAvatarRun({ folder, undo: true });
    }
  });

  it.each([
    ['nothing to do', {}, /say what to do: one of --sticker/],
    ['two things', { undo: true, redo: true }, /--undo, --redo were given together/],
    ['no place', { sticker: 'star.png' }, /say where: give one of --at, --pick, --on/],
    ['an unknown place', { sticker: 'star.png', on: 'elbow' }, /no place "elbow"; places: forehead/],
    ['uv outside the atlas', { sticker: 'star.png', at: '1.2,0.3' }, /uv 1.2,0.3 lies outside the atlas/],
    ['uv between charts', { sticker: 'star.png', at: '0.999,0.999' }, /lies between the charts/],
    ['a pixel beside the head', { sticker: 'star.png', pick: '2,2' }, /pixel 2,2 misses the head/],
    ['words for a point', { sticker: 'star.png', at: 'here' }, /"here" is no point/],
    ['a missing picture', { sticker: 'lost.png', ...on }, /lost.png does not exist/],
    ['a file that is no picture', { sticker: 'clip.mp4', ...on }, /clip.mp4 cannot be read as an image/],
    ['an empty mask', { sticker: 'star.png', mask: 'black.png', ...on }, /is black all over/],
    ['an unknown colour', { recolor: 'hair=greenish' }, /colour "greenish" is not known/],
    ['an unknown part', { recolor: 'teeth=#fff' }, /must be PART=COLOR/],
    ['an unknown region', { matchColors: 'star.png', only: 'knee' }, /no region "knee"; regions: face/],
    ['an unknown layer', { remove: 'moon' }, /no layer "moon"/],
    ['a colour map of another size', { importColor: 'star.png' }, /star.png is 20×20, the colour map 64×64/],
    ['a network that is none', { style: 'star.png' }, /star.png/],
    ['a missing network', { style: 'lost.onnx' }, /lost.onnx does not exist/],
  ])('says what is wrong with %s, and changes nothing', async (_, given, sentence) => {
    const before = await list();
    const paths = ['sticker', 'mask', 'matchColors', 'importColor', 'style'];
    const options = Object.fromEntries(Object.entries(given).map(([key, value]) => [key, paths.includes(key) ? file(value as string) : value])); // prettier-ignore
    await expect(editAvatarRun({ folder, ...options })).rejects.toThrow(sentence);
    expect(await list()).toBe(before);
  });

  it('says when an image is gone, the list is of another head or the avatar of an older version or not baked', async () => {
    const before = await list();
    const name = /"image": "(star-[^"]+)"/.exec(before)![1];
    const bytes = await readFile(join(folder, 'edits', name));
    await rm(join(folder, 'edits', name));
    const run = await RunFolder.open(folder);
    await expect(openAvatar(run, { edited: true })).rejects.toThrow(/layer "star" needs .*which is gone/);
    await run.close();
    await writeFile(join(folder, 'edits', name), bytes);
    await writeFile(join(folder, 'edits/edits.json'), before.replace('"head": "builtin"', '"head": "ict"'));
    await expect(editAvatarRun({ folder, list: true })).rejects.toThrow(/made on head model "ict", but the avatar has "builtin"/); // prettier-ignore
    await writeFile(join(folder, 'edits/edits.json'), before);
    const unbaked = join(root, 'unbaked');
    await fittedFolder(unbaked, encodeAvatar(avatar));
    await expect(editAvatarRun({ folder: unbaked, list: true })).rejects.toThrow(/no baked maps.*fate bake/);
    const old = join(root, 'old');
    const text = Buffer.from(encodeAvatar(avatar)).toString('latin1').replace('"version":"1"', '"version":"0"');
    await fittedFolder(old, Buffer.from(text, 'latin1'));
    await expect(editAvatarRun({ folder: old, list: true })).rejects.toThrow(/avatar version 0, this program reads 1/);
  });
});
