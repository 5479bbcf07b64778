import type { HeadModel } from '../src/head/head-model.ts';
import { neutralPose, type HeadPose } from '../src/head/pose.ts';
import { poseVertices } from '../src/head/pose-vertices.ts';
import { randomNormal, randomUniform } from '../src/math/random.ts';
import { axisAngleFromMatrix, matrixFromAxisAngle, multiplyMatrices } from '../src/math/rotation.ts';
import { readCanonicalFace } from '../src/platform/node/canonical-face.ts';
import type { FaceObservation } from '../src/tracking/observation.ts';
import type { CropSquare } from '../src/tracking/crop.ts';

/** A face whose landmark embedding is exact: MediaPipe's canonical mesh with smooth made-up bases. */
export function madeFace(): HeadModel {
  const { positions, uvs, triangles } = readCanonicalFace();
  const vertexCount = positions.length / 3;
  const point = (index: number): number[] => [...positions.subarray(index * 3, index * 3 + 3)];
  const identity = Array.from({ length: 10 }, (_, k) => waveShape(positions, k));
  const bump = (landmark: number, radius: number, move: readonly number[]): Float32Array =>
    bumpShape(positions, point(landmark), radius, move);
  const expressions: Record<string, Float32Array> = {
    eyeBlinkLeft: bump(386, 0.009, [0, -0.009, 0]),
    eyeBlinkRight: bump(159, 0.009, [0, -0.009, 0]),
    jawOpen: bump(152, 0.035, [0, -0.03, -0.008]),
    mouthSmileLeft: bump(291, 0.015, [0.009, 0.008, -0.004]),
    mouthSmileRight: bump(61, 0.015, [-0.009, 0.008, -0.004]),
    mouthPucker: bump(0, 0.016, [0, -0.001, 0.01]),
    browInnerUp: bump(9, 0.02, [0, 0.008, 0]),
    browDownLeft: bump(282, 0.014, [0, -0.006, 0]),
    browDownRight: bump(52, 0.014, [0, -0.006, 0]),
    cheekPuff: bump(50, 0.02, [-0.004, 0, 0.004]),
  };
  const expressionNames = Object.keys(expressions);
  const anchors = Uint32Array.from([152, 10, 234, 454]);
  const neckRow = { indices: anchors, weights: new Float32Array(4).fill(0.25) };
  return {
    name: 'made-face',
    vertexCount,
    triangleCount: triangles.length / 3,
    templateVertices: positions,
    triangles,
    uvs,
    uvTriangles: triangles,
    identityBasis: joinShapes(identity),
    identityNames: identity.map((_, k) => `wave${k}`),
    expressionBasis: joinShapes(Object.values(expressions)),
    expressionNames,
    expressionLimits: Float32Array.from(expressionNames.flatMap(() => [0, 1])),
    poseCorrectives: null,
    joints: [
      { name: 'root', parent: -1 },
      { name: 'neck', parent: 0 },
    ],
    jointRegressor: [neckRow, neckRow],
    skinningWeights: Float32Array.from({ length: vertexCount * 2 }, (_, i) => i % 2),
    regionNames: ['face'],
    triangleRegions: new Uint8Array(triangles.length / 3),
    landmarks: exactEmbedding(vertexCount, triangles),
  };
}

function exactEmbedding(vertexCount: number, triangles: Uint32Array): HeadModel['landmarks'] {
  const triangleIndices = new Uint32Array(vertexCount);
  const barycentrics = new Float32Array(vertexCount * 3);
  for (let vertex = 0; vertex < vertexCount; vertex++) {
    const corner = triangles.indexOf(vertex);
    triangleIndices[vertex] = Math.floor(corner / 3);
    barycentrics[vertex * 3 + (corner % 3)] = 1;
  }
  return { triangleIndices, barycentrics };
}

/** Millimetre waves over the face, no two alike. */
function waveShape(positions: Float32Array, k: number): Float32Array {
  const direction = [0, 1, 2].map((axis) => 40 * randomNormal(7, k, axis));
  const move = [0, 1, 2].map((axis) => 0.002 * randomNormal(8, k, axis));
  return positions.map((_, i) => {
    const vertex = i - (i % 3);
    const phase = direction.reduce((sum, value, axis) => sum + value * positions[vertex + axis], k);
    return move[i % 3] * Math.sin(phase);
  });
}

function bumpShape(
  positions: Float32Array,
  center: readonly number[],
  radius: number,
  move: readonly number[],
): Float32Array {
  return positions.map((_, i) => {
    const vertex = i - (i % 3);
    const squared = center.reduce((sum, value, axis) => sum + (positions[vertex + axis] - value) ** 2, 0);
    return move[i % 3] * Math.exp(-squared / (2 * radius * radius));
  });
}

function joinShapes(shapes: readonly Float32Array[]): Float32Array {
  const joined = new Float32Array(shapes.length * shapes[0].length);
  shapes.forEach((shape, k) => joined.set(shape, k * shape.length));
  return joined;
}

export interface MadeClip {
  readonly observations: FaceObservation[];
  readonly crops: CropSquare[];
  /** The exact poses; the neck stays at rest. */
  readonly poses: HeadPose[];
  readonly identity: Float32Array;
  readonly focal: number;
  readonly videoWidth: number;
  readonly videoHeight: number;
}

export interface MadeClipOptions {
  readonly frameCount: number;
  /** Radians: the head turns by ± this. */
  readonly yaw?: number;
  /** Pixels of Gaussian noise, and the share of points thrown far off. */
  readonly noise?: number;
  readonly outliers?: number;
  readonly focal?: number;
  readonly identityScale?: number;
  readonly identitySeed?: number;
}

/** A motion take of a made identity, seen as landmarks in a 640×480 video at 30 frames per second. */
export function madeClip(head: HeadModel, options: MadeClipOptions): MadeClip {
  const {
    frameCount,
    yaw = 0.7,
    noise = 0.5,
    outliers = 0,
    focal = 800,
    identityScale = 1,
    identitySeed = 3,
  } = options;
  const identity = Float32Array.from(head.identityNames, (_, k) => identityScale * randomNormal(identitySeed, 0, k));
  const poses = Array.from({ length: frameCount }, (_, i) => takePose(head, i / 30, yaw));
  const [videoWidth, videoHeight] = [640, 480];
  const observations = poses.map((pose, frame) => ({
    sourceIndex: frame,
    timestamp: frame / 30,
    landmarks: observe(head, identity, pose, focal, videoWidth, videoHeight, { noise, outliers, frame }),
    score: 1,
    blendshapes: null,
    excluded: null,
  }));
  const crops = poses.map(() => ({ x: 120, y: 40, size: 400 }));
  return { observations, crops, poses, identity, focal, videoWidth, videoHeight };
}

function takePose(head: HeadModel, time: number, yaw: number): HeadPose {
  const turn = matrixFromAxisAngle([
    0.15 * Math.sin(1.3 * time),
    yaw * Math.sin(1.7 * time),
    0.1 * Math.sin(2.1 * time),
  ]);
  const facing = Float64Array.of(1, 0, 0, 0, -1, 0, 0, 0, -1);
  const blink = Math.max(0, 1 - Math.abs(((time + 0.5) % 1.5) - 0.75) / 0.1);
  const values: Record<string, number> = {
    eyeBlinkLeft: blink,
    eyeBlinkRight: blink,
    jawOpen: 0.4 + 0.4 * Math.sin(3 * time),
    mouthSmileLeft: Math.max(0, Math.sin(1.1 * time)),
    mouthSmileRight: Math.max(0, Math.sin(1.1 * time + 0.3)),
    browInnerUp: Math.max(0, Math.sin(0.9 * time + 2)),
  };
  return {
    ...neutralPose(head.expressionNames.length),
    headRotation: Float32Array.from(axisAngleFromMatrix(multiplyMatrices(facing, turn))),
    headTranslation: Float32Array.of(
      0.03 * Math.sin(time),
      0.01 + 0.02 * Math.cos(1.2 * time),
      0.55 + 0.05 * Math.sin(0.8 * time),
    ),
    expressionCoefficients: Float32Array.from(head.expressionNames, (name) => values[name] ?? 0),
  };
}

function observe(
  head: HeadModel,
  identity: Float32Array,
  pose: HeadPose,
  focal: number,
  width: number,
  height: number,
  disturb: { noise: number; outliers: number; frame: number },
): Float32Array {
  const exact = projectLandmarks(head, identity, pose, focal, width / 2, height / 2);
  const points = posedLandmarks(head, identity, pose);
  const depth = pose.headTranslation[2];
  const landmarks = new Float32Array((exact.length / 2) * 3);
  for (let landmark = 0; landmark * 2 < exact.length; landmark++) {
    const draw = (k: number): number => randomNormal(11 + k, disturb.frame, landmark);
    const isOutlier = randomUniform(5, disturb.frame, landmark) < disturb.outliers;
    const spread = isOutlier ? 40 : disturb.noise;
    landmarks[landmark * 3] = exact[landmark * 2] + spread * draw(0);
    landmarks[landmark * 3 + 1] = exact[landmark * 2 + 1] + spread * draw(1);
    landmarks[landmark * 3 + 2] = ((points[landmark * 3 + 2] - depth) * focal) / depth + spread * draw(2);
  }
  return landmarks;
}

/** L×2 pixels: a head's landmarks through a pinhole camera. */
export function projectLandmarks(
  head: HeadModel,
  identity: ArrayLike<number>,
  pose: HeadPose,
  focal: number,
  principalX: number,
  principalY: number,
): Float64Array {
  const points = posedLandmarks(head, identity, pose);
  const projected = new Float64Array((points.length / 3) * 2);
  for (let landmark = 0; landmark * 3 < points.length; landmark++) {
    const [x, y, z] = points.subarray(landmark * 3, landmark * 3 + 3);
    projected[landmark * 2] = (focal * x) / z + principalX;
    projected[landmark * 2 + 1] = (focal * y) / z + principalY;
  }
  return projected;
}

/** L×3 metres in camera space. */
function posedLandmarks(head: HeadModel, identity: ArrayLike<number>, pose: HeadPose): Float64Array {
  const vertices = poseVertices(head, identity, pose);
  const { triangleIndices, barycentrics } = head.landmarks;
  const points = new Float64Array(triangleIndices.length * 3);
  for (let landmark = 0; landmark < triangleIndices.length; landmark++) {
    for (let corner = 0; corner < 3; corner++) {
      const vertex = head.triangles[triangleIndices[landmark] * 3 + corner];
      for (let axis = 0; axis < 3; axis++) {
        points[landmark * 3 + axis] += barycentrics[landmark * 3 + corner] * vertices[vertex * 3 + axis];
      }
    }
  }
  return points;
}
