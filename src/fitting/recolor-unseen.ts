import { nearestNeighbours } from '../binding/nearest-neighbours.ts';
import { SH_C0, type GaussianSet } from '../gaussians/layout.ts';
import type { SurfaceGroup } from './region-appearance.ts';

export interface RecolorInputs {
  readonly gaussians: GaussianSet;
  /** N×3 metres: the Gaussians' places on the canonical surface. */
  readonly positions: Float32Array;
  /** N metres: as `SeenSurface.spacing`. */
  readonly spacing: Float32Array;
  /** N: share of its own light that a Gaussian shows in the frames that show it best (`bestLight`). */
  readonly light: ArrayLike<number>;
  /** N: the same by what lies inside of the mattes alone: colours at their edges are partly the background's or the collar's. */
  readonly innerLight: ArrayLike<number>;
  /** N: as `FlattenInputs.facing`. Only colours are doubted by it. */
  readonly facing: ArrayLike<number>;
  /** N: which surface each Gaussian is on; null is left alone. */
  readonly groups: readonly (SurfaceGroup | null)[];
}

const NEIGHBOURS = 10;
const BEST_FRAMES = 3;
/**
 * Light below which a look is not to be believed, and from which on it is. Measured on two clips: the front of the face
 * has 0.2 and more, what is seen at a grazing angle 0.05 to 0.2, what hides under 0.03. Twice as much asked for costs 0.3 dB
 * at the outlines and looks the same; half as much leaves skin's colour in the hair of the temples.
 */
const UNBELIEVED = 0.01;
const BELIEVED = 0.1;
/**
 * Cosines to the camera at best: below the first a surface is behind the outline in every frame. What shows of it shines
 * through, and learns the mean of the backgrounds, however much it is.
 */
const TURNED_AWAY = -0.3;
const TURNED_TO = -0.15;
/**
 * Where many overlap each shows little, though the place is seen well: half the light of the best neighbour counts for those
 * round it. What hides itself is not believed for its neighbours' sake: ten times its own light is the most.
 */
const NEIGHBOUR_SHARE = 0.5;
const MOST_LENT = 10;
/** Pull of a believed Gaussian's own look, and of the group's middle, against one neighbour's. */
const OWN_PULL = 20;
const MIDDLE_PULL = 0.1;
const SWEEPS = 300;
/** Largest extent of what hides, in spacings: longer ones stick out where a new view uncovers them. */
const LARGEST_HIDDEN = 1.5;

/**
 * Gives what no frame shows well the look of its surroundings, late in the fit and at its end. Training erodes the earlier filling
 * (`fillUnseen`): a Gaussian that shines through at an outline takes up the backgrounds' grey, one at a grazing angle the
 * collar's white. Colour is carried over the surface by diffusion: each Gaussian holds to its own by how well it was
 * seen, and to its neighbours of the same surface; far from all that was seen the group's middle takes over. Hair, which
 * stands off from the scalp, is carried on at its height in the same way: the pull to the surface flattens what no frame
 * holds up. Only these change, in proportion to how little was seen, and the extent of what hides, so that the frames stay
 * as they were learned.
 */
export function recolorUnseen({
  gaussians,
  positions,
  spacing,
  light,
  innerLight,
  facing,
  groups,
}: RecolorInputs): GaussianSet {
  const { count } = gaussians;
  const { indices } = nearestNeighbours(positions, NEIGHBOURS);
  const surface: Surface = { groups, indices, areas: areasOf(gaussians) };
  const belief = placeLight(light, surface).map(believed);
  const colorLight = Float32Array.from(innerLight, (own, i) => own * turnedTo(facing[i]!));
  const colorBelief = placeLight(colorLight, surface).map(believed);
  const color = gaussians.color.slice();
  const normalOffset = gaussians.normalOffset.slice();
  const logScale = gaussians.logScale.slice();
  for (let k = 0; k < 3; k++) {
    const own = Float32Array.from({ length: count }, (_, i) => shownColor(color[i * 3 + k]!));
    const carried = diffuse(own, colorBelief, surface);
    for (let i = 0; i < count; i++) {
      if (groups[i] !== null) color[i * 3 + k] = mix(colorBelief[i]!, color[i * 3 + k]!, carried[i]!);
    }
  }
  const heights = diffuse(normalOffset, belief, surface);
  for (let i = 0; i < count; i++) {
    if (groups[i] === null) continue;
    if (groups[i] === 'hair') normalOffset[i] = mix(belief[i]!, normalOffset[i]!, heights[i]!);
    const largest = Math.log(spacing[i]! * LARGEST_HIDDEN);
    for (let k = 0; k < 3; k++) {
      const own = logScale[i * 3 + k]!;
      if (own > largest) logScale[i * 3 + k] = mix(belief[i]!, own, largest);
    }
  }
  return { ...gaussians, color, normalOffset, logScale };
}

const mix = (keep: number, own: number, other: number): number => keep * own + (1 - keep) * other;

/** A stored colour that a picture can show: another would tint all around it. */
const shownColor = (value: number): number => Math.max(-0.5 / SH_C0, Math.min(0.5 / SH_C0, value));

/** N: the mean, over the three frames that show a Gaussian best, of its contribution over that of it alone. */
export function bestLight(contributions: readonly Float32Array[], alone: Float32Array): Float32Array {
  const best = Math.min(BEST_FRAMES, contributions.length);
  return alone.map((most, i) => {
    const shares = contributions.map((contribution) => contribution[i]! / most).sort((a, b) => b - a);
    return shares.slice(0, best).reduce((sum, share) => sum + share, 0) / Math.max(1, best);
  });
}

/** N: how well the place of each Gaussian is seen: its own light, or its neighbours'. */
function placeLight(light: ArrayLike<number>, { groups, indices }: Surface): Float32Array {
  return Float32Array.from(light, (own, i) => {
    let best = 0;
    for (let n = 0; n < NEIGHBOURS; n++) {
      const j = indices[i * NEIGHBOURS + n]!;
      if (groups[j] === groups[i]) best = Math.max(best, light[j]!);
    }
    return Math.max(own, Math.min(NEIGHBOUR_SHARE * best, MOST_LENT * own));
  });
}

/** 0 where a surface turns its back in every frame, 1 where one sees it, if at a grazing angle. */
function turnedTo(facing: number): number {
  return Math.max(0, Math.min(1, (facing - TURNED_AWAY) / (TURNED_TO - TURNED_AWAY)));
}

/** How far the look of a Gaussian with this much light is to be believed, 0…1. */
export function believed(light: number): number {
  const x = Math.max(0, Math.min(1, (light - UNBELIEVED) / (BELIEVED - UNBELIEVED)));
  return x * x * (3 - 2 * x);
}

interface Surface {
  readonly groups: RecolorInputs['groups'];
  /** N×NEIGHBOURS. */
  readonly indices: Uint32Array;
  /** N: what each Gaussian covers, up to a factor. */
  readonly areas: Float32Array;
}

/** N: one number of each Gaussian's look, in balance between its own, its neighbours' and its group's middle (Gauss–Seidel). */
function diffuse(own: Float32Array, belief: Float32Array, { groups, indices, areas }: Surface): Float32Array {
  const middles = groupMiddles(own, belief, groups, areas);
  const middleOf = (i: number): number | undefined => middles.get(groups[i]!);
  const look = own.map((value, i) => (belief[i]! < 0.5 ? (middleOf(i) ?? value) : value));
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (let i = 0; i < look.length; i++) {
      const group = groups[i];
      if (group === null) continue;
      const middle = middleOf(i);
      const ownPull = OWN_PULL * belief[i]! ** 2;
      let weight = ownPull + (middle === undefined ? 0 : MIDDLE_PULL);
      let sum = ownPull * own[i]! + MIDDLE_PULL * (middle ?? 0);
      for (let n = 0; n < NEIGHBOURS; n++) {
        const j = indices[i * NEIGHBOURS + n]!;
        if (j === i || groups[j] !== group) continue;
        weight++;
        sum += look[j]!;
      }
      if (weight > 0) look[i] = sum / weight;
    }
  }
  return look;
}

/** Median of each group's well-seen Gaussians, each counting by its area. */
function groupMiddles(
  values: Float32Array,
  belief: Float32Array,
  groups: RecolorInputs['groups'],
  areas: Float32Array,
): Map<SurfaceGroup | null, number> {
  const middles = new Map<SurfaceGroup | null, number>();
  for (const group of ['skin', 'hair', 'neck'] as const) {
    const members = [...belief.keys()].filter((i) => groups[i] === group && belief[i]! > 0.9);
    if (members.length === 0) continue;
    const total = members.reduce((sum, i) => sum + areas[i]!, 0);
    const sorted = members.toSorted((a, b) => values[a]! - values[b]!);
    let passed = 0;
    middles.set(group, values[sorted.find((i) => (passed += areas[i]!) >= total / 2) ?? sorted[0]!]!);
  }
  return middles;
}

/** N: product of each Gaussian's two longer extents. */
function areasOf({ count, logScale }: GaussianSet): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => {
    const three = logScale.subarray(i * 3, i * 3 + 3);
    return Math.exp(three[0]! + three[1]! + three[2]! - Math.min(...three));
  });
}
