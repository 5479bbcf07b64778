import { boxFilter } from './box-filter.ts';

/**
 * Fills a polygon (x, y pairs in pixels), even-odd, with edges softened over about `feather` pixels.
 * Pixels whose centre lies inside count as inside.
 */
export function fillPolygon(polygon: Float32Array, width: number, height: number, feather: number): Float32Array {
  const mask = new Float32Array(width * height);
  const count = polygon.length / 2;
  for (let y = 0; y < height; y++) {
    const crossings: number[] = [];
    for (let i = 0; i < count; i++) {
      const j = (i + 1) % count;
      const [x0, y0, x1, y1] = [polygon[2 * i], polygon[2 * i + 1], polygon[2 * j], polygon[2 * j + 1]];
      if (y0 > y + 0.5 !== y1 > y + 0.5) crossings.push(x0 + ((y + 0.5 - y0) * (x1 - x0)) / (y1 - y0));
    }
    crossings.sort((a, b) => a - b);
    for (let k = 0; k + 1 < crossings.length; k += 2) {
      const first = Math.max(Math.ceil(crossings[k] - 0.5), 0);
      const last = Math.min(Math.floor(crossings[k + 1] - 0.5), width - 1);
      if (last >= first) mask.fill(1, y * width + first, y * width + last + 1);
    }
  }
  const radius = Math.round(feather / 2);
  return radius > 0 ? boxFilter(boxFilter(mask, width, height, radius), width, height, radius) : mask;
}

/** Pixels that can be reached from seeds through allowed pixels, by the four neighbours. */
export function floodFill(
  isSeed: (i: number) => boolean,
  isAllowed: (i: number) => boolean,
  width: number,
  height: number,
): Uint8Array {
  const reached = new Uint8Array(width * height);
  const stack: number[] = [];
  for (let i = 0; i < reached.length; i++) {
    if (isSeed(i) && isAllowed(i)) {
      reached[i] = 1;
      stack.push(i);
    }
  }
  const visit = (i: number): void => {
    if (reached[i] === 0 && isAllowed(i)) {
      reached[i] = 1;
      stack.push(i);
    }
  };
  for (let i = stack.pop(); i !== undefined; i = stack.pop()) {
    const x = i % width;
    if (x > 0) visit(i - 1);
    if (x < width - 1) visit(i + 1);
    if (i >= width) visit(i - width);
    if (i < width * (height - 1)) visit(i + width);
  }
  return reached;
}

/** Removes what is not connected to the seeds and fills holes of at most `largestHole` pixels. In place. */
export function tidyMask(
  alpha: Float32Array,
  isSeed: (i: number) => boolean,
  width: number,
  height: number,
  largestHole: number,
): void {
  const kept = floodFill(isSeed, (i) => alpha[i] > 0.08, width, height);
  for (let i = 0; i < alpha.length; i++) if (kept[i] === 0) alpha[i] = 0;
  const seen = new Uint8Array(alpha.length);
  for (let i = 0; i < alpha.length; i++) {
    if (seen[i] === 1 || alpha[i] > 0.9) continue;
    const hole = collectHole(alpha, seen, i, width, height);
    if (hole && hole.length <= largestHole) for (const pixel of hole) alpha[pixel] = 1;
  }
}

/** Pixels of the region of low alpha that holds `start`; null when it touches the border. Marks them seen. */
function collectHole(
  alpha: Float32Array,
  seen: Uint8Array,
  start: number,
  width: number,
  height: number,
): number[] | null {
  const pixels = [start];
  let touchesBorder = false;
  seen[start] = 1;
  const visit = (next: number): void => {
    if (seen[next] === 1 || alpha[next] > 0.9) return;
    seen[next] = 1;
    pixels.push(next);
  };
  for (let k = 0; k < pixels.length; k++) {
    const i = pixels[k];
    const x = i % width;
    if (x > 0) visit(i - 1);
    if (x < width - 1) visit(i + 1);
    if (i >= width) visit(i - width);
    if (i < width * (height - 1)) visit(i + width);
    if (x === 0 || x === width - 1 || i < width || i >= width * (height - 1)) touchesBorder = true;
  }
  return touchesBorder ? null : pixels;
}
