import { matrixFromAxisAngle } from '../math/rotation.ts';
import type { FramePicture } from './photometric/frame-picture.ts';
import type { LandmarkBasis } from './solve-landmarks.ts';

/** What all frames of a clip share. */
export interface ClipState {
  /** Natural logarithm of the focal length in source pixels. */
  logFocal: number;
  /** I coefficients. */
  readonly identity: Float64Array;
  /** L×3 metres in head space: where this subject's landmarks lie off the head model's embedding. */
  readonly offsets: Float64Array;
  /** L metres along head space's z: where the face net sees landmarks deeper or nearer than the head model has them. */
  readonly depthOffsets: Float64Array;
  /** L×3 metres: neutral + identity + offsets. Kept by `updateShape`. */
  readonly shape: Float64Array;
}

/** One frame's unknowns: camera = R·head + depth·(u, v, 1). */
export interface FrameState {
  /** Row-major 3×3, camera from head. */
  readonly rotation: Float64Array;
  /** u, v and the logarithm of depth, which is focal·exp(position[2]): the picture stays put when the focal moves. */
  readonly position: Float64Array;
  /** E coefficients. */
  readonly expression: Float64Array;
}

/** One frame's measurements. */
export interface FrameData {
  readonly sourceIndex: number;
  readonly timestamp: number;
  /** L×2 source pixels relative to the principal point. Points that are not finite have `present` 0. */
  readonly points: Float64Array;
  /** L source pixels, smaller towards the camera, up to a constant of the frame; null where the net gave none. */
  readonly depths: Float64Array | null;
  /** L: 1 where the point was seen. */
  readonly present: Float64Array;
  /** From source pixels to pixels of a 512² crop. */
  readonly pixelScale: number;
  /** E coefficients that the prior pulls towards. */
  readonly expressionPrior: Float64Array;
  /** E: one over the prior's variance. */
  readonly expressionPrecision: Float64Array;
  /** The frame's picture, for the photometric pass. */
  readonly picture?: FramePicture;
}

/** Pixels of the crop in which residuals are told. */
export const RESIDUAL_CROP_SIZE = 512;
/** Local unknowns before the expression: rotation 3, u, v, log depth. */
export const POSE_UNKNOWNS = 6;
/** Shared unknowns before the identity: log focal. */
export const CAMERA_UNKNOWNS = 1;

export function createClipState(basis: LandmarkBasis, focal: number): ClipState {
  const clip: ClipState = {
    logFocal: Math.log(focal),
    identity: new Float64Array(basis.identityCount),
    offsets: new Float64Array(basis.landmarkCount * 3),
    depthOffsets: new Float64Array(basis.landmarkCount),
    shape: new Float64Array(basis.landmarkCount * 3),
  };
  updateShape(basis, clip);
  return clip;
}

export function createFrameState(expressionCount: number): FrameState {
  return {
    rotation: Float64Array.of(1, 0, 0, 0, -1, 0, 0, 0, -1),
    position: new Float64Array(3),
    expression: new Float64Array(expressionCount),
  };
}

export function copyFrameState(target: FrameState, source: FrameState): void {
  target.rotation.set(source.rotation);
  target.position.set(source.position);
  target.expression.set(source.expression);
}

/** shape = neutral + identity·a + offsets. */
export function updateShape(basis: LandmarkBasis, clip: ClipState): void {
  const { neutral, identity, identityCount } = basis;
  for (let i = 0; i < neutral.length; i++) {
    let sum = neutral[i] + clip.offsets[i];
    for (let k = 0; k < identityCount; k++) sum += identity[i * identityCount + k] * clip.identity[k];
    clip.shape[i] = sum;
  }
}

/** Metres: depth·(u, v, 1). */
export function translationOf(clip: ClipState, frame: FrameState): Float64Array {
  const depth = Math.exp(clip.logFocal + frame.position[2]);
  return Float64Array.of(depth * frame.position[0], depth * frame.position[1], depth);
}

/** target ← source moved by a step: rotation exp(ω)·R, the rest added, expressions held within their limits (E×2). */
export function moveFrame(
  target: FrameState,
  source: FrameState,
  step: Float64Array,
  offset: number,
  limits: ArrayLike<number>,
): void {
  turnBy(target.rotation, source.rotation, step, offset);
  for (let k = 0; k < 3; k++) target.position[k] = source.position[k] + step[offset + 3 + k];
  for (let k = 0; k < target.expression.length; k++) {
    const value = source.expression[k] + step[offset + POSE_UNKNOWNS + k];
    target.expression[k] = Math.min(limits[k * 2 + 1], Math.max(limits[k * 2], value));
  }
}

/** target ← exp(ω)·source, cleaned of rounding by one Gram–Schmidt pass over its rows. */
function turnBy(target: Float64Array, source: Float64Array, step: Float64Array, offset: number): void {
  const turn = matrixFromAxisAngle(step, offset);
  const product = new Float64Array(9);
  for (let row = 0; row < 3; row++) {
    for (let column = 0; column < 3; column++) {
      product[row * 3 + column] =
        turn[row * 3] * source[column] +
        turn[row * 3 + 1] * source[3 + column] +
        turn[row * 3 + 2] * source[6 + column];
    }
  }
  target.set(orthonormalRows(product));
}

/** The rotation whose first row has the direction of m's and whose second lies in the plane of m's first two. */
export function orthonormalRows(m: ArrayLike<number>): Float64Array {
  const firstLength = Math.hypot(m[0], m[1], m[2]);
  const [ax, ay, az] = [m[0] / firstLength, m[1] / firstLength, m[2] / firstLength];
  const along = ax * m[3] + ay * m[4] + az * m[5];
  const [px, py, pz] = [m[3] - along * ax, m[4] - along * ay, m[5] - along * az];
  const secondLength = Math.hypot(px, py, pz);
  const [bx, by, bz] = [px / secondLength, py / secondLength, pz / secondLength];
  return Float64Array.of(ax, ay, az, bx, by, bz, ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx);
}
