import { mkdir, readFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { checkEditsHead, decodeEdits, emptyEdits, encodeEdits, type EditList } from '../../editing/edit-list.ts';
import { EditError, layerImages, type Layer } from '../../editing/layers.ts';
import type { HeadModel } from '../../head/head-model.ts';
import { contentHash } from '../../math/content-hash.ts';
import type { Image } from '../../video/frame.ts';
import { writeFileAtomically, type FileOperations } from './atomic-file.ts';
import { decodeImage } from './image-file.ts';

/** Folder of the edits inside a run's folder: `edits.json` and the images that its layers need. No stage removes it. */
export const EDITS_FOLDER = 'edits';
const LIST_NAME = 'edits.json';

/** The edits of a run; an empty list when there are none. Throws `EditError`. */
export async function readEdits(folder: string, head: Pick<HeadModel, 'name'>): Promise<EditList> {
  const file = join(folder, EDITS_FOLDER, LIST_NAME);
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (text === null) return emptyEdits(head);
  const edits = decodeEdits(text, file);
  checkEditsHead(edits, head, file);
  return edits;
}

/** Writes the list whole or not at all. */
export async function writeEdits(folder: string, edits: EditList, files?: FileOperations): Promise<void> {
  await writeFileAtomically(join(folder, EDITS_FOLDER, LIST_NAME), encodeEdits(edits), files);
}

/** Copies an image into the edits' folder, named after its content, and returns the name for a layer. */
export async function adoptImage(folder: string, file: string): Promise<string> {
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new EditError(`${file} ${error.code === 'ENOENT' ? 'does not exist' : `cannot be read (${error.code})`}; give an image file`); // prettier-ignore
  });
  await openImage(bytes, file);
  return keepImage(folder, basename(file, extname(file)), extname(file).toLowerCase(), bytes);
}

/** Writes image bytes into the edits' folder and returns the name for a layer. Equal bytes make one file. */
export async function keepImage(folder: string, stem: string, extension: string, bytes: Uint8Array): Promise<string> {
  const name = `${stem.replace(/[^\w.-]+/g, '-').slice(0, 40)}-${contentHash(bytes)}${extension}`;
  await mkdir(join(folder, EDITS_FOLDER), { recursive: true });
  await writeFileAtomically(join(folder, EDITS_FOLDER, name), bytes);
  return name;
}

/** The images that visible layers need, by name. Throws `EditError` for one that is gone or no image. */
export async function readImages(folder: string, layers: readonly Layer[]): Promise<Map<string, Image>> {
  const images = new Map<string, Image>();
  for (const layer of layers.filter(({ isVisible }) => isVisible)) {
    for (const name of layerImages(layer)) {
      if (images.has(name)) continue;
      const file = join(folder, EDITS_FOLDER, name);
      const bytes = await readFile(file).catch(() => {
        throw new EditError(
          `layer "${layer.name}" needs ${file}, which is gone; put it back, or remove the layer with \`fate edit ${folder} --remove "${layer.name}"\``,
        );
      });
      images.set(name, await openImage(bytes, file));
    }
  }
  return images;
}

async function openImage(bytes: Uint8Array, file: string): Promise<Image> {
  try {
    return await decodeImage(bytes);
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new EditError(`${file} cannot be read as an image (${reason}); give a PNG, JPEG or WebP file`, { cause: error }); // prettier-ignore
  }
}
