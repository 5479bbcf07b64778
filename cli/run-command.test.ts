import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { builtCommand } from '../test/built-command.ts';
import { EXIT, exitCodeOf } from './exit-codes.ts';
import { clockText, createProgressDisplay, RemainingTime } from './progress.ts';

const root = resolve(import.meta.dirname, '..');

let command: string;
beforeAll(async () => {
  command = await builtCommand();
});

/** Runs a TypeScript file of this folder, or the built command, as a process; `onText` sees stderr as it grows. */
async function run(
  args: string[],
  onText: (stderr: string, kill: (signal: NodeJS.Signals) => void) => void = () => {},
) {
  const script = args[0]?.endsWith('.ts') ? join(root, 'scripts/run.mjs') : command;
  const child = spawn(process.execPath, [script, ...args], { cwd: root });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (part) => (output.stdout += part));
  child.stderr.on('data', (part) => {
    output.stderr += part;
    onText(output.stderr, (signal) => child.kill(signal));
  });
  const [code] = (await once(child, 'close')) as [number];
  return { code, ...output };
}

describe('the process of a command', () => {
  it('stops at a checkpoint on Ctrl-C, and ends with 130', async () => {
    let isSent = false;
    const result = await run(['cli/fixtures/slow-command.ts', '50'], (text, kill) => {
      if (text.includes('fit 0/1000') && !isSent) kill('SIGINT');
      isSent ||= text.includes('fit 0/1000');
    });
    expect(result.stderr).toMatch(/Stopping at the next checkpoint[\s\S]*checkpoint written[\s\S]*Interrupted/);
    expect(result.code).toBe(130);
    expect(JSON.parse(result.stdout.trim().split('\n').at(-1)!)).toMatchObject({ exitCode: 130 });
  });

  it('stops at once on a second Ctrl-C', async () => {
    let sent = 0;
    const result = await run(['cli/fixtures/slow-command.ts', '60000'], (text, kill) => {
      if (sent === 0 && text.includes('fit 0/1000')) {
        sent = 1;
        kill('SIGINT');
      } else if (sent === 1 && text.includes('Stopping')) {
        sent = 2;
        kill('SIGINT');
      }
    });
    expect(result.code).toBe(130);
    expect(result.stderr).not.toContain('checkpoint written');
  });

  it('says in one sentence which argument is wrong, and ends with 2', async () => {
    const result = await run(['create', 'x.mp4', '--out', 'out', '--size', '300', '--json']);
    expect(result.code).toBe(2);
    expect(result.stderr).toContain('fate: option "size" is "300", but must be one of 256, 512');
    expect(JSON.parse(result.stdout)).toMatchObject({ exitCode: 2, error: { name: 'OptionError' } });
    expect(await run(['create', 'x.mp4'])).toMatchObject({ code: 2 });
    expect(await run(['nonsense'])).toMatchObject({ code: 2 });
  });

  it('is not ended by a reader that has seen enough', async () => {
    const child = spawn(process.execPath, [command, 'create', '--help'], { cwd: root });
    let stderr = '';
    child.stderr.on('data', (part) => (stderr += part));
    child.stdout.destroy();
    const [code] = (await once(child, 'close')) as [number];
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  it('tells units, defaults and exit codes in --help', async () => {
    const { stdout, code } = await run(['create', '--help']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/--size <256\|512>\s+edge of the square crop that is learned \(pixels;\s+default 256\)/);
    expect(stdout).toContain('130  interrupted');
  });
});

describe('fate doctor', () => {
  it('reports the machine as one JSON object', async () => {
    const { stdout, code } = await run(['doctor', '--json']);
    const report = JSON.parse(stdout.trim().split('\n').at(-1)!);
    expect(report).toMatchObject({ isReady: true, node: process.versions.node });
    expect(report.adapter.limits.maxStorageBufferBindingSize).toBeGreaterThan(0);
    expect(report.models.filter((model: { isFound: boolean }) => model.isFound)).toHaveLength(2);
    expect(code).toBe(0);
  });

  it('finds a wrong head folder, and ends with 4', async () => {
    const { stdout, code } = await run(['doctor', '--head', `ict:${join(root, 'docs')}`]);
    expect(stdout).toMatch(/ABSENT.*holds neither OBJ files nor the packed form/);
    expect(code).toBe(4);
  });
});

describe('fate models', () => {
  it('lists files, pages, licences and sums, and ends with 3 for a file that cannot be used', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'fate-models-command-'));
    try {
      const empty = await run(['models', '--models', folder]);
      expect(empty.code).toBe(0);
      expect(empty.stdout).toMatch(/vgg16-397923af\.pth: absent[\s\S]*licence +BSD[\s\S]*sha256 +397923af8e79/);
      expect(empty.stdout).toMatch(/vgg16\.onnx: absent[\s\S]*sha256 +not known to this release/);
      await writeFile(join(folder, 'vgg16.safetensors'), 'an error page');
      const { stdout, code } = await run(['models', '--models', folder, '--json']);
      const { files } = JSON.parse(stdout.trim().split('\n').at(-1)!);
      expect(files.filter((file: { isFound: boolean }) => file.isFound)).toEqual([
        expect.objectContaining({ file: 'vgg16.safetensors', fault: expect.stringContaining('not a readable') }),
      ]);
      expect(code).toBe(3);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('exitCodeOf', () => {
  const named = (name: string, more: object = {}): Error => Object.assign(new Error('x'), { name, ...more });

  it.each([
    [named('NoFaceFoundError'), EXIT.input],
    [named('DeviceLostError'), EXIT.machine],
    [named('Error', { code: 'ENOSPC' }), EXIT.machine],
    [named('Error', { cause: named('AbortError') }), EXIT.interrupted],
    [named('UnsupportedVideoError', { cause: named('FfmpegMissingError') }), EXIT.machine],
    [named('HeadModelError', { cause: named('Error', { code: 'ENOENT' }) }), EXIT.input],
    [new TypeError('x is undefined'), EXIT.bug],
    ['no error at all', EXIT.bug],
  ])('%s is %i', (error, code) => {
    expect(exitCodeOf(error)).toBe(code);
  });
});

describe('progress', () => {
  it('estimates from what this run has done, not from what it resumed', () => {
    const remaining = new RemainingTime(50, 1000);
    expect(remaining.seconds(50, 100, 2000)).toBeNull();
    expect(remaining.seconds(60, 100, 3000)).toBe(8);
    expect([clockText(65), clockText(7325), clockText(null)]).toEqual(['1:05', '2:02:05', '–:––']);
  });

  it('writes plain lines, not one per step, where there is no terminal', () => {
    const lines: string[] = [];
    const display = createProgressDisplay({ isTTY: false, write: (line: string) => lines.push(line) } as never);
    for (let done = 0; done <= 100; done++) display.onProgress({ stage: 'track', done, total: 100 });
    display.onProgress({ stage: 'fit', done: 0, total: 9, note: 'loss 0.1' });
    expect(lines).toEqual(['track 0/100\n', 'track 100/100\n', 'fit 0/9 loss 0.1\n']);
  });
});
