import { cornerCharts } from '../head/atlas/charts.ts';
import type { HeadModel } from '../head/head-model.ts';
import { bilinearTexels, type AttributeMaps } from './attribute-maps.ts';
import { createChartMips, readChartMips, visitTexelAreas, type ChartMips, type TexelSum } from './chart-mips.ts';

/** Attributes at one place of the maps. */
export interface SampledAttributes {
  readonly rgb: readonly [number, number, number];
  readonly opacityLogit: number;
  readonly logScale: readonly [number, number, number];
  /** Axis-angle, in the triangle's frame. */
  readonly rotation: readonly [number, number, number];
  readonly normalOffset: number;
}

/** Mip-maps of all attributes, kept apart by chart. */
export interface AttributeMips {
  readonly size: number;
  /** T: chart of each triangle. */
  readonly charts: Uint32Array;
  readonly mips: ChartMips;
  /** size²: 1 + the chart whose surface lies in the texel, 0 for none. */
  readonly texelCharts: Uint32Array;
}

/** Channels of the sums: square metres, and times them opacity, and times both colour; the rest times square metres. */
const AREA = 0;
const OPACITY = 1;
const COLOR = 2;
const SCALE = 5;
const ROTATION = 8;
const OFFSET = 11;
const CHANNELS = 12;
const LOGIT_LIMIT = 12;

/** T: charts numbered from 0, in order of their first triangle. */
export function triangleCharts({ uvs, uvTriangles, triangleCount }: HeadModel): Uint32Array {
  const ofCorner = cornerCharts(uvTriangles, uvs.length / 2);
  const numbers = new Map<number, number>();
  return Uint32Array.from({ length: triangleCount }, (_, triangle) => {
    const chart = ofCorner[uvTriangles[triangle * 3]];
    if (!numbers.has(chart)) numbers.set(chart, numbers.size);
    return numbers.get(chart)!;
  });
}

/**
 * Means over the surface, so that what a texel shows of another chart or of nothing has no say: attributes weigh as much
 * as the square metres that they stand on, colour also as much as it is opaque. Opacity is averaged as such, not as logit.
 */
export function attributeMips(head: HeadModel, maps: AttributeMaps): AttributeMips {
  const { size } = maps;
  const plane = size * size;
  const charts = triangleCharts(head);
  const chartCount = charts.reduce((most, chart) => Math.max(most, chart + 1), 0);
  const texelCharts = new Uint32Array(plane);
  const entries: TexelSum[] = [];
  visitTexelAreas(head, size, (triangle, texel, area) => {
    texelCharts[texel] = charts[triangle] + 1;
    const weight = area / (1 + Math.exp(-maps.opacityMap[texel]));
    const three = (map: Float32Array, factor: number): number[] =>
      [0, 1, 2].map((channel) => map[channel * plane + texel] * factor);
    entries.push({
      chart: charts[triangle],
      texel,
      amounts: [area, weight, ...three(maps.colorMap, weight), ...three(maps.scaleMap, area), ...three(maps.rotationMap, area), maps.offsetMap[texel] * area],
    }); // prettier-ignore
  });
  return { size, charts, texelCharts, mips: createChartMips(size, CHANNELS, chartCount, entries) };
}

/** Trilinear read of a triangle's chart; level 0 is the maps themselves, read as `sampleMaps` does. */
export function sampleAttributes(
  maps: AttributeMaps,
  mips: AttributeMips,
  triangle: number,
  [u, v]: readonly [number, number],
  level: number,
): SampledAttributes {
  const chart = mips.charts[triangle];
  const last = mips.mips.levels.length - 1;
  const lower = Math.max(0, Math.min(last, Math.floor(level)));
  const share = Math.min(1, Math.max(0, level - lower));
  const values = readLevel(maps, mips.mips, chart, lower, u, v);
  if (share > 0 && lower < last) {
    readLevel(maps, mips.mips, chart, lower + 1, u, v).forEach((value, index) => {
      values[index] += share * (value - values[index]);
    });
  }
  const three = (at: number): [number, number, number] => [values[at], values[at + 1], values[at + 2]];
  return {
    rgb: three(0),
    opacityLogit: values[3],
    logScale: three(4),
    rotation: three(7),
    normalOffset: values[10],
  };
}

/** 11 values: rgb, opacity logit, log scale, rotation, offset. */
function readLevel(
  maps: AttributeMaps,
  mips: ChartMips,
  chart: number,
  level: number,
  u: number,
  v: number,
): Float64Array {
  const values = new Float64Array(11);
  const sums = level > 0 ? readChartMips(mips, chart, level, u, v, new Float64Array(CHANNELS)) : null;
  if (sums && sums[AREA] > 0 && sums[OPACITY] > 0) {
    const opacity = sums[OPACITY] / sums[AREA];
    for (let channel = 0; channel < 3; channel++) {
      values[channel] = sums[COLOR + channel] / sums[OPACITY];
      values[4 + channel] = sums[SCALE + channel] / sums[AREA];
      values[7 + channel] = sums[ROTATION + channel] / sums[AREA];
    }
    values[3] = Math.max(-LOGIT_LIMIT, Math.min(LOGIT_LIMIT, Math.log(opacity / (1 - opacity))));
    values[10] = sums[OFFSET] / sums[AREA];
    return values;
  }
  const plane = maps.size * maps.size;
  for (const { texel, weight } of bilinearTexels(maps.size, u, v)) {
    for (let channel = 0; channel < 3; channel++) {
      values[channel] += weight * maps.colorMap[channel * plane + texel];
      values[4 + channel] += weight * maps.scaleMap[channel * plane + texel];
      values[7 + channel] += weight * maps.rotationMap[channel * plane + texel];
    }
    values[3] += weight * maps.opacityMap[texel];
    values[10] += weight * maps.offsetMap[texel];
  }
  return values;
}
