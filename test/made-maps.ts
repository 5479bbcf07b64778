import { sampleUvs } from '../src/binding/sampling.ts';
import type { Avatar } from '../src/avatar/avatar.ts';
import { bilinearTexels, MAP_CHANNELS, type AttributeMaps, type MapName } from '../src/baking/attribute-maps.ts';
import { SH_C0 } from '../src/gaussians/layout.ts';

/** Maps without a network: a fitted avatar's attributes splatted into texels, and holes filled from coarser levels. */
export function madeMaps({ head, gaussians }: Avatar, size: number): AttributeMaps {
  const places = sampleUvs(head, gaussians);
  const attributes: Record<MapName, Float32Array> = {
    colorMap: gaussians.color.map((value) => 0.5 + SH_C0 * value),
    opacityMap: gaussians.opacityLogit,
    scaleMap: gaussians.logScale,
    rotationMap: axisAngles(gaussians.localRotation),
    offsetMap: gaussians.normalOffset,
  };
  const map = (name: MapName): Float32Array => {
    const channels = MAP_CHANNELS[name];
    const planes = Array.from({ length: channels }, (_, channel) => {
      const sums = new Float64Array(size * size);
      const weights = new Float64Array(size * size);
      for (let gaussian = 0; gaussian < gaussians.count; gaussian++) {
        for (const { texel, weight } of bilinearTexels(size, places[gaussian * 2], places[gaussian * 2 + 1])) {
          sums[texel] += weight * attributes[name][gaussian * channels + channel];
          weights[texel] += weight;
        }
      }
      return pull(sums, weights, size);
    });
    return Float32Array.from(planes.flatMap((plane) => [...plane]));
  };
  return {
    size,
    colorMap: map('colorMap'),
    opacityMap: map('opacityMap'),
    scaleMap: map('scaleMap'),
    rotationMap: map('rotationMap'),
    offsetMap: map('offsetMap'),
  };
}

/** Means where there is weight; elsewhere the mean of the level twice as coarse. */
function pull(sums: Float64Array, weights: Float64Array, size: number): Float64Array {
  if (size === 1) return Float64Array.of(weights[0] > 0 ? sums[0] / weights[0] : 0);
  const half = Math.ceil(size / 2);
  const coarseSums = new Float64Array(half * half);
  const coarseWeights = new Float64Array(half * half);
  const parent = (texel: number): number => (Math.floor(texel / size) >> 1) * half + ((texel % size) >> 1);
  sums.forEach((sum, texel) => {
    coarseSums[parent(texel)] += sum;
    coarseWeights[parent(texel)] += weights[texel];
  });
  const coarse = pull(coarseSums, coarseWeights, half);
  return sums.map((sum, texel) => (weights[texel] > 1e-3 ? sum / weights[texel] : coarse[parent(texel)]));
}

/** N×4 wxyz to N×3, the shorter way round. */
function axisAngles(rotations: Float32Array): Float32Array {
  const result = new Float32Array((rotations.length / 4) * 3);
  for (let index = 0; index < rotations.length / 4; index++) {
    const [w, ...xyz] = rotations.subarray(index * 4, index * 4 + 4);
    const sine = Math.hypot(...xyz);
    const sign = w < 0 ? -1 : 1;
    const factor = sine > 1e-9 ? (2 * sign * Math.atan2(sine, Math.abs(w))) / sine : 2 * sign;
    xyz.forEach((value, axis) => (result[index * 3 + axis] = value * factor));
  }
  return result;
}
