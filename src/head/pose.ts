import { JOINT_NAMES } from './head-model.ts';

/** One state of a head: what a tracker estimates per frame and a driver sets. */
export interface HeadPose {
  /** Axis-angle, radians, 3: rotation of the root, camera-from-head when it comes from a track. */
  readonly headRotation: Float32Array;
  /** Metres, 3: `camera = R(headRotation) · head + headTranslation`. */
  readonly headTranslation: Float32Array;
  /** Axis-angle of each joint but the root, 3 each. */
  readonly neckPose: Float32Array;
  readonly jawPose: Float32Array;
  readonly leftEyePose: Float32Array;
  readonly rightEyePose: Float32Array;
  /** E coefficients of the model's expression basis. */
  readonly expressionCoefficients: Float32Array;
}

/** Floats that the joints take in `packPose`: translation 3, then 5 axis-angles in joint order. */
export const POSE_JOINT_FLOATS = 3 + 3 * JOINT_NAMES.length;

/** The flat layout that the GPU and the optimiser use: [translation 3, root 3, neck 3, jaw 3, leftEye 3, rightEye 3, expression E]. */
export function packPose(pose: HeadPose): Float32Array {
  const packed = new Float32Array(POSE_JOINT_FLOATS + pose.expressionCoefficients.length);
  packed.set(pose.headTranslation, 0);
  packed.set(pose.headRotation, 3);
  packed.set(pose.neckPose, 6);
  packed.set(pose.jawPose, 9);
  packed.set(pose.leftEyePose, 12);
  packed.set(pose.rightEyePose, 15);
  packed.set(pose.expressionCoefficients, POSE_JOINT_FLOATS);
  return packed;
}

/** Inverse of `packPose`. */
export function unpackPose(packed: Float32Array): HeadPose {
  return {
    headTranslation: packed.slice(0, 3),
    headRotation: packed.slice(3, 6),
    neckPose: packed.slice(6, 9),
    jawPose: packed.slice(9, 12),
    leftEyePose: packed.slice(12, 15),
    rightEyePose: packed.slice(15, 18),
    expressionCoefficients: packed.slice(POSE_JOINT_FLOATS),
  };
}

/** Everything at rest, with `expressionCount` zero coefficients. */
export function neutralPose(expressionCount: number): HeadPose {
  return unpackPose(new Float32Array(POSE_JOINT_FLOATS + expressionCount));
}
