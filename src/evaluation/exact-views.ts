import type { Avatar } from '../avatar/avatar.ts';
import type { Gpu } from '../gpu/gpu.ts';
import type { HeadModel } from '../head/head-model.ts';
import { poseVertices } from '../head/pose-vertices.ts';
import { neutralPose, type HeadPose } from '../head/pose.ts';
import { axisAngleFromMatrix, matrixFromAxisAngle, transformVector } from '../math/rotation.ts';
import { symmetricEigen } from '../math/symmetric-eigen.ts';
import type { Camera } from '../tracking/track.ts';
import type { Image } from '../video/frame.ts';
import { AvatarRenderer } from '../viewer/avatar-renderer.ts';
import { scoreFrame, type Scores } from './score-frames.ts';

/** A picture of a synthetic subject from a known side: RGBA with its exact matte. */
export interface ExactView {
  readonly image: Image;
  readonly camera: Camera;
  readonly pose: HeadPose;
}

/** How well an avatar looks like its subject from a side that the clip may never have shown. */
export interface ViewScores extends Scores {
  /** Degrees, −180…180: how far the subject has turned from the camera, to its own left for positive values. */
  readonly yaw: number;
}

/**
 * Scores an avatar against exact views of its subject, each at the view's own size. A track knows a head only up to its
 * size and its place in it: the avatar is laid over the subject by the similarity that fits the landmarks of the face best.
 *
 * @param subject The head that the subject was made of, and its coefficients.
 */
export async function scoreExactViews(
  gpu: Gpu,
  avatar: Avatar,
  subject: { readonly head: HeadModel; readonly identityCoefficients: Float32Array },
  views: readonly ExactView[],
): Promise<ViewScores[]> {
  const neutral = neutralPose(avatar.head.expressionNames.length);
  const own = landmarkPoints(avatar.head, poseVertices(avatar.head, [], neutral));
  const renderer = await AvatarRenderer.create(gpu, avatar);
  try {
    const scores: ViewScores[] = [];
    for (const { image, camera, pose } of views) {
      const seen = landmarkPoints(subject.head, poseVertices(subject.head, subject.identityCoefficients, pose));
      const rendering = await renderer.renderFloat({ ...neutral, ...overlay(own, seen) }, camera);
      scores.push({ yaw: yawOf(pose), ...scoreFrame(image, rendering) });
    }
    return scores;
  } finally {
    renderer.dispose();
  }
}

/**
 * The rigid pose in which points in head space look as `seen` does in camera space: the least-squares similarity
 * s·(R·x + t) ≈ seen, without s, since what is s times as large s times as far away looks the same.
 */
export function overlay(points: Float32Array, seen: Float32Array): Pick<HeadPose, 'headRotation' | 'headTranslation'> {
  const [from, to] = [centreOf(points), centreOf(seen)];
  const covariance = new Float64Array(9); // Σ (seen − to)(point − from)ᵀ
  let extent = 0;
  for (let i = 0; i < points.length; i += 3) {
    for (let row = 0; row < 3; row++) {
      extent += (points[i + row]! - from[row]!) ** 2;
      for (let column = 0; column < 3; column++)
        covariance[row * 3 + column]! += (seen[i + row]! - to[row]!) * (points[i + column]! - from[column]!);
    }
  }
  const { rotation, stretch } = polarDecomposition(covariance);
  const scale = stretch / extent;
  const turned = transformVector(rotation, from[0]!, from[1]!, from[2]!);
  return {
    headRotation: Float32Array.from(axisAngleFromMatrix(rotation)),
    headTranslation: Float32Array.from(to, (value, axis) => value / scale - turned[axis]!),
  };
}

/** The rotation R of M = R·S with S symmetric, and the trace of S. M must not be flat or mirrored. */
function polarDecomposition(m: Float64Array): { rotation: Float64Array; stretch: number } {
  const squared = new Float64Array(9);
  for (let i = 0; i < 3; i++)
    for (let j = 0; j < 3; j++) for (let k = 0; k < 3; k++) squared[i * 3 + j]! += m[k * 3 + i]! * m[k * 3 + j]!;
  const { values, vectors } = symmetricEigen(squared);
  const roots = values.map(Math.sqrt);
  const rotation = new Float64Array(9);
  for (let i = 0; i < 3; i++)
    for (let j = 0; j < 3; j++)
      for (let k = 0; k < 3; k++)
        for (let axis = 0; axis < 3; axis++)
          rotation[i * 3 + j]! += (m[i * 3 + k]! * vectors[k * 3 + axis]! * vectors[j * 3 + axis]!) / roots[axis]!;
  return { rotation, stretch: roots.reduce((sum, root) => sum + root, 0) };
}

/** L×3: the head's landmarks on its posed vertices (V×3). */
function landmarkPoints({ landmarks, triangles }: HeadModel, vertices: Float32Array): Float32Array {
  const points = new Float32Array(landmarks.triangleIndices.length * 3);
  landmarks.triangleIndices.forEach((triangle, landmark) => {
    for (let corner = 0; corner < 3; corner++) {
      const [vertex, weight] = [triangles[triangle * 3 + corner]!, landmarks.barycentrics[landmark * 3 + corner]!];
      for (let axis = 0; axis < 3; axis++) points[landmark * 3 + axis]! += weight * vertices[vertex * 3 + axis]!;
    }
  });
  return points;
}

function centreOf(points: Float32Array): number[] {
  const sums = [0, 0, 0];
  points.forEach((value, i) => (sums[i % 3]! += value / (points.length / 3)));
  return sums;
}

/** Degrees between the camera's axis and where the head looks, to the subject's own left for positive values. */
function yawOf({ headRotation }: HeadPose): number {
  const rotation = matrixFromAxisAngle(headRotation);
  return (Math.atan2(rotation[2]!, -rotation[8]!) * 180) / Math.PI;
}
