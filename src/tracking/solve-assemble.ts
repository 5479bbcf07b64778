import type { HeadModel } from '../head/head-model.ts';
import type { HeadPose } from '../head/pose.ts';
import { identityVertices, jointPositions } from '../head/pose-vertices.ts';
import {
  axisAngleFromMatrix,
  matrixFromAxisAngle,
  multiplyMatrices,
  transposeMatrix,
  type Matrix3,
} from '../math/rotation.ts';
import type { CropSquare } from './crop.ts';
import type { Gaze } from './solve-gaze.ts';
import type { LandmarkBasis } from './solve-landmarks.ts';
import { meanRotation, splitNeck } from './solve-neck.ts';
import { frameResidual } from './solve-residual.ts';
import type { SolveFrame } from './solve-shared.ts';
import { translationOf, type ClipState } from './solve-state.ts';
import type { Camera, Track, TrackFrame } from './track.ts';

/** What `assembleTrack` needs of a frame. */
export interface SolvedFrame extends SolveFrame {
  readonly crop: CropSquare;
  readonly landmarks: Float32Array | null;
  readonly isReported: boolean;
  readonly excluded: string | null;
}

/** One frame's rigid pose, expression and gaze before the neck takes its share. */
interface RigidPose {
  readonly rotation: Matrix3;
  readonly translation: Float64Array;
  readonly expression: Float64Array;
  /** Pitch and yaw. */
  readonly leftEye: Float64Array;
  readonly rightEye: Float64Array;
}

/** The solver's states as a `Track`: cameras of the crops, poses with the neck's share, residuals and reasons. */
export function assembleTrack(
  head: HeadModel,
  basis: LandmarkBasis,
  clip: ClipState,
  frames: readonly SolvedFrame[],
  gaze: Gaze,
  warnings: readonly string[],
  options: {
    readonly neckFraction: number;
    readonly size: number;
    readonly video: { readonly width: number; readonly height: number };
  },
): Track {
  const identityCoefficients = Float32Array.from(clip.identity);
  const joints = jointPositions(head, identityVertices(head, identityCoefficients));
  const neck = head.joints.findIndex(({ name }) => name === 'neck');
  const neckJoint = neck >= 0 ? joints.subarray(neck * 3, neck * 3 + 3) : new Float64Array(3);
  const fraction = neck >= 0 ? options.neckFraction : 0;
  const included = frames.filter(({ excluded }) => excluded === null);
  const mean = meanRotation(included.map(({ state }) => state.rotation));
  const poses = bridgeExcluded(frames, rigidPoses(clip, frames, gaze));
  const focal = Math.exp(clip.logFocal);
  return {
    headName: head.name,
    expressionNames: head.expressionNames,
    identityCoefficients,
    frames: frames.map(({ state, data, crop, landmarks, excluded }, i): TrackFrame => {
      const { rotation, translation, expression, leftEye, rightEye } = poses[i];
      const pose: HeadPose = {
        ...splitNeck(rotation, translation, mean, neckJoint, fraction),
        jawPose: new Float32Array(3),
        leftEyePose: Float32Array.of(leftEye[0], leftEye[1], 0),
        rightEyePose: Float32Array.of(rightEye[0], rightEye[1], 0),
        expressionCoefficients: Float32Array.from(expression),
      };
      return {
        sourceIndex: data.sourceIndex,
        timestamp: data.timestamp,
        camera: cropCamera(focal, options.video, crop, options.size),
        pose,
        residual: landmarks ? frameResidual(basis, clip, state, data) : Number.NaN,
        excluded,
      };
    }),
    warnings: [...warnings, ...exclusionWarnings(frames)],
  };
}

/** The pinhole camera of a square of source pixels scaled to `size`; the source's principal point is its middle. */
export function cropCamera(
  focal: number,
  video: { readonly width: number; readonly height: number },
  crop: CropSquare,
  size: number,
): Camera {
  const scale = size / crop.size;
  return {
    width: size,
    height: size,
    focalX: focal * scale,
    focalY: focal * scale,
    principalX: (video.width / 2 - crop.x) * scale,
    principalY: (video.height / 2 - crop.y) * scale,
  };
}

function rigidPoses(clip: ClipState, frames: readonly SolvedFrame[], gaze: Gaze): RigidPose[] {
  return frames.map(({ state }, i) => ({
    rotation: state.rotation,
    translation: translationOf(clip, state),
    expression: state.expression,
    leftEye: gaze.left.subarray(i * 2, i * 2 + 2),
    rightEye: gaze.right.subarray(i * 2, i * 2 + 2),
  }));
}

/** Excluded frames take a pose between their included neighbours, so that a render of the whole clip runs on. */
function bridgeExcluded(frames: readonly SolvedFrame[], poses: readonly RigidPose[]): RigidPose[] {
  let before = -1;
  const previous = frames.map(({ excluded }, i) => (excluded === null ? (before = i) : before));
  return poses.map((pose, i) => {
    if (frames[i].excluded === null) return pose;
    const after = frames.findIndex(({ excluded }, k) => k > i && excluded === null);
    if (previous[i] < 0) return poses[after];
    if (after < 0) return poses[previous[i]];
    const from = frames[previous[i]].data.timestamp;
    const span = frames[after].data.timestamp - from;
    const share = span > 0 ? (frames[i].data.timestamp - from) / span : 0;
    return between(poses[previous[i]], poses[after], Math.min(1, Math.max(0, share)));
  });
}

function between(a: RigidPose, b: RigidPose, share: number): RigidPose {
  const mix = (from: Float64Array, to: Float64Array): Float64Array =>
    from.map((value, k) => value + share * (to[k] - value));
  const turn = axisAngleFromMatrix(multiplyMatrices(b.rotation, transposeMatrix(a.rotation)));
  return {
    rotation: multiplyMatrices(matrixFromAxisAngle(turn.map((value) => value * share)), a.rotation),
    translation: mix(a.translation, b.translation),
    expression: mix(a.expression, b.expression),
    leftEye: mix(a.leftEye, b.leftEye),
    rightEye: mix(a.rightEye, b.rightEye),
  };
}

/** One line per reason and run of frames, for what the solver itself found. */
function exclusionWarnings(frames: readonly SolvedFrame[]): string[] {
  const lines: string[] = [];
  let start = 0;
  const reasonOf = ({ excluded, isReported }: SolvedFrame): string | null => (isReported ? null : excluded);
  const kindOf = (frame: SolvedFrame): string | null => reasonOf(frame)?.replace(/[\d.]+/g, '#') ?? null;
  for (let i = 1; i <= frames.length; i++) {
    if (i < frames.length && kindOf(frames[i]) === kindOf(frames[start])) continue;
    const reason = reasonOf(frames[start]);
    if (reason !== null) {
      const [first, last] = [frames[start].data.sourceIndex, frames[i - 1].data.sourceIndex];
      lines.push(`${first === last ? `Frame ${first} is` : `Frames ${first} to ${last} are`} left out: ${reason}.`);
    }
    start = i;
  }
  return lines;
}
