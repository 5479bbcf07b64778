import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import type { Image } from '../../video/frame.ts';
import { asDiskFull } from './atomic-file.ts';
import { RunFolderError } from './run-folder.ts';

/** Encodes as PNG; fast rather than small. */
export async function encodePng({ width, height, channels, data }: Image): Promise<Uint8Array> {
  return sharp(data, { raw: { width, height, channels } }).png({ compressionLevel: 3 }).toBuffer();
}

/** Reads a PNG or JPEG as RGBA. */
export async function readImage(path: string): Promise<Image> {
  const { data, info } = await sharp(path).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  return {
    width: info.width,
    height: info.height,
    channels: 4,
    data: new Uint8Array(data.buffer, data.byteOffset, data.length),
  };
}

/** The clip's cropped, matted frames on disk: one RGBA PNG each, named by its position in the track. */
export class FrameImages {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Empties the folder: frames of an earlier, interrupted run may be of another crop. */
  async clear(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
    await mkdir(this.#folder, { recursive: true });
  }

  /** Throws `DiskFullError`. */
  async write(index: number, image: Image): Promise<void> {
    const path = this.path(index);
    const png = await encodePng(image);
    await writeFile(path, png).catch((error: unknown) => {
      throw asDiskFull(error, path);
    });
  }

  /** Throws `RunFolderError` for a frame that is missing or damaged. */
  async read(index: number): Promise<Image> {
    return readImage(this.path(index)).catch((error: unknown) => {
      throw new RunFolderError(`${this.path(index)} is missing or damaged; run \`fate track\` again with --force.`, {
        cause: error,
      });
    });
  }

  path(index: number): string {
    return join(this.#folder, `${String(index).padStart(5, '0')}.png`);
  }
}
