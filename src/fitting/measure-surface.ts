import { spacingAt } from '../binding/nearest-neighbours.ts';
import { surfacePositions } from '../binding/sampling.ts';
import type { GaussianSet } from '../gaussians/layout.ts';
import { readFloats } from '../gpu/buffer.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { unpadVertices } from '../head/deformation/layout.ts';
import { identityVertices, offsetVertices, poseVertices } from '../head/pose-vertices.ts';
import type { HeadPose } from '../head/pose.ts';
import { foldingTriangles, surfaceGroups } from './region-appearance.ts';
import type { SeenSurface } from './seen-surface.ts';
import { triangleStretch } from './shorten-needles.ts';
import { bestFacing, inwardOffsets, meanSight, silhouettesOf } from './silhouettes.ts';
import type { TrainingInputs } from './training-parts.ts';
import type { Training } from './training.ts';

/** Frames, spread over the clip, that tell which Gaussians are seen at all. */
const VISIBILITY_FRAMES = 40;

/** The set as learned so far, and what some frames, spread over the clip, show of it. Reads back: between steps alone. */
export async function measureSurface(gpu: Gpu, training: Training, inputs: TrainingInputs): Promise<SeenSurface> {
  const { head, identityCoefficients, vertexOffset, canonical, clip, options } = inputs;
  const every = Math.max(1, Math.floor(clip.frames.length / VISIBILITY_FRAMES));
  const frames = [...clip.frames.keys()].filter((frame) => frame % every === 0);
  const gaussians = await training.gaussians.read();
  const contributions = await training.measureContributions(frames);
  const vertices = poseVertices(head, identityCoefficients, canonical as HeadPose);
  const stretch = await learnedStretch(gpu, training, inputs);
  const groups = surfaceGroups(head);
  const folds = foldingTriangles(head);
  const silhouettes = silhouettesOf(head, identityCoefficients, clip, vertexOffset);
  const placesOf = ({ triangleIndices, barycentrics }: GaussianSet): Float32Array =>
    surfacePositions(vertices, head.triangles, triangleIndices, barycentrics);
  const positions = placesOf(gaussians);
  return {
    gaussians,
    positions,
    spacing: spacingAt(positions, placesOf(inputs.initial)),
    isFirst: firstOf(gaussians, inputs.initial),
    contributions: contributions.map(({ shown, inner }) => ({
      shown: shown.subarray(0, gaussians.count),
      inner: inner.subarray(0, gaussians.count),
    })),
    pixelsPerMetre: clip.frames[0]!.camera.focalX / clip.frames[0]!.pose.headTranslation[2]!,
    groups: [...gaussians.triangleIndices].map((triangle) => groups[triangle]!),
    thickness: options.initialThickness,
    facing: bestFacing(gaussians, head.triangles, silhouettes),
    sight: meanSight(gaussians, head.triangles, silhouettes),
    stretch: Float32Array.from(gaussians.triangleIndices, (triangle) => stretch[triangle]!),
    seed: options.seed,
    inward: (isAsked) =>
      inwardOffsets(gaussians, head.triangles, silhouettes, (i) => isAsked(i) && !folds[gaussians.triangleIndices[i]!]),
  };
}

type Places = Pick<GaussianSet, 'count' | 'triangleIndices' | 'barycentrics'>;

/** N: 1 where a Gaussian is one of the first: those keep their places on the surface, and no child is at the same one. */
export function firstOf(gaussians: Places, first: Places): Uint8Array {
  const keyOf = ({ triangleIndices, barycentrics }: Places, i: number): string =>
    [triangleIndices[i]!, ...barycentrics.subarray(i * 3, i * 3 + 3)].join();
  const keys = new Set(Array.from({ length: first.count }, (_, i) => keyOf(first, i)));
  return Uint8Array.from({ length: gaussians.count }, (_, i) => Number(keys.has(keyOf(gaussians, i))));
}

/** T: how many times as large as the canonical mesh's each triangle is by Δvertex as learned so far. */
async function learnedStretch(
  gpu: Gpu,
  { deformation }: Training,
  { head, identityCoefficients }: TrainingInputs,
): Promise<Float32Array> {
  const offsets = unpadVertices(await readFloats(gpu, deformation.vertexOffset), head.vertexCount);
  const vertices = identityVertices(head, identityCoefficients);
  return triangleStretch(head.triangles, vertices, offsetVertices(vertices, offsets));
}
