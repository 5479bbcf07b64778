import type { Camera } from '../tracking/track.ts';
import type { PixelRectangle } from '../video/crop-frame.ts';
import { packPose, type HeadPose } from '../head/pose.ts';

/** One tracked frame as the fit takes it. */
export interface ClipFrame {
  /** Position in the track. */
  readonly index: number;
  readonly camera: Camera;
  readonly pose: HeadPose;
  /**
   * The part of the frame that the video shows. A crop may reach beyond the video: alpha is 0 there as in the
   * background, but what is there is unknown, and no loss or score may look at it. Default: all of the frame.
   */
  readonly shown?: PixelRectangle;
}

/** The part of a frame that the video shows: all of it, unless it says otherwise. */
export const shownOf = ({ shown, camera }: ClipFrame): PixelRectangle =>
  shown ?? { left: 0, top: 0, right: camera.width, bottom: camera.height };

/** The frames that a fit or a score may see, and how to get their pixels. */
export interface Clip {
  /** Pixels of the square frames. */
  readonly size: number;
  readonly frames: readonly ClipFrame[];
  /** size² RGBA8 pixels (straight alpha: the matte), packed one uint32 per pixel, red in the lowest byte. */
  pixels(frame: number): Uint32Array;
}

/** A clip that nothing can be learned from. The message says which frame and why. */
export class UnusableClipError extends Error {
  override readonly name = 'UnusableClipError';
}

/**
 * A pose or camera that is not a number would draw nothing and teach the avatar that there is nothing: refuse it. Throws
 * `UnusableClipError` with the frame's position in the track.
 */
export function checkClip({ size, frames, pixels }: Clip): void {
  for (const [frame, { index, camera, pose }] of frames.entries()) {
    const floats = packPose(pose);
    const faulty = floats.findIndex((value) => !Number.isFinite(value));
    const fault =
      faulty >= 0
        ? `its pose holds ${floats[faulty]}`
        : !Object.values(camera).every(Number.isFinite) || !(camera.focalX > 0 && camera.focalY > 0)
          ? `its camera is ${JSON.stringify(camera)}`
          : camera.width !== size || camera.height !== size
            ? `its camera is of ${camera.width}×${camera.height} pixels, the clip of ${size}²`
            : pixels(frame).length !== size * size
              ? `it has ${pixels(frame).length} pixels, not ${size}²`
              : null;
    if (fault)
      throw new UnusableClipError(
        `frame ${index} of the track cannot be used: ${fault}; track the video again, or leave the frame out`,
      );
  }
}
