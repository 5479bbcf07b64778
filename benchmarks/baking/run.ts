// Bakes one fitted avatar in each variant and with each K, and writes the scores as docs/baking.md:
//   npm run baking -- --run DIR [--steps N] [--polish N] [--map-size N] [--width N] [--depth N] [--only A,B] [--file F]
//     [--pictures DIR]
// DIR is the folder of a finished run (`fate demo`, `fate create`); it is copied, one folder per bake under out/baking, and
// each bake resumes there. --only leaves the bakes of these names (variants.ts). --pictures also writes the variants' colour maps: give it for subjects that may be shown.
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import { basename, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { atlasCoverage } from '../../src/baking/atlas-coverage.ts';
import { BAKE_DEFAULTS } from '../../src/baking/bake-options.ts';
import type { BakeCommandOptions } from '../../src/baking/bake-command-options.ts';
import { colorImage } from '../../src/baking/map-images.ts';
import { bakeRun, encodePng, evaluateBaked, type BakedMetrics } from '../../src/platform/node/index.ts';
import { readBaked } from '../../src/platform/node/baked-folder.ts';
import { contactSheet } from '../../src/report/sheets.ts';
import type { Image } from '../../src/video/frame.ts';
import { showProgress } from '../quality/score-table.ts';
import { HOLDS, VARIANTS, type BakeCase } from './variants.ts';

const { values: flags } = parseArgs({
  options: {
    run: { type: 'string' },
    steps: { type: 'string' },
    polish: { type: 'string' },
    'map-size': { type: 'string' },
    width: { type: 'string' },
    depth: { type: 'string' },
    only: { type: 'string', default: '' },
    file: { type: 'string', default: 'docs/baking.md' },
    pictures: { type: 'string' },
  },
});
if (!flags.run) {
  console.error('Give the folder of a finished run: npm run baking -- --run out/demo');
  process.exit(2);
}
const project = resolve(import.meta.dirname, '../..');
const source = resolve(flags.run);
const { steps, polish, 'map-size': mapSize, width, depth } = flags;
const given = { steps, polish, mapSize, width, depth };
const numbers = Object.entries(given).flatMap(([name, value]) => (value ? [[name, Number(value)] as const] : []));
const shape: Partial<BakeCommandOptions> = Object.fromEntries(numbers);
// A shorter bake has folders of its own, so that it never stands in the way of a full one.
const root = join(project, 'out/baking', [basename(source), ...numbers.flat()].join('-'));

interface Row {
  readonly name: string;
  readonly folder: string;
  readonly metrics: BakedMetrics;
}

const [variants, holds] = [await bakeAll(VARIANTS), await bakeAll(HOLDS)];
if (flags.pictures && variants.length > 0) await writePictures(resolve(project, flags.pictures), variants);
const file = resolve(project, flags.file);
await mkdir(resolve(file, '..'), { recursive: true });
await writeFile(file, page(variants, holds));
console.log(`\n${variantTable(variants)}\n\n${holdTable(holds)}\n\nwritten to ${relative(project, file)}`);
process.exit(0);

async function bakeAll(cases: readonly BakeCase[]): Promise<Row[]> {
  const rows: Row[] = [];
  const only = flags.only.split(',');
  for (const { name, options } of cases.filter((each) => flags.only === '' || only.includes(each.name))) {
    console.error(`\n== ${name}`);
    const folder = join(root, name.replaceAll(/\W+/g, '-'));
    if (!(await isOfThisAvatar(folder))) await rm(folder, { recursive: true, force: true });
    await cp(source, folder, { recursive: true, force: false, errorOnExist: false });
    await rm(join(folder, 'run.lock'), { force: true });
    const context = { onProgress: showProgress(), log: console.error };
    await bakeRun({ folder, ...shape, ...options }, context);
    rows.push({ name, folder, metrics: await evaluateBaked({ folder }, context) });
  }
  return rows;
}

/** Whether a folder that an earlier run left is of the avatar at hand, and not of one fitted before. */
async function isOfThisAvatar(folder: string): Promise<boolean> {
  const read = (run: string): Promise<Buffer | null> => readFile(join(run, 'avatar.safetensors')).catch(() => null);
  const [here, left] = await Promise.all([read(source), read(folder)]);
  return here !== null && left !== null && here.equals(left);
}

function variantTable(rows: readonly Row[]): string {
  const head =
    '|  | PSNR, dB | SSIM | LPIPS | Gaussians | processor seconds | variation | holes |\n|---|---|---|---|---|---|---|---|';
  const before = rows[0]?.metrics.beforeBaking;
  const fitted = before
    ? [`| fitted, not baked | ${scores(before)} | ${rows[0]!.metrics.gaussianCount} | – | – | – |`]
    : [];
  const lines = rows.map(({ name, metrics: { heldOut, bake } }) => {
    const { totalVariation, holes } = bake.colorMap;
    return `| ${name} | ${scores(heldOut)} | ${bake.gaussianCount} | ${bake.processorSeconds.toFixed(0)} | ${totalVariation.toFixed(4)} | ${(100 * holes).toFixed(2)} % |`;
  });
  return [head, ...fitted, ...lines].join('\n');
}

function holdTable(rows: readonly Row[]): string {
  const head = '|  | PSNR, dB | SSIM | LPIPS | seconds | processor seconds | of K = 1 |\n|---|---|---|---|---|---|---|';
  const first = rows.find(({ name }) => name === 'K = 1')?.metrics.bake.processorSeconds;
  const lines = rows.map(({ name, metrics: { heldOut, bake } }) => {
    const share = first ? `1 / ${(first / bake.processorSeconds).toFixed(1)}` : '–';
    return `| ${name} | ${scores(heldOut)} | ${bake.seconds.toFixed(0)} | ${bake.processorSeconds.toFixed(0)} | ${share} |`;
  });
  return [head, ...lines].join('\n');
}

/** PSNR, SSIM and LPIPS, each fitted / as tracked. */
function scores(heldOut: BakedMetrics['heldOut']): string {
  if (!heldOut) return '– | – | –';
  const { fitted, psnr, ssim, lpips } = heldOut;
  const distance = lpips === null ? '–' : `${fitted.lpips?.toFixed(4) ?? '–'} / ${lpips.toFixed(4)}`;
  return `${fitted.psnr.toFixed(2)} / ${psnr.toFixed(2)} | ${fitted.ssim.toFixed(4)} / ${ssim.toFixed(4)} | ${distance}`;
}

/** One sheet: the colour maps of the variants. */
async function writePictures(folder: string, rows: readonly Row[]): Promise<void> {
  const cells: { image: Image; caption: string }[] = [];
  for (const { name, folder: run } of rows) {
    const { maps, avatar } = await readBaked(run);
    const { data, width, height } = colorImage(maps.colorMap, atlasCoverage(avatar.head, maps.size));
    cells.push({ caption: name, image: { data: Uint8Array.from(data), width, height, channels: 4 } });
  }
  await mkdir(folder, { recursive: true });
  await writeFile(
    join(folder, 'baking-color-maps.png'),
    await encodePng(contactSheet(cells, { columns: Math.min(4, cells.length), cellSize: 320 })),
  );
}

/** The tables with what it takes to read and repeat them. */
function page(rows: readonly Row[], held: readonly Row[]): string {
  const [first] = [...rows, ...held];
  if (!first) return '';
  const { metrics } = first;
  const command = `npm run baking -- ${process.argv.slice(2).map(quoted).join(' ')}`;
  const machine = `${cpus()[0]?.model.trim() ?? 'an unknown processor'}, ${availableParallelism()} cores, ${metrics.adapter.trim()}`;
  const { mapSize } = metrics.bake;
  const { steps, polish, polishHold, hold, warmUp, enlargement, width, depth } = { ...BAKE_DEFAULTS, ...shape };
  const picture = flags.pictures
    ? `\n![Colour maps of the variants](${relative(resolve(file, '..'), join(resolve(project, flags.pictures), 'baking-color-maps.png'))})\n`
    : '';
  return `# Baking: variants and K

\`${basename(source)}\` baked into ${mapSize}² maps, one seed (${metrics.seed}); ${metrics.frames.trained} frames learned from, ${metrics.heldOut?.frames ?? 0} held out. A bake takes ${warmUp} steps of the network (width ${width}, depth ${depth}, maps of ${mapSize / enlargement}² enlarged ${enlargement} times) towards the fitted attributes, then one after every ${hold} frames for ${steps} frames; then the maps take on the fitted detail and polish for ${polish} frames, a step after every ${polishHold}. A free feature map learns from the first ${steps} frames alone, and one-stage takes no detail from a fit. Scores are means over the held-out frames, on white; each cell is *fitted* (after 50 steps of pose, expression and translation per frame, the avatar frozen) / *as tracked*. Variation: mean difference of neighbouring texels of the colour map that frames show; holes: such texels that differ by more than 0.2 from the median around them.

## Variants

${variantTable(rows)}
${picture}
${holdSection(held)}
Made by \`${command}\` on ${machine}. Seconds are the bake's alone; processor seconds are those of all cores.
`;
}

function holdSection(rows: readonly Row[]): string {
  if (rows.length === 0) return '';
  return `
## K: frames that share the maps

The same frames in the same order; K times fewer steps of the network on them. Warm-up, detail and polish are the same in all, and in their seconds.

${holdTable(rows)}
`;
}

function quoted(argument: string): string {
  return /[^\w./=-]/.test(argument) ? `"${argument}"` : argument;
}
