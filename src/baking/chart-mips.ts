import type { HeadModel } from '../head/head-model.ts';
import { surfaceArea } from '../head/atlas/charts.ts';

type Surface = Pick<HeadModel, 'uvs' | 'uvTriangles' | 'triangles' | 'triangleCount' | 'templateVertices'>;

/** A square of texels of one chart: nothing of other charts is in it, however coarse the level. */
interface ChartLevel {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  /** channels × height × width: sums of value times weight. */
  readonly sums: Float64Array;
}

/** Sums over texels of twice the edge per level, kept apart by chart. Divide two of them for a mean without bleeding. */
export interface ChartMips {
  readonly size: number;
  readonly channels: number;
  /** [level][chart]; level 0 has the maps' texels. */
  readonly levels: readonly (readonly ChartLevel[])[];
}

/** What level 0 adds up: `amounts` (one per channel) at a texel of a chart. */
export interface TexelSum {
  readonly chart: number;
  /** row · size + column. */
  readonly texel: number;
  readonly amounts: ArrayLike<number>;
}

/** Builds the levels from sums at single texels. */
export function createChartMips(
  size: number,
  channels: number,
  chartCount: number,
  entries: readonly TexelSum[],
): ChartMips {
  const base = emptyLevel(size, channels, chartCount, entries);
  for (const { chart, texel, amounts } of entries) {
    const level = base[chart];
    const at = (Math.floor(texel / size) - level.top) * level.width + (texel % size) - level.left;
    for (let channel = 0; channel < channels; channel++)
      level.sums[channel * level.width * level.height + at] += amounts[channel];
  }
  const levels = [base];
  for (let edge = size; edge > 1; edge = Math.ceil(edge / 2))
    levels.push(levels.at(-1)!.map((level) => halve(level, channels)));
  return { size, channels, levels };
}

/** Bilinear read of every channel's sum at one level; `result` gets what was found. Texels beyond the chart add nothing. */
export function readChartMips(
  { size, channels, levels }: ChartMips,
  chart: number,
  level: number,
  u: number,
  v: number,
  result: Float64Array,
): Float64Array {
  const { left, top, width, height, sums } = levels[level][chart];
  const scale = size / 2 ** level;
  const [x, y] = [u * scale - 0.5, v * scale - 0.5];
  const [column, row] = [Math.floor(x), Math.floor(y)];
  result.fill(0);
  for (let corner = 0; corner < 4; corner++) {
    const [stepX, stepY] = [corner & 1, corner >> 1];
    const [i, j] = [column + stepX - left, row + stepY - top];
    if (i < 0 || j < 0 || i >= width || j >= height) continue;
    const weight = (stepX ? x - column : 1 - x + column) * (stepY ? y - row : 1 - y + row);
    for (let channel = 0; channel < channels; channel++)
      result[channel] += weight * sums[(channel * height + j) * width + i];
  }
  return result;
}

function emptyLevel(size: number, channels: number, chartCount: number, entries: readonly TexelSum[]): ChartLevel[] {
  const bounds = Array.from({ length: chartCount }, () => [size, size, -1, -1]);
  for (const { chart, texel } of entries) {
    const [column, row] = [texel % size, Math.floor(texel / size)];
    const box = bounds[chart];
    box[0] = Math.min(box[0], column);
    box[1] = Math.min(box[1], row);
    box[2] = Math.max(box[2], column);
    box[3] = Math.max(box[3], row);
  }
  return bounds.map(([left, top, right, bottom]) => {
    const [width, height] = [Math.max(0, right - left + 1), Math.max(0, bottom - top + 1)];
    return { left, top, width, height, sums: new Float64Array(channels * width * height) };
  });
}

function halve({ left, top, width, height, sums }: ChartLevel, channels: number): ChartLevel {
  if (width === 0) return { left: 0, top: 0, width: 0, height: 0, sums };
  const [newLeft, newTop] = [left >> 1, top >> 1];
  const newWidth = ((left + width - 1) >> 1) - newLeft + 1;
  const newHeight = ((top + height - 1) >> 1) - newTop + 1;
  const halved = new Float64Array(channels * newWidth * newHeight);
  for (let channel = 0; channel < channels; channel++) {
    for (let row = 0; row < height; row++) {
      const target = (channel * newHeight + ((top + row) >> 1) - newTop) * newWidth - newLeft;
      for (let column = 0; column < width; column++)
        halved[target + ((left + column) >> 1)] += sums[(channel * height + row) * width + column];
    }
  }
  return { left: newLeft, top: newTop, width: newWidth, height: newHeight, sums: halved };
}

/** Points per texel edge at which the surface is looked up when its area is shared out among texels. */
const SUBSAMPLES = 4;

/**
 * Calls `visit` with the square metres of each triangle that lie in each texel (in total exactly its area): its area is
 * shared out among a fine grid's points inside it, or falls to its centre's texel when it holds none.
 */
export function visitTexelAreas(
  surface: Surface,
  size: number,
  visit: (triangle: number, texel: number, area: number) => void,
): void {
  const mesh = { vertices: surface.templateVertices, triangles: surface.triangles };
  const { uvs, uvTriangles } = surface;
  const fine = size * SUBSAMPLES;
  const clamp = (value: number): number => Math.max(0, Math.min(size - 1, Math.floor(value)));
  for (let triangle = 0; triangle < surface.triangleCount; triangle++) {
    const area = surfaceArea(mesh, triangle);
    const [a, b, c] = [0, 1, 2].map((corner) => uvTriangles[triangle * 3 + corner] * 2);
    const [ax, ay, bx, by, cx, cy] = [a, a + 1, b, b + 1, c, c + 1].map((at) => uvs[at] * fine - 0.5);
    const hits: number[] = [];
    const twice = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
    const [lastRow, lastColumn] = [Math.max(ay, by, cy), Math.max(ax, bx, cx)];
    for (let row = Math.ceil(Math.min(ay, by, cy)); twice !== 0 && row <= lastRow; row++) {
      for (let column = Math.ceil(Math.min(ax, bx, cx)); column <= lastColumn; column++) {
        const wa = ((bx - column) * (cy - row) - (by - row) * (cx - column)) / twice;
        const wb = ((cx - column) * (ay - row) - (cy - row) * (ax - column)) / twice;
        if (wa >= 0 && wb >= 0 && wa + wb <= 1)
          hits.push(clamp((row + 0.5) / SUBSAMPLES) * size + clamp((column + 0.5) / SUBSAMPLES));
      }
    }
    if (hits.length === 0)
      hits.push(
        clamp((uvs[a + 1] + uvs[b + 1] + uvs[c + 1]) * (size / 3)) * size +
          clamp((uvs[a] + uvs[b] + uvs[c]) * (size / 3)),
      );
    for (const texel of hits) visit(triangle, texel, area / hits.length);
  }
}
