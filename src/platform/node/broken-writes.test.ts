import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import * as nodeFiles from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { madeMaps } from '../../../test/made-maps.ts';
import { sampleAvatar } from '../../../test/sample-avatar.ts';
import { encodeAvatar } from '../../avatar/avatar.ts';
import type { AttributeMaps } from '../../baking/attribute-maps.ts';
import type { BakedAvatar } from '../../baking/baked-avatar.ts';
import { addLayer, checkLayer, emptyEdits } from '../../editing/edit-list.ts';
import { DiskFullError, type FileOperations } from './atomic-file.ts';
import { BAKED_FILES, readBaked, writeBaked } from './baked-folder.ts';
import { readEdits, writeEdits } from './edits-folder.ts';

const projectRoot = resolve(import.meta.dirname, '../../..');
let root: string;
let baked: BakedAvatar;
let other: BakedAvatar;

/** A folder with `baked` in it. */
async function bakedFolder(name: string): Promise<string> {
  const folder = join(root, name);
  await cp(join(root, 'first'), folder, { recursive: true });
  return folder;
}

/** File operations of a disk that is full from the n-th content on (from 0), after a part of that. */
function diskWithRoomFor(count: number): FileOperations {
  let written = 0;
  return {
    ...nodeFiles,
    open: (async (...args: Parameters<typeof nodeFiles.open>) => {
      const file = await nodeFiles.open(...args);
      const write = file.writeFile.bind(file);
      file.writeFile = async (content) => {
        if (written++ < count) return write(content);
        await file.write('half');
        throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
      };
      return file;
    }) as typeof nodeFiles.open,
  };
}

const leftovers = async (folder: string): Promise<string[]> =>
  (await readdir(folder)).filter((name) => name.endsWith('.tmp'));

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'fate-broken-'));
  const avatar = sampleAvatar(1000);
  const maps = madeMaps(avatar, 64);
  baked = { avatar, maps, mapped: 'all' };
  other = { ...baked, maps: { ...maps, colorMap: maps.colorMap.map((value) => 1 - value), opacityMap: maps.opacityMap.map((value) => value / 2) } }; // prettier-ignore
  const first = join(root, 'first');
  await nodeFiles.mkdir(first);
  await writeFile(join(first, 'avatar.safetensors'), encodeAvatar(avatar));
  await writeBaked(first, baked, { guides: 0 });
});
afterAll(() => rm(root, { recursive: true, force: true }));

describe('a disk that fills up', () => {
  it('while baked maps are written leaves the old ones or the new, whole, whichever file it was', async () => {
    const count = BAKED_FILES.length - 2; // without the guides
    const seen = new Set<string>();
    for (let room = 0; room < count; room++) {
      const folder = await bakedFolder(`maps-${room}`);
      await expect(writeBaked(folder, other, { guides: 0, files: diskWithRoomFor(room) })).rejects.toThrow(
        DiskFullError,
      );
      const { maps } = await readBaked(folder);
      const isNew = maps.colorMap[0] === other.maps.colorMap[0];
      expect(maps).toEqual(isNew ? other.maps : baked.maps);
      seen.add(isNew ? 'new' : 'old');
      expect(await leftovers(join(folder, 'baked'))).toEqual([]);
      await writeBaked(folder, other, { guides: 0 });
      expect((await readBaked(folder)).maps).toEqual(other.maps);
      expect((await readBaked(folder, { from: 'images' })).maps.size).toBe(64);
    }
    expect([...seen]).toEqual(['old', 'new']);
  });

  it('while edits are written leaves the list that was there', async () => {
    const folder = await bakedFolder('edits');
    const { head } = baked.avatar;
    const layer = checkLayer({ kind: 'recolor', name: 'lips', part: 'lips', color: '#b01030' }, 'the test');
    const before = addLayer(emptyEdits(head), layer);
    await writeEdits(folder, before);
    await expect(writeEdits(folder, addLayer(before, layer), diskWithRoomFor(0))).rejects.toThrow(DiskFullError);
    expect(await readEdits(folder, head)).toEqual(before);
    expect(await leftovers(join(folder, 'edits'))).toEqual([]);
  });
});

describe('a process killed by SIGKILL', () => {
  it('anywhere in writing maps and edits leaves each whole, old or new', async () => {
    const folder = await bakedFolder('killed');
    const { head } = baked.avatar;
    for (let kill = 0; kill < 4; kill++) {
      const child = spawn(process.execPath, [
        join(projectRoot, 'scripts/run.mjs'),
        join(projectRoot, 'test/fixtures/write-process.ts'),
        folder,
      ]);
      let rounds = 0;
      child.stdout.on('data', (part) => {
        rounds += String(part).split('round\n').length - 1;
        // From the second round on, at another moment each time.
        if (rounds >= 2) setTimeout(() => child.kill('SIGKILL'), kill * 17);
      });
      const [, signal] = (await once(child, 'close')) as [number | null, string | null];
      expect(signal).toBe('SIGKILL');
      const { maps } = await readBaked(folder);
      const [value] = maps.colorMap;
      expect([0.5, 2]).toContain(value);
      const differing = (['colorMap', 'opacityMap', 'scaleMap', 'rotationMap', 'offsetMap'] as const).filter(
        (name: keyof Omit<AttributeMaps, 'size'>) => maps[name].some((texel) => texel !== value),
      );
      expect(differing).toEqual([]);
      expect([1, 400]).toContain((await readEdits(folder, head)).layers.length);
    }
  });
});
