import { heightOf, type GaussianSet } from '../gaussians/layout.ts';
import { surfaceArea } from '../head/atlas/charts.ts';
import type { SurfaceGroup } from './region-appearance.ts';

export interface ShortenNeedlesInputs {
  readonly gaussians: GaussianSet;
  /** N metres: as `SeenSurface.spacing`. */
  readonly spacing: Float32Array;
  /** N: which surface each Gaussian is on. */
  readonly groups: readonly (SurfaceGroup | null)[];
  /** N: how many times as large as in the canonical mesh Δvertex has made each Gaussian's triangle, and it with it. */
  readonly stretch: Float32Array;
}

/** Standard deviation along any axis at most, in spacings: where Gaussians lie as they should, hardly any is longer. */
const LONGEST = 3;
/** The same for strands that stand off: this many times as long as across, and so many metres from the mesh. */
const LONGEST_LOOSE = 1.5;
const SLENDER = 3;
const LOOSE = 0.015;

/**
 * Cuts needles to the length of their neighbourhood. What the mesh does not carry, hair that hangs beside the neck or a
 * rim of light, a few Gaussians of several centimetres draw: in line with what they stand for where the clip looks
 * from, blades and flares from elsewhere. Short ones have to be many, and follow the thing. Where Δvertex has stretched the
 * mesh its Gaussians have grown with it; half of that (its root) is taken back, since all of it would leave holes. All of
 * it where a strand stands off the skin, whose surface lies under it.
 */
export function shortenNeedles({ gaussians, spacing, groups, stretch }: ShortenNeedlesInputs): GaussianSet {
  const logScale = gaussians.logScale.slice();
  for (let i = 0; i < gaussians.count; i++) {
    const isLoose = isLooseStrand(gaussians, i, stretch[i]!);
    const grown = Math.max(1, stretch[i]!);
    const takenBack = isLoose && groups[i] === 'skin' ? grown : Math.sqrt(grown);
    const limit = Math.log(((isLoose ? LONGEST_LOOSE : LONGEST) * spacing[i]!) / takenBack);
    for (let axis = 0; axis < 3; axis++) logScale[i * 3 + axis] = Math.min(logScale[i * 3 + axis]!, limit);
  }
  return { ...gaussians, logScale };
}

/** One that ends in the air, as a tip beside the head. */
function isLooseStrand({ normalOffset, logScale }: GaussianSet, i: number, stretch: number): boolean {
  const height = Math.abs(heightOf(normalOffset[i]!)) * stretch;
  const [long, across] = logScale.slice(i * 3, i * 3 + 3).toSorted((a, b) => b - a);
  return height > LOOSE && long! - across! > Math.log(SLENDER);
}

/** T: how many times as large, along an edge, each triangle is in a second mesh. */
export function triangleStretch(triangles: Uint32Array, from: Float32Array, to: Float32Array): Float32Array {
  return Float32Array.from({ length: triangles.length / 3 }, (_, triangle) => {
    const [before, after] = [from, to].map((vertices) => surfaceArea({ vertices, triangles }, triangle));
    return Math.sqrt(after! / Math.max(before!, 1e-12));
  });
}
