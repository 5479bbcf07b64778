import { shownOf, type Clip } from './clip.ts';

/** Cost of a step along a row or column and of a diagonal one, which come to within 6 % of true distances. */
const STRAIGHT = 1;
const DIAGONAL = Math.SQRT2;

/**
 * size²: pixels from each pixel of a frame to the nearest that its matte leaves out; 0 there and where the video shows
 * nothing. What lies beyond the video's edge is unknown, not background: the matte does not end there.
 */
export function matteDepth(clip: Clip, frame: number): Float32Array {
  const { size } = clip;
  const pixels = clip.pixels(frame);
  const { left, top, right, bottom } = shownOf(clip.frames[frame]!);
  const depth = Float32Array.from(pixels, (pixel) => (pixel >>> 24 >= 128 ? Infinity : 0));
  /** Shortens the way of a pixel by those of its neighbours that lie `side` of it in reading order. */
  const relax = (column: number, row: number, side: 1 | -1): void => {
    const at = row * size + column;
    for (const [dx, dy, cost] of [
      [side, 0, STRAIGHT],
      [0, side, STRAIGHT],
      [side, side, DIAGONAL],
      [-side, side, DIAGONAL],
    ] as const) {
      const [u, v] = [column + dx, row + dy];
      if (u >= left && u < right && v >= top && v < bottom)
        depth[at] = Math.min(depth[at]!, depth[v * size + u]! + cost);
    }
  };
  for (let row = top; row < bottom; row++) for (let column = left; column < right; column++) relax(column, row, -1);
  for (let row = bottom - 1; row >= top; row--)
    for (let column = right - 1; column >= left; column--) relax(column, row, 1);
  for (let at = 0; at < depth.length; at++) {
    const [column, row] = [at % size, Math.floor(at / size)];
    if (column < left || column >= right || row < top || row >= bottom) depth[at] = 0;
  }
  return depth;
}
