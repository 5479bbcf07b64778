import { describe, expect, it } from 'vitest';
import type { Image } from '../video/frame.ts';
import { drawTrack } from './draw-track.ts';

const image: Image = { width: 40, height: 30, channels: 3, data: new Uint8Array(40 * 30 * 3).fill(10) };
const at = (drawn: Image, x: number, y: number): number[] => [...drawn.data.subarray((y * 40 + x) * 3, (y * 40 + x) * 3 + 3)];

describe('drawTrack', () => {
  it('draws observed and reprojected landmarks, the line between, and edges, on a copy', () => {
    const drawn = drawTrack(image, {
      observed: [5.5, 5.5, Number.NaN, 3],
      reprojected: [20.5, 5.5, 30.5, 20.5],
      edges: [2.5, 25.5, 37.5, 25.5],
    });
    expect(at(drawn, 5, 5)).toEqual([255, 60, 60]);
    expect(at(drawn, 20, 5)).toEqual([60, 255, 90]);
    expect(at(drawn, 12, 5)).toEqual([255, 230, 0]);
    expect(at(drawn, 30, 20)).toEqual([60, 255, 90]);
    expect(at(drawn, 15, 25)[2]).toBeGreaterThan(80);
    expect(at(drawn, 15, 15)).toEqual([10, 10, 10]);
    expect(image.data.every((value) => value === 10)).toBe(true);
  });

  it('clips what lies outside and keeps alpha', () => {
    const rgba: Image = { width: 4, height: 4, channels: 4, data: new Uint8Array(64).fill(7) };
    const drawn = drawTrack(rgba, { observed: [-50, 2, 1e9, 1], edges: [-5, 1.5, 1e7, 1.5, 0, 0.5, 4, 0.5] });
    for (let i = 3; i < 64; i += 4) expect(drawn.data[i]).toBe(7);
    expect(drawn.data).toHaveLength(64);
  });
});
