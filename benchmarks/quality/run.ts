// Held-out quality on the real clips, as a table: npm run quality [-- --ablations] [--only TEXT] [--steps N] [--frames N]
// Each case runs in out/quality/CASE and resumes there; `--ablations` fits selfie-glasses with each part left out, on
// one track. Ends with 1 when a score is below its floor (cases.ts).
import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { CreateOptions } from '../../src/command-options.ts';
import type { Metrics } from '../../src/evaluation/metrics-file.ts';
import type { Progress } from '../../src/video/frame.ts';
import { createAvatar, trackVideo } from '../../src/platform/node/index.ts';
import { sharedPath } from '../../test/shared.ts';
import { ABLATIONS, missedFloors, QUALITY_CASES, type QualityCase } from './cases.ts';

const { values: flags } = parseArgs({
  options: {
    ablations: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    steps: { type: 'string' },
    frames: { type: 'string' },
  },
});
const root = resolve(import.meta.dirname, '../../out/quality');
const options: Partial<CreateOptions> = {
  ...(flags.steps ? { steps: Number(flags.steps) } : {}),
  ...(flags.frames ? { frames: Number(flags.frames) } : {}),
};

interface Row {
  readonly name: string;
  readonly metrics: Metrics;
  readonly missed: readonly string[];
}

const rows = flags.ablations ? await runAblations() : await runCases();
await mkdir(root, { recursive: true });
const file = join(root, flags.ablations ? 'ablations.json' : 'quality.json');
await writeFile(file, `${JSON.stringify(rows.map(({ name, missed, metrics: { perFrame: _, ...metrics } }) => ({ name, missed, ...metrics })), null, 2)}\n`);
console.log(`\n${table(rows)}\n`);
const missed = rows.flatMap((row) => row.missed.map((sentence) => `${row.name}: ${sentence}`));
for (const sentence of missed) console.log(sentence);
process.exit(missed.length > 0 ? 1 : 0);

async function runCases(): Promise<Row[]> {
  const done: Row[] = [];
  for (const quality of QUALITY_CASES.filter(({ name }) => name.includes(flags.only))) {
    const input = inputOf(quality);
    if (!input) continue;
    console.error(`\n== ${quality.name}`);
    const out = join(root, quality.name.replaceAll(', ', '-'));
    const metrics = await createAvatar({ ...input, out, ...options }, { onProgress: showProgress(), log: console.error });
    done.push({ name: quality.name, metrics, missed: missedFloors(metrics, quality.floors) });
  }
  return done;
}

/** One track, fitted with each of the ablations. */
async function runAblations(): Promise<Row[]> {
  const input = inputOf(QUALITY_CASES[0]!);
  if (!input) return [];
  const tracked = join(root, 'ablations/track');
  const { frames } = options;
  await trackVideo({ ...input, out: tracked, ...(frames ? { frames } : {}) }, { onProgress: showProgress(), log: console.error });
  const done: Row[] = [];
  for (const ablation of ABLATIONS.filter(({ name }) => name.includes(flags.only))) {
    console.error(`\n== ${ablation.name}`);
    const out = join(root, 'ablations', ablation.name.replaceAll(/\W+/g, '-'));
    await cp(tracked, out, { recursive: true, force: false, errorOnExist: false });
    await rm(join(out, 'run.lock'), { force: true });
    const given = { ...input, out, ...options, ...ablation.options };
    const metrics = await createAvatar(given, { onProgress: showProgress(), log: console.error });
    done.push({ name: ablation.name, metrics, missed: [] });
  }
  return done;
}

function inputOf({ clip, head, name }: QualityCase): { video: string; head: string } | null {
  const video = sharedPath(clip);
  const headPath = head === 'builtin' ? head : sharedPath(head);
  if (video && headPath) return { video, head: head === 'builtin' ? head : `ict:${headPath}` };
  console.error(`${name}: left out, ${clip} or ${head} is not in the folder of test data (FATE_SHARED)`);
  return null;
}

function showProgress(): (progress: Progress) => void {
  let last = 0;
  return ({ stage, done, total, note }) => {
    if (Date.now() - last < 15_000 && done < total) return;
    last = Date.now();
    console.error(`${stage} ${done}/${total} ${note ?? ''}`);
  };
}

/** Scores in Markdown: fitted / as tracked. */
function table(results: readonly Row[]): string {
  const number = (value: number | null | undefined, digits: number): string => (value ?? Number.NaN).toFixed(digits);
  const lines = results.map(({ name, metrics: { heldOut, gaussianCount, seconds, stepsPerSecond, peakMemoryMB } }) => {
    const pair = (pick: 'psnr' | 'psnrForeground' | 'ssim', digits: number): string =>
      `${number(heldOut?.fitted[pick], digits)} / ${number(heldOut?.[pick], digits)}`;
    const cells = [name, pair('psnr', 2), pair('psnrForeground', 2), pair('ssim', 4), gaussianCount, stepsPerSecond.toFixed(1)];
    return `| ${[...cells, Math.round(seconds.total), Math.round(peakMemoryMB)].join(' | ')} |`;
  });
  const head = ['', 'PSNR', 'foreground', 'SSIM', 'Gaussians', 'steps/s', 'seconds', 'MB'];
  return [`| ${head.join(' | ')} |`, `|${'---|'.repeat(head.length)}`, ...lines].join('\n');
}
