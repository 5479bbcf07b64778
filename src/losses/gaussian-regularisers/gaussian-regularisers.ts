import { Ownership, createStorageBuffer } from '../../gpu/buffer.ts';
import type { Commands } from '../../gpu/commands.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import { createKernel } from '../../gpu/kernel.ts';
import { UniformRing } from '../../gpu/uniform-ring.ts';
import type { LossHistory } from '../loss-history.ts';
import regularisersText from './gaussian-regularisers.wgsl?raw';

export interface GaussianRegulariserSettings {
  /** r of L_scale: how often the largest scale may hold the smallest before it costs. No unit. */
  readonly ratioLimit: number;
  /** Metres of canonical size that the largest scale may reach before it costs. */
  readonly sizeLimit: number;
  readonly weights: {
    /** Of mean max(max(s)/min(s) − ratioLimit, 0): the method's L_scale. */
    readonly scaleRatio: number;
    /** Of mean max(max(s)/sizeLimit − 1, 0). */
    readonly scaleLimit: number;
    /** Of mean hold·normalOffset², the stored value. */
    readonly offset: number;
  };
}

/** The paper's L_scale; the other two terms are ours and off. */
export const GAUSSIAN_REGULARISER_DEFAULTS: GaussianRegulariserSettings = {
  ratioLimit: 9,
  sizeLimit: 0.02,
  weights: { scaleRatio: 0.1, scaleLimit: 0, offset: 0 },
};

export interface GaussianRegulariserOptions {
  /** N, as the buffers are allocated. */
  readonly capacity: number;
  /** A uint32 on the GPU: Gaussians in use. */
  readonly count: GPUBuffer;
  /** N×3 and its gradient, which is added to. */
  readonly logScale: GPUBuffer;
  readonly logScaleGradient: GPUBuffer;
  /** N and its gradient, which is added to. */
  readonly normalOffset: GPUBuffer;
  readonly normalOffsetGradient: GPUBuffer;
  /** N: each Gaussian's triangle. */
  readonly triangleIndices: GPUBuffer;
  /** T: how firmly a triangle holds its Gaussians on the surface, 1 or less; 0 lets them rise freely. */
  readonly surfaceHold: GPUBuffer;
  readonly history: LossHistory;
  /** Steps that may be recorded between two submits. Default 256. */
  readonly slotCount?: number;
}

/** Regularisers over the Gaussians' stored attributes. */
export interface GaussianRegularisers {
  /** Adds values to row `slot` of the history, which the photometric loss has started, and gradients to the buffers. */
  record(
    commands: Commands,
    step: { readonly slot: number } & Partial<Omit<GaussianRegulariserSettings, 'weights'>> & {
        readonly weights?: Partial<GaussianRegulariserSettings['weights']>;
      },
  ): void;
  dispose(): void;
}

const GROUP_WIDTH = 64;
const TURNS = { software: 16, hardware: 2 };
const STEP_BYTES = 32;

/** Prepares the regularisers for one set of Gaussians. */
export async function createGaussianRegularisers(
  gpu: Gpu,
  options: GaussianRegulariserOptions,
): Promise<GaussianRegularisers> {
  const turns = gpu.adapter.isSoftware ? TURNS.software : TURNS.hardware;
  const kernel = await createKernel(gpu, {
    label: 'gaussian regularisers',
    files: [{ name: 'src/losses/gaussian-regularisers/gaussian-regularisers.wgsl', text: regularisersText }],
    bindings: {
      step: 'uniform',
      count: 'read',
      logScale: 'read',
      normalOffset: 'read',
      logScaleGradient: 'readWrite',
      normalOffsetGradient: 'readWrite',
      partials: 'readWrite',
      triangleIndices: 'read',
      surfaceHold: 'read',
    },
    constants: { groupWidth: GROUP_WIDTH, turns },
  });
  const owned = new Ownership();
  const groupCount = Math.max(1, Math.ceil(options.capacity / (GROUP_WIDTH * turns)));
  const partialCount = groupCount * GROUP_WIDTH;
  const partials = owned.own(createStorageBuffer(gpu, 'gaussian regulariser partials', partialCount * 16));
  const ring = owned.own(new UniformRing(gpu, 'gaussian regulariser step', STEP_BYTES, options.slotCount));
  const groups: GPUBindGroup[] = [];
  const { history, count, logScale, normalOffset, logScaleGradient, normalOffsetGradient } = options;
  const { triangleIndices, surfaceHold } = options;
  const buffers = {
    count,
    logScale,
    normalOffset,
    logScaleGradient,
    normalOffsetGradient,
    partials,
    triangleIndices,
    surfaceHold,
  };
  return {
    record(commands, step) {
      const { ratioLimit, sizeLimit } = { ...GAUSSIAN_REGULARISER_DEFAULTS, ...step };
      const weights = { ...GAUSSIAN_REGULARISER_DEFAULTS.weights, ...step.weights };
      if (!(sizeLimit > 0))
        throw new RangeError(`gaussian regularisers: sizeLimit is ${sizeLimit}; give metres above 0`);
      const values = [ratioLimit, sizeLimit, weights.scaleRatio, weights.scaleLimit, weights.offset];
      const slot = ring.write(commands, Float32Array.from(values));
      const group = (groups[slot] ??= kernel.bind({ ...buffers, step: ring.binding(slot) }));
      const enter = history.prepare(commands, {
        slot: step.slot,
        group: 'gaussians',
        partials,
        partialCount,
        weights: [weights.scaleRatio, weights.scaleLimit, weights.offset, 0],
        startsStep: false,
      });
      commands.pass('gaussian regularisers', (pass) => {
        kernel.dispatch(pass, group, groupCount);
        enter(pass);
      });
    },
    dispose: () => owned.destroy(),
  };
}
