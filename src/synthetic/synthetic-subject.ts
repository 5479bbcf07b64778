import type { Gpu } from '../gpu/gpu.ts';
import type { HeadModel } from '../head/head-model.ts';
import { neutralPose, type HeadPose } from '../head/pose.ts';
import { axisAngleFromMatrix, matrixFromAxisAngle, multiplyMatrices } from '../math/rotation.ts';
import { randomNormal } from '../math/random.ts';
import type { Camera, Track, TrackFrame } from '../tracking/track.ts';
import type { Image, OnProgress } from '../video/frame.ts';
import { createBackdrop } from './backdrop.ts';
import { createMeshRenderer, type Lighting, type MeshPart, type MeshRenderer } from './mesh-renderer.ts';
import { createMotionTake } from './motion-take.ts';
import { createSubjectScene, type SubjectLook, type SubjectScene } from './subject-scene.ts';

export interface SyntheticOptions extends SubjectLook {
  /** Pixels of the square frames' side. */
  readonly size: number;
  readonly seconds: number;
  readonly framesPerSecond: number;
  /** Another seed is another person who moves otherwise. */
  readonly seed: number;
  /** Neutral views on a circle round the head, evenly spaced from the front towards the subject's left. */
  readonly orbitViews: number;
}

export const SYNTHETIC_DEFAULTS = { size: 512, seconds: 12, framesPerSecond: 25, seed: 1, orbitViews: 24 } as const;

/** Takes the pictures as they are made. Each resolves when it is ready for the next. */
export interface SyntheticOutput {
  /** RGB frame of the clip. */
  frame(index: number, image: Image): Promise<void>;
  /** size² coverage of head, hair and neck (clothing is not part of it), 0…255. */
  matte(index: number, coverage: Uint8Array): Promise<void>;
  /** RGBA picture of the head alone. */
  view(index: number, image: Image): Promise<void>;
}

/** What was rendered, exactly. */
export interface SyntheticSubject {
  readonly track: Track;
  readonly views: readonly { readonly camera: Camera; readonly pose: HeadPose }[];
}

/** A phone at arm's length; the head is about 0.6 of the frame high. */
const FOCAL_LENGTHS_PER_SIDE = 790 / 512;
const HEAD_DISTANCE = 0.68; // metres
const HEAD_DROP = 0.02; // metres below the optical axis
/** How far identities differ from the mean, in standard deviations. */
const IDENTITY_SPREAD = 0.5;
const IDENTITY_STREAM = 0x1d01;
const IDENTITY_MATRIX = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];

/** A large soft key from the upper left, much light from everywhere: a face near a window. Stands still in the room. */
const ROOM_LIGHT: Lighting = {
  space: 'camera',
  keyDirection: [-0.45, -0.6, -0.85],
  keyColor: [0.56, 0.54, 0.51],
  fillDirection: [0.8, -0.1, -0.6],
  fillColor: [0.15, 0.16, 0.18],
  upDirection: [0, -1, 0],
  skyColor: [0.46, 0.47, 0.49],
  groundColor: [0.25, 0.235, 0.22],
  wrap: 0.45,
};
/** White stays white and black black: pictures of what belongs to what. */
const FLAT_LIGHT: Lighting = {
  ...ROOM_LIGHT,
  keyColor: [0, 0, 0],
  fillColor: [0, 0, 0],
  skyColor: [1, 1, 1],
  groundColor: [1, 1, 1],
};

/**
 * Makes a person from a head model (procedural skin, hair, eyes, clothing) and lets it talk, look about and turn: the
 * clip's frames with the exact track, mattes and views from all sides, which real clips never have. Deterministic in
 * head, options and device.
 */
export async function renderSyntheticSubject(
  gpu: Gpu,
  head: HeadModel,
  output: SyntheticOutput,
  options: Partial<SyntheticOptions> = {},
  onProgress: OnProgress = () => undefined,
  signal?: AbortSignal,
): Promise<SyntheticSubject> {
  const { size, seconds, framesPerSecond, seed, orbitViews } = { ...SYNTHETIC_DEFAULTS, ...options };
  const frameCount = Math.round(seconds * framesPerSecond);
  if (!(frameCount >= 1 && size >= 16)) {
    throw new RangeError(
      `seconds ${seconds} at ${framesPerSecond} frames per second and size ${size} make no clip; give at least one frame and 16 pixels.`,
    );
  }
  const identityCount = Math.min(10, head.identityNames.length);
  const identityCoefficients = Float32Array.from(head.identityNames, (_, i) =>
    i < identityCount ? IDENTITY_SPREAD * randomNormal(seed, IDENTITY_STREAM, i) : 0,
  );
  const focal = FOCAL_LENGTHS_PER_SIDE * size;
  const camera: Camera = {
    width: size,
    height: size,
    focalX: focal,
    focalY: focal,
    principalX: size / 2,
    principalY: size / 2,
  };
  const renderer = await createMeshRenderer(gpu);
  try {
    const scene = await createSubjectScene(renderer, head, identityCoefficients, seed, options);
    const take = createMotionTake(seconds, seed, HEAD_DISTANCE, HEAD_DROP);
    const backdrop = createBackdrop(size, seed);
    const frames: TrackFrame[] = [];
    const total = frameCount + orbitViews;
    for (let index = 0; index < frameCount; index++) {
      signal?.throwIfAborted();
      const timestamp = index / framesPerSecond;
      const pose = take.poseAt(timestamp, head.expressionNames);
      const { frame, matte } = await renderFrame(renderer, scene, pose, camera, backdrop);
      await output.frame(index, frame);
      await output.matte(index, matte);
      frames.push({ sourceIndex: index, timestamp, camera, pose, residual: 0, excluded: null });
      onProgress({ stage: 'synthetic', done: index + 1, total });
    }
    const views = Array.from({ length: orbitViews }, (_, index) => ({
      camera,
      pose: orbitPose(head, (index / orbitViews) * 2 * Math.PI),
    }));
    for (const [index, { pose }] of views.entries()) {
      signal?.throwIfAborted();
      await output.view(
        index,
        await renderer.render(scene.headParts(pose), {
          camera,
          cameraFromWorld: IDENTITY_MATRIX,
          lighting: ROOM_LIGHT,
        }),
      );
      onProgress({ stage: 'synthetic', done: frameCount + index + 1, total });
    }
    const track = {
      headName: head.name,
      expressionNames: head.expressionNames,
      identityCoefficients,
      frames,
      warnings: [],
    };
    return { track, views };
  } finally {
    renderer.dispose();
  }
}

/** Neutral, the head turned by `yaw` as a whole towards its left. */
function orbitPose(head: HeadModel, yaw: number): HeadPose {
  const rotation = multiplyMatrices(matrixFromAxisAngle([Math.PI, 0, 0]), matrixFromAxisAngle([0, yaw, 0]));
  return {
    ...neutralPose(head.expressionNames.length),
    headRotation: Float32Array.from(axisAngleFromMatrix(rotation)),
    headTranslation: Float32Array.of(0, HEAD_DROP, HEAD_DISTANCE),
  };
}

async function renderFrame(
  renderer: MeshRenderer,
  scene: SubjectScene,
  pose: HeadPose,
  camera: Camera,
  backdrop: Image,
): Promise<{ frame: Image; matte: Uint8Array }> {
  const headParts = scene.headParts(pose);
  const torsoParts = scene.torsoParts(pose);
  const lit = await renderer.render([...headParts, ...torsoParts], {
    camera,
    cameraFromWorld: IDENTITY_MATRIX,
    lighting: ROOM_LIGHT,
  });
  // Which pixels are the head's: one sample each, since the outline's smooth edge is in the lit picture's coverage.
  const flat = [...headParts.map((part) => flatPart(part, 1)), ...torsoParts.map((part) => flatPart(part, 0))];
  const owner = await renderer.render(flat, {
    camera,
    cameraFromWorld: IDENTITY_MATRIX,
    lighting: FLAT_LIGHT,
    supersampling: 1,
  });
  const { width, height } = camera;
  const data = new Uint8Array(width * height * 3);
  const matte = new Uint8Array(width * height);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const coverage = lit.data[pixel * 4 + 3];
    if (coverage > 0 && isHead(owner.data, pixel, width)) matte[pixel] = coverage;
    for (let k = 0; k < 3; k++) {
      data[pixel * 3 + k] = Math.round(
        (lit.data[pixel * 4 + k] * coverage + backdrop.data[pixel * 3 + k] * (255 - coverage)) / 255,
      );
    }
  }
  return { frame: { width, height, channels: 3, data }, matte };
}

/** By the pixel's own sample, or by its neighbours' where the sample fell beside the outline. */
function isHead(owner: Uint8Array, pixel: number, width: number): boolean {
  if (owner[pixel * 4 + 3] > 0) return owner[pixel * 4] > 127;
  return [-1, 1, -width, width, -width - 1, -width + 1, width - 1, width + 1].some(
    (step) => owner[(pixel + step) * 4] > 127,
  );
}

/** The same surface in plain white (1) or black (0); cut-outs stay, so hair keeps its shape. */
function flatPart({ mesh, material }: MeshPart, brightness: number): MeshPart {
  const albedo = material?.albedo && cutOutOf(material.albedo);
  return {
    mesh,
    material: { color: [brightness, brightness, brightness], albedo, gloss: 0, isDoubleSided: material?.isDoubleSided },
  };
}

const cutOuts = new WeakMap<Image, Image>();

/** White where the picture is opaque: made once per texture. */
function cutOutOf(image: Image): Image {
  const known = cutOuts.get(image);
  if (known) return known;
  const cutOut = { ...image, data: image.data.map((value, i) => (i % 4 === 3 ? value : 255)) };
  cutOuts.set(image, cutOut);
  return cutOut;
}
