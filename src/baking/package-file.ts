import { unzipSync, zipSync, type Zippable } from 'fflate';
import { decodeCompactAvatar, encodeCompactAvatar } from '../avatar/compact-avatar.ts';
import type { BakedAvatar } from './baked-avatar.ts';
import { sampleMaps, type MapName } from './attribute-maps.ts';
import { decodeMaps, encodeMaps, MapsFileError } from './maps-file.ts';

/**
 * A baked avatar as one small file, `.fate`: a ZIP archive of the maps' images and `maps.json` (as `encodeMaps` has
 * them, coarser steps) and `head.safetensors`, the head with the Gaussians' places (`encodeCompactAvatar`). Any archive
 * program opens it. `docs/decisions/maps-on-disk.md` has what is lost.
 */
const HEAD_FILE = 'head.safetensors';
const RECORD_FILE = 'package.json';
const FORMAT = 'fate-avatar package';
export const PACKAGE_VERSION = 1;

/** One level of each map, in its unit: fine enough that the PSNR does not move, coarse enough that noise is not stored. */
const STEPS: Readonly<Partial<Record<MapName, number>>> = {
  opacityMap: 2 ** -6,
  scaleMap: 2 ** -8,
  rotationMap: 2 ** -8,
  offsetMap: 2e-4,
};

/** Archives hold dates; one that never changes keeps equal avatars equal bytes. */
const DATE = new Date(1980, 0, 1);

/** Encodes a baked avatar; equal avatars give equal bytes. */
export function encodePackage(baked: BakedAvatar): Uint8Array {
  const head = encodeCompactAvatar(baked.avatar, baked.mapped === 'all' ? 'places' : 'geometry');
  const record = `${JSON.stringify({ format: FORMAT, version: PACKAGE_VERSION }, null, 2)}\n`;
  const entries: Zippable = { [RECORD_FILE]: [new TextEncoder().encode(record), { level: 9, mtime: DATE }] };
  for (const [name, bytes] of encodeMaps(baked, { steps: STEPS, withoutExact: true }))
    entries[name] = [bytes, { level: name.endsWith('.png') ? 0 : 9, mtime: DATE }];
  entries[HEAD_FILE] = [head, { level: 9, mtime: DATE }];
  return zipSync(entries);
}

/**
 * Reads what `encodePackage` wrote. Its avatar's Gaussians hold what they read from the maps. Throws `MapsFileError`,
 * `TensorFileError`, `PngError` for damaged, incomplete or older files.
 */
export function decodePackage(bytes: Uint8Array, source: string): BakedAvatar {
  let entries: Record<string, Uint8Array>;
  try {
    entries = unzipSync(bytes);
  } catch {
    throw new MapsFileError(`${source} is no readable package: it is no ZIP archive, or cut short. ${EXPORT_AGAIN}.`);
  }
  const { version } = readRecord(entries[RECORD_FILE], source);
  if (version !== PACKAGE_VERSION) {
    throw new MapsFileError(
      `${source} has package version ${String(version)}, this program reads ${PACKAGE_VERSION}. ${EXPORT_AGAIN}.`,
    );
  }
  const head = entries[HEAD_FILE];
  if (!head) throw new MapsFileError(`${source} lacks ${HEAD_FILE}. ${EXPORT_AGAIN}.`);
  const avatar = decodeCompactAvatar(head, `${source}/${HEAD_FILE}`);
  const { maps, mapped } = decodeMaps(new Map(Object.entries(entries)), { source, from: 'images' });
  return { avatar: { ...avatar, gaussians: sampleMaps(maps, avatar.head, avatar.gaussians, mapped) }, maps, mapped };
}

function readRecord(bytes: Uint8Array | undefined, source: string): { version?: unknown } {
  try {
    const record = JSON.parse(new TextDecoder().decode(bytes)) as { format?: unknown; version?: unknown };
    if (record.format === FORMAT) return record;
  } catch {
    // told below
  }
  throw new MapsFileError(`${source} is an archive but no packaged avatar. ${EXPORT_AGAIN}.`);
}

const EXPORT_AGAIN = 'Export it again with `fate export DIR --package FILE.fate`';
