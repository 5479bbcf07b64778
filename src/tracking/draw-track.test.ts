import { describe, expect, it } from 'vitest';
import type { Image } from '../video/frame.ts';
import { madeClip, madeFace, projectLandmarks } from '../../test/made-clip.ts';
import { drawTrack, overlayOf } from './draw-track.ts';
import type { Track } from './track.ts';

const image: Image = { width: 40, height: 30, channels: 3, data: new Uint8Array(40 * 30 * 3).fill(10) };
const at = (drawn: Image, x: number, y: number): number[] => [
  ...drawn.data.subarray((y * 40 + x) * 3, (y * 40 + x) * 3 + 3),
];

describe('overlayOf', () => {
  it('gives the tracked head as the camera of its crop sees it, beside what was observed', () => {
    const head = madeFace();
    const clip = madeClip(head, { frameCount: 1, noise: 0 });
    const camera = { width: 40, height: 30, focalX: 50, focalY: 50, principalX: 20, principalY: 15 };
    const frame = { sourceIndex: 0, timestamp: 0, camera, pose: clip.poses[0], residual: 0, excluded: null };
    const track: Track = {
      headName: head.name,
      expressionNames: head.expressionNames,
      identityCoefficients: clip.identity,
      frames: [frame],
      warnings: [],
    };
    const { observed, reprojected, edges } = overlayOf(head, track, 0, clip.observations[0].landmarks);
    const expected = projectLandmarks(head, clip.identity, clip.poses[0], 50, 20, 15);
    for (let i = 0; i < 936; i++) expect(reprojected![i]).toBeCloseTo(expected[i], 9);
    expect(observed![3]).toBe(clip.observations[0].landmarks[4]);
    expect(edges).toHaveLength((20 + 20 + 16 + 16 + 36) * 4);
    expect(Array.from(edges!).slice(0, 4)).toEqual([61, 61, 146, 146].map((l, i) => reprojected![l * 2 + (i % 2)]));
    expect(overlayOf(head, track, 0).observed).toBeUndefined();
  });
});

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
