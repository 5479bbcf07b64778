import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeAvatar } from '../src/avatar/avatar.ts';
import { decodeImage } from '../src/platform/node/image-file.ts';
import { sampleAvatar } from '../test/sample-avatar.ts';
import { sharedPath } from '../test/shared.ts';

const root = resolve(import.meta.dirname, '..');
const clip = sharedPath('data/clips/selfie-glasses.mp4');

/** Runs an example as its first line says, and returns what it prints. */
async function run(name: string, ...args: string[]): Promise<string> {
  const script = [join(root, 'scripts/run.mjs'), join(root, 'examples', name), ...args];
  return (await promisify(execFile)(process.execPath, script, { cwd: root })).stdout;
}

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fate-example-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('examples', () => {
  it.skipIf(!clip)('create-avatar.ts (needs the test data’s clip)', { timeout: 300_000 }, async () => {
    const said = await run('create-avatar.ts', clip!, join(folder, 'me'), '60', '12');
    expect(Number(/held-out PSNR ([\d.]+) dB/.exec(said)?.[1])).toBeGreaterThan(15);
    expect(await readFile(join(folder, 'me/report/report.html'), 'utf8')).toContain('selfie-glasses.mp4');
  });

  it('draw-avatar.ts', async () => {
    const [file, picture] = [join(folder, 'a.safetensors'), join(folder, 'a.png')];
    await writeFile(file, encodeAvatar(sampleAvatar(3000)));
    await run('draw-avatar.ts', file, picture);
    const { width, height, data } = await decodeImage(await readFile(picture));
    expect([width, height, new Set(data).size > 100]).toEqual([512, 512, true]);
  });
});
