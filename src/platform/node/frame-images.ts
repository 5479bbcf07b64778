import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import type { Image } from '../../video/frame.ts';

/** Encodes as PNG; fast rather than small. */
export async function encodePng({ width, height, channels, data }: Image): Promise<Uint8Array> {
  return sharp(data, { raw: { width, height, channels } }).png({ compressionLevel: 3 }).toBuffer();
}

/** Reads a PNG or JPEG as RGBA. */
export async function readImage(path: string): Promise<Image> {
  const { data, info } = await sharp(path).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, channels: 4, data: new Uint8Array(data.buffer, data.byteOffset, data.length) };
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

  async write(index: number, image: Image): Promise<void> {
    await sharp(image.data, { raw: { width: image.width, height: image.height, channels: image.channels } })
      .png({ compressionLevel: 3 })
      .toFile(this.path(index));
  }

  async read(index: number): Promise<Image> {
    return readImage(this.path(index));
  }

  path(index: number): string {
    return join(this.#folder, `${String(index).padStart(5, '0')}.png`);
  }
}
