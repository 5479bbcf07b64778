import { describe, expect, it } from 'vitest';
import type { Image } from '../video/frame.ts';
import { imageFromRegion, sampleRegion } from './region.ts';

const image: Image = {
  width: 40,
  height: 30,
  channels: 3,
  data: new Uint8Array(40 * 30 * 3).map((_, i) => {
    const pixel = Math.floor(i / 3);
    return [(pixel % 40) * 6, Math.floor(pixel / 40) * 8, 90][i % 3];
  }),
};
const OPTIONS = { size: 16, low: 0, high: 255, outside: 'nearest' } as const;

describe('sampleRegion', () => {
  it('reads an image at the places that imageFromRegion names, upright and turned', () => {
    for (const rotation of [0, 0.4, -1.2]) {
      const region = { centerX: 19, centerY: 15, size: 14, rotation };
      const samples = sampleRegion(image, region, OPTIONS);
      for (const [x, y] of [
        [0, 0],
        [7, 3],
        [15, 15],
        [2, 12],
      ]) {
        const [imageX, imageY] = imageFromRegion(region, (x + 0.5) / 16, (y + 0.5) / 16);
        const at = (y * 16 + x) * 3;
        expect(Math.abs(samples[at] - (imageX - 0.5) * 6)).toBeLessThan(0.1);
        expect(Math.abs(samples[at + 1] - (imageY - 0.5) * 8)).toBeLessThan(0.1);
        expect(samples[at + 2]).toBeCloseTo(90, 3);
      }
    }
  });

  it('gives the same upright as by a turn too small to see, at any scale, inside and outside', () => {
    for (const outside of ['nearest', 'low'] as const) {
      for (const size of [9, 34, 90]) {
        const region = { centerX: 17.3, centerY: 12.8, size, rotation: 0 };
        const upright = sampleRegion(image, region, { ...OPTIONS, low: -1, high: 1, outside });
        const turned = sampleRegion(image, { ...region, rotation: 1e-9 }, { ...OPTIONS, low: -1, high: 1, outside });
        upright.forEach((value, i) => expect(Math.abs(value - turned[i])).toBeLessThan(1e-4));
      }
    }
  });

  it('leaves the fourth channel empty', () => {
    const region = { centerX: 19, centerY: 15, size: 14, rotation: 0 };
    const samples = sampleRegion(image, region, { ...OPTIONS, channels: 4 });
    const plain = sampleRegion(image, region, OPTIONS);
    for (let i = 0; i < 256; i++) {
      expect([...samples.subarray(4 * i, 4 * i + 4)]).toEqual([...plain.subarray(3 * i, 3 * i + 3), 0]);
    }
  });
});
