import { createStorageBuffer, Ownership } from '../../gpu/buffer.ts';
import type { Commands } from '../../gpu/commands.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import { createKernel } from '../../gpu/kernel.ts';
import { UniformRing } from '../../gpu/uniform-ring.ts';
import { BLOCK_LANES, toRecords } from './blend-blocks.ts';
import blendBlocksWgsl from './blend-blocks.wgsl?raw';
import deltaAdamWgsl from './delta-adam.wgsl?raw';
import type { Deformation } from './deformation.ts';
import { TRANSFORM_FLOATS, VERTEX_STRIDE } from './layout.ts';

/** Rates are metres (per unit coefficient) per step; the paper's. Decays and epsilon are those of 3DGS. */
export const DELTA_ADAM_DEFAULTS = {
  deltaRate: 1e-5,
  vertexOffsetRate: 1e-4,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-15,
} as const;

export interface DeltaAdamOptions {
  readonly deltaRate?: number;
  readonly vertexOffsetRate?: number;
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
  /** M: factor on the rate of each entry of the support (`deltaEntryRates`). Default all 1. */
  readonly entryRates?: Float32Array;
}

export interface DeltaAdamStepOptions {
  /** Number of this update, from 1. */
  readonly step: number;
  /** Slots 0 … frameCount − 1 of the deformation hold the batch. Default: all slots. */
  readonly frameCount?: number;
  /** Multiplies the summed gradient. Default 1 / frameCount: the mean over the batch. */
  readonly gradientScale?: number;
  /** Override the rates (schedules); 0 holds the deltas or the vertex offset still (their moments move on). */
  readonly deltaRate?: number;
  readonly vertexOffsetRate?: number;
}

/**
 * Adam for ΔE, ΔP and Δvertex, straight from the blended-vertex gradients and blend coefficients that a deformation
 * holds per slot: the deltas' own gradient (an outer product per frame) is never stored.
 */
export interface DeltaAdam {
  /** Per four floats of `displacements` and of `vertexOffset`: means of their gradients, then mean squares. For checkpoints. */
  readonly deltaMoments: GPUBuffer;
  readonly vertexOffsetMoments: GPUBuffer;
  step(commands: Commands, options: DeltaAdamStepOptions): void;
  dispose(): void;
}

const GROUP_WIDTH = 64;
/** As in fitting/adam.ts: a software driver spends most of a short invocation on starting it. */
const VERTICES_PER_INVOCATION = { software: 64, hardware: 2 };
/** Walkers of a software driver (blend-blocks.wgsl); a GPU has one per block. */
const SOFTWARE_WALKERS = 64;
const SETTINGS_BYTES = 32;

/** Prepares the update of a deformation's deltas, with zero moments. */
export async function createDeltaAdam(
  gpu: Gpu,
  deformation: Deformation,
  options: DeltaAdamOptions = {},
): Promise<DeltaAdam> {
  const settings = { ...DELTA_ADAM_DEFAULTS, ...options };
  const { head, support, blocks, slotCount } = deformation;
  const owned = new Ownership();
  const create = (label: string, content: Parameters<typeof createStorageBuffer>[2]): GPUBuffer =>
    owned.own(createStorageBuffer(gpu, label, content));
  const isSoftware = deformation.variant === 'software';
  const verticesPerInvocation = VERTICES_PER_INVOCATION[deformation.variant];
  const blocksPerWalker = isSoftware ? Math.ceil(blocks.blockCount / SOFTWARE_WALKERS) || 1 : 1;
  const groupWidth = isSoftware ? BLOCK_LANES : GROUP_WIDTH;
  const files = [
    // An array's size must be known when the shader is compiled, and an override is not.
    { name: 'slot count', text: `const SLOT_COUNT = ${slotCount}u;` },
    { name: 'src/head/deformation/delta-adam.wgsl', text: deltaAdamWgsl },
    { name: 'src/head/deformation/blend-blocks.wgsl', text: blendBlocksWgsl },
  ];
  const constants = {
    vertexCount: head.vertexCount,
    blockCount: blocks.blockCount,
    walkedBlocks: blocks.blockCount,
    blocksPerWalker,
    coefficientBase: head.joints.length * TRANSFORM_FLOATS,
    stateStride: deformation.stateSlotStride / 4,
    gradientStride: deformation.gradientSlotStride / (4 * VERTEX_STRIDE),
  };
  const kernel = (entryPoint: string, shape: Record<string, number>) =>
    createKernel(gpu, {
      label: `delta adam ${entryPoint}`,
      files,
      entryPoint,
      bindings: {
        adam: 'uniform',
        frameStates: 'read',
        blendedGradient: 'read',
        blockTable: 'read',
        parameters: 'readWrite',
        moments: 'readWrite',
        recordRates: 'read',
      },
      constants: { ...constants, ...shape },
    });
  const [deltaKernel, vertexKernel] = await Promise.all([
    kernel('updateDisplacements', { groupWidth }),
    kernel('updateVertexOffset', { groupWidth: GROUP_WIDTH, verticesPerInvocation }),
  ]);
  const ring = owned.own(new UniformRing(gpu, 'delta adam', SETTINGS_BYTES, 512));
  const shared = {
    frameStates: deformation.frameStates,
    blendedGradient: deformation.blendedGradient,
    blockTable: create('delta adam blocks', blocks.table),
    recordRates: create(
      'delta adam rates',
      toRecords(blocks, options.entryRates ?? new Float32Array(support.entryCount).fill(1), 1),
    ),
  };
  const deltaMoments = create('delta moments', blocks.recordCount * 3 * 8);
  const vertexOffsetMoments = create('vertex offset moments', head.vertexCount * VERTEX_STRIDE * 8);
  const deltas = { ...shared, parameters: deformation.displacements, moments: deltaMoments };
  const vertexOffset = { ...shared, parameters: deformation.vertexOffset, moments: vertexOffsetMoments };
  const groups = new Map<string, GPUBindGroup>();
  const groupOf = (name: string, slot: number, create: () => GPUBindGroup): GPUBindGroup => {
    const group = groups.get(`${name} ${slot}`) ?? create();
    groups.set(`${name} ${slot}`, group);
    return group;
  };
  const walkers = Math.ceil(blocks.blockCount / blocksPerWalker);
  const deltaGroups = Math.ceil((walkers * BLOCK_LANES) / groupWidth);
  const vertexGroups = Math.ceil(head.vertexCount / (GROUP_WIDTH * verticesPerInvocation));

  return {
    deltaMoments,
    vertexOffsetMoments,
    step(commands, { step, frameCount = slotCount, gradientScale = 1 / frameCount, ...rates }) {
      if (!(step >= 1)) throw new RangeError(`delta adam: step is ${step}; updates count from 1.`);
      if (!(frameCount >= 1 && frameCount <= slotCount)) {
        throw new RangeError(`delta adam: frameCount is ${frameCount}; the deformation has ${slotCount} slots.`);
      }
      const uniform = (rate: number): number =>
        ring.write(commands, adamSettings(settings, step, rate, frameCount, gradientScale));
      const deltaSlot = uniform(rates.deltaRate ?? settings.deltaRate);
      const vertexSlot = uniform(rates.vertexOffsetRate ?? settings.vertexOffsetRate);
      const deltaGroup = groupOf('deltas', deltaSlot, () =>
        deltaKernel.bind({ ...deltas, adam: ring.binding(deltaSlot) }),
      );
      const vertexGroup = groupOf('vertices', vertexSlot, () =>
        vertexKernel.bind({ ...vertexOffset, adam: ring.binding(vertexSlot) }),
      );
      commands.pass('delta adam', (pass) => {
        if (support.entryCount > 0) deltaKernel.dispatch(pass, deltaGroup, deltaGroups);
        vertexKernel.dispatch(pass, vertexGroup, vertexGroups);
      });
    },
    dispose: () => owned.destroy(),
  };
}

function adamSettings(
  options: { beta1: number; beta2: number; epsilon: number },
  step: number,
  rate: number,
  frameCount: number,
  gradientScale: number,
): Uint32Array {
  // The decays as the kernel sees them: 1 − β2 in float32 is off by 5e-5, and the correction must be off alike.
  const [beta1, beta2] = [Math.fround(options.beta1), Math.fround(options.beta2)];
  const words = new Uint32Array(SETTINGS_BYTES / 4);
  words[0] = frameCount;
  new Float32Array(words.buffer).set(
    [rate / (1 - beta1 ** step), 1 / Math.sqrt(1 - beta2 ** step), gradientScale, options.epsilon, beta1, beta2],
    1,
  );
  return words;
}
