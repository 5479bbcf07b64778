import type { Image } from '../video/frame.ts';

/** An RGBA image as one uint32 per pixel, red in the lowest byte: what the losses read. Shares the image's memory. */
export function packPixels({ width, height, channels, data }: Image): Uint32Array {
  if (channels !== 4) throw new TypeError('packPixels: the frame has no alpha; give RGBA with the matte in it');
  const aligned = data.byteOffset % 4 === 0 ? data : data.slice();
  return new Uint32Array(aligned.buffer, aligned.byteOffset, width * height);
}
