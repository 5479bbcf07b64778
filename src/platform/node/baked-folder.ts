import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { decodeAvatar, type Avatar } from '../../avatar/avatar.ts';
import type { BakedAvatar } from '../../baking/baked-avatar.ts';
import { importColor } from '../../baking/import-color.ts';
import { avatarHash, decodeMaps, encodeMaps, MapsFileError, MAPS_FILE, MAPS_RECORD } from '../../baking/maps-file.ts';
import { decodePackage } from '../../baking/package-file.ts';
import { contentHash } from '../../math/content-hash.ts';
import { uvGuides } from '../../report/uv-guide.ts';
import { writeFileAtomically, type FileOperations } from './atomic-file.ts';
import { readColorImage } from './color-image.ts';

/** Folder of the maps, inside a run's folder. */
export const BAKED_FOLDER = 'baked';
const AVATAR_FILE = 'avatar.safetensors';
/** The avatar of maps that were baked without a fit before (one stage): it takes the place of the run's. */
export const OWN_AVATAR_FILE = `${BAKED_FOLDER}/avatar.safetensors`;

/** Everything that `writeBaked` may write, relative to the run's folder: what a run's stage owns. */
export const BAKED_FILES = [
  'maps.safetensors', 'color.png', 'opacity.png', 'scale.png', 'rotation.png', 'offset.png', 'maps.json',
  'uv-wireframe.png', 'uv-regions.png',
].map((name) => `${BAKED_FOLDER}/${name}`); // prettier-ignore

export interface WriteBakedOptions {
  /** Edge in pixels of the guide images for artists; 0 leaves them out. Default 2048. */
  readonly guides?: number;
  readonly files?: FileOperations;
}

/**
 * Writes a baked avatar's maps into DIR/baked: `maps.safetensors` first, which alone is what `readBaked` needs, then the
 * images and guides. Each file is written whole or not at all; other files in the folder are left alone. Returns the
 * paths. Throws `DiskFullError`.
 */
export async function writeBaked(
  folder: string,
  baked: BakedAvatar,
  { guides = 2048, files: operations }: WriteBakedOptions = {},
): Promise<string[]> {
  const files = [...encodeMaps(baked), ...(guides > 0 ? uvGuides(baked.avatar.head, guides) : [])];
  const exactFirst = files.toSorted(([a], [b]) => Number(b === MAPS_FILE) - Number(a === MAPS_FILE));
  const written: string[] = [];
  for (const [name, bytes] of exactFirst) {
    const path = join(resolve(folder), BAKED_FOLDER, name);
    await writeFileAtomically(path, bytes, operations);
    written.push(path);
  }
  return written;
}

export interface ReadBakedOptions {
  /** The fitted avatar, when it has been read already; else DIR/avatar.safetensors is read. Maps baked in one stage have their own. */
  readonly avatar?: Avatar;
  /** See `DecodeMapsOptions`. */
  readonly from?: 'exact' | 'images';
}

/**
 * Reads a run's avatar with its baked maps, or a packaged avatar (a `.fate` file). Throws `MapsFileError`, `TensorFileError`, `PngError`, each naming the file,
 * what is wrong with it and what to do.
 */
export async function readBaked(folder: string, { avatar, from }: ReadBakedOptions = {}): Promise<BakedAvatar> {
  const path = resolve(folder);
  if ((await stat(path).catch(() => null))?.isFile()) return decodePackage(await readFile(path), path);
  const source = join(path, BAKED_FOLDER);
  const names = BAKED_FILES.map((name) => name.slice(BAKED_FOLDER.length + 1)).filter(
    (name) => !name.startsWith('uv-'),
  );
  const files = new Map<string, Uint8Array>();
  for (const name of names) {
    const bytes = await readIfThere(join(source, name));
    if (bytes) files.set(name, bytes);
  }
  if (files.size === 0)
    throw new MapsFileError(`${source} has no baked maps (no ${MAPS_RECORD}); run \`fate bake\` first.`);
  const owner =
    (await readOwner(path, OWN_AVATAR_FILE)) ??
    (avatar ? { avatar, hash: avatarHash(avatar) } : await readOwner(path, AVATAR_FILE));
  if (!owner)
    throw new MapsFileError(
      `${join(path, AVATAR_FILE)} is missing, which the baked maps belong to; run \`fate fit\` first.`,
    );
  return { avatar: owner.avatar, ...decodeMaps(files, { avatar: owner.hash, source, ...(from ? { from } : {}) }) };
}

/** Puts a colour picture painted in another program on a baked avatar. Throws `ImportError`. */
export async function importColorFile(baked: BakedAvatar, file: string): Promise<BakedAvatar> {
  return { ...baked, maps: importColor(baked.maps, baked.avatar.head, await readColorImage(file), file) };
}

async function readOwner(folder: string, name: string): Promise<{ avatar: Avatar; hash: string } | null> {
  const file = join(folder, name);
  const bytes = await readIfThere(file);
  // The file's bytes are the avatar's encoding: no need to encode it again.
  return bytes && { avatar: decodeAvatar(bytes, file), hash: contentHash(bytes) };
}

async function readIfThere(path: string): Promise<Uint8Array | null> {
  return readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
}
