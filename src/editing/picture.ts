import type { Image } from '../video/frame.ts';

/** A picture in levels of half the size each, premultiplied, to be read at any scale without jagged edges. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly levels: readonly PictureLevel[];
}

interface PictureLevel {
  readonly width: number;
  readonly height: number;
  /** H×W×4: premultiplied red, green, blue, and coverage, 0…1. */
  readonly data: Float32Array;
}

/** `mask`, an image of any size, is laid over the whole picture: its lightness (times its alpha) multiplies coverage. */
export function createPicture(image: Image, mask: Image | null = null): Picture {
  const { width, height, channels, data } = image;
  const cover = mask ? maskPicture(mask) : null;
  const first = new Float32Array(width * height * 4);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const x = (pixel % width) + 0.5;
    const y = Math.floor(pixel / width) + 0.5;
    const masked = cover ? readPicture(cover, x / width, y / height, 1 / width)[3] : 1;
    const coverage = (channels === 4 ? data[pixel * 4 + 3] / 255 : 1) * masked;
    for (let k = 0; k < 3; k++) first[pixel * 4 + k] = (coverage * data[pixel * channels + k]) / 255;
    first[pixel * 4 + 3] = coverage;
  }
  const levels: PictureLevel[] = [{ width, height, data: first }];
  for (let level = levels[0]; level.width > 1 || level.height > 1; level = levels.at(-1)!) levels.push(halved(level));
  return { width, height, levels };
}

/** A mask as a picture whose coverage is its lightness times its alpha. */
export function maskPicture({ width, height, channels, data }: Image): Picture {
  const rgba = new Uint8Array(width * height * 4);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const at = pixel * channels;
    const lightness = (0.2126 * data[at] + 0.7152 * data[at + 1] + 0.0722 * data[at + 2]) / 255;
    rgba[pixel * 4 + 3] = Math.round(lightness * (channels === 4 ? data[at + 3] : 255));
  }
  return createPicture({ width, height, channels: 4, data: rgba });
}

/** Whether anything shows through a mask. */
export function hasContent(mask: Picture): boolean {
  return mask.levels[0].data.some((value, index) => index % 4 === 3 && value > 0);
}

/**
 * Premultiplied RGBA at (x, y) in 0…1 of the picture, averaged over about `footprint` (also in widths); nothing outside.
 */
export function readPicture(
  { width, levels }: Picture,
  x: number,
  y: number,
  footprint: number,
): readonly [number, number, number, number] {
  const wanted = Math.log2(Math.max(1, footprint * width));
  const low = Math.min(levels.length - 1, Math.floor(wanted));
  const part = Math.min(1, wanted - low);
  const near = readLevel(levels[low], x, y);
  if (part < 1e-3 || low + 1 >= levels.length) return near;
  const far = readLevel(levels[low + 1], x, y);
  return [0, 1, 2, 3].map((k) => near[k] + part * (far[k] - near[k])) as [number, number, number, number];
}

/** Bilinear; the picture ends at its border, so that a sticker's edge is as sharp as the pixels are small. */
function readLevel({ width, height, data }: PictureLevel, x: number, y: number): [number, number, number, number] {
  const sum: [number, number, number, number] = [0, 0, 0, 0];
  if (x < 0 || y < 0 || x > 1 || y > 1) return sum;
  const [px, py] = [x * width - 0.5, y * height - 0.5];
  const [left, top] = [Math.floor(px), Math.floor(py)];
  for (let corner = 0; corner < 4; corner++) {
    const [column, row] = [left + (corner & 1), top + (corner >> 1)];
    const weight = (1 - Math.abs(px - column)) * (1 - Math.abs(py - row));
    if (weight <= 0) continue;
    const clampedColumn = Math.min(width - 1, Math.max(0, column));
    const at = (Math.min(height - 1, Math.max(0, row)) * width + clampedColumn) * 4;
    for (let k = 0; k < 4; k++) sum[k] += weight * data[at + k];
  }
  return sum;
}

function halved({ width, height, data }: PictureLevel): PictureLevel {
  const [newWidth, newHeight] = [Math.max(1, width >> 1), Math.max(1, height >> 1)];
  const half = new Float32Array(newWidth * newHeight * 4);
  for (let row = 0; row < newHeight; row++) {
    for (let column = 0; column < newWidth; column++) {
      // Odd sizes lose their last row or column to the mean of three.
      const [firstX, lastX] = [column * 2, column === newWidth - 1 ? width - 1 : column * 2 + 1];
      const [firstY, lastY] = [row * 2, row === newHeight - 1 ? height - 1 : row * 2 + 1];
      const count = (lastX - firstX + 1) * (lastY - firstY + 1);
      for (let y = firstY; y <= lastY; y++) {
        for (let x = firstX; x <= lastX; x++) {
          for (let k = 0; k < 4; k++) half[(row * newWidth + column) * 4 + k] += data[(y * width + x) * 4 + k] / count;
        }
      }
    }
  }
  return { width: newWidth, height: newHeight, data: half };
}
