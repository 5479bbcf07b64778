import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testGpu } from '../../../../test/gpu.ts';
import { makeTrackedFolder } from '../../../../test/made-run.ts';
import { decodeAvatar, type Avatar } from '../../../avatar/avatar.ts';
import { decodeTensors, encodeTensors } from '../../../avatar/safetensors.ts';
import type { Metrics } from '../../../evaluation/metrics-file.ts';
import { bakeRun } from './bake-run.ts';
import { fitAvatar } from './create-run.ts';
import { RunFolder } from '../run-folder.ts';
import { openAvatar } from './open-avatar.ts';
import { addBakedSection } from './baked-report.ts';
import { editAvatarRun } from './edit-run.ts';
import { evaluateBaked } from './evaluate-baked-run.ts';
import { evaluateEdited } from './evaluate-edited-run.ts';
import type { RunContext } from './context.ts';

const TINY = { mapSize: 32, width: 4, depth: 2, hold: 2, steps: 6, polish: 2 };
const MAPS = 'baked/maps.safetensors';

let root: string;
let folder: string;
const read = (name: string): Promise<Buffer> => readFile(join(folder, name));
const context = async (more: RunContext = {}): Promise<RunContext> => ({ gpu: await testGpu(), ...more });

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'fate-bake-'));
  folder = join(root, 'run');
  await makeTrackedFolder(await testGpu(), folder, { frames: 5 });
}, 240_000);
afterAll(() => rm(root, { recursive: true, force: true }));

const readAvatarFile = async (): Promise<Avatar> => decodeAvatar(await read('avatar.safetensors'), 'the avatar');

/** The tests go on from one another: a run's life from before its fit to its scores. */
describe('fate bake', () => {
  it('needs a fit', async () => {
    await expect(bakeRun({ folder, ...TINY }, await context())).rejects.toThrow(/no finished avatar; run `fate fit`/);
    await expect(bakeRun({ folder: join(root, 'nowhere') }, await context())).rejects.toThrow(/does not exist/);
    await expect(evaluateBaked({ folder }, await context())).rejects.toThrow(/no finished maps; run `fate bake`/);
  });

  it('stopped on the way, goes on to the maps of an unbroken bake', async () => {
    await fitAvatar({ folder, gaussians: 400, steps: 20 }, await context());
    const { facts } = JSON.parse(String(await read('run.json'))).stages.fit as { facts: { gaussianCount: number } };
    const copy = join(root, 'copy');
    await cp(folder, copy, { recursive: true });
    const controller = new AbortController();
    const onProgress = ({ stage, done }: { stage: string; done: number }): void => {
      if (stage === 'bake' && done === 4) controller.abort();
    };
    const stopped = bakeRun(
      { folder, ...TINY },
      await context({ onProgress, signal: controller.signal, checkpointSteps: 2 }),
    );
    await expect(stopped).rejects.toThrow(/abort/i);
    await expect(read(MAPS)).rejects.toThrow(/ENOENT/);
    const lines: string[] = [];
    const result = await bakeRun(
      { folder, ...TINY },
      await context({ log: (line) => lines.push(line), checkpointSteps: 2 }),
    );
    expect(lines.join()).toMatch(/The bake goes on after \d of 8 frames/);
    expect(result).toMatchObject({ variant: 'all', mapSize: 32, steps: 6, gaussianCount: facts.gaussianCount });
    expect(result.colorMap.totalVariation).toBeGreaterThan(0);
    const whole = await bakeRun({ folder: copy, ...TINY }, await context());
    expect(whole.colorMap).toEqual(result.colorMap);
    expect((await read(MAPS)).equals(await readFile(join(copy, MAPS)))).toBe(true);
  }, 240_000);

  it('has nothing to do twice, and refuses other options', async () => {
    const lines: string[] = [];
    await bakeRun({ folder, ...TINY }, await context({ log: (line) => lines.push(line) }));
    expect(lines).toEqual([`${folder} is baked; nothing to do.`]);
    await expect(bakeRun({ folder, ...TINY, hold: 3 }, await context())).rejects.toThrow(/other options \(.*hold/);
    await expect(bakeRun({ folder, ...TINY, mapSize: 30, force: true }, await context())).rejects.toThrow(
      /multiple of 8/,
    );
    await expect(bakeRun({ folder, ...TINY, width: 0 }, await context())).rejects.toThrow(/option "width" is 0/);
  });

  it('is scored as the fit is, and shown in its report', async () => {
    await mkdir(join(folder, 'report'));
    await writeFile(join(folder, 'report', 'report.html'), '<main><section><h2>Run</h2></section></main>');
    const metrics = await evaluateBaked({ folder }, await context());
    expect(metrics.heldOut?.frames).toBe(1);
    expect(metrics.heldOut!.fitted.psnr).toBeGreaterThan(5);
    expect(metrics.bake.variant).toBe('all');
    const html = String(await read('report/report.html'));
    expect(html.match(/Baked maps/g)?.length).toBe(1);
    expect(html.indexOf('Baked maps')).toBeLessThan(html.indexOf('<h2>Run</h2>'));
    for (const file of ['maps.png', 'held-out.png', 'loss.svg', 'metrics.json']) await read(`report/baked/${file}`);
    expect(await evaluateBaked({ folder }, await context())).toEqual(metrics);
    // A later evaluation of the fit writes a page of its own, and puts the section back.
    await writeFile(join(folder, 'report', 'report.html'), '<main><section><h2>Run</h2></section></main>');
    const run = await RunFolder.open(folder);
    await addBakedSection(run);
    await run.close();
    expect(String(await read('report/report.html'))).toBe(html);
  }, 240_000);

  it('is scored with its edits against the person as filmed, once for the same edits', async () => {
    await expect(evaluateEdited({ folder }, await context())).rejects.toThrow(/no edits that show; .*--baked/);
    await editAvatarRun({ folder, recolor: 'skin=#20c040' });
    const metrics = await evaluateEdited({ folder }, await context());
    const baked = JSON.parse(String(await read('report/baked/metrics.json'))) as Metrics;
    expect(metrics.beforeEditing).toEqual(baked.heldOut);
    expect(metrics.heldOut!.psnr).toBeLessThan(baked.heldOut!.psnr - 1);
    expect(metrics.layers).toEqual(['skin']);
    await read('report/edited/held-out.png');
    expect(await evaluateEdited({ folder }, await context({ gpu: undefined }))).toEqual(metrics);
    await editAvatarRun({ folder, undo: true });
    await expect(evaluateEdited({ folder }, await context())).rejects.toThrow(/no edits that show/);
  }, 240_000);

  it('in one stage keeps an avatar of its own beside the maps, which is scored, drawn and forgotten with them', async () => {
    const bake = async (variant: 'oneStage' | 'all'): Promise<unknown> =>
      bakeRun({ folder, ...TINY, variant, force: true }, await context());
    const openBaked = async (): Promise<Avatar> => {
      const run = await RunFolder.open(folder);
      try {
        return await openAvatar(run, { baked: true });
      } finally {
        await run.close();
      }
    };
    await bake('oneStage');
    const metrics = await evaluateBaked({ folder }, await context());
    expect(metrics.bake.variant).toBe('oneStage');
    expect(metrics.heldOut!.fitted.psnr).toBeGreaterThan(5);
    const own = await openBaked();
    expect(own.head.expressionBasis).not.toEqual((await readAvatarFile()).head.expressionBasis);
    await bake('all');
    expect((await openBaked()).head.expressionBasis).toEqual((await readAvatarFile()).head.expressionBasis);
    await expect(read('baked/avatar.safetensors')).rejects.toThrow(/ENOENT/);
  }, 240_000);

  it('does not take an avatar of another version, nor poses that are not the fit’s', async () => {
    const [avatar, poses] = [await read('avatar.safetensors'), await read('refined-poses.json')];
    const { tensors, metadata } = decodeTensors(avatar, 'the avatar');
    await writeFile(join(folder, 'avatar.safetensors'), encodeTensors(tensors, { ...metadata, version: '0' }));
    const again = async (): Promise<unknown> => bakeRun({ folder, ...TINY, seed: 3, force: true }, await context());
    await expect(again()).rejects.toThrow(/avatar version 0, this program reads 1: fit it again/);
    await writeFile(join(folder, 'avatar.safetensors'), avatar);
    await writeFile(join(folder, 'refined-poses.json'), '[]');
    await expect(again()).rejects.toThrow(/has the poses of 0 frames, the fit used 4/);
    await writeFile(join(folder, 'refined-poses.json'), poses);
  });
});
