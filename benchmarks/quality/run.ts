// Held-out quality on the real clips and the demo's subject, as a table:
//   npm run quality [-- --only TEXT] [--steps N] [--frames N] [--gaussians N]
// Each case runs in out/quality/CASE, resumes there, and leaves its report's pictures as out/quality/CASE-*.png. Ends
// with 1 when a score is below its threshold (test/quality-thresholds.ts); with options of its own, only the floors hold.
import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { CreateOptions } from '../../src/command-options.ts';
import { createAvatar } from '../../src/platform/node/index.ts';
import { missedThresholds, qualityScores, QUALITY_THRESHOLDS } from '../../test/quality-thresholds.ts';
import { QUALITY_CASES } from './cases.ts';
import { scoreTable, showProgress, type ScoreRow } from './score-table.ts';

const { values: flags } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    steps: { type: 'string' },
    frames: { type: 'string' },
    gaussians: { type: 'string' },
    out: { type: 'string', default: 'out/quality' },
  },
});
const root = resolve(import.meta.dirname, '../..', flags.out);
const given: Partial<CreateOptions> = Object.fromEntries(
  (['steps', 'frames', 'gaussians'] as const).flatMap((name) => (flags[name] ? [[name, Number(flags[name])]] : [])),
);
const isShortened = Object.keys(given).length > 0;

await mkdir(root, { recursive: true });
const rows: ScoreRow[] = [];
const missed: string[] = [];
for (const { name, open } of QUALITY_CASES.filter((quality) => quality.name.includes(flags.only))) {
  console.error(`\n== ${name}`);
  const out = join(root, name.replaceAll(', ', '-'));
  const input = await open(out);
  if (!input) continue;
  const metrics = await createAvatar({ ...input, out, ...given }, { onProgress: showProgress(), log: console.error });
  rows.push({ name, metrics });
  const { floor, measured } = QUALITY_THRESHOLDS[name];
  const sentences = missedThresholds(qualityScores(metrics), { floor, measured: isShortened ? null : measured });
  missed.push(...sentences.map((sentence) => `${name}: ${sentence}`));
  for (const file of await readdir(join(out, 'report'))) {
    if (file.endsWith('.png')) await copyFile(join(out, 'report', file), `${out}-${file}`);
  }
}
const summary = rows.map(({ name, metrics }) => ({
  name,
  scores: qualityScores(metrics),
  metrics: { ...metrics, perFrame: undefined },
}));
await writeFile(join(root, 'quality.json'), `${JSON.stringify(summary, null, 2)}\n`);
console.log(`\n${scoreTable(rows)}\n`);
for (const sentence of missed) console.log(sentence);
process.exit(missed.length > 0 ? 1 : 0);
