import type { Camera } from '../tracking/track.ts';
import type { HeadPose } from '../head/pose.ts';

/** One tracked frame as the fit takes it. */
export interface ClipFrame {
  /** Position in the track. */
  readonly index: number;
  readonly camera: Camera;
  readonly pose: HeadPose;
}

/** The frames that a fit or a score may see, and how to get their pixels. */
export interface Clip {
  /** Pixels of the square frames. */
  readonly size: number;
  readonly frames: readonly ClipFrame[];
  /** size² RGBA8 pixels (straight alpha: the matte), packed one uint32 per pixel, red in the lowest byte. */
  pixels(frame: number): Uint32Array;
}
