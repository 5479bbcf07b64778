import { readFile } from 'node:fs/promises';
import sharp, { type Metadata } from 'sharp';
import type { Raster } from '../../avatar/png.ts';
import { ImportError } from '../../baking/import-color.ts';

/**
 * Reads a colour picture that another program saved, without loss: PNG with 8 or 16 bits, grey, palette, RGB or RGBA,
 * interlaced or not. Colours of another profile than sRGB are converted. Throws `ImportError`.
 */
export async function readColorImage(file: string): Promise<Raster> {
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new ImportError(
      `${file} ${error.code === 'ENOENT' ? 'does not exist' : `cannot be read (${error.code ?? error.message})`}; give a PNG file.`,
    );
  });
  return decodeColorImage(bytes, file);
}

/** As `readColorImage`, from bytes. */
export async function decodeColorImage(bytes: Uint8Array, source: string): Promise<Raster> {
  const broken = (error: unknown): never => {
    throw new ImportError(
      `${source} cannot be read as a picture (${error instanceof Error ? error.message.split('\n')[0] : String(error)}); save it again as PNG.`,
    );
  };
  const metadata = await sharp(bytes).metadata().catch(broken);
  if (metadata.format !== 'png') {
    throw new ImportError(
      `${source} is ${metadata.format.toUpperCase()}, which may lose colours; save it as PNG with 8 or 16 bits per channel.`,
    );
  }
  const bitDepth = metadata.depth === 'ushort' ? 16 : 8;
  const { data, info } = await sharp(bytes, { ignoreIcc: isSrgb(metadata), failOn: 'warning' })
    .toColourspace(bitDepth === 16 ? 'rgb16' : 'srgb')
    .raw({ depth: bitDepth === 16 ? 'ushort' : 'uchar' })
    .toBuffer({ resolveWithObject: true })
    .catch(broken);
  if (info.channels !== 3 && info.channels !== 4)
    throw new ImportError(`${source} has ${info.channels} channels; save it as RGB or RGBA.`);
  const own = Uint8Array.from(data);
  return {
    width: info.width,
    height: info.height,
    channels: info.channels,
    bitDepth,
    data: bitDepth === 16 ? new Uint16Array(own.buffer) : own,
  };
}

/** Converting from sRGB to sRGB would move bytes by rounding: then nothing comes back as it was exported. */
function isSrgb({ icc, hasProfile }: Metadata): boolean {
  return (
    !hasProfile || (icc !== undefined && Buffer.from(icc).toString('latin1').replaceAll('\0', '').includes('sRGB'))
  );
}
