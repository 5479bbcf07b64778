import { SH_C0, type GaussianSet } from '../gaussians/layout.ts';
import { randomUniform } from '../math/random.ts';
import { believed } from './recolor-unseen.ts';
import type { SurfaceGroup } from './region-appearance.ts';

export interface ShadeInputs {
  readonly gaussians: GaussianSet;
  /** N×3 metres, y up, z forward: the Gaussians' places on the canonical surface. */
  readonly positions: Float32Array;
  /** N: share of its own light that a Gaussian shows in the frames that show it best (`bestLight`). */
  readonly light: ArrayLike<number>;
  readonly groups: readonly (SurfaceGroup | null)[];
  readonly seed: number;
}

/** Belief from which hair tells how much light and dark its strands have. */
const MODEL_BELIEF = 0.9;
/** Strands round the head and along them, coarse and fine: cells of the noise, and its share. */
const STRANDS = [
  { around: 34, along: 3, share: 0.6 },
  { around: 85, along: 6, share: 0.4 },
] as const;
/** Most and least deviation of brightness over its mean: a highlight belongs where it was seen. */
const LARGEST_CONTRAST = 0.22;
/** What the noise's deviation comes to: sums of two smooth octaves lie within ±1. */
const NOISE_DEVIATION = 0.36;

/**
 * Gives hair that no frame shows the light and dark of strands, where `recolorUnseen` leaves one colour: smooth noise that
 * runs down from the crown, with as much contrast as the seen hair has. Only colours change, in proportion to how little
 * was seen. A plausible look, not a reconstruction.
 */
export function shadeUnseen({ gaussians, positions, light, groups, seed }: ShadeInputs): GaussianSet {
  const belief = Float32Array.from(light, believed);
  const hair = groups.flatMap((group, i) => (group === 'hair' ? [i] : []));
  const contrast = contrastOf(
    gaussians.color,
    hair.filter((i) => belief[i]! >= MODEL_BELIEF),
  );
  if (contrast === 0) return gaussians;
  const centre = middleOf(positions, hair);
  const color = gaussians.color.slice();
  for (const i of hair) {
    const [x, y, z] = [0, 1, 2].map((axis) => positions[i * 3 + axis]! - centre[axis]!) as [number, number, number];
    const around = Math.atan2(x, -z) / (2 * Math.PI) + 0.5; // the seam lies at the brow, where hair is seen
    const along = Math.atan2(Math.hypot(x, z), y) / Math.PI;
    const shade = 1 + ((1 - belief[i]!) * contrast * strandNoise(around, along, seed)) / NOISE_DEVIATION;
    for (let k = 0; k < 3; k++) color[i * 3 + k] = ((0.5 + SH_C0 * color[i * 3 + k]!) * shade - 0.5) / SH_C0;
  }
  return { ...gaussians, color };
}

/** Standard deviation of the members' brightness over its mean, limited. */
function contrastOf(color: Float32Array, members: readonly number[]): number {
  if (members.length === 0) return 0;
  const brightness = members.map((i) =>
    Math.max(0, 0.5 + (SH_C0 * (color[i * 3]! + color[i * 3 + 1]! + color[i * 3 + 2]!)) / 3),
  );
  const mean = brightness.reduce((sum, value) => sum + value, 0) / members.length;
  const variance = brightness.reduce((sum, value) => sum + (value - mean) ** 2, 0) / members.length;
  return mean > 0 ? Math.min(LARGEST_CONTRAST, Math.sqrt(variance) / mean) : 0;
}

/** Smooth noise in −1…1 over the share of a turn and of the way from crown to chin. */
function strandNoise(around: number, along: number, seed: number): number {
  return STRANDS.reduce(
    (sum, { around: columns, along: rows, share }, octave) =>
      sum + share * valueNoise(around * columns, along * rows, columns, seed, octave),
    0,
  );
}

function valueNoise(u: number, v: number, columns: number, seed: number, octave: number): number {
  const [column, row] = [Math.floor(u), Math.floor(v)];
  const at = (right: number, down: number): number =>
    2 * randomUniform(seed, 0x30000000 + octave, ((column + right) % columns) + columns * (row + down)) - 1;
  const ease = (t: number): number => t * t * (3 - 2 * t);
  const [s, t] = [ease(u - column), ease(v - row)];
  return (1 - t) * ((1 - s) * at(0, 0) + s * at(1, 0)) + t * ((1 - s) * at(0, 1) + s * at(1, 1));
}

/** Middle of the box round some places. */
function middleOf(positions: Float32Array, members: readonly number[]): number[] {
  return [0, 1, 2].map((axis) => {
    const values = members.map((i) => positions[i * 3 + axis]!);
    return (values.reduce((a, b) => Math.min(a, b)) + values.reduce((a, b) => Math.max(a, b))) / 2;
  });
}
