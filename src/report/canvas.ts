import type { Image } from '../video/frame.ts';
import { GLYPH_HEIGHT, GLYPH_WIDTH, hasInk } from './bitmap-font.ts';

/** Red, green, blue, 0…255. */
export type Rgb = readonly [number, number, number];

export const WHITE: Rgb = [255, 255, 255];
export const INK: Rgb = [32, 34, 40];

/** An opaque picture to draw on, in whole pixels from the top left. What lies outside is cut off. */
export class Canvas implements Image {
  readonly width: number;
  readonly height: number;
  readonly channels = 3;
  readonly data: Uint8Array;

  constructor(width: number, height: number, background: Rgb = WHITE) {
    this.width = Math.round(width);
    this.height = Math.round(height);
    this.data = new Uint8Array(this.width * this.height * 3);
    this.fill(0, 0, this.width, this.height, background);
  }

  fill(left: number, top: number, width: number, height: number, color: Rgb): void {
    for (let y = Math.max(0, top); y < Math.min(this.height, top + height); y++) {
      for (let x = Math.max(0, left); x < Math.min(this.width, left + width); x++) {
        this.data.set(color, (y * this.width + x) * 3);
      }
    }
  }

  /** Draws an image at its own size; one with alpha lies over what is there. */
  draw(image: Image, left: number, top: number): void {
    for (let row = Math.max(0, -top); row < Math.min(image.height, this.height - top); row++) {
      for (let column = Math.max(0, -left); column < Math.min(image.width, this.width - left); column++) {
        const source = (row * image.width + column) * image.channels;
        const target = ((top + row) * this.width + left + column) * 3;
        const coverage = image.channels === 4 ? image.data[source + 3]! / 255 : 1;
        for (let channel = 0; channel < 3; channel++) {
          const below = this.data[target + channel]!;
          this.data[target + channel] = Math.round(below + coverage * (image.data[source + channel]! - below));
        }
      }
    }
  }

  /** A filled disc; `x` and `y` in pixels, the centre of the first pixel being (0.5, 0.5). */
  disc(x: number, y: number, radius: number, color: Rgb): void {
    for (let row = Math.floor(y - radius); row <= Math.ceil(y + radius); row++) {
      for (let column = Math.floor(x - radius); column <= Math.ceil(x + radius); column++) {
        if (Math.hypot(column + 0.5 - x, row + 0.5 - y) <= radius) this.fill(column, row, 1, 1, color);
      }
    }
  }

  /** One line of text whose top left corner is given; a letter is 5×7 times `scale`. */
  text(left: number, top: number, text: string, scale = 2, color: Rgb = INK): void {
    [...text].forEach((character, index) => {
      const start = left + index * (GLYPH_WIDTH + 1) * scale;
      for (let row = 0; row < GLYPH_HEIGHT; row++) {
        for (let column = 0; column < GLYPH_WIDTH; column++) {
          if (hasInk(character, column, row)) this.fill(start + column * scale, top + row * scale, scale, scale, color);
        }
      }
    });
  }
}

/** Width in pixels that `Canvas.text` takes. */
export function textWidth(text: string, scale = 2): number {
  return Math.max(0, ([...text].length * (GLYPH_WIDTH + 1) - 1) * scale);
}

/** An image at another size: the mean over source pixels where it shrinks, the nearest pixel where it grows. */
export function resize(image: Image, width: number, height: number): Image {
  if (width === image.width && height === image.height) return image;
  const { channels } = image;
  const data = new Uint8Array(width * height * channels);
  for (let row = 0; row < height; row++) {
    const [top, bottom] = span(row, image.height / height, image.height);
    for (let column = 0; column < width; column++) {
      const [left, right] = span(column, image.width / width, image.width);
      for (let channel = 0; channel < channels; channel++) {
        let sum = 0;
        for (let y = top; y < bottom; y++) {
          for (let x = left; x < right; x++) sum += image.data[(y * image.width + x) * channels + channel]!;
        }
        data[(row * width + column) * channels + channel] = Math.round(sum / ((bottom - top) * (right - left)));
      }
    }
  }
  return { width, height, channels, data };
}

/** First and one past the last source pixel under a target pixel; at least one. */
function span(position: number, ratio: number, limit: number): [number, number] {
  const first = Math.min(limit - 1, Math.floor(position * ratio));
  return [first, Math.min(limit, Math.max(first + 1, Math.floor((position + 1) * ratio)))];
}
