import type { GaussianSet } from '../gaussians/layout.ts';
import { drawIn } from './draw-in.ts';
import { fillUnseen, lightAlone } from './fill-unseen.ts';
import { bestLight, recolorUnseen } from './recolor-unseen.ts';
import type { SurfaceGroup } from './region-appearance.ts';
import { shadeUnseen } from './shade-unseen.ts';

/** A learned set, where it sits, and what each of some frames shows of it. */
export interface SeenSurface {
  readonly gaussians: GaussianSet;
  /** N×3 metres: the Gaussians' places on the canonical surface. */
  readonly positions: Float32Array;
  /** Per frame N: Σ alpha · transmittance over the pixels. */
  readonly contributions: readonly Float32Array[];
  /** Pixels per metre at the head's distance. */
  readonly pixelsPerMetre: number;
  readonly groups: readonly (SurfaceGroup | null)[];
  /** As `FitOptions.initialThickness`. */
  readonly thickness: number;
  readonly seed: number;
  /** N: `inwardOffsets`, as `DrawInInputs.inward`. */
  readonly inward: (isAsked: (gaussian: number) => boolean) => Float32Array;
}

/** The set with its unseen part continued from the seen one. */
export function filled({ contributions, ...surface }: SeenSurface): GaussianSet {
  const contribution = new Float32Array(surface.gaussians.count);
  for (const ofFrame of contributions) ofFrame.forEach((sum, i) => (contribution[i]! += sum / contributions.length));
  return fillUnseen({ ...surface, contribution });
}

/** The set with the look of what is seen badly taken from round it; holes that have opened since are closed. */
export function recolored(surface: SeenSurface): GaussianSet {
  const { gaussians, isDrawnIn } = drawIn(surface);
  // What was learned where it was says nothing of the place that it has now.
  const light = lightOf(surface).map((share, i) => (isDrawnIn(i) ? 0 : share));
  const result = recolorUnseen({ ...surface, gaussians, light });
  const normalOffset = result.normalOffset.map((own, i) => (isDrawnIn(i) ? gaussians.normalOffset[i]! : own));
  return { ...result, normalOffset };
}

/** What a fit ends with: recoloured, and unseen hair with strands. No pictures follow that closed holes could settle against. */
export function finished(surface: SeenSurface): GaussianSet {
  const light = lightOf(surface);
  return shadeUnseen({ ...surface, gaussians: recolorUnseen({ ...surface, light }), light });
}

/** N: what the frames show of each Gaussian at best. */
function lightOf({ contributions, gaussians, pixelsPerMetre }: SeenSurface): Float32Array {
  return bestLight(contributions, lightAlone(gaussians, pixelsPerMetre));
}
