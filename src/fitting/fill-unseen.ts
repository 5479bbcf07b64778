import { nearestNeighbours } from '../binding/nearest-neighbours.ts';
import type { GaussianSet } from '../gaussians/layout.ts';
import { drawIn, EMPTY, NOTHING, OPAQUE, type DrawInInputs } from './draw-in.ts';
import type { SurfaceGroup } from './region-appearance.ts';

export interface FillInputs extends Omit<DrawInInputs, 'lowest'> {
  /** N: mean over some frames of Σ alpha · transmittance over the pixels. */
  readonly contribution: Float32Array;
  /** Pixels per metre at the head's distance. */
  readonly pixelsPerMetre: number;
}

const NEIGHBOURS = 8;
/** Share of a Gaussian's own light: below the first it counts as unseen, above the second as seen. */
const UNSEEN_LIGHT = 0.004;
const SEEN_LIGHT = 0.06;
const FAINT = 0.1;
/** Pixels that the rasteriser's low-pass filter adds, √0.3. */
const DILATION = 0.55;
/** Share of the seen Gaussians that may lie below the cut, and how far the surface goes on under it, metres. */
const LOWEST_SHARE = 0.005;
const CUT_MARGIN = 0.004;
/** Steps away from what is seen over which its look gives way to the group's middle. */
const FADE_STEPS = 14;
const SMOOTHING_SWEEPS = 60;

/**
 * Closes what no frame shows: Gaussians that contributed nothing take the colour and height of their seen neighbours,
 * spreading outwards over the surface, become opaque and as wide as their spacing. What was seen stays as it is; in
 * between both are mixed. A plain continuation of hair, skin and neck, not a reconstruction: that is `completion`.
 */
export function fillUnseen(inputs: FillInputs): GaussianSet {
  const { gaussians, positions, spacing, groups, thickness } = inputs;
  const confidence = seenConfidence(inputs);
  const { indices } = nearestNeighbours(positions, NEIGHBOURS);
  const look = spread(inputs, confidence, indices);
  const surroundings = neighbourhoodConfidence(confidence, indices);
  const cut = lowestSeen(inputs, confidence);
  const opacityOf = (i: number): number => 1 / (1 + Math.exp(-gaussians.opacityLogit[i]!));
  const { gaussians: drawn, isDrawnIn } = drawIn({ ...inputs, lowest: cut });
  const filled: GaussianSet = {
    ...drawn,
    localRotation: drawn.localRotation.slice(),
    logScale: drawn.logScale.slice(),
    opacityLogit: drawn.opacityLogit.slice(),
    color: drawn.color.slice(),
    normalOffset: drawn.normalOffset.slice(),
  };
  for (let i = 0; i < gaussians.count; i++) {
    if (groups[i] === null) continue;
    if (positions[i * 3 + 1]! < cut) {
      filled.opacityLogit[i] = Math.min(gaussians.opacityLogit[i]!, NOTHING);
      continue;
    }
    if (isDrawnIn(i)) {
      for (let k = 0; k < 3; k++) filled.color[i * 3 + k] = look[i * LOOK + k]!;
      continue;
    }
    // One that hides among seen ones takes their colour and otherwise stays: grown, it would come to light.
    const keepColor = confidence[i]!;
    // Every Gaussian starts opaque: one that is faint was made so by the pictures, because there is nothing.
    const keepShape = Math.max(confidence[i]!, surroundings[i]!, Math.min(1, 2 - opacityOf(i) / EMPTY));
    const mix = (keep: number, own: number, other: number): number => keep * own + (1 - keep) * other;
    for (let k = 0; k < 3; k++) {
      filled.color[i * 3 + k] = mix(keepColor, gaussians.color[i * 3 + k]!, look[i * LOOK + k]!);
    }
    if (keepShape >= 1) continue;
    const extent = Math.log(spacing[i]!);
    for (let k = 0; k < 3; k++) {
      const own = Math.min(gaussians.logScale[i * 3 + k]!, extent + Math.LN2);
      filled.logScale[i * 3 + k] = mix(keepShape, own, k === 1 ? extent + Math.log(thickness) : extent);
    }
    filled.normalOffset[i] = mix(keepShape, gaussians.normalOffset[i]!, look[i * LOOK + 3]!);
    filled.opacityLogit[i] = mix(keepShape, gaussians.opacityLogit[i]!, OPAQUE);
    if (keepShape < 0.5) filled.localRotation.set([1, 0, 0, 0], i * 4);
  }
  return filled;
}

/** Height (y, metres) where what is seen ends: the neck below it lies outside the pictures and would float. */
function lowestSeen({ positions }: FillInputs, confidence: Float32Array): number {
  const heights = [...confidence.keys()].filter((i) => confidence[i]! > 0.5).map((i) => positions[i * 3 + 1]!);
  heights.sort((a, b) => a - b);
  return heights.length > 0 ? heights[Math.floor(heights.length * LOWEST_SHARE)]! - CUT_MARGIN : -Infinity;
}

/** The confidence of the surface round each Gaussian: the mean over its neighbours, so that half of them make it 1. */
function neighbourhoodConfidence(confidence: Float32Array, indices: Uint32Array): Float32Array {
  return confidence.map((_, i) => {
    let sum = 0;
    for (let n = 0; n < NEIGHBOURS; n++) sum += confidence[indices[i * NEIGHBOURS + n]!]!;
    return Math.min(1, (3 * sum) / NEIGHBOURS);
  });
}

/** Colour 3 and normal offset 1. */
const LOOK = 4;

/**
 * 0 for a Gaussian that no frame shows, 1 for one that is seen: by the light that reaches it, its contribution over
 * what it would contribute with nothing in front of it.
 */
export function seenConfidence({ gaussians, contribution, pixelsPerMetre }: FillInputs): Float32Array {
  const alone = lightAlone(gaussians, pixelsPerMetre);
  return contribution.map((sum, i) => {
    const x = (sum / alone[i]! - UNSEEN_LIGHT) / (SEEN_LIGHT - UNSEEN_LIGHT);
    const clamped = Math.max(0, Math.min(1, x));
    return clamped * clamped * (3 - 2 * clamped);
  });
}

/** N: what each Gaussian would contribute to a picture, Σ alpha over its pixels, with nothing in front of it. */
export function lightAlone(gaussians: GaussianSet, pixelsPerMetre: number): Float32Array {
  return gaussians.opacityLogit.map((logit, i) => {
    const deviations = [0, 1, 2]
      .map((axis) => Math.hypot(Math.exp(gaussians.logScale[i * 3 + axis]!) * pixelsPerMetre, DILATION))
      .toSorted((a, b) => b - a);
    const opacity = 1 / (1 + Math.exp(-logit));
    // A faint Gaussian shows little of itself: not enough to tell it from a hidden one.
    return 2 * Math.PI * deviations[0]! * deviations[1]! * Math.max(opacity, FAINT);
  });
}

/** Carries the look of what is seen over the surface, step by step, then evens it out. */
function spread(inputs: FillInputs, confidence: Float32Array, indices: Uint32Array): Float32Array {
  const { gaussians, groups } = inputs;
  const { count } = gaussians;
  const look = new Float32Array(count * LOOK);
  const step = new Int32Array(count).fill(-1);
  const middles = groupMiddles(inputs, confidence);
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

/** Median look of each group's seen Gaussians, those counting most that fill most of the pictures. */
function groupMiddles(
  { gaussians, groups, contribution }: FillInputs,
  confidence: Float32Array,
): Map<SurfaceGroup, number[]> {
  const middles = new Map<SurfaceGroup, number[]>();
  for (const group of ['skin', 'hair', 'neck'] as const) {
    const members = [...confidence.keys()].filter((i) => groups[i] === group && confidence[i]! > 0.9);
    if (members.length === 0) continue;
    const total = members.reduce((sum, i) => sum + contribution[i]!, 0);
    const median = (valueOf: (i: number) => number): number => {
      const sorted = members.toSorted((a, b) => valueOf(a) - valueOf(b));
      let passed = 0;
      const middle = sorted.find((i) => (passed += contribution[i]!) >= total / 2);
      return valueOf(middle ?? sorted[0]!);
    };
    middles.set(group, [
      ...[0, 1, 2].map((k) => median((i) => gaussians.color[i * 3 + k]!)),
      median((i) => gaussians.normalOffset[i]!),
    ]);
  }
  return middles;
}
