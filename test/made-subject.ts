import type { Avatar } from '../src/avatar/avatar.ts';
import { triangleSizesReference } from '../src/binding/placement.reference.ts';
import { sampleAtlas, surfacePositions } from '../src/binding/sampling.ts';
import type { Clip, ClipFrame } from '../src/fitting/clip.ts';
import { packPixels } from '../src/fitting/frame-pixels.ts';
import { SH_C0 } from '../src/gaussians/layout.ts';
import type { Gpu } from '../src/gpu/gpu.ts';
import type { HeadModel } from '../src/head/head-model.ts';
import { neutralPose, type HeadPose } from '../src/head/pose.ts';
import { identityVertices } from '../src/head/pose-vertices.ts';
import { randomNormal } from '../src/math/random.ts';
import { axisAngleFromMatrix, matrixFromAxisAngle, multiplyMatrices } from '../src/math/rotation.ts';
import type { Camera } from '../src/tracking/track.ts';
import { AvatarRenderer } from '../src/viewer/avatar-renderer.ts';
import { smallHead } from './small-head.ts';

const RINGS = 9;
const SEGMENTS = 12;
const DISTANCE = 0.55;

export interface MadeSubject {
  /** The model that a fit starts from, and the identity that the subject has in it. */
  readonly head: HeadModel;
  readonly identityCoefficients: Float32Array;
  /** The truth: what the clip shows. */
  readonly avatar: Avatar;
  readonly camera: Camera;
  /** The true poses. */
  readonly poses: readonly HeadPose[];
  readonly clip: Clip;
}

export interface MadeSubjectOptions {
  readonly frameCount?: number;
  readonly size?: number;
  readonly gaussians?: number;
}

/** A subject small enough for a fit in seconds: an egg-shaped head with coloured stripes, drawn in exactly known poses. */
export async function madeSubject(gpu: Gpu, options: MadeSubjectOptions = {}): Promise<MadeSubject> {
  const { frameCount = 6, size = 64, gaussians = 500 } = options;
  const head = madeHead();
  const identityCoefficients = Float32Array.of(0.5, -0.4, 0.3);
  const focal = (0.75 * size * DISTANCE) / 0.24;
  const camera = {
    width: size,
    height: size,
    focalX: focal,
    focalY: focal,
    principalX: size / 2 + 0.5,
    principalY: size / 2,
  };
  const poses = Array.from({ length: frameCount }, (_, frame) => takePose(head, frame));
  const avatar = stripedAvatar(head, identityCoefficients, camera, gaussians);
  return { head, identityCoefficients, avatar, camera, poses, clip: await drawClip(gpu, avatar, camera, poses) };
}

/** Frames of an avatar in given poses, with its coverage as the matte. */
export async function drawClip(gpu: Gpu, avatar: Avatar, camera: Camera, poses: readonly HeadPose[]): Promise<Clip> {
  const renderer = await AvatarRenderer.create(gpu, avatar);
  const pixels: Uint32Array[] = [];
  for (const pose of poses) pixels.push(packPixels(await renderer.render(pose, camera, { transparent: true })));
  renderer.dispose();
  const frames = poses.map((pose, index): ClipFrame => ({ index, camera, pose }));
  return { size: camera.width, frames, pixels: (frame) => pixels[frame] };
}

/** The small head, with an atlas that can be sampled: azimuth and ring, the seam's vertices twice. */
function madeHead(): HeadModel {
  const head = smallHead({ rings: RINGS, segments: SEGMENTS });
  const uvs: number[] = [];
  for (let ring = 0; ring < RINGS; ring++) {
    for (let segment = 0; segment <= SEGMENTS; segment++) uvs.push(segment / SEGMENTS, ring / (RINGS - 1));
  }
  const uvTriangles = head.triangles.map((vertex, corner) => {
    const [ring, segment] = [Math.floor(vertex / SEGMENTS), vertex % SEGMENTS];
    const triangle = head.triangles.subarray(corner - (corner % 3), corner - (corner % 3) + 3);
    const isOnSeam = segment === 0 && triangle.some((other) => other % SEGMENTS === SEGMENTS - 1);
    return ring * (SEGMENTS + 1) + (isOnSeam ? SEGMENTS : segment);
  });
  return { ...head, uvs: Float32Array.from(uvs), uvTriangles };
}

function takePose(head: HeadModel, frame: number): HeadPose {
  const turn = matrixFromAxisAngle([0.1 * Math.sin(frame), 0.35 * Math.sin(2 * frame + 0.5), 0.05 * Math.cos(frame)]);
  const facing = Float64Array.of(1, 0, 0, 0, -1, 0, 0, 0, -1);
  return {
    ...neutralPose(head.expressionNames.length),
    headRotation: Float32Array.from(axisAngleFromMatrix(multiplyMatrices(facing, turn))),
    headTranslation: Float32Array.of(0.006 * Math.cos(frame), 0.004 * Math.sin(3 * frame), DISTANCE),
    jawPose: Float32Array.of(0.1 + 0.1 * Math.sin(frame), 0, 0),
    expressionCoefficients: Float32Array.from(head.expressionNames, (_, k) => 0.5 + 0.5 * Math.sin(frame * (k + 1))),
  };
}

function stripedAvatar(head: HeadModel, identityCoefficients: Float32Array, camera: Camera, count: number): Avatar {
  const templateVertices = identityVertices(head, identityCoefficients);
  const personal = { ...head, templateVertices, identityBasis: new Float32Array(0), identityNames: [] };
  const { triangleIndices, barycentrics, logScale } = sampleAtlas(personal, { count, seed: 11 });
  const positions = surfacePositions(templateVertices, head.triangles, triangleIndices, barycentrics);
  const color = new Float32Array(count * 3);
  const localRotation = new Float32Array(count * 4);
  for (let index = 0; index < count; index++) {
    const [x, y] = [positions[index * 3], positions[index * 3 + 1]];
    const rgb = [0.6 + 0.3 * Math.sin(70 * y), 0.45 + 0.2 * Math.sin(60 * x + 1), 0.4 + 0.25 * Math.cos(50 * (x + y))];
    for (let channel = 0; channel < 3; channel++) color[index * 3 + channel] = (rgb[channel] - 0.5) / SH_C0;
    localRotation[index * 4] = 1;
  }
  return {
    head: personal,
    vertexOffset: Float32Array.from({ length: head.vertexCount * 3 }, (_, i) => 0.001 * randomNormal(21, 0, i)),
    gaussians: {
      count, triangleIndices, barycentrics, localRotation, logScale, color,
      opacityLogit: new Float32Array(count).fill(2.5),
      normalOffset: Float32Array.from({ length: count }, (_, i) => 0.02 * randomNormal(22, 0, i)),
    }, // prettier-ignore
    canonicalSizes: Float32Array.from(triangleSizesReference(head.triangles, templateVertices)),
    trackCorrection: null,
    neutralPose: takePose(head, 0),
    camera,
    identityCoefficients,
  };
}
