import { NORMAL_OFFSET_LIMIT, type GaussianSet } from '../gaussians/layout.ts';

export interface LimitHeightsInputs {
  readonly gaussians: GaussianSet;
  /** N: as `ShortenNeedlesInputs.stretch`. */
  readonly stretch: Float32Array;
}

/** Metres from the mesh at most. It starts from the outline of the hair: what belongs to the head is nearer. */
const HIGHEST = 0.03;

/**
 * Brings back to the head what has left it by centimetres: in line with the head from where the clip looks, it floats
 * beside it from elsewhere. A height grows with the triangle that it stands on.
 */
export function limitHeights({ gaussians, stretch }: LimitHeightsInputs): GaussianSet {
  const normalOffset = gaussians.normalOffset.map((own, i) => {
    const share = HIGHEST / (NORMAL_OFFSET_LIMIT * Math.max(1, stretch[i]!));
    const limit = Math.atanh(share);
    return Math.max(-limit, Math.min(limit, own));
  });
  return { ...gaussians, normalOffset };
}
