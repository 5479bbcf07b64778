import { createStorageBuffer, Ownership } from '../gpu/buffer.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { UniformRing } from '../gpu/uniform-ring.ts';
import { createPlacement, type Placement } from '../binding/placement.ts';
import type { GaussianSet } from '../gaussians/layout.ts';
import { createDeformation, type Deformation } from '../head/deformation/deformation.ts';
import { createDeltaAdam, type DeltaAdam } from '../head/deformation/delta-adam.ts';
import { deltaEntryRates } from '../head/deformation/delta-rates.ts';
import { poseRecordStride } from '../head/deformation/layout.ts';
import type { HeadModel } from '../head/head-model.ts';
import { meanEdgeLength, vertexAdjacency } from '../head/laplacian.ts';
import { jointTransforms, poseFeatures } from '../head/pose-vertices.ts';
import { packPose, POSE_JOINT_FLOATS, type HeadPose } from '../head/pose.ts';
import { createExposure, EXPOSURE_STRIDE, type Exposure } from '../losses/exposure/exposure.ts';
import {
  createGaussianRegularisers,
  type GaussianRegularisers,
} from '../losses/gaussian-regularisers/gaussian-regularisers.ts';
import { LossHistory } from '../losses/loss-history.ts';
import { createPerceptualLoss, type PerceptualLoss } from '../losses/perceptual/perceptual-loss.ts';
import type { PerceptualNet } from '../losses/perceptual/perceptual-net.ts';
import { createPhotometricLoss, type PhotometricLoss } from '../losses/photometric/photometric.ts';
import {
  createVertexRegularisers,
  type VertexRegularisers,
} from '../losses/vertex-regularisers/vertex-regularisers.ts';
import type { NetworkRuntime } from '../network/index.ts';
import { CAMERA_STRIDE } from '../rasterizer/camera.ts';
import { createRasterizer, type Rasterizer } from '../rasterizer/rasterizer.ts';
import { createAdam, type Adam } from './adam.ts';
import type { Clip } from './clip.ts';
import type { FitOptions } from './fit-options.ts';
import { singlePatches, surfacePatches, usedVertices } from './densify/patches.ts';
import { createGaussianState, type GaussianState } from './gaussian-state.ts';
import { surfaceHold } from './region-appearance.ts';

/** Frames recorded between two submits: enough to hide the host's work, few enough to stop quickly. */
export const STEPS_PER_SUBMIT = 8;
/**
 * Metres of an edge at which `weights.laplacian` counts as it stands. The uniform Laplacian of one and the same bump grows
 * with the square of the edges, its square with their fourth power: unscaled, a weight that leaves a fine mesh crumpled
 * freezes a coarse one.
 */
const LAPLACIAN_EDGE = 0.005;
/** Losses kept on the GPU until they are read at a checkpoint. */
export const LOSS_SLOTS = 1024;

export interface TrainingInputs {
  readonly head: HeadModel;
  readonly identityCoefficients: Float32Array;
  readonly initial: GaussianSet;
  /** The pose that triangle sizes are relative to (k, eq 3), or those sizes, of a stored avatar. */
  readonly canonical: HeadPose | Float32Array;
  /** V×3: Δvertex to start from; zero without it. */
  readonly vertexOffset?: Float32Array;
  /** See `DeformationOptions`; 0 for a head whose basis was sparse when it was stored. */
  readonly supportThreshold?: number;
  readonly clip: Clip;
  readonly options: FitOptions;
  /** Most Gaussians the run can reach. */
  readonly capacity: number;
  readonly intersectionCapacity?: number;
  /** As the rasteriser's; tests of gradients lower it, since the true function jumps at the cut-off. */
  readonly alphaMin?: number;
  /** The perceptual term; none without it. `Training.takeStep` has it, `recordStep` leaves it out. */
  readonly perceptual?: PerceptualInputs;
}

/** A fixed net whose distance is part of the loss, and what runs it. */
export interface PerceptualInputs {
  readonly net: PerceptualNet;
  readonly runtime: NetworkRuntime;
}

/** Steps between two uses of the perceptual term where the net runs on the processor (docs/decisions/perceptual.md). */
const PERCEPTUAL_EVERY_ON_PROCESSOR = 16;

/** Buffers and prepared operations of one fit. */
export interface TrainingParts {
  readonly owned: Ownership;
  readonly gaussians: GaussianState;
  readonly deformation: Deformation;
  readonly deltaAdam: DeltaAdam;
  readonly placement: Placement;
  readonly rasterizer: Rasterizer;
  readonly history: LossHistory;
  readonly photometric: PhotometricLoss;
  readonly regularisers: GaussianRegularisers;
  readonly vertexRegularisers: VertexRegularisers;
  /** `weights.laplacian`, for this head's edges. */
  readonly laplacianWeight: number;
  readonly poses: GPUBuffer;
  readonly poseStride: number;
  readonly poseGradient: GPUBuffer;
  readonly poseAdam: Adam;
  /** Null unless the options ask for it. */
  readonly exposure: Exposure | null;
  readonly exposureAdam: Adam | null;
  /** Null unless a net is given and its weight is above 0. */
  readonly perceptual: PerceptualLoss | null;
  readonly perceptualEvery: number;
  readonly targets: GPUBuffer;
  readonly cameras: UniformRing;
}

/** Allocates and compiles everything that a fit's steps run. */
export async function createTrainingParts(gpu: Gpu, inputs: TrainingInputs): Promise<TrainingParts> {
  const { head, initial, clip, options, capacity } = inputs;
  const { size } = clip;
  const owned = new Ownership();
  const own = (label: string, content: Parameters<typeof createStorageBuffer>[2]): GPUBuffer =>
    owned.own(createStorageBuffer(gpu, label, content));
  const deformation = await createDeformation(gpu, head, {
    identityCoefficients: inputs.identityCoefficients,
    slotCount: options.deltaFrames,
    // Children stay on triangles of such corners: the set never grows.
    usedVertices: usedVertices(head, initial.triangleIndices),
    ...(inputs.supportThreshold === undefined ? {} : { supportThreshold: inputs.supportThreshold }),
  });
  const gaussians = await createGaussianState(gpu, initial, capacity, options.rates, size, {
    triangles: head.triangles,
    patches: walksTheSurface(options)
      ? surfacePatches(head, initial.triangleIndices)
      : singlePatches(head.triangles.length / 3),
    posedVertices: deformation.posedVertices,
  });
  const rasterizer = await createRasterizer(gpu, {
    width: size,
    height: size,
    gaussianCapacity: capacity,
    ...(inputs.intersectionCapacity ? { intersectionCapacity: inputs.intersectionCapacity } : {}),
    ...(inputs.alphaMin === undefined ? {} : { alphaMin: inputs.alphaMin }),
  });
  const placement = await createPlacement(gpu, {
    triangles: head.triangles,
    vertexCount: head.vertexCount,
    posedVertices: deformation.posedVertices,
    gaussianCapacity: capacity,
    count: gaussians.count,
    triangleIndices: gaussians.triangleIndices,
    barycentrics: gaussians.barycentrics,
    local: gaussians.local,
    gradients: { local: gaussians.localGradients, posed: deformation.posedGradient },
  });
  const history = await LossHistory.create(gpu, LOSS_SLOTS);
  const poseStride = poseRecordStride(head.expressionNames.length);
  const photometric = await createPhotometricLoss(gpu, {
    width: size,
    height: size,
    history,
    matte: options.weights.matte > 0,
  });
  const exposure = options.exposure
    ? await createExposure(gpu, {
        width: size,
        height: size,
        frameCount: clip.frames.length,
        image: rasterizer.image,
        imageGradient: photometric.imageGradient,
      })
    : null;
  const adjacency = vertexAdjacency(head.triangles, head.vertexCount);
  const edge = meanEdgeLength(head.templateVertices, adjacency);
  const poses = own('poses', packPoses(inputs, poseStride));
  const poseGradient = own('pose gradient', poseStride);
  return {
    owned,
    gaussians,
    deformation,
    deltaAdam: await createDeltaAdam(gpu, deformation, {
      entryRates: deltaEntryRates(deformation.support, coefficientActivity(head, clip)),
    }),
    placement,
    rasterizer,
    history,
    photometric,
    ...(await perceptualParts(gpu, inputs, history)),
    exposure,
    exposureAdam: exposure
      ? await createAdam(gpu, {
          label: 'exposure',
          parameters: exposure.parameters,
          gradients: exposure.parameterGradient,
          gradientsOfOneRecord: true,
          stride: EXPOSURE_STRIDE,
          learningRate: options.rates.exposure,
        })
      : null,
    regularisers: await createGaussianRegularisers(gpu, {
      capacity,
      count: gaussians.count,
      logScale: gaussians.local.logScale,
      logScaleGradient: gaussians.localGradients.logScale,
      normalOffset: gaussians.local.normalOffset,
      normalOffsetGradient: gaussians.localGradients.normalOffset,
      triangleIndices: gaussians.triangleIndices,
      surfaceHold: own('surface hold', surfaceHold(head)),
      history,
    }),
    vertexRegularisers: await createVertexRegularisers(gpu, {
      adjacency,
      vertexDifference: deformation.vertexDifference,
      vertexDifferenceGradient: deformation.vertexDifferenceGradient,
      history,
    }),
    laplacianWeight: options.weights.laplacian * (LAPLACIAN_EDGE / edge) ** 4,
    poses,
    poseStride,
    poseGradient,
    poseAdam: await createAdam(gpu, {
      label: 'poses',
      parameters: poses,
      gradients: poseGradient,
      gradientsOfOneRecord: true,
      stride: poseStride / 4,
      learningRate: options.rates.pose,
      rateFactors: poseRateFactors(head, poseStride / 4),
    }),
    targets: own('targets', size * size * 4 * STEPS_PER_SUBMIT),
    cameras: owned.own(new UniformRing(gpu, 'cameras', CAMERA_STRIDE, 4 * STEPS_PER_SUBMIT)),
  };
}

async function perceptualParts(
  gpu: Gpu,
  { perceptual, clip, options }: TrainingInputs,
  history: LossHistory,
): Promise<Pick<TrainingParts, 'perceptual' | 'perceptualEvery'>> {
  if (!perceptual || options.weights.perceptual === 0) return { perceptual: null, perceptualEvery: 1 };
  const { net, runtime } = perceptual;
  const perceptualEvery = options.perceptualEvery ?? (runtime.home === 'device' ? 1 : PERCEPTUAL_EVERY_ON_PROCESSOR);
  const { size } = clip;
  return {
    perceptual: await createPerceptualLoss(gpu, { net, runtime, width: size, height: size, history }),
    perceptualEvery,
  };
}

/** C: root mean square over the clip of each blend coefficient: expressions, then the entries of R − I per joint. */
function coefficientActivity(head: HeadModel, clip: Clip): Float64Array {
  const squares: number[] = [];
  for (const { pose } of clip.frames) {
    const features = poseFeatures(
      jointTransforms(head.joints, new Float64Array(head.joints.length * 3), pose).localRotations,
    );
    [...pose.expressionCoefficients, ...features].forEach((value, k) => {
      squares[k] = (squares[k] ?? 0) + value ** 2 / clip.frames.length;
    });
  }
  return Float64Array.from(squares, Math.sqrt);
}

const walksTheSurface = ({ densify }: FitOptions): boolean => densify === 'sampling' || densify === 'splattingAvatar';

function packPoses({ clip }: TrainingInputs, stride: number): Float32Array {
  const packed = new Float32Array((clip.frames.length * stride) / 4);
  clip.frames.forEach(({ pose }, frame) => packed.set(packPose(pose), (frame * stride) / 4));
  return packed;
}

/**
 * Expression coefficients run 0…1 where joints move by hundredths of a radian: they learn faster by this. Fitting
 * held-out poses of address-turns for 50 steps at 1e-3: 25.5 dB with 1, 26.3 with 4, 26.6 with 10.
 */
const EXPRESSION_RATE_FACTOR = 8;

/** Which floats of a pose record learn: the padding does not. */
function poseRateFactors(head: HeadModel, floats: number): Float32Array {
  const factors = new Float32Array(floats);
  factors.fill(1, 0, POSE_JOINT_FLOATS);
  factors.fill(EXPRESSION_RATE_FACTOR, POSE_JOINT_FLOATS, POSE_JOINT_FLOATS + head.expressionNames.length);
  return factors;
}
