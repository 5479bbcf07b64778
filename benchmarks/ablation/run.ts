// Fits one tracked clip with each part of the method left out, and writes the scores as docs/ablations.md:
//   npm run ablation [-- --clip NAME] [--head ict|builtin] [--steps N] [--frames N] [--gaussians N] [--seeds 1,2]
//                    [--only TEXT,TEXT] [--file F]
// The clip is tracked once, in out/ablation/…/track; each fit runs in a folder of its own beside it and resumes there.
import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { FitCommandOptions } from '../../src/command-options.ts';
import { evaluateAvatar, fitAvatar, trackVideo } from '../../src/platform/node/index.ts';
import { openClip } from '../quality/cases.ts';
import { scoreTable, seedTable, showProgress, type ScoreRow } from '../quality/score-table.ts';
import { ABLATIONS, type Ablation } from './ablations.ts';

const { values: flags } = parseArgs({
  options: {
    clip: { type: 'string', default: 'selfie-glasses' },
    head: { type: 'string', default: 'ict' },
    steps: { type: 'string' },
    frames: { type: 'string' },
    gaussians: { type: 'string' },
    seeds: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    file: { type: 'string', default: 'docs/ablations.md' },
  },
});
const project = resolve(import.meta.dirname, '../..');
const numbers = (...names: ('steps' | 'frames' | 'gaussians')[]): Record<string, number> =>
  Object.fromEntries(names.flatMap((name) => (flags[name] ? [[name, Number(flags[name])]] : [])));
const seeds = flags.seeds.split(',').map(Number);
const context = { onProgress: showProgress(), log: console.error };

const input = await openClip(
  `data/clips/${flags.clip}.mp4`,
  flags.head === 'ict' ? 'data/heads/ict-facekit' : flags.head,
);
if (!input) process.exit(1);
// A shorter run has folders of its own, so that it never stands in the way of a full one.
const shape = [flags.clip, flags.head, ...Object.entries(numbers('frames', 'steps', 'gaussians')).flat()].join('-');
const root = join(project, 'out/ablation', shape);
const tracked = join(root, 'track');
await trackVideo({ ...input, out: tracked, ...numbers('frames') }, context);

const asked = ABLATIONS.filter(isAsked);
if (asked.length === 0)
  throw new Error(`--only ${flags.only} names none of: ${ABLATIONS.map(({ name }) => name).join(', ')}`);
const rows: ScoreRow[] = [];
for (const { name, options } of asked) {
  for (const seed of seeds) rows.push({ name, metrics: await scoreFit(name, { ...options, seed }) });
}
const file = resolve(project, flags.file);
await mkdir(resolve(file, '..'), { recursive: true });
await writeFile(file, page(rows));
console.log(`\n${tables(rows)}\n\nwritten to ${relative(project, file)}`);
process.exit(0);

function isAsked({ name }: Ablation): boolean {
  return flags.only.split(',').some((part) => name.includes(part));
}

/** Fits in a folder of its own, which a stopped run goes on with. */
async function scoreFit(name: string, options: Partial<FitCommandOptions>): Promise<ScoreRow['metrics']> {
  console.error(`\n== ${name}, seed ${options.seed}`);
  const folder = join(
    root,
    [name.replaceAll(/\W+/g, '-'), ...(options.seed === 1 ? [] : ['seed', options.seed])].join('-'),
  );
  await cp(tracked, folder, { recursive: true, force: false, errorOnExist: false });
  await rm(join(folder, 'run.lock'), { force: true });
  await fitAvatar({ folder, ...numbers('steps', 'gaussians'), ...options }, context);
  return evaluateAvatar({ folder }, context);
}

/** With several seeds, one table of the first and one of all. */
function tables(results: readonly ScoreRow[]): string {
  const first = scoreTable(results.filter(({ metrics }) => metrics.seed === seeds[0]));
  return seeds.length === 1 ? first : `${first}\n\nSeeds ${seeds.join(', ')}: mean (each).\n\n${seedTable(results)}`;
}

/** The table with what it takes to read and repeat it. */
function page(results: readonly ScoreRow[]): string {
  const [first] = results;
  if (!first) return '';
  const { metrics } = first;
  const { heldOut, frames } = metrics;
  const given = process.argv.slice(2).map((part) => (part.includes(' ') ? `"${part}"` : part));
  const command = `npm run ablation${given.length > 0 ? ` -- ${given.join(' ')}` : ''}`;
  const machine = `${cpus()[0]?.model.trim() ?? 'an unknown processor'}, ${availableParallelism()} cores, ${metrics.adapter.trim()}`;
  return `# Ablations

What each part of the first stage adds: \`${flags.clip}\` with the head model \`${flags.head}\`, one track, seed ${metrics.seed}; ${frames.trained} frames learned from, ${heldOut?.frames ?? 0} held out. Scores are means over the held-out frames, on white; each cell is *fitted* (after 50 steps of pose, expression and translation per frame, the avatar frozen) / *as tracked*. The foreground is the matte dilated by 8 px at 512².

${tables(results)}

Made by \`${command}\` on ${machine}. Seconds and MB are those of track and fit.
`;
}
