import { basename, resolve } from 'node:path';
import { parseExpression } from '../../../animation/expression-text.ts';
import { atlasCoverage } from '../../../baking/atlas-coverage.ts';
import type { BakedAvatar } from '../../../baking/baked-avatar.ts';
import { colorImage } from '../../../baking/map-images.ts';
import { encodePngRaster } from '../../../avatar/png.ts';
import { hexOf } from '../../../editing/colors.ts';
import { addLayer, checkLayer, findLayer, redo, removeLayer, undo, updateLayer, type EditList } from '../../../editing/edit-list.ts'; // prettier-ignore
import { EDIT_ACTIONS, EDIT_LOOK, EDIT_OPTIONS, EDIT_PLACEMENT, type EditOptions } from '../../../editing/edit-options.ts'; // prettier-ignore
import { checkUv, namedPlace, parsePoints, pickPlace } from '../../../editing/find-place.ts';
import { flattenMaps } from '../../../editing/flatten.ts';
import { headSurface } from '../../../editing/head-surface.ts';
import { EditError, RECOLOR_PARTS, type Layer, type LayerKind } from '../../../editing/layers.ts';
import { paintedPicture } from '../../../editing/painted-picture.ts';
import { OptionError, resolveOptions } from '../../../options.ts';
import { centredCamera, poseForView } from '../../../viewer/views.ts';
import { writeFileAtomically } from '../atomic-file.ts';
import { readBaked } from '../baked-folder.ts';
import { readColorImage } from '../color-image.ts';
import { adoptImage, keepImage, readEdits, readImages, writeEdits } from '../edits-folder.ts';
import { encodePng } from '../image-file.ts';
import { RunFolder } from '../run-folder.ts';
import type { RunContext } from './context.ts';
import { readAvatar } from './fit-run.ts';
import { styleMap } from './style-map.ts';

/** What `fate edit` did, and the layers now, the topmost first. */
export interface EditResult {
  readonly changed: string | null;
  readonly file: string | null;
  readonly layers: readonly Layer[];
  readonly canUndo: string | null;
  readonly canRedo: string | null;
}

type Action = keyof typeof EDIT_ACTIONS;

/** One step of an edit: what is known of the run, and what was asked for. */
interface EditStep {
  readonly path: string;
  readonly baked: BakedAvatar;
  readonly edits: EditList;
  readonly options: EditOptions;
  /** Names of the options that were given. */
  readonly given: ReadonlySet<string>;
  readonly context: RunContext;
}

/**
 * Changes a run's list of edits by one action, or shows it. The baked maps stay as they are. The list is written last and
 * whole, so that what fails leaves it as it was. Throws `EditError`, `OptionError`, `MapsFileError`, `ImportError`.
 */
export async function editAvatarRun(
  { folder, ...given }: { folder: string } & Partial<EditOptions>,
  context: RunContext = {},
): Promise<EditResult> {
  const options = resolveOptions(EDIT_OPTIONS, given);
  const names = new Set(Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [name])));
  const action = chosenAction(options);
  const run = await RunFolder.open(folder);
  try {
    const path = resolve(folder);
    const avatar = await readAvatar(run);
    const baked = await readBaked(path, { avatar });
    const before = await readEdits(path, avatar.head);
    const step = { path, baked, edits: before, options, given: names, context };
    if (action === 'list') return summary(before, null, null);
    if (action === 'exportColor') return summary(before, null, await exportColor(step));
    const after = await changed(step, action);
    const label = action === 'undo' ? `undid: ${before.done.at(-1)!.label}` : action === 'redo' ? `did again: ${before.undone.at(-1)!.label}` : after.done.at(-1)!.label; // prettier-ignore
    await writeEdits(path, after);
    return summary(after, label, null);
  } finally {
    await run.close();
  }
}

function chosenAction(options: EditOptions): Action {
  const actions = Object.keys(EDIT_ACTIONS) as Action[];
  const chosen = actions.filter((action) => options[action] !== null && options[action] !== false);
  if (chosen.length === 1) return chosen[0];
  const flags = (list: readonly string[]): string => list.map((name) => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`).join(', '); // prettier-ignore
  throw new OptionError(
    chosen.length === 0
      ? `say what to do: one of ${flags(actions)}`
      : `${flags(chosen)} were given together; one call does one thing`,
  );
}

async function changed(step: EditStep, action: Action): Promise<EditList> {
  const { edits, options } = step;
  switch (action) {
    case 'undo':
      return undo(edits).edits;
    case 'redo':
      return redo(edits).edits;
    case 'remove':
      return removeLayer(edits, options.remove!);
    case 'toggle':
      return updateLayer(edits, options.toggle!, { isVisible: !findLayer(edits.layers, options.toggle!).isVisible });
    case 'change':
      return changeLayer(step);
    default: {
      const layer = await newLayer(step, action);
      await checkPaints(step, layer);
      return addLayer(edits, layer);
    }
  }
}

async function newLayer(step: EditStep, action: Action): Promise<Layer> {
  const { path, options } = step;
  const make = async (kind: LayerKind, name: string, own: object): Promise<Layer> =>
    checkLayer({ kind, name: options.name ?? name, ...(await layerFacts(step, false)), ...own }, 'the new layer');
  switch (action) {
    case 'sticker': {
      const image = await adoptImage(path, options.sticker!);
      const [at, ...more] = places(step);
      if (more.length > 0) throw new EditError('a sticker has one place, but several points were given; add it once per point'); // prettier-ignore
      return make('sticker', stemOf(options.sticker!), { image, at, size: options.size, turn: options.turn });
    }
    case 'brush': {
      const { radius, hardness, spacing } = options;
      return make('stroke', 'stroke', {
        points: places(step),
        color: hexOf(options.brush!),
        radius,
        hardness,
        spacing,
      });
    }
    case 'recolor': {
      const [part = '', color = ''] = options.recolor!.split('=').map((piece) => piece.trim());
      if (!(RECOLOR_PARTS as readonly string[]).includes(part)) {
        throw new EditError(`--recolor: "${options.recolor}" must be PART=COLOR such as hair=#3a1f7a, with one of ${RECOLOR_PARTS.join(', ')}`); // prettier-ignore
      }
      return make('recolor', part, { part, color: hexOf(color) });
    }
    case 'matchColors':
      return make('matchColors', stemOf(options.matchColors!), { image: await adoptImage(path, options.matchColors!) });
    case 'style': {
      const { image, network } = await styleMap(
        step.context,
        options.style!,
        await flattened(step),
        options.styleRange,
      );
      const stem = stemOf(options.style!);
      return make('style', stem, { image: await keepImage(path, stem, '.png', await encodePng(image)), network });
    }
    case 'importColor': {
      const file = options.importColor!;
      const image = paintedPicture(step.baked, (await flattened(step)).colorMap, await readColorImage(file), file);
      const stem = stemOf(file);
      return make('paint', stem, { image: await keepImage(path, stem, '.png', encodePngRaster(image)) });
    }
    default:
      throw new Error(`edit: "${action}" makes no layer`);
  }
}

/** Facts of a layer from the options; with `givenOnly` those alone that were given. */
async function layerFacts({ path, baked, options, given }: EditStep, givenOnly: boolean): Promise<object> {
  const facts: Record<string, unknown> = {};
  if (!givenOnly || given.has('opacity')) facts['opacity'] = options.opacity;
  if (!givenOnly || given.has('blend')) facts['blend'] = options.blend;
  if (options.mask !== null) facts['mask'] = await adoptImage(path, options.mask);
  if (options.only !== null) {
    const { regionNames } = baked.avatar.head;
    const regions = options.only.split(',').map((name) => name.trim());
    const unknown = regions.find((name) => !(regionNames as readonly string[]).includes(name));
    if (unknown !== undefined) throw new EditError(`this head has no region "${unknown}"; regions: ${regionNames.join(', ')}`); // prettier-ignore
    facts['regions'] = regions;
  }
  return facts;
}

async function changeLayer(step: EditStep): Promise<EditList> {
  const { edits, options, given } = step;
  const name = options.change!;
  const before = findLayer(edits.layers, name);
  const change: Record<string, unknown> = { ...(await layerFacts(step, true)) };
  for (const field of ['size', 'turn', 'radius', 'hardness', 'spacing'] as const) {
    if (!given.has(field)) continue;
    if (!(field in before)) throw new EditError(`layer "${name}" is a ${before.kind}, which has no ${field}`);
    change[field] = options[field];
  }
  if (['at', 'pick', 'on'].some((option) => given.has(option))) {
    if (before.kind === 'sticker') change['at'] = places(step)[0];
    else if (before.kind === 'stroke') change['points'] = places(step);
    else throw new EditError(`layer "${name}" is a ${before.kind}, which has no place`);
  }
  if (Object.keys(change).length === 0) throw new OptionError(`say what to change of "${name}": ${Object.keys(EDIT_LOOK).map((option) => `--${option}`).join(', ')}, or a place`); // prettier-ignore
  const after = updateLayer(edits, name, change as Partial<Layer>);
  await checkPaints(step, findLayer(after.layers, name));
  return after;
}

/** Where the options say that the edit goes. */
function places({ baked: { avatar }, options }: EditStep): [number, number][] {
  const ways = (['at', 'pick', 'on'] as const).filter((way) => options[way] !== null);
  if (ways.length !== 1) {
    const all = Object.keys(EDIT_PLACEMENT).slice(0, 3).map((way) => `--${way}`).join(', '); // prettier-ignore
    throw new OptionError(`say where: give one of ${all}${ways.length > 1 ? ', not several' : ''}`);
  }
  if (options.on !== null) return options.on.split(/\s+/).map((name) => namedPlace(avatar, name));
  if (options.at !== null) return parsePoints(options.at, '--at').map((point) => checkUv(avatar, point));
  const { yaw, pitch } = options;
  const pose = poseForView(avatar, { yaw, pitch }, options.expression ? parseExpression(options.expression) : {});
  const camera = centredCamera(avatar.camera, options.picture);
  return parsePoints(options.pick!, '--pick').map((pixel) => pickPlace(avatar, pose, camera, pixel));
}

/** Prepares the layer as rendering will: what is wrong with it is said now and not then. */
async function checkPaints({ path, baked }: EditStep, layer: Layer): Promise<void> {
  const shown = [{ ...layer, isVisible: true }];
  flattenMaps({ surface: headSurface(baked.avatar), maps: baked.maps, layers: shown, images: await readImages(path, shown) }); // prettier-ignore
}

async function flattened({ path, baked, edits }: EditStep): Promise<BakedAvatar['maps']> {
  const { layers } = edits;
  return flattenMaps({ surface: headSurface(baked.avatar), maps: baked.maps, layers, images: await readImages(path, layers) }); // prettier-ignore
}

async function exportColor(step: EditStep): Promise<string> {
  const file = resolve(step.options.exportColor!);
  const { head } = step.baked.avatar;
  const maps = await flattened(step);
  await writeFileAtomically(file, encodePngRaster(colorImage(maps.colorMap, atlasCoverage(head, maps.size))));
  return file;
}

function summary(edits: EditList, label: string | null, file: string | null): EditResult {
  return {
    changed: label,
    file,
    layers: edits.layers.toReversed(),
    canUndo: edits.done.at(-1)?.label ?? null,
    canRedo: edits.undone.at(-1)?.label ?? null,
  };
}

function stemOf(file: string): string {
  return basename(file).replace(/\.[^.]*$/, '') || 'layer';
}
