import { describe, expect, it } from 'vitest';
import { sampleAvatar } from '../../test/sample-avatar.ts';
import { regionGuide, wireframeGuide } from './uv-guide.ts';

const { head } = sampleAvatar(10);
const SIZE = 1024;

describe('guides for painting', () => {
  it('show edges on nothing, borders of charts in red', () => {
    const { data, channels } = wireframeGuide(head, SIZE);
    expect(channels).toBe(4);
    const alphas = [...data].filter((_, index) => index % 4 === 3);
    const share = alphas.filter((alpha) => alpha > 0).length / alphas.length;
    expect(share).toBeGreaterThan(0.1);
    expect(share).toBeLessThan(0.9);
    const isRed = (texel: number): boolean =>
      data[texel * 4] > 180 && data[texel * 4 + 1] < 60 && data[texel * 4 + 3] === 255;
    expect(alphas.filter((_, texel) => isRed(texel)).length).toBeGreaterThan(SIZE);
  });

  it('show each region in its colour, names over it, the same bytes each time', () => {
    const guide = regionGuide(head, SIZE);
    const has = (rgb: readonly number[]): boolean =>
      guide.data.some((_, at) => at % 3 === 0 && rgb.every((value, k) => Math.abs(guide.data[at + k] - value) < 3));
    for (const color of [
      [244, 205, 178],
      [222, 120, 120],
      [150, 200, 235],
      [245, 240, 215],
    ])
      expect(has(color)).toBe(true);
    expect(has([20, 20, 26])).toBe(true); // ink of the names
    expect(Buffer.from(regionGuide(head, SIZE).data).equals(guide.data as Uint8Array)).toBe(true);
  });
});
