import type { GaussianSet } from '../gaussians/layout.ts';
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
  /** N: where Gaussians belong that stick out of the mattes (`inwardOffsets`). */
  readonly inward: (isFaint: (gaussian: number) => boolean) => Float32Array;
}

/** The set with its unseen part continued from the seen one. */
export function filled({ contributions, ...surface }: SeenSurface): GaussianSet {
  const contribution = new Float32Array(surface.gaussians.count);
  for (const ofFrame of contributions) ofFrame.forEach((sum, i) => (contribution[i]! += sum / contributions.length));
  return fillUnseen({ ...surface, contribution });
}

/** The set with the look of what is seen badly taken from round it. */
export function recolored(surface: SeenSurface): GaussianSet {
  return recolorUnseen({ ...surface, light: lightOf(surface) });
}

/** What a fit ends with: recoloured, and unseen hair with strands. */
export function finished(surface: SeenSurface): GaussianSet {
  const light = lightOf(surface);
  return shadeUnseen({ ...surface, gaussians: recolorUnseen({ ...surface, light }), light });
}

/** N: what the frames show of each Gaussian at best. */
function lightOf({ contributions, gaussians, pixelsPerMetre }: SeenSurface): Float32Array {
  return bestLight(contributions, lightAlone(gaussians, pixelsPerMetre));
}
