import { encodeAvatar, type Avatar } from '../avatar/avatar.ts';
import { decodePngRaster, encodePngRaster, type Raster } from '../avatar/png.ts';
import { decodeTensors, encodeTensors, takeTensor, type Tensor } from '../avatar/safetensors.ts';
import { contentHash } from '../math/content-hash.ts';
import { atlasCoverage } from './atlas-coverage.ts';
import { MAP_CHANNELS, MAP_NAMES, type AttributeMaps, type MapName, type MappedAttributes } from './attribute-maps.ts';
import type { BakedAvatar } from './baked-avatar.ts';
import { colorFromImage, colorImage, valueImage, valuesFromImage, type ChannelRange } from './map-images.ts';

/**
 * Attribute maps as files that other programs open; `docs/decisions/maps-on-disk.md` has the layout.
 *
 * | file | holds |
 * |---|---|
 * | `maps.safetensors` | every map, float32, exact: what `decodeMaps` reads where it is there |
 * | `color.png` | 8-bit sRGB RGBA, see `colorImage` |
 * | `opacity.png`, `scale.png`, `rotation.png`, `offset.png` | 16 bits, each channel over its range |
 * | `maps.json` | version, sizes, variant, hash of the avatar, and per image its units and ranges |
 */
export const MAPS_FILE = 'maps.safetensors';
export const MAPS_RECORD = 'maps.json';
export const COLOR_IMAGE = 'color.png';
const MAPS_FORMAT = 'fate-avatar maps';
export const MAPS_VERSION = 1;

/** Content of files by name. */
export type NamedFiles = ReadonlyMap<string, Uint8Array>;

/** A file of baked maps is missing, damaged, of another size, version or avatar. The message says which and what to do. */
export class MapsFileError extends Error {
  override readonly name = 'MapsFileError';
}

/** What `maps.json` says of one image. */
interface ImageRecord {
  readonly file: string;
  readonly bitDepth: 8 | 16;
  readonly channels: number;
  readonly holds: string;
  readonly unit: string;
  /** Values at 0 and at the image's largest level, per channel. */
  readonly ranges: readonly ChannelRange[];
}

export interface MapsRecord {
  readonly format: typeof MAPS_FORMAT;
  readonly version: number;
  readonly size: number;
  readonly mapped: MappedAttributes;
  readonly headName: string;
  /** `avatarHash` of the avatar that the maps belong to. */
  readonly avatar: string;
  readonly images: Partial<Record<MapName, ImageRecord>>;
}

const IMAGES: Readonly<Record<MapName, Pick<ImageRecord, 'file' | 'holds' | 'unit'>>> = {
  colorMap: { file: COLOR_IMAGE, holds: 'red, green, blue; alpha 255 where the head reads the texel', unit: 'sRGB, 0 to 1' },
  opacityMap: { file: 'opacity.png', holds: 'opacity before the sigmoid', unit: 'logit' },
  scaleMap: { file: 'scale.png', holds: 'standard deviation along the three axes, logarithm', unit: 'ln metres' },
  rotationMap: { file: 'rotation.png', holds: "rotation in the triangle's frame, axis times angle", unit: 'radians' },
  offsetMap: { file: 'offset.png', holds: 'offset along the normal before 0.05 · tanh', unit: 'atanh of metres / 0.05' },
}; // prettier-ignore

/** The maps that a variant reads; the others mean nothing and are not stored. */
export function mapsOf(mapped: MappedAttributes): readonly MapName[] {
  return mapped === 'all' ? MAP_NAMES : ['colorMap', 'opacityMap'];
}

/** Identity of an avatar: of its file's content. */
export function avatarHash(avatar: Avatar): string {
  return contentHash(encodeAvatar(avatar));
}

export interface EncodeMapsOptions {
  /** Width of one level of an image's channels at least, in the map's unit. Default: the range over 65535. */
  readonly steps?: Partial<Record<MapName, number>>;
  /** Leave out the float32 data. Default false. */
  readonly withoutExact?: boolean;
}

/** The files of a baked avatar's maps, without its avatar; equal maps give equal bytes. */
export function encodeMaps(
  { maps, mapped, avatar }: BakedAvatar,
  { steps = {}, withoutExact = false }: EncodeMapsOptions = {},
): NamedFiles {
  const files = new Map<string, Uint8Array>();
  const { head } = avatar;
  const { size } = maps;
  const hash = avatarHash(avatar);
  for (const name of mapsOf(mapped)) {
    if (maps[name].length !== MAP_CHANNELS[name] * size * size)
      throw new RangeError(
        `${name} has ${maps[name].length} values; ${MAP_CHANNELS[name]}×${size}×${size} are needed.`,
      );
  }
  const coverage = atlasCoverage(head, size);
  const images: MapsRecord['images'] = {};
  const put = (name: MapName, image: Raster, ranges: readonly ChannelRange[]): void => {
    files.set(IMAGES[name].file, encodePngRaster(image));
    images[name] = { ...IMAGES[name], bitDepth: image.bitDepth, channels: image.channels, ranges };
  };
  for (const name of mapsOf(mapped)) {
    if (name === 'colorMap')
      put(name, colorImage(maps.colorMap, coverage), [[0, 1], [0, 1], [0, 1]]); // prettier-ignore
    else {
      const { image, ranges } = valueImage(maps[name], MAP_CHANNELS[name], coverage, steps[name]);
      put(name, image, ranges);
    }
  }
  const record: MapsRecord = { format: MAPS_FORMAT, version: MAPS_VERSION, size, mapped, headName: head.name, avatar: hash, images }; // prettier-ignore
  if (!withoutExact) files.set(MAPS_FILE, encodeExact(maps, record));
  files.set(MAPS_RECORD, new TextEncoder().encode(`${JSON.stringify(record, null, 2)}\n`));
  return files;
}

function encodeExact(maps: AttributeMaps, { version, size, mapped, headName, avatar }: MapsRecord): Uint8Array {
  const tensors = mapsOf(mapped).map((name): [string, Tensor] => [
    name,
    { shape: [MAP_CHANNELS[name], size, size], data: maps[name] },
  ]);
  return encodeTensors(tensors, { format: MAPS_FORMAT, version: String(version), mapped, headName, avatar });
}

export interface DecodeMapsOptions {
  /** `avatarHash` of the avatar that the maps must belong to; unchecked when left out. */
  readonly avatar?: string;
  /** Names the folder or package in errors. */
  readonly source: string;
  /** `images` reads the pictures although the float32 data is there. Default `exact`: it where it is there. */
  readonly from?: 'exact' | 'images';
}

/**
 * Reads what `encodeMaps` wrote. A variant's unused maps come back as zeros. Throws `MapsFileError`, `TensorFileError`,
 * `PngError`: a missing, damaged or cut file, one of another size, bit depth or version, maps of another avatar.
 */
export function decodeMaps(
  files: NamedFiles,
  { avatar, source, from = 'exact' }: DecodeMapsOptions,
): { maps: AttributeMaps; mapped: MappedAttributes } {
  const exact = files.get(MAPS_FILE);
  return exact && from === 'exact' ? decodeExact(exact, source, avatar) : decodeImages(files, source, avatar);
}

function decodeExact(bytes: Uint8Array, folder: string, avatar?: string): ReturnType<typeof decodeMaps> {
  const source = `${folder}/${MAPS_FILE}`;
  const file = decodeTensors(bytes, source);
  checkOrigin(source, file.metadata, avatar);
  const mapped = file.metadata['mapped'] as MappedAttributes;
  const size = file.tensors.get('colorMap')?.shape[1] ?? 0;
  const planes = emptyMaps(size);
  for (const name of mapsOf(mapped)) {
    const data = takeTensor(file, name, Float32Array);
    const shape = file.tensors.get(name)!.shape.join('×');
    if (shape !== `${MAP_CHANNELS[name]}×${size}×${size}`)
      throw new MapsFileError(
        `${source}: ${name} is ${shape}, not ${MAP_CHANNELS[name]}×${size}×${size}; ${BAKE_AGAIN}.`,
      );
    planes[name] = data;
  }
  return { maps: { size, ...planes }, mapped };
}

function decodeImages(files: NamedFiles, folder: string, avatar?: string): ReturnType<typeof decodeMaps> {
  const record = readRecord(files, folder);
  checkOrigin(`${folder}/${MAPS_RECORD}`, record, avatar);
  const { size, mapped } = record;
  const planes = emptyMaps(size);
  for (const name of mapsOf(mapped)) {
    const image = record.images[name];
    if (!image) throw new MapsFileError(`${folder}/${MAPS_RECORD} does not describe ${name}; ${BAKE_AGAIN}.`);
    const raster = readImage(files, folder, size, image);
    planes[name] = name === 'colorMap' ? colorFromImage(raster) : valuesFromImage(raster, image.ranges);
  }
  return { maps: { size, ...planes }, mapped };
}

function readImage(files: NamedFiles, folder: string, size: number, record: ImageRecord): Raster {
  const source = `${folder}/${record.file}`;
  const bytes = files.get(record.file);
  if (!bytes) throw new MapsFileError(`${source} is missing; restore it from a copy, or ${BAKE_AGAIN}.`);
  const raster = decodePngRaster(bytes, source);
  if (raster.width !== size || raster.height !== size)
    throw new MapsFileError(`${source} is ${raster.width}×${raster.height}, the maps are ${size}×${size}; ${RESTORE}.`);
  if (raster.bitDepth !== record.bitDepth)
    throw new MapsFileError(
      `${source} has ${raster.bitDepth} bits per channel, ${record.bitDepth} are needed; ${RESTORE}.`,
    );
  if (raster.channels !== record.channels)
    throw new MapsFileError(`${source} has ${raster.channels} channels, ${record.channels} are needed; ${RESTORE}.`);
  return raster;
}

function readRecord(files: NamedFiles, folder: string): MapsRecord {
  const source = `${folder}/${MAPS_RECORD}`;
  const bytes = files.get(MAPS_RECORD);
  if (!bytes) throw new MapsFileError(`${source} is missing; ${BAKE_AGAIN}.`);
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as MapsRecord;
  } catch {
    throw new MapsFileError(`${source} is not JSON; restore it from a copy, or ${BAKE_AGAIN}.`);
  }
}

function checkOrigin(
  source: string,
  found: Readonly<{ format?: unknown; version?: unknown; mapped?: unknown; avatar?: unknown }>,
  avatar?: string,
): void {
  if (found.format !== MAPS_FORMAT) throw new MapsFileError(`${source} is no record of baked maps; ${BAKE_AGAIN}.`);
  if (Number(found.version) !== MAPS_VERSION) {
    throw new MapsFileError(
      `${source} has maps version ${String(found.version)}, this program reads ${MAPS_VERSION}; ${BAKE_AGAIN}.`,
    );
  }
  if (found.mapped !== 'all' && found.mapped !== 'appearance')
    throw new MapsFileError(`${source} has the unknown variant ${JSON.stringify(found.mapped)}; ${BAKE_AGAIN}.`);
  if (avatar !== undefined && found.avatar !== avatar) {
    throw new MapsFileError(
      `${source} belongs to another avatar (${String(found.avatar)}) than the one beside it (${avatar}), which was fitted again since; ${BAKE_AGAIN}.`,
    );
  }
}

function emptyMaps(size: number): Record<MapName, Float32Array> {
  const entries = MAP_NAMES.map((name) => [name, new Float32Array(MAP_CHANNELS[name] * size * size)]);
  return Object.fromEntries(entries) as Record<MapName, Float32Array>;
}

const BAKE_AGAIN = 'bake it again with `fate bake`';
const RESTORE = `write it as it was exported, or ${BAKE_AGAIN}`;
