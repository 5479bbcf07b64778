import { describe, expect, it } from 'vitest';
import type { Image } from '../video/frame.ts';
import { cropFrame } from '../video/crop-frame.ts';
import { headExtent, planCrop } from './crop.ts';
import type { FaceObservation } from './observation.ts';

/** A face whose chin-to-brow length is `length`, its chin at (x, y). */
function observation(
  sourceIndex: number,
  x: number,
  y: number,
  length = 100,
  excluded: string | null = null,
): FaceObservation {
  const landmarks = new Float32Array(468 * 3);
  const set = (index: number, dx: number, dy: number): void =>
    landmarks.set([x + dx * length, y + dy * length, 0], 3 * index);
  set(152, 0, 0);
  set(10, 0, -1.3);
  set(105, -0.3, -1);
  set(334, 0.3, -1);
  set(234, -0.6, -0.7);
  set(454, 0.6, -0.7);
  return { sourceIndex, timestamp: sourceIndex / 30, landmarks, score: 1, blendshapes: null, excluded };
}

describe('planCrop', () => {
  it('keeps the head at 60–75 % of a square that stands still for a nearly still head', () => {
    const observations = Array.from({ length: 40 }, (_, i) =>
      observation(i, 300 + 10 * Math.sin(i), 320 + 6 * Math.cos(i)),
    );
    const squares = planCrop(observations);
    expect(squares).toHaveLength(40);
    for (const square of squares) expect(square).toEqual(squares[0]);
    observations.forEach(({ landmarks }, i) => {
      const { crownY, chinY, centerX } = headExtent(landmarks);
      expect((chinY - crownY) / squares[i].size).toBeGreaterThanOrEqual(0.6);
      expect((chinY - crownY) / squares[i].size).toBeLessThanOrEqual(0.75);
      expect(crownY).toBeGreaterThan(squares[i].y);
      expect(chinY).toBeLessThan(squares[i].y + squares[i].size * 0.9);
      expect(Math.abs(centerX - squares[i].x - squares[i].size / 2)).toBeLessThan(squares[i].size * 0.15);
    });
  });

  it('follows a head that walks, smoothly and at one size, and bridges frames without a face', () => {
    const observations = Array.from({ length: 120 }, (_, i) =>
      observation(i, 200 + 5 * i, 300, 100, i > 50 && i < 60 ? 'no face' : null),
    );
    const squares = planCrop(observations);
    squares.forEach((square, i) => {
      expect(square.size).toBe(squares[0].size);
      expect(Math.abs(200 + 5 * i - square.x - square.size / 2)).toBeLessThan(square.size * 0.2);
      if (i > 0) expect(Math.abs(square.x - squares[i - 1].x)).toBeLessThan(6);
    });
  });

  it('refuses a clip without a usable frame', () => {
    expect(() => planCrop([observation(0, 0, 0, 1, 'no face')])).toThrow(RangeError);
  });
});

describe('cropFrame', () => {
  const image: Image = {
    width: 8,
    height: 6,
    channels: 3,
    data: new Uint8Array(8 * 6 * 3).map((_, i) => (i * 37) % 256),
  };

  it('copies pixels at one to one and marks what lies beyond the image', () => {
    const crop = cropFrame(image, { x: -1, y: -2, size: 10 }, 10);
    for (let y = 0; y < 10; y++) {
      for (let x = 0; x < 10; x++) {
        const at = (y * 10 + x) * 4;
        const isInside = x >= 1 && x < 9 && y >= 2 && y < 8;
        expect(crop.data[at + 3]).toBe(isInside ? 255 : 0);
        const from = ((y - 2) * 8 + x - 1) * 3;
        expect([...crop.data.subarray(at, at + 3)]).toEqual(
          isInside ? [...image.data.subarray(from, from + 3)] : [255, 255, 255],
        );
      }
    }
  });

  it('keeps constant colour and mean brightness at any scale', () => {
    const stripes: Image = {
      width: 64,
      height: 64,
      channels: 3,
      data: new Uint8Array(64 * 64 * 3).map((_, i) => (Math.floor(i / 3) % 2 ? 200 : 100)),
    };
    const small = cropFrame(stripes, { x: 0, y: 0, size: 64 }, 8);
    for (let i = 0; i < 64; i++) expect(Math.abs(small.data[4 * i] - 150)).toBeLessThanOrEqual(2); // no moiré
    const flat: Image = { width: 5, height: 5, channels: 3, data: new Uint8Array(75).fill(77) };
    const large = cropFrame(flat, { x: 0.3, y: 0.2, size: 4.1 }, 33);
    for (let i = 0; i < 33 * 33; i++) expect([...large.data.subarray(4 * i, 4 * i + 4)]).toEqual([77, 77, 77, 255]);
  });

  it('puts pixel centres at halves', () => {
    const ramp: Image = {
      width: 16,
      height: 16,
      channels: 3,
      data: new Uint8Array(16 * 16 * 3).map((_, i) => (Math.floor(i / 3) % 16) * 10),
    };
    const crop = cropFrame(ramp, { x: 4, y: 4, size: 8 }, 16); // twice as fine: samples at 4.25, 4.75, …
    for (let x = 0; x < 16; x++)
      expect(Math.abs(crop.data[(8 * 16 + x) * 4] - (4.25 + x / 2 - 0.5) * 10)).toBeLessThanOrEqual(1);
  });
});
