import type { CropSquare } from './crop.ts';
import type { FaceObservation } from './observation.ts';

export interface SolveTrackOptions {
  /** Size of the upright source frames, whose pixels the landmarks are in. The principal point is their middle. */
  readonly videoWidth: number;
  readonly videoHeight: number;
  /** Per observation: the square of source pixels that becomes the working image. */
  readonly crops: readonly CropSquare[];
  /** Pixels of the working image's side. */
  readonly size: number;
  /** Radians: field of view along the source frame's diagonal when it is known; null: guessed from the face's size. */
  readonly fieldOfView?: number | null;
  /** 0…1: share of the head's turn from its mean orientation that the neck joint takes. */
  readonly neckFraction?: number;
  /** Whether neighbouring frames are tied by the motion prior. */
  readonly smooth?: boolean;
}

export const SOLVE_TRACK_DEFAULTS = {
  fieldOfView: null,
  neckFraction: 0.6,
  smooth: true,
} as const;

/** Throws `RangeError` for options that do not fit the observations. */
export function checkOptions(observations: readonly FaceObservation[], options: SolveTrackOptions): void {
  const { videoWidth, videoHeight, crops, size, neckFraction = SOLVE_TRACK_DEFAULTS.neckFraction } = options;
  if (!(videoWidth > 0 && videoHeight > 0 && size > 0)) {
    throw new RangeError(
      `videoWidth (${videoWidth}), videoHeight (${videoHeight}) and size (${size}) must be positive pixel counts.`,
    );
  }
  if (crops.length !== observations.length) {
    throw new RangeError(`crops has ${crops.length} squares for ${observations.length} observations: give one each.`);
  }
  const bad = crops.findIndex(({ x, y, size: side }) => !(Number.isFinite(x) && Number.isFinite(y) && side > 0));
  if (bad >= 0) throw new RangeError(`crops[${bad}] is not a square with a position and a positive size.`);
  if (!(neckFraction >= 0 && neckFraction <= 1)) {
    throw new RangeError(`neckFraction is ${neckFraction}; it is a share from 0 to 1.`);
  }
}
