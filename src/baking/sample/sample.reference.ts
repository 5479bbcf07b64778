import { SH_C0 } from '../../gaussians/layout.ts';
import { MAP_CHANNEL_COUNT, type MappedAttributes } from '../attribute-maps.ts';
import type { MapTaps } from './taps.ts';

/** Local attributes in float64, laid out as `LOCAL_STRIDES` says. */
export interface LocalArrays {
  readonly localRotation: Float64Array;
  readonly logScale: Float64Array;
  readonly opacityLogit: Float64Array;
  readonly color: Float64Array;
  readonly normalOffset: Float64Array;
}

/** First channel of each map. */
const CHANNEL = { scale: 0, rotation: 3, color: 6, opacity: 9, offset: 10 } as const;
const SERIES_BELOW = 1e-8;

/** N×11: the maps read at every Gaussian's place. */
function readMaps(maps: ArrayLike<number>, { texels, weights, gaussianCount, size }: MapTaps): Float64Array {
  const result = new Float64Array(gaussianCount * MAP_CHANNEL_COUNT);
  for (let tap = 0; tap < texels.length; tap++) {
    for (let channel = 0; channel < MAP_CHANNEL_COUNT; channel++) {
      result[Math.floor(tap / 4) * MAP_CHANNEL_COUNT + channel]! +=
        weights[tap]! * maps[channel * size * size + texels[tap]!]!;
    }
  }
  return result;
}

/** sin(a/2)/a and its derivative by a, over a; from the squared angle. */
function rotationFactors(squared: number): { factor: number; slope: number } {
  const angle = Math.sqrt(squared);
  if (squared < SERIES_BELOW) return { factor: 0.5 - squared / 48, slope: -1 / 24 };
  const factor = Math.sin(angle / 2) / angle;
  return { factor, slope: (Math.cos(angle / 2) / 2 - factor) / squared };
}

/** Local attributes of every Gaussian, read from 11×size² maps. In `appearance`, geometry is left 0. */
export function sampleReference(maps: ArrayLike<number>, taps: MapTaps, mapped: MappedAttributes): LocalArrays {
  const { gaussianCount: count } = taps;
  const samples = readMaps(maps, taps);
  const at = (gaussian: number, channel: number): number => samples[gaussian * MAP_CHANNEL_COUNT + channel]!;
  const result = emptyLocal(count);
  for (let gaussian = 0; gaussian < count; gaussian++) {
    for (let axis = 0; axis < 3; axis++)
      result.color[gaussian * 3 + axis] = (at(gaussian, CHANNEL.color + axis) - 0.5) / SH_C0;
    result.opacityLogit[gaussian] = at(gaussian, CHANNEL.opacity);
    if (mapped === 'appearance') continue;
    const r = [0, 1, 2].map((axis) => at(gaussian, CHANNEL.rotation + axis));
    const squared = r.reduce((sum, value) => sum + value * value, 0);
    const { factor } = rotationFactors(squared);
    result.localRotation.set([Math.cos(Math.sqrt(squared) / 2), ...r.map((value) => value * factor)], gaussian * 4);
    for (let axis = 0; axis < 3; axis++) result.logScale[gaussian * 3 + axis] = at(gaussian, CHANNEL.scale + axis);
    result.normalOffset[gaussian] = at(gaussian, CHANNEL.offset);
  }
  return result;
}

/** 11×size²: ∂loss/∂maps from ∂loss/∂(local attributes). */
export function sampleBackwardReference(
  maps: ArrayLike<number>,
  gradients: LocalArrays,
  taps: MapTaps,
  mapped: MappedAttributes,
): Float64Array {
  const { gaussianCount: count, size, texels, weights } = taps;
  const samples = readMaps(maps, taps);
  const sampleGradient = new Float64Array(count * MAP_CHANNEL_COUNT);
  for (let gaussian = 0; gaussian < count; gaussian++) {
    const base = gaussian * MAP_CHANNEL_COUNT;
    for (let axis = 0; axis < 3; axis++)
      sampleGradient[base + CHANNEL.color + axis] = gradients.color[gaussian * 3 + axis]! / SH_C0;
    sampleGradient[base + CHANNEL.opacity] = gradients.opacityLogit[gaussian]!;
    if (mapped === 'appearance') continue;
    const r = [...samples.subarray(base + CHANNEL.rotation, base + CHANNEL.rotation + 3)];
    const { factor, slope } = rotationFactors(r.reduce((sum, value) => sum + value * value, 0));
    const [gw, ...g] = gradients.localRotation.subarray(gaussian * 4, gaussian * 4 + 4);
    const along = g.reduce((sum, value, axis) => sum + value * r[axis]!, 0);
    for (let axis = 0; axis < 3; axis++) {
      sampleGradient[base + CHANNEL.rotation + axis] =
        factor * g[axis]! + (slope * along - (factor / 2) * gw!) * r[axis]!;
      sampleGradient[base + CHANNEL.scale + axis] = gradients.logScale[gaussian * 3 + axis]!;
    }
    sampleGradient[base + CHANNEL.offset] = gradients.normalOffset[gaussian]!;
  }
  const result = new Float64Array(MAP_CHANNEL_COUNT * size * size);
  for (let tap = 0; tap < texels.length; tap++) {
    for (let channel = 0; channel < MAP_CHANNEL_COUNT; channel++) {
      result[channel * size * size + texels[tap]!]! +=
        weights[tap]! * sampleGradient[Math.floor(tap / 4) * MAP_CHANNEL_COUNT + channel]!;
    }
  }
  return result;
}

function emptyLocal(count: number): LocalArrays {
  return {
    localRotation: new Float64Array(count * 4),
    logScale: new Float64Array(count * 3),
    opacityLogit: new Float64Array(count),
    color: new Float64Array(count * 3),
    normalOffset: new Float64Array(count),
  };
}
