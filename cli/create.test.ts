import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testGpu } from '../test/gpu.ts';
import { makeTrackedFolder } from '../test/made-run.ts';
import { makeTestPattern, makeVideo } from '../test/make-video.ts';
import { sharedPath } from '../test/shared.ts';
import { Flatbuffer } from '../src/inference/flatbuffer.ts';
import { openHead } from '../src/platform/node/open-head.ts';
import { createSyntheticFolder } from '../src/platform/node/synthetic-folder.ts';
import { openModelFiles } from '../src/platform/node/model-files.ts';
import { EXIT } from './exit-codes.ts';

const root = resolve(import.meta.dirname, '..');
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fate-create-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number;
  /** What it wrote to stderr, and its last line of stdout as JSON. */
  readonly said: string;
  readonly result: Record<string, unknown>;
}

function start(args: string[], onText: (said: string, child: ChildProcess) => void = () => {}): Promise<Ended> {
  const child = spawn(process.execPath, [join(root, 'scripts/run.mjs'), join(root, 'cli/main.ts'), ...args, '--json']);
  const output = { said: '', json: '' };
  child.stdout.on('data', (part) => (output.json += part));
  child.stderr.on('data', (part) => {
    output.said += part;
    onText(output.said, child);
  });
  return once(child, 'close').then(([code]) => ({
    code: code as number,
    said: output.said,
    result: JSON.parse(output.json.trim().split('\n').at(-1) || '{}') as Record<string, unknown>,
  }));
}

describe('fate create', () => {
  const options = ['--gaussians', '400', '--steps', '16', '--frames', '8'];
  let video: string;
  let out: string;
  beforeAll(async () => {
    const look = { size: 320, seconds: 1, framesPerSecond: 10, orbitViews: 1, textureSize: 512 };
    const subject = await createSyntheticFolder(
      await testGpu(),
      await openHead('builtin'),
      join(folder, 'subject'),
      look,
    );
    video = subject.clipPath;
    out = join(folder, 'run');
  });

  it('makes an avatar and its report from a video', async () => {
    const { code, result } = await start(['create', video, '--out', out, ...options]);
    expect(code).toBe(EXIT.ok);
    expect(result).toMatchObject({
      heldOut: {
        psnr: expect.any(Number),
        psnrForeground: expect.any(Number),
        ssim: expect.any(Number),
        lpips: null,
        frames: 1,
        fitted: { psnr: expect.any(Number) },
      },
      gaussianCount: expect.any(Number),
      stepsPerSecond: expect.any(Number),
      seconds: { track: expect.any(Number), fit: expect.any(Number), total: expect.any(Number) },
      peakMemoryMB: expect.any(Number),
      seed: 1,
      avatarSha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      adapter: expect.any(String),
    });
    expect(JSON.parse(await readFile(join(out, 'report/metrics.json'), 'utf8'))).toEqual(result);
    const files = await readdir(join(out, 'report'));
    for (const name of [
      'held-out.png',
      'turntable.mp4',
      'turntable.png',
      'expressions.png',
      'landmarks.png',
      'loss.svg',
      'report.html',
    ]) {
      expect(files).toContain(name);
    }
    expect(await readdir(out)).not.toContain('run.lock');
  });

  it('does nothing in a finished folder, and says so', async () => {
    const again = await start(['create', video, '--out', out, ...options]);
    expect(again.code).toBe(EXIT.ok);
    expect(again.said).toContain('is finished; nothing to do');
    expect(JSON.parse(await readFile(join(out, 'report/metrics.json'), 'utf8'))).toEqual(again.result);
  });

  it('refuses other options, and another video, in a finished folder: exit code 2', async () => {
    const otherOptions = await start(['create', video, '--out', out, ...options, '--seed', '5']);
    expect(otherOptions.code).toBe(EXIT.usage);
    expect(otherOptions.said).toMatch(
      /other options \(seed is 1 there, 5 was given\); give another folder, the same options, or --force/,
    );
    const otherVideo = makeVideo('-i', video, '-c:v', 'libx264', '-crf', '30', join(folder, 'other.mp4'));
    const refused = await start(['create', otherVideo, '--out', out, ...options]);
    expect(refused.code).toBe(EXIT.usage);
    expect(refused.said).toMatch(/holds a run of another video .*clip.mp4/);
  });

  it('makes what it can of one frame, with a warning; render and export take it from there', async () => {
    const one = makeVideo('-i', video, '-frames:v', '1', '-c:v', 'libx264', join(folder, 'one.mp4'));
    const single = join(folder, 'single');
    const { code, said, result } = await start(['create', one, '--out', single, '--gaussians', '300', '--steps', '8']);
    expect(code).toBe(EXIT.ok);
    expect(said).toMatch(/Only 1 frame can be used/);
    expect(result).toMatchObject({ heldOut: null, perFrame: [], frames: { trained: 1 } });
    const picture = join(folder, 'yaw.png');
    expect((await start(['render', single, '--yaw', '60', '--size', '64', '--out', picture])).code).toBe(EXIT.ok);
    expect((await readFile(picture)).subarray(1, 4).toString()).toBe('PNG');
    const ply = join(folder, 'a.ply');
    expect((await start(['export', single, '--ply', ply])).code).toBe(EXIT.ok);
    expect((await readFile(ply)).subarray(0, 3).toString()).toBe('ply');
  });
});

describe('a run that is going', () => {
  it('keeps a second one out, stops on Ctrl-C with 130, and goes on with the same command', async () => {
    const run = join(folder, 'going');
    await makeTrackedFolder(await testGpu(), run);
    const command = ['fit', run, '--gaussians', '300', '--steps', '1200'];
    const others: Promise<Ended>[] = [];
    const first = await start(command, (said, child) => {
      if (others.length > 0 || !/fit \d+\/1200/.test(said)) return;
      // It stands still meanwhile: on a busy machine it would be done before the second one has started.
      child.kill('SIGSTOP');
      const second = start(command);
      others.push(second);
      void second.then(() => child.kill('SIGINT') && child.kill('SIGCONT'));
    });
    expect(await others[0]).toMatchObject({
      code: EXIT.usage,
      said: expect.stringMatching(/is in use by another run \(process \d+\)/),
    });
    expect(first).toMatchObject({
      code: EXIT.interrupted,
      said: expect.stringMatching(/Interrupted; the same command goes on where it stopped/),
    });
    expect(await readdir(run)).not.toContain('run.lock');
    const resumed = await start(command);
    expect(resumed).toMatchObject({ code: EXIT.ok, result: { avatarSha256: expect.any(String) } });
  });
});

describe('models and heads that cannot be used: exit code 3, one sentence', () => {
  let video: string;
  beforeAll(() => {
    video = makeTestPattern(join(folder, 'short.mp4'));
  });

  async function expectRefusal(name: string, args: string[], sentence: RegExp): Promise<void> {
    const { code, said } = await start(['track', video, '--out', join(folder, name), ...args]);
    expect(said).toMatch(sentence);
    expect(said).not.toMatch(/\n {4}at |fault of fate-avatar/);
    expect(code).toBe(EXIT.input);
  }

  it('a torn face_landmarker.task', async () => {
    const models = join(folder, 'torn-models');
    await mkdir(models);
    await writeFile(join(models, 'face_landmarker.task'), 'PK\u0003\u0004 and then nothing');
    await expectRefusal('a', ['--models', models], /^fate: face_landmarker.task is damaged.*Fetch it again/m);
    await expectRefusal('b', ['--models', join(folder, 'nowhere')], /^fate: The models' folder .* does not exist/m);
  });

  it('a model that yields zeros', async () => {
    const models = join(folder, 'zero-models');
    await mkdir(models);
    const file = new Flatbuffer((await (await openModelFiles()).readPackaged('selfie_segmentation.tflite')).slice());
    for (const buffer of file.tables(file.root, 4)) {
      const { start: from, length } = file.vector(buffer, 0);
      if (length > 64) file.bytes.fill(0, from, from + length);
    }
    await writeFile(join(models, 'selfie_segmentation.tflite'), file.bytes);
    await expectRefusal('c', ['--models', models], /^fate: selfie_segmentation.tflite yields .*Fetch it again/m);
  });

  const ict = sharedPath('data/heads/ict-facekit');
  it.skipIf(!ict)('an incomplete head folder (needs ../shared/data/heads/ict-facekit)', async () => {
    const incomplete = join(folder, 'incomplete-head');
    await cp(ict!, incomplete, { recursive: true });
    await rm(join(incomplete, 'ict_basis_i16.bin'));
    await rm(join(incomplete, 'FaceXModel'), { recursive: true, force: true });
    await expectRefusal(
      'd',
      ['--head', `ict:${incomplete}`],
      /^fate: .*incomplete-head is not an ICT-FaceKit Light folder: .* is missing/m,
    );
    const torn = join(folder, 'torn-head');
    await cp(ict!, torn, { recursive: true });
    await writeFile(join(torn, 'ict_basis_i16.bin'), new Uint8Array(1000));
    await expectRefusal(
      'e',
      ['--head', `ict:${torn}`],
      /^fate: ict_basis_i16.bin has 1000 bytes where .* fetch both again/m,
    );
  });
});
