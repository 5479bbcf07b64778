import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { loadFaceModels } from '../../inference/face-models.ts';
import { ModelError } from '../../inference/model.ts';
import { readLpips } from '../../losses/perceptual/lpips.ts';
import type { PerceptualNet } from '../../losses/perceptual/perceptual-net.ts';
import { readPerceptualNet } from '../../losses/perceptual/read-net.ts';
import type { WeightFile } from '../../losses/perceptual/state-dict.ts';
import { fileDigest } from './atomic-file.ts';
import { defaultCacheFolder } from './cache-folder.ts';
import { createNodeInference } from './litert.ts';
import { openModelFiles } from './model-files.ts';
import { LPIPS_HEADS, OPTIONAL_MODELS, type KnownModelFile, type OptionalModelName } from './optional-models.ts';

/** Where optional models are looked for: the given folder, else `$FATE_MODELS`, else `models` in the cache folder. */
export function modelsFolder(given: string | null): string {
  return given ?? (process.env.FATE_MODELS || join(defaultCacheFolder(), 'models'));
}

/** The folder for `openModelFiles`: the given one, or the one looked into by default where that is there. */
export async function existingModelsFolder(given: string | null): Promise<string | undefined> {
  if (given !== null) return given;
  const folder = modelsFolder(null);
  const info = await stat(folder).catch(() => null);
  return info?.isDirectory() ? folder : undefined;
}

/** A net of a user's file, and which file that was. */
export interface FoundNet {
  readonly net: PerceptualNet;
  /** Of all its files, joined by a space. */
  readonly sha256: string;
}

/** The perceptual net of a file, or VGG16 of the models' folder; null when it has none. Throws `ModelError`. */
export async function findPerceptualNet(
  models: string | null,
  file: string | null = null,
  layers: readonly string[] = [],
): Promise<FoundNet | null> {
  const path = file ?? (await firstOf('perceptual', modelsFolder(models)))?.path;
  if (!path) return null;
  const weights = await readWeights(path);
  return { net: readPerceptualNet(weights, layers), sha256: sha256Of(weights) };
}

/** LPIPS of the models' folder; null when it has neither of its files. Throws `ModelError` when one is missing. */
export async function findLpips(models: string | null): Promise<FoundNet | null> {
  const folder = modelsFolder(models);
  const found = await firstOf('lpips', folder);
  if (!found) return null;
  const paths = [found.path];
  if (found.known.needs && (await isFile(join(folder, found.known.needs)))) paths.push(join(folder, found.known.needs));
  const weights = await Promise.all(paths.map(readWeights));
  return { net: readLpips(weights), sha256: weights.map(sha256Of).join(' ') };
}

/** One file that is looked for, and what was found. */
export interface ModelFileReport {
  readonly file: string;
  readonly purpose: string;
  readonly origin: string;
  readonly licence: string;
  /** The file that it is used with; null when it stands alone. */
  readonly needs: string | null;
  /** Of the file as published; null where this release does not know it. */
  readonly knownSha256: string | null;
  readonly isFound: boolean;
  /** Of the file that is here; null without one. */
  readonly sha256: string | null;
  /** Why the file that is here cannot be used; null when it can, or when there is none. */
  readonly fault: string | null;
}

/** What `fate models` tells: every optional file, whether the folder has it, and whether it works. Downloads nothing. */
export async function examineModels(models: string | null): Promise<{ folder: string; files: ModelFileReport[] }> {
  const folder = modelsFolder(models);
  const files: ModelFileReport[] = [];
  for (const { name, purpose, files: known } of OPTIONAL_MODELS) {
    for (const file of known) files.push(await examine(name, purpose, file, folder));
    if (name === 'lpips') files.push(await examine(name, `${purpose}: its heads`, LPIPS_HEADS, folder));
  }
  return { folder, files };
}

async function examine(
  name: OptionalModelName,
  purpose: string,
  known: KnownModelFile,
  folder: string,
): Promise<ModelFileReport> {
  const path = join(folder, known.file);
  const isFound = await isFile(path);
  const { file, origin, licence, needs = null, sha256: knownSha256 } = known;
  const report = { file, purpose, origin, licence, needs, knownSha256, isFound };
  if (!isFound) return { ...report, sha256: null, fault: null };
  const fault = await tryModel(name, path, known, folder).then(
    () => null,
    (error: unknown) => (error as Error).message,
  );
  return { ...report, sha256: (await fileDigest(path)).sha256, fault };
}

/** Reads the model as it would be for use; throws when it cannot be used. */
async function tryModel(name: OptionalModelName, path: string, known: KnownModelFile, folder: string): Promise<void> {
  if (name === 'perceptual') {
    readPerceptualNet(await readWeights(path));
  } else if (name === 'lpips') {
    // The heads are no use alone, and say so only when the trunk is there.
    if (known !== LPIPS_HEADS || (await firstOf('lpips', folder))) await findLpips(folder);
  } else {
    const loaded = await loadFaceModels(await createNodeInference(), await openModelFiles(folder));
    loaded.close();
    const [warning] = loaded.warnings;
    if (name === 'hairSegmentation' && warning) throw new ModelError(warning);
  }
}

async function firstOf(
  name: OptionalModelName,
  folder: string,
): Promise<{ path: string; known: KnownModelFile } | null> {
  for (const known of OPTIONAL_MODELS.find((model) => model.name === name)!.files) {
    const path = join(folder, known.file);
    if (await isFile(path)) return { path, known };
  }
  return null;
}

async function readWeights(path: string): Promise<WeightFile> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    const why = error.code === 'ENOENT' ? 'does not exist' : `cannot be read (${error.code})`;
    throw new ModelError(`${path} ${why}; give the file of a net’s weights.`, { cause: error });
  });
  // A plain view: Buffer's own slice does not copy, on which readers of bytes rely.
  return { name: basename(path), bytes: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
}

const sha256Of = ({ bytes }: WeightFile): string => createHash('sha256').update(bytes).digest('hex');

const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (info) => info.isFile(),
    () => false,
  );
