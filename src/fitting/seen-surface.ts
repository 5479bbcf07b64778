import type { GaussianSet } from '../gaussians/layout.ts';
import { closeBack } from './close-back.ts';
import type { FrameContribution } from './contributions.ts';
import { drawIn } from './draw-in.ts';
import { fillUnseen, lightAlone } from './fill-unseen.ts';
import { flattenFrontal } from './flatten-frontal.ts';
import { limitHeights } from './limit-heights.ts';
import { bestLight, recolorUnseen } from './recolor-unseen.ts';
import type { SurfaceGroup } from './region-appearance.ts';
import { shadeUnseen } from './shade-unseen.ts';
import { shortenNeedles } from './shorten-needles.ts';
import { shortenSight } from './shorten-sight.ts';

/** A learned set, where it sits, and what each of some frames shows of it. */
export interface SeenSurface {
  readonly gaussians: GaussianSet;
  /** N×3 metres: the Gaussians' places on the canonical surface. */
  readonly positions: Float32Array;
  /**
   * N metres: the distance between the first Gaussians round each, which is how wide one has to be. Children among them make
   * that no smaller: measured to the nearest of all, each would have cut what lies beside it.
   */
  readonly spacing: Float32Array;
  /** N: as `DrawInInputs.isFirst`. */
  readonly isFirst: Uint8Array;
  readonly contributions: readonly FrameContribution[];
  /** Pixels per metre at the head's distance. */
  readonly pixelsPerMetre: number;
  readonly groups: readonly (SurfaceGroup | null)[];
  /** As `FitOptions.initialThickness`. */
  readonly thickness: number;
  /** N: as `FlattenInputs.facing`. */
  readonly facing: Float32Array;
  /** N×3: as `ShortenInputs.sight`. */
  readonly sight: Float32Array;
  /** N: as `ShortenNeedlesInputs.stretch`. */
  readonly stretch: Float32Array;
  readonly seed: number;
  /** N: `inwardOffsets`, as `DrawInInputs.inward`. */
  readonly inward: (isAsked: (gaussian: number) => boolean) => Float32Array;
}

/** The set with its unseen part continued from the seen one. */
export function filled({ contributions, ...surface }: SeenSurface): GaussianSet {
  const contribution = new Float32Array(surface.gaussians.count);
  for (const { shown } of contributions) shown.forEach((sum, i) => (contribution[i]! += sum / contributions.length));
  return fillUnseen({ ...surface, gaussians: cut(surface), contribution });
}

/** The set with the look of what is seen badly taken from round it; holes that have opened since are closed. */
export function recolored(surface: SeenSurface): GaussianSet {
  const { gaussians, isDrawnIn } = drawIn(surface);
  // What was learned where it was says nothing of the place that it has now.
  const unlessDrawnIn = (share: number, i: number): number => (isDrawnIn(i) ? 0 : share);
  const light = lightOf(surface, 'shown').map(unlessDrawnIn);
  const innerLight = lightOf(surface, 'inner').map(unlessDrawnIn);
  const result = recolorUnseen({ ...surface, gaussians, light, innerLight });
  const normalOffset = result.normalOffset.map((own, i) => (isDrawnIn(i) ? gaussians.normalOffset[i]! : own));
  return thinned({ ...surface, gaussians: cut({ ...surface, gaussians: { ...result, normalOffset } }) });
}

/**
 * What a fit ends with: recoloured where nothing is seen, and unseen hair with strands. No pictures follow that closed holes
 * and cleaned edges could settle against.
 */
export function finished(surface: SeenSurface): GaussianSet {
  const light = lightOf(surface, 'shown');
  const gaussians = recolorUnseen({ ...surface, light, innerLight: light });
  const shaded = shadeUnseen({ ...surface, gaussians, light });
  return thinned({ ...surface, gaussians: closeBack({ ...surface, gaussians: shaded }) });
}

/** The set without what reaches where only other views than the clip's would show it. */
function thinned(surface: SeenSurface): GaussianSet {
  return shortenSight({ ...surface, gaussians: flattenFrontal(surface) });
}

/** The set without needles, and nothing of it far from the head. Frames follow, from which what was cut off is made up for. */
function cut(surface: Omit<SeenSurface, 'contributions'>): GaussianSet {
  return limitHeights({ ...surface, gaussians: shortenNeedles(surface) });
}

/** N: what the frames show of each Gaussian at best, everywhere or inside of the mattes alone. */
function lightOf(
  { contributions, gaussians, pixelsPerMetre }: SeenSurface,
  where: keyof FrameContribution,
): Float32Array {
  return bestLight(
    contributions.map((contribution) => contribution[where]),
    lightAlone(gaussians, pixelsPerMetre),
  );
}
