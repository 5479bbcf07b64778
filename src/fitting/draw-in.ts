import { nearestNeighbours } from '../binding/nearest-neighbours.ts';
import type { GaussianSet } from '../gaussians/layout.ts';
import type { SurfaceGroup } from './region-appearance.ts';

export interface DrawInInputs {
  readonly gaussians: GaussianSet;
  /** N×3 metres: the Gaussians' places on the canonical surface. */
  readonly positions: Float32Array;
  /** N metres: as `SeenSurface.spacing`. */
  readonly spacing: Float32Array;
  /** N: which surface each Gaussian is on; null is left alone. */
  readonly groups: readonly (SurfaceGroup | null)[];
  /** N: 1 for those that the fit began with, which were opaque then. A child of `sampling` begins faint, and is no hole. */
  readonly isFirst: Uint8Array;
  /** Extent along the normal over that along the surface of what is drawn in. */
  readonly thickness: number;
  /**
   * N stored normal offsets: the nearest place from each Gaussian's own inwards that the mattes hold, NaN where none is and for
   * those that are not asked for (`inwardOffsets`).
   */
  readonly inward?: (isAsked: (gaussian: number) => boolean) => Float32Array;
  /** Height (y, metres) under which nothing belongs. Default: no such height. */
  readonly lowest?: number;
}

/** The set with some of its Gaussians drawn in; their colours are still what they were, and mean nothing. */
export interface DrawnIn {
  readonly gaussians: GaussianSet;
  readonly isDrawnIn: (gaussian: number) => boolean;
}

const NEIGHBOURS = 24;
/** Of the nearest eight, so many solid ones make a surface. */
const SURFACE_NEIGHBOURS = 6;
/** Sum of the opacities that reach a place of the surface, under which it has a hole. */
const COVERED = 0.7;
/** Below this opacity a Gaussian is there to be empty: every first one starts opaque, and was made so by the pictures. */
export const EMPTY = 0.4;
/** Logit of the opacity of what lies below the pictures, for good. */
export const NOTHING = -8;
export const OPAQUE = Math.log(0.95 / (1 - 0.95));

/**
 * Makes solid again what the pictures made faint though the head is there, on the nearest place from its own inwards that
 * the mattes hold: what sticks out of them, because the mesh is wider than the head, and what is inside where nothing else
 * covers it, because of fringes and of tracks that are a pixel off. From the side there would be a hole.
 */
export function drawIn({
  gaussians,
  positions,
  spacing,
  groups,
  isFirst,
  thickness,
  inward,
  lowest,
}: DrawInInputs): DrawnIn {
  const none = { gaussians, isDrawnIn: () => false };
  if (!inward) return none;
  const { indices } = nearestNeighbours(positions, NEIGHBOURS);
  const neighboursOf = (i: number): Uint32Array => indices.subarray(i * NEIGHBOURS, (i + 1) * NEIGHBOURS);
  const opacity = gaussians.opacityLogit.map((logit) => 1 / (1 + Math.exp(-logit)));
  const isFaint = (i: number): boolean => opacity[i]! < EMPTY && gaussians.opacityLogit[i]! > NOTHING + 1;
  const isAsked = (i: number): boolean =>
    groups[i] !== null && positions[i * 3 + 1]! >= (lowest ?? -Infinity) && isFaint(i) && isFirst[i] === 1;
  const places = inward(isAsked);
  const isCovered = opacity.map((_, i) =>
    isFaint(i) && coverAt(i, neighboursOf(i), gaussians, positions, opacity) >= COVERED ? 1 : 0,
  );
  places.forEach((place, i) => {
    const sticksOut = place < gaussians.normalOffset[i]! - 1e-6;
    if (!sticksOut && isCovered[i]) places[i] = NaN;
  });
  if (places.every(Number.isNaN)) return none;
  const isSolid = (i: number): boolean => opacity[i]! >= EMPTY || isCovered[i] === 1 || !Number.isNaN(places[i]);
  const isDrawnIn = (i: number): boolean =>
    !Number.isNaN(places[i]) &&
    // One alone in what is empty would float.
    neighboursOf(i).subarray(0, 8).filter(isSolid).length >= SURFACE_NEIGHBOURS;
  const drawn: GaussianSet = {
    ...gaussians,
    localRotation: gaussians.localRotation.slice(),
    logScale: gaussians.logScale.slice(),
    opacityLogit: gaussians.opacityLogit.slice(),
    normalOffset: gaussians.normalOffset.slice(),
  };
  for (let i = 0; i < gaussians.count; i++) {
    if (!isDrawnIn(i)) continue;
    const extent = Math.log(spacing[i]!);
    drawn.logScale.set([extent, extent + Math.log(thickness), extent], i * 3);
    drawn.localRotation.set([1, 0, 0, 0], i * 4);
    drawn.normalOffset[i] = places[i]!;
    drawn.opacityLogit[i] = OPAQUE;
  }
  return { gaussians: drawn, isDrawnIn };
}

/** Sum of the opacities that a Gaussian and its neighbours have at its place. */
function coverAt(
  i: number,
  neighbours: Uint32Array,
  { logScale }: GaussianSet,
  positions: Float32Array,
  opacity: Float32Array,
): number {
  let cover = opacity[i]!;
  for (const j of neighbours) {
    if (j === i) continue;
    const distance = Math.hypot(...[0, 1, 2].map((axis) => positions[i * 3 + axis]! - positions[j * 3 + axis]!));
    const extent = Math.exp((logScale[j * 3]! + logScale[j * 3 + 2]!) / 2); // along the surface
    cover += opacity[j]! * Math.exp(-0.5 * (distance / extent) ** 2);
  }
  return cover;
}
