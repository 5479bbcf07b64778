import { nearestNeighbours } from '../binding/nearest-neighbours.ts';
import type { GaussianSet } from '../gaussians/layout.ts';
import type { SurfaceGroup } from './region-appearance.ts';

export interface FillInputs {
  readonly gaussians: GaussianSet;
  /** N×3 metres: the Gaussians' places on the canonical surface. */
  readonly positions: Float32Array;
  /** N: Σ alpha · transmittance over the pixels of some frames. */
  readonly contribution: Float32Array;
  /** N: which surface each Gaussian is on; null is left alone. */
  readonly groups: readonly (SurfaceGroup | null)[];
}

const NEIGHBOURS = 8;
/** Of the typical seen Gaussian's contribution: below the first counts as unseen, above the second as seen. */
const UNSEEN_SHARE = 0.03;
const SEEN_SHARE = 0.25;
const FILL_OPACITY = 0.95;
/** Steps away from what is seen over which its look gives way to the group's middle. */
const FADE_STEPS = 14;
const SMOOTHING_SWEEPS = 60;

/**
 * Closes what no frame shows: Gaussians that contributed nothing take the colour and height of their seen neighbours,
 * spreading outwards over the surface, become opaque and as wide as their spacing. What was seen stays as it is; in
 * between both are mixed. A plain continuation of hair, skin and neck, not a reconstruction: that is `completion`.
 */
export function fillUnseen(inputs: FillInputs): GaussianSet {
  const { gaussians, positions, groups } = inputs;
  const confidence = seenConfidence(inputs);
  const { indices, meanDistances } = nearestNeighbours(positions, NEIGHBOURS);
  const filled: GaussianSet = {
    ...gaussians,
    localRotation: gaussians.localRotation.slice(),
    logScale: gaussians.logScale.slice(),
    opacityLogit: gaussians.opacityLogit.slice(),
    color: gaussians.color.slice(),
    normalOffset: gaussians.normalOffset.slice(),
  };
  const look = spread(gaussians, confidence, groups, indices);
  const opaque = Math.log(FILL_OPACITY / (1 - FILL_OPACITY));
  for (let i = 0; i < gaussians.count; i++) {
    const keep = confidence[i]!;
    if (groups[i] === null || keep >= 1) continue;
    const mix = (own: number, other: number): number => keep * own + (1 - keep) * other;
    for (let k = 0; k < 3; k++) {
      filled.color[i * 3 + k] = mix(gaussians.color[i * 3 + k]!, look[i * LOOK + k]!);
      filled.logScale[i * 3 + k] = mix(gaussians.logScale[i * 3 + k]!, Math.log(meanDistances[i]!));
    }
    filled.normalOffset[i] = mix(gaussians.normalOffset[i]!, look[i * LOOK + 3]!);
    filled.opacityLogit[i] = Math.max(gaussians.opacityLogit[i]!, mix(gaussians.opacityLogit[i]!, opaque));
    if (keep < 0.5) filled.localRotation.set([1, 0, 0, 0], i * 4);
  }
  return filled;
}

/** Colour 3 and normal offset 1. */
const LOOK = 4;

/** 0 for a Gaussian that no frame shows, 1 for one that is seen as well as most. */
function seenConfidence({ gaussians, contribution }: FillInputs): Float32Array {
  // Per opacity: a seen but faint Gaussian is faint on purpose, a hidden one is hidden however opaque it is.
  const visible = contribution.map((sum, i) => sum * (1 + Math.exp(-Math.max(-7, gaussians.opacityLogit[i]!))));
  const seen = [...visible].filter((value) => value > 0).toSorted((a, b) => a - b);
  const typical = seen.length > 0 ? seen[Math.floor(seen.length * 0.7)]! : 0;
  return visible.map((value) => {
    const x = (value / typical - UNSEEN_SHARE) / (SEEN_SHARE - UNSEEN_SHARE);
    const clamped = Math.max(0, Math.min(1, Number.isFinite(x) ? x : 0));
    return clamped * clamped * (3 - 2 * clamped);
  });
}

/** Carries the look of what is seen over the surface, step by step, then evens it out. */
function spread(
  gaussians: GaussianSet,
  confidence: Float32Array,
  groups: readonly (SurfaceGroup | null)[],
  indices: Uint32Array,
): Float32Array {
  const { count } = gaussians;
  const look = new Float32Array(count * LOOK);
  const step = new Int32Array(count).fill(-1);
  const middles = groupMiddles(gaussians, confidence, groups);
  for (let i = 0; i < count; i++) {
    if (groups[i] === null || confidence[i]! < 0.5) continue;
    step[i] = 0;
    for (let k = 0; k < 3; k++) look[i * LOOK + k] = gaussians.color[i * 3 + k]!;
    look[i * LOOK + 3] = gaussians.normalOffset[i]!;
  }
  /** Mean look of i's neighbours of the same group that have one by `before`; false when there is none. */
  const gather = (i: number, before: number, into: Float32Array): boolean => {
    let found = 0;
    into.fill(0);
    for (let n = 0; n < NEIGHBOURS; n++) {
      const j = indices[i * NEIGHBOURS + n]!;
      if (j === i || groups[j] !== groups[i] || step[j]! < 0 || step[j]! >= before) continue;
      for (let k = 0; k < LOOK; k++) into[k]! += look[j * LOOK + k]!;
      found++;
    }
    if (found > 0) for (let k = 0; k < LOOK; k++) into[k]! /= found;
    return found > 0;
  };
  const mean = new Float32Array(LOOK);
  for (let ring = 1, changed = true; changed && ring < 500; ring++) {
    changed = false;
    for (let i = 0; i < count; i++) {
      if (groups[i] === null || step[i]! >= 0 || !gather(i, ring, mean)) continue;
      look.set(mean, i * LOOK);
      step[i] = ring;
      changed = true;
    }
  }
  for (let i = 0; i < count; i++) {
    const middle = groups[i] === null ? undefined : middles.get(groups[i]!);
    if (!middle || step[i] === 0) continue;
    const far = step[i]! < 0 ? 1 : 1 - Math.exp(-step[i]! / FADE_STEPS);
    for (let k = 0; k < LOOK; k++) look[i * LOOK + k] = (1 - far) * look[i * LOOK + k]! + far * middle[k]!;
    if (step[i]! < 0) step[i] = 1;
  }
  for (let sweep = 0; sweep < SMOOTHING_SWEEPS; sweep++) {
    for (let i = 0; i < count; i++) {
      if (groups[i] !== null && step[i]! > 0 && gather(i, Infinity, mean)) look.set(mean, i * LOOK);
    }
  }
  return look;
}

/** Median look of what is well seen of each group. */
function groupMiddles(
  gaussians: GaussianSet,
  confidence: Float32Array,
  groups: readonly (SurfaceGroup | null)[],
): Map<SurfaceGroup, number[]> {
  const middles = new Map<SurfaceGroup, number[]>();
  for (const group of ['skin', 'hair', 'neck'] as const) {
    const members = [...confidence.keys()].filter((i) => groups[i] === group && confidence[i]! > 0.9);
    if (members.length === 0) continue;
    const median = (valueOf: (i: number) => number): number =>
      members.map(valueOf).toSorted((a, b) => a - b)[Math.floor(members.length / 2)]!;
    middles.set(group, [
      ...[0, 1, 2].map((k) => median((i) => gaussians.color[i * 3 + k]!)),
      median((i) => gaussians.normalOffset[i]!),
    ]);
  }
  return middles;
}
