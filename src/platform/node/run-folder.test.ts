import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import * as files from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DiskFullError, fileDigest, writeFileAtomically, type FileOperations } from './atomic-file.ts';
import { RunFolder, RunFolderError, type RunVideo } from './run-folder.ts';

let root: string;
beforeEach(async () => {
  root = await files.mkdtemp(join(tmpdir(), 'fate-run-'));
});
afterEach(() => files.rm(root, { recursive: true, force: true }));

const VIDEO: RunVideo = { path: 'a.mp4', sha256: 'aa', bytes: 2 };
const TRACK = { size: 256, head: 'builtin' };
const FIT = { steps: 10 };

async function finishedRun(): Promise<string> {
  const folder = join(root, 'run');
  const run = await RunFolder.open(folder, { video: VIDEO, stages: { track: TRACK, fit: FIT } });
  await run.begin('track', TRACK);
  await run.write('track', 'track.json', 'track');
  await run.finish('track', { frames: 3 });
  await run.begin('fit', FIT);
  await run.write('fit', 'fit/avatar.bin', new Uint8Array([1, 2, 3]));
  await run.finish('fit');
  await run.close();
  return folder;
}

/** File operations that report a full disk while `isFull()`. */
function fullDisk(isFull: () => boolean): FileOperations {
  return {
    ...files,
    open: (async (...args: Parameters<typeof files.open>) => {
      const file = await files.open(...args);
      file.writeFile = async (content) => {
        if (!isFull()) return file.write(String(content)).then(() => undefined);
        await file.write('half'); // a full disk takes a part first
        throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
      };
      return file;
    }) as typeof files.open,
  };
}

describe('RunFolder', () => {
  it('remembers stages, options, files and facts', async () => {
    const run = await RunFolder.open(await finishedRun(), { video: VIDEO, stages: { track: TRACK, fit: FIT } });
    expect(run.isDone('track', 'fit')).toBe(true);
    expect(run.isDone('evaluate')).toBe(false);
    expect(run.stage('track')).toMatchObject({ options: TRACK, facts: { frames: 3 }, files: ['track.json'] });
    expect(await run.read('fit/avatar.bin')).toEqual(Buffer.from([1, 2, 3]));
    expect(await run.read('none')).toBeNull();
    await run.close();
  });

  it('adds up the time of an interrupted stage', async () => {
    const folder = join(root, 'run');
    for (let round = 0; round < 2; round++) {
      const run = await RunFolder.open(folder, { video: VIDEO });
      await run.begin('track', TRACK);
      await new Promise((resolve) => setTimeout(resolve, 30));
      if (round === 0) await run.pause('track');
      await run.close();
      expect(run.stage('track')!.seconds).toBeGreaterThan(0.029 * (round + 1));
      expect(run.stage('track')!.status).toBe('running');
    }
  });

  it('refuses another video, and starts afresh when told', async () => {
    const folder = await finishedRun();
    await files.writeFile(join(folder, 'mine.txt'), 'mine');
    const other = { path: 'b.mp4', sha256: 'bb', bytes: 2 };
    const refused = RunFolder.open(folder, { video: other });
    await expect(refused).rejects.toThrow(RunFolderError);
    await expect(refused).rejects.toThrow('holds a run of another video (a.mp4); give another folder, or --force');
    const run = await RunFolder.open(folder, { video: other, force: true });
    expect(run.isDone('track')).toBe(false);
    expect(run.video).toEqual(other);
    await run.close();
    expect((await files.readdir(folder)).toSorted()).toEqual(['fit', 'mine.txt', 'run.json']);
    expect(await files.readdir(join(folder, 'fit'))).toEqual([]);
  });

  it('refuses other options by name, and with force repeats only the stages that depend on them', async () => {
    const folder = await finishedRun();
    const stages = { track: TRACK, fit: { steps: 20 } };
    await expect(RunFolder.open(folder, { video: VIDEO, stages })).rejects.toThrow('steps is 10 there, 20 was given');
    const run = await RunFolder.open(folder, { video: VIDEO, stages, force: true });
    expect(run.isDone('track')).toBe(true);
    expect(run.isDone('fit')).toBe(false);
    expect(existsSync(join(folder, 'fit/avatar.bin'))).toBe(false);
    await run.close();
  });

  it('is not bound by a first try that finished nothing', async () => {
    const first = await RunFolder.open(root, { video: VIDEO, stages: { track: TRACK } });
    await first.begin('track', TRACK);
    await first.close();
    const other = { path: 'b.mp4', sha256: 'bb', bytes: 2 };
    const run = await RunFolder.open(root, { video: other, stages: { track: { ...TRACK, size: 512 } } });
    expect(run.video).toEqual(other);
    expect(run.stage('track')).toBeNull();
    await run.close();
  });

  it('voids later stages when an earlier one begins again', async () => {
    const run = await RunFolder.open(await finishedRun());
    await run.begin('track', TRACK);
    expect(run.stage('fit')).toBeNull();
    expect(existsSync(run.resolve('fit/avatar.bin'))).toBe(false);
    expect(existsSync(run.resolve('track.json'))).toBe(true);
    await run.close();
  });

  it('removes a folder that a stage claimed, with all that is in it', async () => {
    const run = await RunFolder.open(root, { video: VIDEO });
    await run.begin('track', TRACK);
    await files.mkdir(await run.claim('track', 'track/frames'), { recursive: true });
    await run.write('track', 'track/frames/1.bin', 'x');
    await run.finish('track');
    await run.close();
    const again = await RunFolder.open(root, { video: { ...VIDEO, sha256: 'bb' }, force: true });
    expect(existsSync(join(root, 'track/frames'))).toBe(false);
    await again.close();
  });

  it('refuses folders that hold no run, or a damaged one', async () => {
    await expect(RunFolder.open(join(root, 'none'))).rejects.toThrow('does not exist; make it with');
    await expect(RunFolder.open(root)).rejects.toThrow('is not the folder of a run');
    expect(await files.readdir(root)).toEqual([]); // the lock is gone again
    await files.writeFile(join(root, 'run.json'), '{"format":"fate-av');
    await expect(RunFolder.open(root, { video: VIDEO })).rejects.toThrow('damaged or of another version');
    await (await RunFolder.open(root, { video: VIDEO, force: true })).close();
    await expect(RunFolder.open(join(root, 'run.json'), { video: VIDEO })).rejects.toThrow('is a file; give a folder');
  });
});

describe('the lock', () => {
  it('keeps a second run out, and goes with close', async () => {
    const run = await RunFolder.open(root, { video: VIDEO });
    await expect(RunFolder.open(root)).rejects.toThrow(`in use by another run (process ${process.pid})`);
    await run.close();
    await (await RunFolder.open(root)).close();
  });

  it('of a killed process is taken over', async () => {
    await (await RunFolder.open(root, { video: VIDEO })).close();
    const child = spawn(process.execPath, ['--eval', 'setInterval(() => {}, 1000)']);
    const lock = { pid: child.pid, host: (await import('node:os')).hostname(), startTicks: 'of another life' };
    await files.writeFile(join(root, 'run.lock'), JSON.stringify(lock));
    await (await RunFolder.open(root)).close(); // alive, but not the process that took the lock
    child.kill('SIGKILL');
    await once(child, 'exit');
    await files.writeFile(join(root, 'run.lock'), JSON.stringify({ ...lock, startTicks: null }));
    await (await RunFolder.open(root)).close();
    await files.writeFile(join(root, 'run.lock'), ''); // killed between creating and writing it
    await (await RunFolder.open(root)).close();
    expect(existsSync(join(root, 'run.lock'))).toBe(false);
  });

  it('goes to one of many that see the same stale lock', async () => {
    await (await RunFolder.open(root, { video: VIDEO })).close();
    await files.writeFile(
      join(root, 'run.lock'),
      JSON.stringify({ pid: 2 ** 30, host: (await import('node:os')).hostname() }),
    );
    const runs = await Promise.allSettled(Array.from({ length: 8 }, () => RunFolder.open(root)));
    expect(runs.filter((run) => run.status === 'fulfilled')).toHaveLength(1);
  });
});

describe('a full disk', () => {
  it('is one clear sentence, and leaves the folder as it was', async () => {
    const folder = await finishedRun();
    let isFull = false;
    const run = await RunFolder.open(folder, { files: fullDisk(() => isFull) });
    const before = await files.readFile(join(folder, 'run.json'), 'utf8');
    isFull = true;
    const failed = run.write('fit', 'fit/avatar.bin', 'new content');
    await expect(failed).rejects.toThrow(DiskFullError);
    await expect(failed).rejects.toThrow(/disk is full.*Free some space and run the same command again/);
    await expect(run.finish('fit')).rejects.toThrow(/has not begun/);
    await expect(run.begin('fit', FIT)).rejects.toThrow(DiskFullError);
    await run.close();
    expect(await files.readFile(join(folder, 'run.json'), 'utf8')).toBe(before);
    expect(await files.readFile(join(folder, 'fit/avatar.bin'))).toEqual(Buffer.from([1, 2, 3]));
    expect((await files.readdir(folder, { recursive: true })).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    const resumed = await RunFolder.open(folder, { video: VIDEO, stages: { track: TRACK, fit: FIT } });
    expect(resumed.isDone('track', 'fit')).toBe(true);
    await resumed.close();
  });

  it.skipIf(!existsSync('/dev/full'))('is recognised from the system’s own error (needs /dev/full)', async () => {
    const realFull = { ...files, open: ((_path, flags) => files.open('/dev/full', flags)) as typeof files.open };
    await expect(writeFileAtomically(join(root, 'x'), 'content', realFull)).rejects.toThrow(DiskFullError);
    expect(await files.readdir(root)).toEqual([]);
  });
});

describe('fileDigest', () => {
  it('is the SHA-256 and the size', async () => {
    await files.writeFile(join(root, 'x'), 'abc');
    expect(await fileDigest(join(root, 'x'))).toEqual({
      sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
      bytes: 3,
    });
  });
});
