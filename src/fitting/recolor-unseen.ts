import { nearestNeighbours } from '../binding/nearest-neighbours.ts';
import { SH_C0, type GaussianSet } from '../gaussians/layout.ts';
import type { SurfaceGroup } from './region-appearance.ts';

export interface RecolorInputs {
  readonly gaussians: GaussianSet;
  /** N×3 metres: the Gaussians' places on the canonical surface. */
  readonly positions: Float32Array;
  /** N: share of its own light that a Gaussian shows in the frames that show it best (`bestLight`). */
  readonly light: ArrayLike<number>;
  /** N: which surface each Gaussian is on; null is left alone. */
  readonly groups: readonly (SurfaceGroup | null)[];
}

/** Colour 3 and normal offset 1. */
const LOOK = 4;
const NEIGHBOURS = 10;
const BEST_FRAMES = 3;
/**
 * Light below which a look is not to be believed, and from which on it is. Measured on two clips: the front of the face
 * has 0.2 and more, what is seen at a grazing angle 0.05 to 0.2, what hides under 0.03.
 */
const UNBELIEVED = 0.02;
const BELIEVED = 0.2;
/** Pull of a believed Gaussian's own look, and of the group's middle, against one neighbour's. */
const OWN_PULL = 20;
const MIDDLE_PULL = 0.4;
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
export function recolorUnseen({ gaussians, positions, light, groups }: RecolorInputs): GaussianSet {
  const belief = Float32Array.from(light, believed);
  const { indices, meanDistances } = nearestNeighbours(positions, NEIGHBOURS);
  const look = diffuse(gaussians, belief, indices, groups);
  const color = gaussians.color.slice();
  const normalOffset = gaussians.normalOffset.slice();
  const logScale = gaussians.logScale.slice();
  for (let i = 0; i < gaussians.count; i++) {
    const group = groups[i];
    if (group === null) continue;
    const keep = belief[i]!;
    for (let k = 0; k < 3; k++) color[i * 3 + k] = keep * color[i * 3 + k]! + (1 - keep) * look[i * LOOK + k]!;
    if (group === 'hair') normalOffset[i] = keep * normalOffset[i]! + (1 - keep) * look[i * LOOK + 3]!;
    const largest = Math.log(meanDistances[i]! * LARGEST_HIDDEN);
    for (let k = 0; k < 3; k++) {
      const own = logScale[i * 3 + k]!;
      if (own > largest) logScale[i * 3 + k] = keep * own + (1 - keep) * largest;
    }
  }
  return { ...gaussians, color, normalOffset, logScale };
}

/** N: the mean, over the three frames that show a Gaussian best, of its contribution over that of it alone. */
export function bestLight(contributions: readonly Float32Array[], alone: Float32Array): Float32Array {
  const best = Math.min(BEST_FRAMES, contributions.length);
  return alone.map((most, i) => {
    const shares = contributions.map((contribution) => contribution[i]! / most).sort((a, b) => b - a);
    return shares.slice(0, best).reduce((sum, share) => sum + share, 0) / Math.max(1, best);
  });
}

/** How far the look of a Gaussian with this much light is to be believed, 0…1. */
export function believed(light: number): number {
  const x = Math.max(0, Math.min(1, (light - UNBELIEVED) / (BELIEVED - UNBELIEVED)));
  return x * x * (3 - 2 * x);
}

/** N×4: the balance of own look, neighbours and the group's middle, by Gauss–Seidel. */
function diffuse(
  gaussians: GaussianSet,
  belief: Float32Array,
  indices: Uint32Array,
  groups: RecolorInputs['groups'],
): Float32Array {
  const { count } = gaussians;
  const own = looksOf(gaussians);
  const middles = groupMiddles(gaussians, own, belief, groups);
  const look = own.slice();
  for (let i = 0; i < count; i++) {
    const middle = groups[i] === null ? undefined : middles.get(groups[i]!);
    if (middle && belief[i]! < 0.5) look.set(middle, i * LOOK);
  }
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (let i = 0; i < count; i++) {
      const group = groups[i];
      if (group === null) continue;
      const middle = middles.get(group!);
      const ownPull = OWN_PULL * belief[i]! ** 2;
      const middlePull = middle ? MIDDLE_PULL : 0;
      let weight = ownPull + middlePull;
      let [red, green, blue, height] = [0, 1, 2, 3].map(
        (k) => ownPull * own[i * LOOK + k]! + (middle ? middlePull * middle[k]! : 0),
      ) as [number, number, number, number];
      for (let n = 0; n < NEIGHBOURS; n++) {
        const j = indices[i * NEIGHBOURS + n]!;
        if (j === i || groups[j] !== group) continue;
        weight++;
        red += look[j * LOOK]!;
        green += look[j * LOOK + 1]!;
        blue += look[j * LOOK + 2]!;
        height += look[j * LOOK + 3]!;
      }
      if (weight === 0) continue;
      look[i * LOOK] = red / weight;
      look[i * LOOK + 1] = green / weight;
      look[i * LOOK + 2] = blue / weight;
      look[i * LOOK + 3] = height / weight;
    }
  }
  return look;
}

/** N×4: stored colours and normal offsets. */
function looksOf({ count, color, normalOffset }: GaussianSet): Float32Array {
  // A colour that no picture can show would tint all around it.
  const shown = (value: number): number => Math.max(-0.5 / SH_C0, Math.min(0.5 / SH_C0, value));
  return Float32Array.from({ length: count * LOOK }, (_, at) => {
    const [i, k] = [Math.floor(at / LOOK), at % LOOK];
    return k === 3 ? normalOffset[i]! : shown(color[i * 3 + k]!);
  });
}

/** Median look, number by number, of each group's well-seen Gaussians, each counting by its area. */
function groupMiddles(
  { logScale }: GaussianSet,
  looks: Float32Array,
  belief: Float32Array,
  groups: RecolorInputs['groups'],
): Map<SurfaceGroup, number[]> {
  const middles = new Map<SurfaceGroup, number[]>();
  for (const group of ['skin', 'hair', 'neck'] as const) {
    const members = [...belief.keys()].filter((i) => groups[i] === group && belief[i]! > 0.9);
    if (members.length === 0) continue;
    const areas = new Map(members.map((i) => [i, Math.exp(sum3(logScale, i) - Math.min(...three(logScale, i)))]));
    const total = members.reduce((sum, i) => sum + areas.get(i)!, 0);
    const medianOf = (k: number): number => {
      const sorted = members.toSorted((a, b) => looks[a * LOOK + k]! - looks[b * LOOK + k]!);
      let passed = 0;
      return looks[sorted.find((i) => (passed += areas.get(i)!) >= total / 2)! * LOOK + k]!;
    };
    middles.set(group, [0, 1, 2, 3].map(medianOf));
  }
  return middles;
}

const three = (values: Float32Array, i: number): number[] => [...values.subarray(i * 3, i * 3 + 3)];
const sum3 = (values: Float32Array, i: number): number => three(values, i).reduce((sum, value) => sum + value, 0);
