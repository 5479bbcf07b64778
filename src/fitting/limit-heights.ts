import { nearestNeighbours } from '../binding/nearest-neighbours.ts';
import { heightOf, NORMAL_OFFSET_LIMIT, type GaussianSet } from '../gaussians/layout.ts';
import { median } from '../math/median.ts';
import type { SurfaceGroup } from './region-appearance.ts';

export interface LimitHeightsInputs {
  readonly gaussians: GaussianSet;
  /** N×3 metres: as `SeenSurface.positions`. */
  readonly positions: Float32Array;
  /** N: which surface each Gaussian is on. On skin one alone is a wisp; hair, on scalp and neck, is uneven everywhere. */
  readonly groups: readonly (SurfaceGroup | null)[];
  /** N: as `ShortenNeedlesInputs.stretch`. */
  readonly stretch: Float32Array;
}

/** Metres from the mesh at most. It starts from the outline of the hair: what belongs to the head is nearer. */
const HIGHEST = 0.03;
/** Metres above the middle one of its neighbours at most, on skin: what hangs before it does so together. */
const ABOVE_NEIGHBOURS = 0.007;
const NEIGHBOURS = 10;

/**
 * Brings back to the head what has left it: in line with the head from where the clip looks, it floats beside it from
 * elsewhere. A height grows with the triangle that it stands on.
 */
export function limitHeights({ gaussians, positions, groups, stretch }: LimitHeightsInputs): GaussianSet {
  const grown = (i: number): number => Math.max(1, stretch[i]!);
  const heights = gaussians.normalOffset.map((own, i) => heightOf(own) * grown(i));
  const { indices } = nearestNeighbours(positions, NEIGHBOURS);
  const middleRound = (i: number): number =>
    median(Array.from(indices.subarray(i * NEIGHBOURS, (i + 1) * NEIGHBOURS), (j) => heights[j]!));
  const normalOffset = gaussians.normalOffset.map((own, i) => {
    const limit = groups[i] === 'skin' ? Math.min(HIGHEST, middleRound(i) + ABOVE_NEIGHBOURS) : HIGHEST;
    const height = Math.max(-HIGHEST, Math.min(limit, heights[i]!));
    return height === heights[i] ? own : Math.atanh(height / (NORMAL_OFFSET_LIMIT * grown(i)));
  });
  return { ...gaussians, normalOffset };
}
