import type { HeadPose } from '../head/pose.ts';

/** A pinhole camera in pixels of the image it goes with. OpenCV axes: x right, y down, z forward. */
export interface Camera {
  readonly width: number;
  readonly height: number;
  readonly focalX: number;
  readonly focalY: number;
  /** Principal point; the centre of the top-left pixel is (0.5, 0.5). */
  readonly principalX: number;
  readonly principalY: number;
}

/** What tracking found in one video: one camera and identity for the clip, a head pose per frame. */
export interface Track {
  /** Name of the head model that the coefficients belong to. */
  readonly headName: string;
  /** Names of the expression coefficients, in order. */
  readonly expressionNames: readonly string[];
  readonly identityCoefficients: Float32Array;
  readonly frames: readonly TrackFrame[];
  readonly warnings: readonly string[];
}

export interface TrackFrame {
  /** Index in the decoded video. */
  readonly sourceIndex: number;
  /** Seconds. */
  readonly timestamp: number;
  /** Camera of this frame's square crop at the working size. */
  readonly camera: Camera;
  readonly pose: HeadPose;
  /** Root mean square landmark distance, in pixels of a 512² crop. */
  readonly residual: number;
  /** Why the frame takes no part in fitting or scoring; null when it does. */
  readonly excluded: string | null;
}
