import type { HeadModel } from '../head/head-model.ts';
import { BLEND_MODES } from './blend-modes.ts';
import { hexOf } from './colors.ts';
import { EditError, LAYER_DEFAULTS, LAYER_KINDS, RECOLOR_PARTS, type Layer } from './layers.ts';

/** Layers, and what undo and redo return to: all that `edits.json` holds. */
export interface EditList {
  /** The head model whose atlas the layers are placed in. */
  readonly head: string;
  readonly layers: readonly Layer[];
  /** States before, the latest last, each with what was done to it. */
  readonly done: readonly EditStep[];
  /** States that were undone, the next to redo last. */
  readonly undone: readonly EditStep[];
}

export interface EditStep {
  /** Such as `add sticker "logo"`. */
  readonly label: string;
  readonly layers: readonly Layer[];
}

const FORMAT = 'fate-avatar edits';
export const EDITS_VERSION = 1;
/** Steps that undo goes back. */
const HISTORY_LENGTH = 100;

export function emptyEdits(head: Pick<HeadModel, 'name'>): EditList {
  return { head: head.name, layers: [], done: [], undone: [] };
}

/** The list with other layers; what was undone before can no longer be redone. */
export function changeLayers(edits: EditList, label: string, layers: readonly Layer[]): EditList {
  const done = [...edits.done, { label, layers: edits.layers }].slice(-HISTORY_LENGTH);
  return { ...edits, layers, done, undone: [] };
}

export function addLayer(edits: EditList, layer: Layer): EditList {
  const unique = uniqueName(edits.layers, layer.name);
  return changeLayers(edits, `add ${layer.kind} "${unique}"`, [...edits.layers, { ...layer, name: unique }]);
}

export function removeLayer(edits: EditList, name: string): EditList {
  const { layers } = edits;
  findLayer(layers, name);
  return changeLayers(edits, `remove "${name}"`, layers.filter((layer) => layer.name !== name)); // prettier-ignore
}

/** Changes facts of one layer, such as its opacity or whether it is visible. */
export function updateLayer(edits: EditList, name: string, change: Partial<Layer>): EditList {
  const before = findLayer(edits.layers, name);
  const after = checkLayer({ ...before, ...change }, 'the change');
  const label = `change ${Object.keys(change).join(', ')} of "${name}"`;
  return changeLayers(edits, label, edits.layers.map((layer) => (layer === before ? after : layer))); // prettier-ignore
}

export function undo(edits: EditList): { edits: EditList; label: string } {
  const step = edits.done.at(-1);
  if (!step) throw new EditError('there is nothing to undo');
  const undone = [...edits.undone, { label: step.label, layers: edits.layers }];
  return { edits: { ...edits, layers: step.layers, done: edits.done.slice(0, -1), undone }, label: step.label };
}

export function redo(edits: EditList): { edits: EditList; label: string } {
  const step = edits.undone.at(-1);
  if (!step) throw new EditError('there is nothing to redo');
  const done = [...edits.done, { label: step.label, layers: edits.layers }];
  return { edits: { ...edits, layers: step.layers, done, undone: edits.undone.slice(0, -1) }, label: step.label };
}

export function findLayer(layers: readonly Layer[], name: string): Layer {
  const layer = layers.find((candidate) => candidate.name === name);
  if (layer) return layer;
  const known = layers.map((candidate) => `"${candidate.name}"`).join(', ') || 'none yet';
  throw new EditError(`there is no layer "${name}"; layers: ${known}`);
}

function uniqueName(layers: readonly Layer[], name: string): string {
  const isTaken = (candidate: string): boolean => layers.some((layer) => layer.name === candidate);
  if (!isTaken(name)) return name;
  let number = 2;
  while (isTaken(`${name} ${number}`)) number++;
  return `${name} ${number}`;
}

export function encodeEdits({ head, layers, done, undone }: EditList): string {
  return `${JSON.stringify({ format: FORMAT, version: EDITS_VERSION, head, layers, history: { done, undone } }, null, 1)}\n`;
}

/** Reads what `encodeEdits` wrote, or what a person wrote in its form. Throws `EditError` naming layer and field. */
export function decodeEdits(text: string, source: string): EditList {
  let given: Record<string, unknown>;
  try {
    given = JSON.parse(text) as Record<string, unknown>;
  } catch (error) {
    throw new EditError(`${source} is no valid JSON (${(error as Error).message}); restore it, or remove it to start afresh`); // prettier-ignore
  }
  if (given?.['format'] !== FORMAT) throw new EditError(`${source} is not a list of edits (no "format": "${FORMAT}")`);
  if (given['version'] !== EDITS_VERSION) {
    throw new EditError(
      `${source} has version ${JSON.stringify(given['version'])}, this program reads ${EDITS_VERSION}; use the program that wrote it, or remove it to start afresh`,
    );
  }
  const history = (given['history'] ?? {}) as Record<string, unknown>;
  const steps = (value: unknown, name: string): EditStep[] =>
    listOf(value ?? [], `${source}: history.${name}`).map((step, index) => {
      const { label, layers } = (step ?? {}) as Record<string, unknown>;
      return { label: String(label), layers: checkLayers(layers, `${source}: history.${name}[${index}]`) };
    });
  return {
    head: String(given['head']),
    layers: checkLayers(given['layers'], source),
    done: steps(history['done'], 'done'),
    undone: steps(history['undone'], 'undone'),
  };
}

/** Throws `EditError` when the layers were placed on another head model's atlas. */
export function checkEditsHead(edits: EditList, head: Pick<HeadModel, 'name'>, source: string): void {
  if (edits.head === head.name) return;
  throw new EditError(
    `${source} was made on head model "${edits.head}", but the avatar has "${head.name}", whose atlas is another; make the edits again, or fit with the head model that they were made on`,
  );
}

function listOf(value: unknown, source: string): unknown[] {
  if (Array.isArray(value)) return value;
  throw new EditError(`${source} has no list of layers`);
}

function checkLayers(value: unknown, source: string): Layer[] {
  const layers = listOf(value, source).map((layer, index) => checkLayer(layer, `${source}: layer ${index + 1}`));
  const repeated = layers.find((layer, index) => layers.findIndex(({ name }) => name === layer.name) < index);
  if (repeated) throw new EditError(`${source} has two layers named "${repeated.name}"; names must differ`);
  return layers;
}

type Check = (value: unknown) => string | null;
const isText: Check = (value) => (typeof value === 'string' && value !== '' ? null : 'a text that is not empty');
const isNumber =
  (low: number, high: number): Check =>
  (value) =>
    typeof value === 'number' && value >= low && value <= high ? null : `a number from ${low} to ${high}`;
const isOneOf =
  (choices: readonly string[]): Check =>
  (value) =>
    choices.includes(value as string) ? null : `one of ${choices.join(', ')}`;
const isColor: Check = (value) => {
  try {
    hexOf(String(value));
    return null;
  } catch {
    return 'a colour such as #3a1f7a';
  }
};
const isUv: Check = (value) =>
  Array.isArray(value) && value.length === 2 && value.every((part) => isNumber(0, 1)(part) === null)
    ? null
    : 'a point [u, v] of the atlas, each from 0 to 1';
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null ? null : check(value);
const isListOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.length > 0 ? (value.map(check).find((fault) => fault !== null) ?? null) : 'a list';

const FACT_CHECKS: Readonly<Record<string, Check>> = {
  name: isText,
  isVisible: (value) => (typeof value === 'boolean' ? null : 'true or false'),
  opacity: isNumber(0, 1),
  blend: isOneOf(BLEND_MODES),
  mask: orNull(isText),
  regions: orNull(isListOf(isText)),
};

const KIND_CHECKS: Readonly<Record<Layer['kind'], Readonly<Record<string, Check>>>> = {
  sticker: { image: isText, at: isUv, size: isNumber(0.001, 0.5), turn: isNumber(-360, 360) },
  stroke: { points: isListOf(isUv), radius: isNumber(0.0002, 0.1), hardness: isNumber(0, 1), color: isColor, spacing: isNumber(0.05, 20) }, // prettier-ignore
  recolor: { part: isOneOf(RECOLOR_PARTS), color: isColor },
  matchColors: { image: isText },
  style: { image: isText, network: isText },
  paint: { image: isText },
};

/** A layer in which every field is as its kind needs it; facts that are left out take their defaults. */
export function checkLayer(value: unknown, source: string): Layer {
  if (typeof value !== 'object' || value === null) throw new EditError(`${source} is no layer`);
  const given = { ...LAYER_DEFAULTS, ...value } as Record<string, unknown>;
  const kind = given['kind'] as Layer['kind'];
  const ownChecks = LAYER_KINDS.includes(kind) ? KIND_CHECKS[kind] : null;
  const where = typeof given['name'] === 'string' ? `${source} ("${given['name']}")` : source;
  if (!ownChecks) {
    throw new EditError(`${where} has the unknown kind ${JSON.stringify(kind)}; kinds: ${LAYER_KINDS.join(', ')}`);
  }
  for (const [field, check] of Object.entries({ ...FACT_CHECKS, ...ownChecks })) {
    const fault = check(given[field]);
    if (fault) throw new EditError(`${where}: ${field} is ${JSON.stringify(given[field])}, but must be ${fault}`);
  }
  return given as unknown as Layer;
}
