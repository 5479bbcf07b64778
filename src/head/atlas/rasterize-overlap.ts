import { cornerCharts } from './charts.ts';

/**
 * How many texel centres of a size² atlas lie in a triangle, and how many in triangles of more than one chart or in the
 * inside of two triangles of one chart. With `margin` (atlas units) triangles count as wider by half of it on every
 * side, against other charts alone: a check of the padding.
 */
export function rasterizeOverlap(
  { uvs, uvTriangles }: { readonly uvs: Float32Array; readonly uvTriangles: Uint32Array },
  size: number,
  margin = 0,
): { covered: number; overlapping: number } {
  const charts = cornerCharts(uvTriangles, uvs.length / 2);
  const depthOf = (triangle: number, x: number, y: number): number => {
    const corners = [0, 1, 2].map((k) => uvTriangles[triangle * 3 + k] * 2);
    return depthInside(
      corners.map((uv) => uvs[uv] * size),
      corners.map((uv) => uvs[uv + 1] * size),
      x,
      y,
    );
  };
  // A shared edge belongs to both neighbours: overlap inside a chart begins a hundredth of a texel deep.
  const clash = (before: number, triangle: number, texel: number, depth: number): boolean =>
    charts[uvTriangles[before * 3]] !== charts[uvTriangles[triangle * 3]] ||
    (margin === 0 && depth > 0.01 && depthOf(before, (texel % size) + 0.5, Math.floor(texel / size) + 0.5) > 0.01);
  const owner = new Int32Array(size * size).fill(-1);
  const overlapped = new Uint8Array(size * size);
  let covered = 0;
  for (let triangle = 0; triangle * 3 < uvTriangles.length; triangle++) {
    const corners = [0, 1, 2].map((k) => uvTriangles[triangle * 3 + k] * 2);
    const xs = corners.map((uv) => uvs[uv] * size);
    const ys = corners.map((uv) => uvs[uv + 1] * size);
    const reach = (margin / 2) * size;
    for (let y = Math.max(0, Math.floor(Math.min(...ys) - reach)); y < Math.min(size, Math.max(...ys) + reach); y++) {
      for (let x = Math.max(0, Math.floor(Math.min(...xs) - reach)); x < Math.min(size, Math.max(...xs) + reach); x++) {
        const depth = depthInside(xs, ys, x + 0.5, y + 0.5);
        if (depth < -reach || Number.isNaN(depth)) continue;
        const texel = y * size + x;
        const before = owner[texel];
        if (before < 0) covered++;
        else if (clash(before, triangle, texel, depth)) overlapped[texel] = 1;
        owner[texel] = triangle;
      }
    }
  }
  return { covered, overlapping: overlapped.reduce((sum, value) => sum + value, 0) };
}

/** Distance to the nearest edge, positive inside; NaN for a triangle without area. */
function depthInside(xs: readonly number[], ys: readonly number[], x: number, y: number): number {
  const area = (xs[1] - xs[0]) * (ys[2] - ys[0]) - (ys[1] - ys[0]) * (xs[2] - xs[0]);
  if (area === 0) return NaN;
  let depth = Infinity;
  for (let i = 0; i < 3; i++) {
    const j = (i + 1) % 3;
    const [ex, ey] = [xs[j] - xs[i], ys[j] - ys[i]];
    depth = Math.min(depth, (Math.sign(area) * (ex * (y - ys[i]) - ey * (x - xs[i]))) / Math.hypot(ex, ey));
  }
  return depth;
}
