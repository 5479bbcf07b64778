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
/** Metres of canonical size above the middle one of its neighbours at most, on skin: what hangs before it does so together. */
const ABOVE_NEIGHBOURS = 0.007;
const NEIGHBOURS = 10;

/**
 * Brings back to the head what has left it: in line with the head from where the clip looks, it floats beside it from
 * elsewhere. A height grows with the triangle that it stands on; neighbours grow together.
 */
export function limitHeights({ gaussians, positions, groups, stretch }: LimitHeightsInputs): GaussianSet {
  const heights = gaussians.normalOffset.map(heightOf);
  const { indices } = nearestNeighbours(positions, NEIGHBOURS);
  const middleRound = (i: number): number =>
    median(Array.from(indices.subarray(i * NEIGHBOURS, (i + 1) * NEIGHBOURS), (j) => heights[j]!));
  const normalOffset = gaussians.normalOffset.map((own, i) => {
    const highest = HIGHEST / Math.max(1, stretch[i]!);
    const limit = groups[i] === 'skin' ? Math.min(highest, middleRound(i) + ABOVE_NEIGHBOURS) : highest;
    const height = Math.max(-highest, Math.min(limit, heights[i]!));
    return height === heights[i] ? own : Math.atanh(height / NORMAL_OFFSET_LIMIT);
  });
  return { ...gaussians, normalOffset };
}
