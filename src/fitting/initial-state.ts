import { sampleAtlas } from '../binding/sampling.ts';
import type { GaussianSet } from '../gaussians/layout.ts';
import type { HeadModel } from '../head/head-model.ts';
import { poseVertices } from '../head/pose-vertices.ts';
import { neutralPose, type HeadPose } from '../head/pose.ts';
import type { Clip } from './clip.ts';
import type { FitOptions } from './fit-options.ts';
import { initialColors } from './initial-colors.ts';

interface InitialInputs {
  readonly head: HeadModel;
  readonly identityCoefficients: Float32Array;
  readonly clip: Clip;
  readonly vertexOffset?: Float32Array;
}

/** Gaussians over the atlas: identity rotation, neighbour-distance scale, the frames' colours, on the surface (§3.1). */
export function initialGaussians(inputs: InitialInputs, canonicalPose: HeadPose, options: FitOptions): GaussianSet {
  const canonicalVertices = poseVertices(inputs.head, inputs.identityCoefficients, canonicalPose);
  const samples = sampleAtlas(inputs.head, { count: options.gaussians, seed: options.seed, canonicalVertices });
  const { count } = samples;
  const localRotation = new Float32Array(count * 4);
  for (let index = 0; index < count; index++) localRotation[index * 4] = 1;
  return {
    count,
    triangleIndices: samples.triangleIndices,
    barycentrics: samples.barycentrics,
    localRotation,
    logScale: flattened(samples.logScale, options.initialThickness),
    opacityLogit: new Float32Array(count).fill(logit(options.initialOpacity)),
    color: initialColors({ ...inputs, ...samples }, inputs.clip),
    normalOffset: new Float32Array(count),
  };
}

/** The normal is a triangle frame's second axis. */
const flattened = (logScale: Float32Array, thickness: number): Float32Array =>
  logScale.map((value, i) => (i % 3 === 1 ? value + Math.log(thickness) : value));

const logit = (probability: number): number => Math.log(probability / (1 - probability));

/** The clip's mean expression with an open jaw, so that lips and mouth have area to be relative to (§3.1). */
export function canonicalPoseOf(head: HeadModel, clip: Clip): HeadPose {
  const pose = neutralPose(head.expressionNames.length);
  const coefficients = meanExpression(clip);
  const jawOpen = head.expressionNames.indexOf('jawOpen');
  // ARKit's jawOpen of 1 is about 0.45 rad; models without it open the joint by the paper's 0.2 rad.
  if (jawOpen >= 0) coefficients[jawOpen] = Math.max(coefficients[jawOpen]!, 0.4);
  const jawPose = jawOpen >= 0 ? pose.jawPose : Float32Array.of(0.2, 0, 0);
  return { ...pose, jawPose, expressionCoefficients: coefficients };
}

/** Mean expression, straight gaze, mean distance: the head's neutral state for pictures. */
export function frontalPose(clip: Clip): HeadPose {
  let depth = 0;
  for (const { pose } of clip.frames) depth += pose.headTranslation[2]! / clip.frames.length;
  const expressionCoefficients = meanExpression(clip);
  return {
    ...neutralPose(expressionCoefficients.length),
    headRotation: Float32Array.of(Math.PI, 0, 0),
    headTranslation: Float32Array.of(0, 0, depth),
    expressionCoefficients,
  };
}

function meanExpression({ frames }: Clip): Float32Array {
  const mean = new Float32Array(frames[0]!.pose.expressionCoefficients.length);
  for (const { pose } of frames)
    pose.expressionCoefficients.forEach((value, index) => (mean[index]! += value / frames.length));
  return mean;
}
