import {
  axisAngleFromMatrix,
  matrixFromAxisAngle,
  matrixFromQuaternion,
  multiplyMatrices,
  quaternionFromMatrix,
  transformVector,
  transposeMatrix,
  type Matrix3,
} from '../math/rotation.ts';

/** A head's rigid motion split between the root and the neck. Axis-angles; translation in metres. */
export interface NeckSplit {
  readonly headRotation: Float32Array;
  readonly headTranslation: Float32Array;
  readonly neckPose: Float32Array;
}

/** Mean of rotations: the normalised sum of their quaternions in one hemisphere. */
export function meanRotation(rotations: readonly Matrix3[]): Matrix3 {
  const sum = new Float64Array(4);
  const reference = quaternionFromMatrix(rotations[0]);
  for (const rotation of rotations) {
    const quaternion = quaternionFromMatrix(rotation);
    const sign = quaternion.reduce((dot, value, k) => dot + value * reference[k], 0) < 0 ? -1 : 1;
    for (let k = 0; k < 4; k++) sum[k] += sign * quaternion[k];
  }
  return matrixFromQuaternion(sum);
}

/**
 * No torso is observed, so the neck takes `fraction` of the head's turn away from the clip's mean orientation and the
 * root the rest: R = R_root·R_neck with R_neck = D^fraction, D = R_meanᵀ·R. The root's translation makes every vertex
 * that moves with the neck joint land exactly where the solved pose puts it: turning about the joint p moves the head's
 * origin by p − R_neck·p.
 */
export function splitNeck(
  rotation: Matrix3,
  translation: ArrayLike<number>,
  mean: Matrix3,
  neckJoint: ArrayLike<number>,
  fraction: number,
): NeckSplit {
  const away = axisAngleFromMatrix(multiplyMatrices(transposeMatrix(mean), rotation));
  const neckPose = Float32Array.from(away, (value) => value * fraction);
  const neck = matrixFromAxisAngle(neckPose);
  const headRotation = Float32Array.from(axisAngleFromMatrix(multiplyMatrices(rotation, transposeMatrix(neck))));
  const root = matrixFromAxisAngle(headRotation);
  const turned = transformVector(neck, neckJoint[0], neckJoint[1], neckJoint[2]);
  const moved = transformVector(root, neckJoint[0] - turned[0], neckJoint[1] - turned[1], neckJoint[2] - turned[2]);
  return {
    headRotation,
    neckPose,
    headTranslation: Float32Array.from([0, 1, 2].map((k) => translation[k] - moved[k])),
  };
}
