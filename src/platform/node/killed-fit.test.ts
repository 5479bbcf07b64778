import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../../..');
const STEPS = 300;

/** Runs the fit in `folder`; with `killAfter`, kills it by SIGKILL when that many checkpoints are written. */
async function runFit(
  folder: string,
  killAfter = Infinity,
): Promise<{ code: number | null; signal: string | null; said: string }> {
  const child = spawn(process.execPath, [
    join(root, 'scripts/run.mjs'),
    join(root, 'test/fixtures/fit-process.ts'),
    folder,
    String(STEPS),
  ]);
  let said = '';
  child.stdout.on('data', (part) => {
    said += part;
    if (said.split('checkpoint\n').length - 1 >= killAfter) child.kill('SIGKILL');
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  return { code, signal, said };
}

describe('a fit killed by SIGKILL', () => {
  let folders: string[];
  beforeEach(async () => {
    folders = await Promise.all(['unbroken', 'killed'].map((name) => mkdtemp(join(tmpdir(), `fate-${name}-`))));
  });
  afterEach(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

  it('twice on its way ends in the same bytes as one that ran through', async () => {
    const [unbroken, killed] = folders;
    expect(await runFit(unbroken)).toMatchObject({ code: 0 });
    expect(await runFit(killed, 3)).toMatchObject({ signal: 'SIGKILL' });
    expect(existsSync(join(killed, 'avatar'))).toBe(false);
    const second = await runFit(killed, 5);
    expect(second).toMatchObject({ signal: 'SIGKILL', said: expect.stringMatching(/goes on from step \d+/) });
    const third = await runFit(killed);
    expect(third).toMatchObject({ code: 0, said: expect.stringMatching(/goes on from step \d+/) });
    const [a, b] = await Promise.all([unbroken, killed].map((folder) => readFile(join(folder, 'avatar'))));
    expect(b.equals(a)).toBe(true);
  });
});
