import type { HeadModel } from '../head/head-model.ts';
import type { HeadPose } from '../head/pose.ts';
import { matrixFromAxisAngle, multiplyMatrices, transposeMatrix } from '../math/rotation.ts';
import { projectLandmarks } from '../tracking/project-landmarks.ts';
import type { Track } from '../tracking/track.ts';

/** How far a track is from an exact one, over the frames that both have. */
export interface TrackError {
  readonly frames: number;
  /** Degrees between the head's orientations (root and neck together), mean over frames. */
  readonly rotationDegrees: number;
  /** Distance between the projected landmarks of both heads, in pixels of a 512² crop, mean over landmarks and frames. */
  readonly reprojectionPixels: number;
}

/** A square of the video that became a frame of the track, in pixels of the video. */
export interface Square {
  readonly x: number;
  readonly y: number;
  readonly size: number;
}

/** Compares a track with the exact track of the same video (a synthetic subject's); `crops` belong to `tracked`. */
export function trackError(head: HeadModel, exact: Track, tracked: Track, crops: readonly Square[]): TrackError {
  const exactFrames = new Map(exact.frames.map((frame) => [frame.sourceIndex, frame]));
  let [frames, degrees, pixels] = [0, 0, 0];
  tracked.frames.forEach((frame, position) => {
    const truth = exactFrames.get(frame.sourceIndex);
    if (!truth || frame.excluded !== null) return;
    const crop = crops[position]!;
    const wanted = projectLandmarks(head, exact.identityCoefficients, truth.pose, truth.camera);
    const found = projectLandmarks(head, tracked.identityCoefficients, frame.pose, frame.camera);
    let distance = 0;
    for (let k = 0; k < wanted.length; k += 2) {
      const x = ((wanted[k]! - crop.x) * frame.camera.width) / crop.size;
      const y = ((wanted[k + 1]! - crop.y) * frame.camera.width) / crop.size;
      distance += Math.hypot(x - found[k]!, y - found[k + 1]!);
    }
    pixels += ((distance / (wanted.length / 2)) * 512) / frame.camera.width;
    degrees += degreesBetween(headOrientation(truth.pose), headOrientation(frame.pose));
    frames++;
  });
  return { frames, rotationDegrees: degrees / frames, reprojectionPixels: pixels / frames };
}

/** Row-major rotation from the head's own axes to the camera's: the root's turn, then the neck's. */
function headOrientation(pose: HeadPose): Float64Array {
  return multiplyMatrices(matrixFromAxisAngle(pose.headRotation), matrixFromAxisAngle(pose.neckPose));
}

function degreesBetween(a: Float64Array, b: Float64Array): number {
  const between = multiplyMatrices(a, transposeMatrix(b));
  const cosine = (between[0]! + between[4]! + between[8]! - 1) / 2;
  return (Math.acos(Math.max(-1, Math.min(1, cosine))) * 180) / Math.PI;
}
