import sharp from 'sharp';
import type { Image } from '../../video/frame.ts';

/** An image as PNG bytes; equal images give equal bytes. */
export async function encodePng({ data, width, height, channels }: Image): Promise<Uint8Array> {
  return sharp(data, { raw: { width, height, channels } }).png({ compressionLevel: 9 }).toBuffer();
}

/** An image as JPEG bytes, on white: for pictures inside a page. */
export async function encodeJpeg({ data, width, height, channels }: Image, quality = 88): Promise<Uint8Array> {
  return sharp(data, { raw: { width, height, channels } }).flatten({ background: '#fff' }).jpeg({ quality }).toBuffer();
}

/** Reads an image file (PNG, JPEG, WebP). */
export async function decodeImage(bytes: Uint8Array): Promise<Image> {
  const { data, info } = await sharp(bytes).toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });
  if (info.channels !== 3 && info.channels !== 4)
    throw new TypeError(`the image has ${info.channels} channels; give RGB or RGBA`);
  return { width: info.width, height: info.height, channels: info.channels, data: new Uint8Array(data) };
}

/** Bytes as a data URL. */
export function dataUrl(type: string, bytes: Uint8Array): string {
  return `data:${type};base64,${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')}`;
}
