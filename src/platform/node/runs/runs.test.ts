import { existsSync } from 'node:fs';
import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testGpu } from '../../../../test/gpu.ts';
import { editTrack, makeTrackedFolder } from '../../../../test/made-run.ts';
import type { Gpu } from '../../../gpu/gpu.ts';
import { FrameImages } from '../frame-images.ts';
import { createNodeGpu } from '../node-gpu.ts';
import type { RunContext } from './context.ts';
import { evaluateAvatar, fitAvatar } from './create-run.ts';
import { exportAvatar, renderAvatar } from './output-runs.ts';

/** Checkpoints every 8 steps, and where the unseen is filled: 8, 14, 22. */
const OPTIONS = { gaussians: 300, steps: 24 };
const hasFullDevice = existsSync('/dev/full');

let gpu: Gpu;
let root: string;
let tracked: string;
let unbroken: { folder: string; avatarSha256: string };

async function trackedCopy(name: string): Promise<string> {
  const folder = join(root, name);
  await cp(tracked, folder, { recursive: true });
  return folder;
}

const fit = (folder: string, context: RunContext = {}, options = {}) =>
  fitAvatar({ folder, ...OPTIONS, ...options }, { gpu, checkpointSteps: 8, ...context });

beforeAll(async () => {
  gpu = await testGpu();
  root = await mkdtemp(join(tmpdir(), 'fate-runs-'));
  tracked = join(root, 'tracked');
  await makeTrackedFolder(gpu, tracked);
  const folder = await trackedCopy('unbroken');
  unbroken = { folder, avatarSha256: (await fit(folder)).avatarSha256 };
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** The same command again must end in the avatar of a run that was never stopped. */
async function expectResumes(folder: string): Promise<void> {
  expect(await readdir(folder)).not.toContain('run.lock');
  const lines: string[] = [];
  const { avatarSha256 } = await fit(folder, { log: (line) => lines.push(line) });
  expect(lines.join('\n')).toMatch(/goes on from step (8|14|20|22)/);
  expect(avatarSha256).toBe(unbroken.avatarSha256);
  expect(await readdir(folder)).not.toContain('checkpoint.safetensors');
}

describe('a fit in a folder, stopped by', () => {
  it('Ctrl-C', async () => {
    const folder = await trackedCopy('interrupted');
    const controller = new AbortController();
    const onProgress = ({ stage, done }: { stage: string; done: number }): void => {
      if (stage === 'fit' && done >= 16) controller.abort();
    };
    await expect(fit(folder, { signal: controller.signal, onProgress })).rejects.toThrow(
      expect.objectContaining({ name: 'AbortError' }),
    );
    await expectResumes(folder);
  });

  it.skipIf(!hasFullDevice)('a full disk (needs /dev/full)', async () => {
    const folder = await trackedCopy('full');
    // The file system's own ENOSPC: the second checkpoint's temporary file is a link to /dev/full.
    const temporary = join(folder, `.checkpoint.safetensors.${process.pid}.tmp`);
    const onProgress = async ({ stage, done }: { stage: string; done: number }): Promise<void> => {
      if (stage === 'fit' && done === 14) await symlink('/dev/full', temporary);
    };
    const full = fit(folder, { onProgress: (progress) => void onProgress(progress) });
    await expect(full).rejects.toThrow(
      expect.objectContaining({
        name: 'DiskFullError',
        message: expect.stringMatching(
          /disk is full: .*checkpoint.safetensors.*Free some space and run the same command again/,
        ),
      }),
    );
    expect((await readdir(folder)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    await expectResumes(folder);
  });

  it('a lost device', async () => {
    const folder = await trackedCopy('lost');
    const doomed = await createNodeGpu();
    const onProgress = ({ stage, done }: { stage: string; done: number }): void => {
      if (stage === 'fit' && done >= 16) doomed.device.destroy();
    };
    const lost = fit(folder, { gpu: doomed, onProgress });
    await expect(lost).rejects.toThrow(
      expect.objectContaining({
        name: 'DeviceLostError',
        message: expect.stringMatching(/Run the same command again: it resumes/),
      }),
    );
    await expectResumes(folder);
  });
});

describe('a finished fit', () => {
  it('is not done again, nor with other options unless told', async () => {
    const lines: string[] = [];
    const before = await readFile(join(unbroken.folder, 'avatar.safetensors'));
    expect((await fit(unbroken.folder, { log: (line) => lines.push(line) })).avatarSha256).toBe(unbroken.avatarSha256);
    expect(lines).toEqual([expect.stringContaining('has its avatar; nothing to do')]);
    await expect(fit(unbroken.folder, {}, { steps: 30 })).rejects.toThrow(
      /other options \(steps is 24 there, 30 was given\)/,
    );
    expect((await readFile(join(unbroken.folder, 'avatar.safetensors'))).equals(before)).toBe(true);
    const forced = await fit(await trackedCopy('forced'), {}, { steps: 8, force: true });
    expect(forced.avatarSha256).not.toBe(unbroken.avatarSha256);
  });

  it('is scored on the frames it did not see, rendered and exported', async () => {
    const { folder, avatarSha256 } = unbroken;
    const metrics = await evaluateAvatar({ folder }, { gpu });
    expect(metrics).toMatchObject({
      gaussianCount: expect.any(Number),
      seed: 1,
      avatarSha256,
      frames: { trained: 7, excluded: 0 },
    });
    expect(metrics.heldOut).toMatchObject({ frames: 1, lpips: null });
    expect(metrics.heldOut!.fitted.psnr).toBeGreaterThan(10);
    expect((await readdir(join(folder, 'report'))).toSorted()).toEqual(
      ['expressions.png', 'held-out.png', 'loss.svg', 'metrics.json', 'report.html', 'turntable.mp4', 'turntable.png'],
    ); // prettier-ignore
    expect(await evaluateAvatar({ folder }, { gpu })).toEqual(metrics);
    const picture = await renderAvatar(
      { folder, out: join(root, 'a.png'), expression: 'smile=0.8', yaw: 30, size: 64 },
      { gpu },
    );
    expect((await readFile(picture.file)).subarray(1, 4).toString()).toBe('PNG');
    const ply = await exportAvatar({ folder, ply: join(root, 'a.ply') }, { gpu });
    expect((await readFile(ply.file)).subarray(0, 3).toString()).toBe('ply');
    await expect(renderAvatar({ folder, out: join(root, 'a.jpg') }, { gpu })).rejects.toThrow(
      /a picture is written as .png/,
    );
    await expect(
      renderAvatar({ folder, out: join(root, 'a.png'), expression: 'frobnicate=1' }, { gpu }),
    ).rejects.toThrow(/expression "frobnicate" is unknown/);
  });
});

describe('a folder whose files are damaged says which', () => {
  it.each([
    [
      'NaN in the track',
      (text: string) => text.replace(/"headTranslation":\[[^,]*/, '"headTranslation":[NaN'),
      /track is not JSON/,
    ],
    [
      'null in the track',
      (text: string) => text.replace(/"headTranslation":\[[^,]*/, '"headTranslation":[null'),
      /frames\[0\].pose.headTranslation/,
    ],
    [
      'infinity in the track',
      (text: string) => text.replace(/"focalX":[^,]*/, '"focalX":1e999'),
      /frames\[0\].camera.focalX/,
    ],
    ['a torn track', (text: string) => text.slice(0, text.length / 2), /track is not JSON/],
  ])('%s', async (_, edit, sentence) => {
    const folder = await trackedCopy(`damaged ${_}`);
    await editTrack(folder, edit);
    await expect(fit(folder)).rejects.toThrow(
      expect.objectContaining({ name: 'TrackFileError', message: expect.stringMatching(sentence) }),
    );
  });

  it('a missing, a torn and a foreign frame', async () => {
    const folder = await trackedCopy('frames');
    const path = join(folder, 'frames/00003.png');
    const whole = await readFile(path);
    await rm(path);
    const faulty = expect.objectContaining({
      name: 'RunFolderError',
      message: expect.stringMatching(/00003.png is missing or damaged; run `fate track` again/),
    });
    await expect(fit(folder)).rejects.toThrow(faulty);
    await writeFile(path, whole.subarray(0, 40));
    await expect(fit(folder)).rejects.toThrow(faulty);
    await new FrameImages(join(folder, 'frames')).write(3, {
      width: 5,
      height: 5,
      channels: 4,
      data: new Uint8Array(100),
    });
    await expect(fit(folder)).rejects.toThrow(
      expect.objectContaining({
        name: 'UnusableClipError',
        message: expect.stringMatching(/frame 3 .*25 pixels, not 64²/),
      }),
    );
  });

  it('an avatar cut short', async () => {
    const folder = await trackedCopy('avatar');
    await fit(folder, {}, { steps: 1 });
    const path = join(folder, 'avatar.safetensors');
    await writeFile(path, (await readFile(path)).subarray(0, 5000));
    await expect(evaluateAvatar({ folder }, { gpu })).rejects.toThrow(
      expect.objectContaining({ name: 'TensorFileError' }),
    );
  });
});

describe('FrameImages', () => {
  it.skipIf(!hasFullDevice)('says when the disk is full (needs /dev/full)', async () => {
    const images = new FrameImages(root);
    await symlink('/dev/full', images.path(7));
    const written = images.write(7, { width: 8, height: 8, channels: 4, data: new Uint8Array(256) });
    await expect(written).rejects.toThrow(expect.objectContaining({ name: 'DiskFullError' }));
  });
});
