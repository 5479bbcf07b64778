/**
 * Acceptance of editing: `npm run edits -- DIR [--out FOLDER]`, DIR being a baked run. Draws a checkerboard on the cheek, a
 * moustache, a logo on the forehead and recoloured hair, each at 5 yaw angles and 3 expressions at 256², into one contact
 * sheet per edit, and prints what was measured on them (also as JSON, FOLDER/figures.json). The run's folder is only read.
 */
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { editAvatar, type EditedAvatar } from '../../src/editing/edited-avatar.ts';
import { namedPlace } from '../../src/editing/find-place.ts';
import { headSurface } from '../../src/editing/head-surface.ts';
import { LAYER_DEFAULTS, type Layer, type StickerLayer } from '../../src/editing/layers.ts';
import type { BakedAvatar } from '../../src/baking/baked-avatar.ts';
import { bakedGaussians } from '../../src/baking/baked-avatar.ts';
import { writeFileAtomically } from '../../src/platform/node/atomic-file.ts';
import { readBaked } from '../../src/platform/node/baked-folder.ts';
import { encodePng } from '../../src/platform/node/image-file.ts';
import { createNodeGpu } from '../../src/platform/node/node-gpu.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { contactSheet } from '../../src/report/sheets.ts';
import type { Image } from '../../src/video/frame.ts';
import { AvatarRenderer } from '../../src/viewer/avatar-renderer.ts';
import { centredCamera, poseForView } from '../../src/viewer/views.ts';
import { bleedingFigures, checkerFigures, driftFigure, squareMiddles } from '../../test/edit-measures.ts';
import { CHECKER_DARK, CHECKER_LIGHT, checkerboard, logo, moustache } from './images.ts';

const YAWS = [-50, -25, 0, 25, 50];
const EXPRESSIONS: readonly (readonly [string, Record<string, number>])[] = [
  ['neutral', {}],
  ['smile', { smile: 0.9 }],
  ['jaw open', { jawOpen: 0.6 }],
];
const SIZE = 256;
const SQUARES = 4;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { out: { type: 'string', default: 'out/edits' } },
});
const folder = positionals[0];
if (!folder) throw new Error('usage: npm run edits -- DIR [--out FOLDER]');
const out = resolve(values.out);

const baked = await readBaked(folder);
const images = new Map<string, Image>([
  ['checker', checkerboard(SQUARES)],
  ['inverse', inverse(checkerboard(SQUARES))],
  ['moustache', moustache()],
  ['logo', logo()],
]);
const sticker = (image: string, place: string, size: number): StickerLayer => ({
  ...LAYER_DEFAULTS, name: image, kind: 'sticker', image, at: namedPlace(baked.avatar, place), size, turn: 0,
}); // prettier-ignore
const edits: readonly { name: string; layers: readonly Layer[] }[] = [
  { name: 'checker', layers: [sticker('checker', 'left-cheek', SQUARES * 0.01)] },
  { name: 'moustache', layers: [sticker('moustache', 'upper-lip', 0.062)] },
  { name: 'logo', layers: [sticker('logo', 'forehead', 0.036)] },
  { name: 'hair', layers: [{ ...LAYER_DEFAULTS, name: 'hair', kind: 'recolor', part: 'hair', color: '#3a1f9a' }] },
];

const gpu = await createNodeGpu();
const figures: Record<string, object> = {};
for (const { name, layers } of edits) {
  const started = performance.now();
  const edited = editAvatar(baked, layers, images);
  const seconds = (performance.now() - started) / 1000;
  const renderer = await AvatarRenderer.create(gpu, edited.avatar);
  const cells = [];
  for (const [, expression] of EXPRESSIONS) {
    for (const yaw of YAWS) {
      const pose = poseForView(edited.avatar, { yaw }, expression);
      cells.push({
        image: await renderer.render(pose, centredCamera(edited.avatar.camera, SIZE)),
        caption: expression === EXPRESSIONS.at(-1)![1] ? `${yaw}°` : '',
      });
    }
  }
  const sheet = contactSheet(cells, { columns: YAWS.length, cellSize: SIZE, rowLabels: EXPRESSIONS.map(([label]) => label) }); // prettier-ignore
  await writeFileAtomically(join(out, `${name}.png`), await encodePng(sheet));
  figures[name] = {
    seconds: round(seconds, 1),
    gaussians: edited.avatar.gaussians.count,
    ...(name === 'hair' ? {} : await measure(gpu, baked, edited, layers, renderer)),
  };
  console.log(name.padEnd(10), JSON.stringify(figures[name]));
  renderer.dispose();
}
await writeFileAtomically(join(out, 'figures.json'), `${JSON.stringify(figures, null, 2)}\n`);
console.log(`pictures and figures: ${out}`);
process.exit(0);

/** Worst figures over all views and expressions. */
async function measure(
  device: Gpu,
  given: BakedAvatar,
  edited: EditedAvatar,
  layers: readonly Layer[],
  renderer: AvatarRenderer,
): Promise<object> {
  const plain = bakedGaussians(given);
  const before = await AvatarRenderer.create(device, plain);
  const isChecker = layers[0].name === 'checker';
  const other = images.set('other', inverse(images.get(layers[0].name)!));
  const repainted = editAvatar(given, [{ ...layers[0], image: 'other' } as Layer], other);
  const after = await AvatarRenderer.create(device, repainted.avatar);
  const points = isChecker ? squareMiddles(headSurface(given.avatar), edited, layers[0] as StickerLayer, SQUARES) : [];
  const camera = centredCamera(given.avatar.camera, SIZE);
  const worst = { squaresSeen: 0, leastGap: 1, leastContrast: 1, paintOutside: 0, meanOutside: 0, highOutside: 0, driftMillimetres: 0 }; // prettier-ignore
  const rest = poseForView(plain);
  for (const [, expression] of EXPRESSIONS) {
    for (const yaw of YAWS) {
      const pose = poseForView(plain, { yaw }, expression);
      const drawn = await renderer.renderFloat(pose, camera);
      if (isChecker) {
        const found = await checkerFigures(renderer, plain, points, pose, camera, drawn);
        worst.squaresSeen += found.seen;
        if (found.seen >= 4) {
          worst.leastGap = Math.min(worst.leastGap, found.gap);
          worst.leastContrast = Math.min(worst.leastContrast, (found.contrast * 255) / (CHECKER_LIGHT - CHECKER_DARK));
        }
      }
      const bleeding = await bleedingFigures(renderer, edited, pose, camera, {
        edited: drawn,
        repainted: await after.renderFloat(pose, camera),
        unedited: await before.renderFloat(pose, camera),
      });
      worst.paintOutside = Math.max(worst.paintOutside, bleeding.ofPaint);
      worst.meanOutside = Math.max(worst.meanOutside, bleeding.meanOutside);
      worst.highOutside = Math.max(worst.highOutside, bleeding.highOutside);
    }
    const drift = await driftFigure(renderer, plain, edited, rest, poseForView(plain, {}, expression));
    worst.driftMillimetres = Math.max(worst.driftMillimetres, drift * 1000);
  }
  before.dispose();
  after.dispose();
  const { squaresSeen, leastGap, leastContrast, ...others } = worst;
  const all = isChecker ? { squaresSeen, leastGap, leastContrast, ...others } : others;
  return Object.fromEntries(Object.entries(all).map(([key, value]) => [key, round(value, 4)]));
}

function inverse({ data, channels, ...rest }: Image): Image {
  return { ...rest, channels, data: data.map((value, at) => (channels === 4 && at % 4 === 3 ? value : 255 - value)) };
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
