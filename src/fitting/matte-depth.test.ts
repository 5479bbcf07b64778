import { describe, expect, it } from 'vitest';
import { neutralPose } from '../head/pose.ts';
import type { PixelRectangle } from '../video/crop-frame.ts';
import type { Clip } from './clip.ts';
import { matteDepth } from './matte-depth.ts';

const SIZE = 48;

/** One frame whose matte is a disc. */
function disc(centre: number, radius: number, shown?: PixelRectangle): Clip {
  const pixels = Uint32Array.from({ length: SIZE * SIZE }, (_, at) =>
    Math.hypot((at % SIZE) - centre, Math.floor(at / SIZE) - centre) <= radius ? 0xff000000 : 0,
  );
  const camera = { width: SIZE, height: SIZE, focalX: 100, focalY: 100, principalX: 24, principalY: 24 };
  return {
    size: SIZE,
    frames: [{ index: 0, camera, pose: neutralPose(0), ...(shown ? { shown } : {}) }],
    pixels: () => pixels,
  };
}

describe('matteDepth', () => {
  it('tells how far each pixel of a disc is from its edge, to within a tenth', () => {
    const clip = disc(24, 18);
    const depth = matteDepth(clip, 0);
    const outside = [...clip.pixels(0).keys()].filter((at) => clip.pixels(0)[at] === 0);
    for (let at = 0; at < depth.length; at++) {
      const exact = Math.min(
        ...outside.map((other) =>
          Math.hypot((at % SIZE) - (other % SIZE), Math.floor(at / SIZE) - Math.floor(other / SIZE)),
        ),
      );
      expect(Math.abs(depth[at]! - exact)).toBeLessThanOrEqual(0.1 * exact);
    }
  });

  it('does not take the edge of the video for that of the head', () => {
    const shown = { left: 0, top: 0, right: SIZE, bottom: 24 };
    const depth = matteDepth(disc(24, 18, shown), 0);
    expect(depth[23 * SIZE + 24]).toBeGreaterThan(16);
    expect(depth[24 * SIZE + 24]).toBe(0);
  });

  it('is 0 without a matte, and infinite without an edge', () => {
    expect(matteDepth(disc(24, -1), 0).every((value) => value === 0)).toBe(true);
    expect(matteDepth(disc(24, 99), 0).every((value) => value === Infinity)).toBe(true);
  });
});
