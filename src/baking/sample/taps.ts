import { bilinearTexels } from '../attribute-maps.ts';

/** Who reads which texel with which weight, seen from the Gaussians and from the texels. */
export interface MapTaps {
  readonly gaussianCount: number;
  readonly size: number;
  /** N×4 texel indices and their bilinear weights, which sum to 1. */
  readonly texels: Uint32Array;
  readonly weights: Float32Array;
  /** Texels + 1: where each texel's reads begin. */
  readonly starts: Uint32Array;
  /** (Gaussian, bits of the weight) of every read with a weight above 0, texel by texel, Gaussians ascending. */
  readonly reads: Uint32Array;
}

/** The taps of Gaussians at `places` (N×2 UV) in maps of `size`². */
export function mapTaps(places: Float32Array, size: number): MapTaps {
  const gaussianCount = places.length / 2;
  const texels = new Uint32Array(gaussianCount * 4);
  const weights = new Float32Array(gaussianCount * 4);
  const starts = new Uint32Array(size * size + 1);
  for (let gaussian = 0; gaussian < gaussianCount; gaussian++) {
    bilinearTexels(size, places[gaussian * 2]!, places[gaussian * 2 + 1]!).forEach(({ texel, weight }, tap) => {
      texels[gaussian * 4 + tap] = texel;
      weights[gaussian * 4 + tap] = weight;
      if (weight > 0) starts[texel + 1]!++;
    });
  }
  for (let texel = 0; texel < size * size; texel++) starts[texel + 1]! += starts[texel]!;
  const next = starts.slice(0, size * size);
  const reads = new Uint32Array(starts[size * size]! * 2);
  const weightBits = new Uint32Array(weights.buffer);
  for (let tap = 0; tap < texels.length; tap++) {
    if (!(weights[tap]! > 0)) continue;
    const place = next[texels[tap]!]!++;
    reads.set([Math.floor(tap / 4), weightBits[tap]!], place * 2);
  }
  return { gaussianCount, size, texels, weights, starts, reads };
}
