import { localCovariance, setShape } from '../gaussians/gaussian-shape.ts';
import { heightOf, type GaussianSet } from '../gaussians/layout.ts';
import type { SurfaceGroup } from './region-appearance.ts';

export interface FlattenInputs {
  readonly gaussians: GaussianSet;
  /** N metres: as `SeenSurface.spacing`. */
  readonly spacing: Float32Array;
  /** N: cosine between the surface's normal and the way to the camera in the frame that sees it best (`bestFacing`). */
  readonly facing: Float32Array;
  /** N: which surface each Gaussian is on. Only skin and neck are flattened. */
  readonly groups: readonly (SurfaceGroup | null)[];
}

/** Cosines up to which the surface's thickness shows in some frame, and from which on in none. */
const GRAZING = 0.4;
const FRONTAL = 0.7;
/** Standard deviation along the normal at most, in spacings. */
const THICKEST = 0.4;
/** Metres off the surface from which on a Gaussian is no skin but, say, long hair or glasses. */
const ON_SKIN = 0.003;

/**
 * Makes skin that is seen from the front as thin as a surface. Along the line of sight no frame tells how far a Gaussian
 * reaches: turned sideways, such as reach far make a fringe round nose, brow and lips. Squashed along the normal, all
 * look the same from the front.
 */
export function flattenFrontal({ gaussians, spacing, facing, groups }: FlattenInputs): GaussianSet {
  const flat: GaussianSet = {
    ...gaussians,
    localRotation: gaussians.localRotation.slice(),
    logScale: gaussians.logScale.slice(),
  };
  for (let i = 0; i < gaussians.count; i++) {
    const share = Math.max(0, Math.min(1, (facing[i]! - GRAZING) / (FRONTAL - GRAZING)));
    if (share === 0 || groups[i] === null || groups[i] === 'hair') continue;
    if (Math.abs(heightOf(gaussians.normalOffset[i]!)) > ON_SKIN) continue;
    const covariance = localCovariance(gaussians, i);
    const thickness = Math.sqrt(covariance[4]!);
    const squash = (THICKEST * spacing[i]!) / thickness;
    if (squash >= 1) continue;
    setShape(flat, i, squashed(covariance, squash ** share));
  }
  return flat;
}

/** A Σ A, where A shortens the normal, the second axis of a triangle's frame. */
function squashed(covariance: Float64Array, factor: number): Float64Array {
  return covariance.map((value, at) => value * (at % 3 === 1 ? factor : 1) * (Math.floor(at / 3) === 1 ? factor : 1));
}
