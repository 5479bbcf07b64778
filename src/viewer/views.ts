import type { Avatar } from '../avatar/avatar.ts';
import { axisAngleFromMatrix, matrixFromAxisAngle, multiplyMatrices } from '../math/rotation.ts';
import type { HeadPose } from '../head/pose.ts';
import type { Camera } from '../tracking/track.ts';

/** A head that looks straight into the camera: OpenCV's y and z point the other way than the head's. */
const FACING_CAMERA = Float64Array.of(1, 0, 0, 0, -1, 0, 0, 0, -1);

/** Where the picture is taken from. Angles in degrees. */
export interface View {
  /** The subject turns to its left (we see its right side) for positive values. */
  readonly yaw?: number;
  /** The subject looks up for positive values. */
  readonly pitch?: number;
  /** Distance over the distance in the clip. */
  readonly distance?: number;
}

/** The avatar's neutral pose seen from a view, with expression weights by name over it. */
export function poseForView(
  avatar: Avatar,
  view: View = {},
  expression: Readonly<Record<string, number>> = {},
): HeadPose {
  const { neutralPose, head } = avatar;
  const radians = Math.PI / 180;
  const turn = multiplyMatrices(
    matrixFromAxisAngle([-(view.pitch ?? 0) * radians, 0, 0]),
    matrixFromAxisAngle([0, (view.yaw ?? 0) * radians, 0]),
  );
  const depth = (neutralPose.headTranslation[2] ?? 1) * (view.distance ?? 1);
  return {
    ...neutralPose,
    headRotation: Float32Array.from(axisAngleFromMatrix(multiplyMatrices(FACING_CAMERA, turn))),
    headTranslation: Float32Array.of(0, 0, depth),
    expressionCoefficients: withExpression(head.expressionNames, neutralPose.expressionCoefficients, expression),
  };
}

/** The avatar's own camera for an image of `size`², with the principal point in its middle. */
export function centredCamera(camera: Camera, size: number): Camera {
  const scale = size / camera.width;
  return {
    width: size,
    height: size,
    focalX: camera.focalX * scale,
    focalY: camera.focalY * scale,
    principalX: size / 2,
    principalY: size / 2,
  };
}

/** Short names that stand for a left and a right coefficient, as in `smile=0.8`. */
const PAIRS: Readonly<Record<string, string>> = {
  smile: 'mouthSmile',
  blink: 'eyeBlink',
  frown: 'mouthFrown',
  sneer: 'noseSneer',
};

/** Sets coefficients by ARKit name, by a name without Left/Right for both sides, or by a short name. */
function withExpression(
  names: readonly string[],
  base: Float32Array,
  expression: Readonly<Record<string, number>>,
): Float32Array {
  const coefficients = base.slice();
  for (const [given, value] of Object.entries(expression)) {
    if (!Number.isFinite(value))
      throw new RangeError(`expression "${given}" is ${value}; give a number, usually from 0 to 1`);
    const name = PAIRS[given] ?? given;
    const indices = [name, `${name}Left`, `${name}Right`]
      .map((full) => names.indexOf(full))
      .filter((index) => index >= 0);
    if (indices.length === 0) {
      throw new RangeError(
        `expression "${given}" is unknown to this avatar. It has: ${names.join(', ')}; short names: ${Object.keys(PAIRS).join(', ')}`,
      );
    }
    for (const index of indices) coefficients[index] = value;
  }
  return coefficients;
}
