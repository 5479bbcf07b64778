import { localCovariance, setShape } from '../gaussians/gaussian-shape.ts';
import type { GaussianSet } from '../gaussians/layout.ts';
import { multiplyMatrices } from '../math/rotation.ts';
import type { SurfaceGroup } from './region-appearance.ts';

export interface ShortenInputs {
  readonly gaussians: GaussianSet;
  /** N metres: as `SeenSurface.spacing`. */
  readonly spacing: Float32Array;
  /** N×3: the mean line of sight in each Gaussian's triangle frame, of length 1 (`meanSight`). */
  readonly sight: Float32Array;
  /** N: which surface each Gaussian is on; null, inside mouth and eyes, is left alone. */
  readonly groups: readonly (SurfaceGroup | null)[];
}

/** Standard deviation along the line of sight at most, in spacings: wide enough to close the surface seen sideways. */
const LONGEST = 1.5;

/**
 * Shortens what reaches far along the line of sight, where no frame tells how far: seen from another side it is a needle
 * that flares beside brow or hair. As seen in the clip it looks the same.
 */
export function shortenSight({ gaussians, spacing, sight, groups }: ShortenInputs): GaussianSet {
  const shortened: GaussianSet = {
    ...gaussians,
    localRotation: gaussians.localRotation.slice(),
    logScale: gaussians.logScale.slice(),
  };
  for (let i = 0; i < gaussians.count; i++) {
    if (groups[i] === null) continue;
    const covariance = localCovariance(gaussians, i);
    const along = sight.subarray(i * 3, i * 3 + 3);
    const factor = (LONGEST * spacing[i]!) / deviationAlong(covariance, along);
    if (factor < 1) setShape(shortened, i, scaledAlong(covariance, along, factor));
  }
  return shortened;
}

/** √(sᵀ Σ s) */
function deviationAlong(covariance: Float64Array, [x, y, z]: Float32Array): number {
  const at = (k: number): number => covariance[k]!;
  return Math.sqrt(
    x! * (at(0) * x! + at(1) * y! + at(2) * z!) +
      y! * (at(3) * x! + at(4) * y! + at(5) * z!) +
      z! * (at(6) * x! + at(7) * y! + at(8) * z!),
  );
}

/** A Σ A, where A = I + (factor − 1) s sᵀ. */
function scaledAlong(covariance: Float64Array, s: Float32Array, factor: number): Float64Array {
  const map = Float64Array.from({ length: 9 }, (_, at) => {
    const [row, column] = [Math.floor(at / 3), at % 3];
    return (row === column ? 1 : 0) + (factor - 1) * s[row]! * s[column]!;
  });
  return multiplyMatrices(multiplyMatrices(map, covariance), map);
}
