import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testGpu } from '../../../../test/gpu.ts';
import { madeMaps } from '../../../../test/made-maps.ts';
import { sampleAvatar } from '../../../../test/sample-avatar.ts';
import { makeTrackedFolder } from '../../../../test/made-run.ts';
import { encodeAvatar } from '../../../avatar/avatar.ts';
import type { BakedAvatar } from '../../../baking/baked-avatar.ts';
import { readBaked, writeBaked } from '../baked-folder.ts';
import { RunFolder } from '../run-folder.ts';
import { exportAvatar } from './output-runs.ts';
import type { RunContext } from './context.ts';

let root: string;
let folder: string;
let context: RunContext;
let baked: BakedAvatar;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'fate-export-'));
  folder = join(root, 'run');
  context = { gpu: await testGpu() };
  await makeTrackedFolder(context.gpu!, folder, { frames: 2 });
  const avatar = sampleAvatar(3000);
  baked = { avatar, maps: madeMaps(avatar, 64), mapped: 'all' };
  const run = await RunFolder.open(folder);
  await run.begin('fit');
  await run.write('fit', 'avatar.safetensors', encodeAvatar(avatar));
  await run.finish('fit');
  await run.close();
});
afterAll(() => rm(root, { recursive: true, force: true }));

describe('exporting a baked avatar', () => {
  it('asks for a bake first', async () => {
    const ply = join(root, 'a.ply');
    await expect(exportAvatar({ folder, ply, gaussians: 2000 }, context)).rejects.toThrow(
      /has no baked maps .*fate bake/,
    );
    await expect(exportAvatar({ folder, package: join(root, 'a.fate') }, context)).rejects.toThrow(/fate bake/);
  });

  it('writes as many Gaussians as asked for', async () => {
    await writeBaked(folder, baked, { guides: 0 });
    for (const gaussians of [2000, 5000]) {
      const ply = join(root, `${gaussians}.ply`);
      expect(await exportAvatar({ folder, ply, gaussians, matchSteps: 8, seed: 7 }, context)).toMatchObject({
        file: ply,
        gaussians,
      });
      expect((await readFile(ply)).toString('latin1', 0, 200)).toContain(`element vertex ${gaussians}\n`);
    }
  });

  it('writes one file that reads back as the avatar', async () => {
    const file = join(root, 'a.fate');
    const result = await exportAvatar({ folder, package: file }, context);
    expect(result).toMatchObject({ file, gaussians: 3000 });
    const read = await readBaked(file);
    expect([read.maps.size, read.mapped, read.avatar.gaussians.count]).toEqual([64, 'all', 3000]);
  });

  it('says what is wrong with what was asked for', async () => {
    await expect(exportAvatar({ folder }, context)).rejects.toThrow(/give --ply FILE, --package FILE\.fate or both/);
    await expect(exportAvatar({ folder, package: 'a.zip' }, context)).rejects.toThrow(
      /"a\.zip", but a packaged avatar is written as \.fate/,
    );
    await expect(exportAvatar({ folder, ply: 'x.ply', gaussians: 12 }, context)).rejects.toThrow(/"gaussians" is .*12/);
    await writeBaked(folder, { ...baked, mapped: 'appearance' }, { guides: 0 });
    await expect(exportAvatar({ folder, ply: join(root, 'x.ply'), gaussians: 2000 }, context)).rejects.toThrow(
      /colour and opacity only/,
    );
  });
});
