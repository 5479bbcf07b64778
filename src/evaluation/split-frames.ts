import type { TrackFrame } from '../tracking/track.ts';

/** Which frames are held out: the last fifth of the usable ones, or the last 350 as INSTA does. */
export type SplitRule = 'fifth' | 'insta';

export const INSTA_HELD_OUT = 350;

export interface FrameSplit {
  /** Positions in `track.frames` of the frames that are learned from, in order. */
  readonly train: readonly number[];
  /** Positions of the frames that are scored only, in order. */
  readonly heldOut: readonly number[];
}

/**
 * Splits a track's usable frames (those not excluded) in time: what is held out comes last. A clip of one usable frame
 * holds nothing out. Throws `RangeError` when no frame is usable, or when the INSTA rule leaves nothing to learn from.
 */
export function splitFrames(frames: readonly Pick<TrackFrame, 'excluded'>[], rule: SplitRule = 'fifth'): FrameSplit {
  const usable = frames.flatMap((frame, position) => (frame.excluded === null ? [position] : []));
  if (usable.length === 0) {
    throw new RangeError(`none of the ${frames.length} frames can be used; see the track's warnings`);
  }
  if (rule === 'insta' && usable.length <= INSTA_HELD_OUT) {
    throw new RangeError(
      `split "insta" holds ${INSTA_HELD_OUT} frames out, but the track has ${usable.length} usable ones; use split "fifth"`,
    );
  }
  const heldOut =
    rule === 'insta' ? INSTA_HELD_OUT : usable.length > 1 ? Math.max(1, Math.floor(usable.length / 5)) : 0;
  return { train: usable.slice(0, usable.length - heldOut), heldOut: usable.slice(usable.length - heldOut) };
}
