import { describe, expect, it } from 'vitest';
import { cropFrame, shownRectangle } from './crop-frame.ts';

describe('shownRectangle', () => {
  const image = { width: 40, height: 30, channels: 3 as const, data: new Uint8Array(40 * 30 * 3).fill(90) };

  it.each([
    ['inside', { x: 3.2, y: 1.5, size: 20 }],
    ['over the left and the top edge', { x: -7.3, y: -4.9, size: 25 }],
    ['over every edge', { x: -6.1, y: -11.4, size: 55 }],
    ['beyond the image', { x: 60, y: -40, size: 20 }],
  ])('holds the pixels that a crop has a colour for: %s', (_, square) => {
    const { left, top, right, bottom } = shownRectangle(image, square, 16);
    const { data } = cropFrame(image, square, 16);
    for (let row = 0; row < 16; row++) {
      for (let column = 0; column < 16; column++) {
        const isShown = column >= left && column < right && row >= top && row < bottom;
        expect(data[(row * 16 + column) * 4 + 3], `${column}, ${row}`).toBe(isShown ? 255 : 0);
      }
    }
  });
});
