import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtCommand } from '../test/built-command.ts';
import { makeTestPattern, makeVideo } from '../test/make-video.ts';
import { EXIT } from './exit-codes.ts';

let folder: string;
let command: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fate-bad-input-'));
  command = await builtCommand();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs `fate ARGS` and returns its exit code and what it says on stderr, without progress lines. */
async function fate(
  args: string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ code: number; said: string; json: string }> {
  const child = spawn(process.execPath, [command, ...args, '--json'], {
    env: { ...process.env, ...env },
  });
  const output = { said: '', json: '' };
  child.stdout.on('data', (part) => (output.json += part));
  child.stderr.on('data', (part) => (output.said += part));
  const [code] = (await once(child, 'close')) as [number];
  return { code, ...output };
}

async function makeFile(name: string, content: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

/** One clear sentence: what is wrong, about which file; no trace. */
function expectSentence(said: string): void {
  expect(said).toMatch(/^fate: .+[.)]?$/m);
  expect(said).not.toMatch(/^\s+at .*\.[jt]s:/m);
  expect(said).not.toContain('fault of fate-avatar');
}

describe('fate create says in one sentence what it cannot use', () => {
  const inputs: [string, () => string | Promise<string>, RegExp][] = [
    ['no file', () => join(folder, 'none.mp4'), /does not exist; give a video file/],
    ['a folder', () => folder, /is a folder; give a video file/],
    ['an empty file', () => makeFile('empty.mp4', ''), /empty/i],
    ['a text file', () => makeFile('text.mp4', 'not a video at all\n'.repeat(50)), /text\.mp4/],
    [
      'audio alone',
      () => makeVideo('-f', 'lavfi', '-i', 'sine=duration=1', '-c:a', 'aac', join(folder, 'audio.mp4')),
      /no (picture|video)/i,
    ],
    ['no face', () => makeTestPattern(join(folder, 'bars.mp4'), 'size=256x256:rate=10:duration=2'), /no face/i],
  ];

  it.each(inputs)('%s: exit code 3', async (_, make, sentence) => {
    const result = await fate(['create', await make(), '--out', join(folder, 'out')]);
    expect(result.said).toMatch(sentence);
    expectSentence(result.said);
    expect(result.code).toBe(EXIT.input);
    expect(JSON.parse(result.json.trim().split('\n').at(-1)!)).toMatchObject({ exitCode: EXIT.input });
    const left = await readdir(join(folder, 'out')).catch(() => []);
    expect(left).not.toContain('run.lock');
  });

  it('a head folder that is none: exit code 3', async () => {
    const video = makeTestPattern(join(folder, 'short.mp4'));
    const none = await fate([
      'create',
      video,
      '--out',
      join(folder, 'head'),
      '--head',
      `ict:${join(folder, 'nothing')}`,
    ]);
    expectSentence(none.said);
    expect(none.code).toBe(EXIT.input);
    const unknown = await fate(['create', video, '--out', join(folder, 'head'), '--head', 'flame']);
    expect(unknown.said).toMatch(/head "flame" is unknown; give "builtin"/);
    expect(unknown.code).toBe(EXIT.input);
  });

  it('a folder that holds no run: exit code 2', async () => {
    const result = await fate(['fit', join(folder, 'no-run')]);
    expectSentence(result.said);
    expect(result.code).toBe(EXIT.usage);
  });

  it('a machine without an adapter, before any work: exit code 4', async () => {
    const video = makeTestPattern(join(folder, 'clip.mp4'));
    const env = { VK_DRIVER_FILES: '/none', VK_ICD_FILENAMES: '/none' };
    const result = await fate(['create', video, '--out', join(folder, 'no-gpu')], env);
    expect(result.said).toMatch(/No WebGPU adapter was found/);
    expectSentence(result.said);
    expect(result.code).toBe(EXIT.machine);
  });

  it('a machine without ffmpeg: exit code 4', async () => {
    const video = makeTestPattern(join(folder, 'clip.mp4'));
    const result = await fate(['track', video, '--out', join(folder, 'no-ffmpeg')], { FFMPEG_PATH: '/none/ffmpeg' });
    expect(result.said).toMatch(/ffmpeg.*cannot be started/);
    expectSentence(result.said);
    expect(result.code).toBe(EXIT.machine);
  });
});
