import type { Image } from '../video/frame.ts';

/** Pixels of dilation at an edge of 512 px; it scales with the image. */
export const FOREGROUND_DILATION = 8;

/**
 * The pixels that the foreground scores look at: those within 8 px (at 512²) of coverage ≥ 0.5. H×W, 0 or 1.
 * `image` is RGBA, its alpha the matte.
 */
export function foregroundMask(image: Image): Uint8Array {
  if (image.channels !== 4)
    throw new TypeError('foregroundMask: the image has no alpha; give RGBA with the matte in it');
  const { width, height, data } = image;
  const isForeground = Uint8Array.from({ length: width * height }, (_, pixel) => (data[pixel * 4 + 3]! >= 128 ? 1 : 0));
  return dilate(isForeground, width, height, (FOREGROUND_DILATION * Math.max(width, height)) / 512);
}

/** Grows a mask by a disc of `radius` pixels. */
export function dilate(mask: Uint8Array, width: number, height: number, radius: number): Uint8Array {
  const across = rowDistances(mask, width, height);
  const reach = Math.floor(radius);
  const result = new Uint8Array(mask.length);
  for (let row = 0; row < height; row++) {
    for (let other = Math.max(0, row - reach); other <= Math.min(height - 1, row + reach); other++) {
      const span = Math.sqrt(radius * radius - (row - other) ** 2);
      for (let column = 0; column < width; column++) {
        if (across[other * width + column]! <= span) result[row * width + column] = 1;
      }
    }
  }
  return result;
}

/** Distance along the row to the nearest pixel of the mask; Infinity in rows without one. */
function rowDistances(mask: Uint8Array, width: number, height: number): Float32Array {
  const distances = new Float32Array(mask.length);
  for (let row = 0; row < height; row++) {
    const start = row * width;
    let distance = Infinity;
    for (let column = 0; column < width; column++) {
      distance = mask[start + column] ? 0 : distance + 1;
      distances[start + column] = distance;
    }
    distance = Infinity;
    for (let column = width - 1; column >= 0; column--) {
      distance = mask[start + column] ? 0 : distance + 1;
      distances[start + column] = Math.min(distances[start + column]!, distance);
    }
  }
  return distances;
}
