import { sampleUvs } from '../binding/sampling.ts';
import { SH_C0, type GaussianSet } from '../gaussians/layout.ts';
import type { HeadModel } from '../head/head-model.ts';

/**
 * The avatar's attributes as images in UV: what baking makes, what is painted on, and what any number of Gaussians is
 * sampled from (§3.3). Every map is channel-planar (C×H×W, float32), H = W = `size`.
 *
 * Texel (column i, row j) has its centre at uv ((i + 0.5)/size, (j + 0.5)/size); the origin is the top left, as in
 * `HeadModel.uvs`. Maps are read bilinearly and clamped at the atlas's border.
 *
 * | map | channels | holds |
 * |---|---|---|
 * | `colorMap` | 3 | RGB, sRGB-encoded 0…1: 0.5 + SH_C0 · `color` |
 * | `opacityMap` | 1 | `opacityLogit` |
 * | `scaleMap` | 3 | `logScale`: natural logarithm of metres of canonical size |
 * | `rotationMap` | 3 | axis-angle, radians, in the triangle's frame |
 * | `offsetMap` | 1 | `normalOffset` as stored: 0.05 · tanh(d) metres |
 */
export interface AttributeMaps {
  readonly size: number;
  readonly colorMap: Float32Array;
  readonly opacityMap: Float32Array;
  readonly scaleMap: Float32Array;
  readonly rotationMap: Float32Array;
  readonly offsetMap: Float32Array;
}

/** Channels of each map, in the order in which a network's output holds them (11 in all). */
export const MAP_CHANNELS = { scaleMap: 3, rotationMap: 3, colorMap: 3, opacityMap: 1, offsetMap: 1 } as const;
export type MapName = keyof typeof MAP_CHANNELS;
export const MAP_NAMES = Object.keys(MAP_CHANNELS) as MapName[];
export const MAP_CHANNEL_COUNT = 11;

/** Indices of some maps' channels among the 11. */
export function channelsOf(...names: MapName[]): number[] {
  let first = 0;
  return MAP_NAMES.flatMap((name) => {
    const channels = Array.from({ length: MAP_CHANNELS[name] }, (_, index) => first + index);
    first += MAP_CHANNELS[name];
    return names.includes(name) ? channels : [];
  });
}

/** 11×size² in one array to the maps by name. */
export function splitMaps(values: Float32Array, size: number): AttributeMaps {
  let offset = 0;
  const entries = MAP_NAMES.map((name): [MapName, Float32Array] => {
    const length = MAP_CHANNELS[name] * size * size;
    offset += length;
    return [name, values.slice(offset - length, offset)];
  });
  return { size, ...(Object.fromEntries(entries) as Record<MapName, Float32Array>) };
}

/** `all`: every attribute is read from maps. `appearance`: colour and opacity alone; geometry stays per Gaussian. */
export type MappedAttributes = 'all' | 'appearance';

/** One texel's part in a bilinear read. */
export interface TexelWeight {
  /** row · size + column. */
  readonly texel: number;
  readonly weight: number;
}

/** The four texels around a point of the atlas, with bilinear weights that sum to 1. */
export function bilinearTexels(size: number, u: number, v: number): TexelWeight[] {
  const clamp = (value: number): number => Math.max(0, Math.min(size - 1, value));
  const x = clamp(u * size - 0.5);
  const y = clamp(v * size - 0.5);
  const [left, top] = [Math.floor(x), Math.floor(y)];
  const [right, bottom] = [clamp(left + 1), clamp(top + 1)];
  const [fx, fy] = [x - left, y - top];
  return [
    { texel: top * size + left, weight: (1 - fx) * (1 - fy) },
    { texel: top * size + right, weight: fx * (1 - fy) },
    { texel: bottom * size + left, weight: (1 - fx) * fy },
    { texel: bottom * size + right, weight: fx * fy },
  ];
}

/** Reads the maps at every Gaussian's place: the same set with its attributes replaced. */
export function sampleMaps(
  maps: AttributeMaps,
  head: Pick<HeadModel, 'uvs' | 'uvTriangles'>,
  gaussians: GaussianSet,
  mapped: MappedAttributes = 'all',
): GaussianSet {
  const { count } = gaussians;
  const places = sampleUvs(head, gaussians);
  const read = (map: Float32Array, channels: number): Float32Array => {
    const plane = maps.size * maps.size;
    const result = new Float32Array(count * channels);
    for (let gaussian = 0; gaussian < count; gaussian++) {
      for (const { texel, weight } of bilinearTexels(maps.size, places[gaussian * 2]!, places[gaussian * 2 + 1]!)) {
        for (let channel = 0; channel < channels; channel++)
          result[gaussian * channels + channel] += weight * map[channel * plane + texel]!;
      }
    }
    return result;
  };
  const appearance = {
    ...gaussians,
    color: read(maps.colorMap, 3).map((rgb) => (rgb - 0.5) / SH_C0),
    opacityLogit: read(maps.opacityMap, 1),
  };
  if (mapped === 'appearance') return appearance;
  return {
    ...appearance,
    logScale: read(maps.scaleMap, 3),
    localRotation: quaternions(read(maps.rotationMap, 3)),
    normalOffset: read(maps.offsetMap, 1),
  };
}

/** N×3 axis-angle to N×4 unit quaternions (wxyz). */
function quaternions(axisAngles: Float32Array): Float32Array {
  const count = axisAngles.length / 3;
  const result = new Float32Array(count * 4);
  for (let index = 0; index < count; index++) {
    const [x, y, z] = axisAngles.subarray(index * 3, index * 3 + 3) as unknown as [number, number, number];
    const angle = Math.hypot(x, y, z);
    // sin(a/2)/a tends to 1/2 as a tends to 0.
    const factor = angle > 1e-6 ? Math.sin(angle / 2) / angle : 0.5;
    result.set([Math.cos(angle / 2), x * factor, y * factor, z * factor], index * 4);
  }
  return result;
}
