import { Ownership, createStorageBuffer } from '../../gpu/buffer.ts';
import type { Commands } from '../../gpu/commands.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import { createKernel } from '../../gpu/kernel.ts';
import { UniformRing } from '../../gpu/uniform-ring.ts';
import type { VertexAdjacency } from '../../head/laplacian.ts';
import type { LossHistory } from '../loss-history.ts';
import regularisersText from './vertex-regularisers.wgsl?raw';

/** Weights, per square metre: the paper's L_lap; L_flame is 0 in the released code (method, §3). */
export const VERTEX_REGULARISER_DEFAULTS = { vertexDifference: 0, laplacian: 100 } as const;

export interface VertexRegulariserOptions {
  readonly adjacency: VertexAdjacency;
  /** V vec4f: what the learned deltas move each vertex at rest, metres; w unused. */
  readonly vertexDifference: GPUBuffer;
  /** V vec4f: ∂loss/∂vertexDifference, overwritten (w = 0). */
  readonly vertexDifferenceGradient: GPUBuffer;
  readonly history: LossHistory;
  /** Steps that may be recorded between two submits. Default 256. */
  readonly slotCount?: number;
}

/** Regularisers over the learned vertex deltas. */
export interface VertexRegularisers {
  /** Adds values to row `slot` of the history, which the photometric loss has started, and writes the gradient. */
  record(
    commands: Commands,
    step: {
      readonly slot: number;
      readonly weights?: Partial<Record<keyof typeof VERTEX_REGULARISER_DEFAULTS, number>>;
    },
  ): void;
  dispose(): void;
}

const GROUP_WIDTH = 64;
const TURNS = { software: 16, hardware: 1 };
const STEP_BYTES = 16;

/** Prepares the regularisers for one mesh. */
export async function createVertexRegularisers(
  gpu: Gpu,
  options: VertexRegulariserOptions,
): Promise<VertexRegularisers> {
  const { adjacency, vertexDifference, vertexDifferenceGradient, history } = options;
  const vertexCount = adjacency.starts.length - 1;
  if (vertexDifference.size < vertexCount * 16) {
    throw new RangeError(
      `vertex regularisers: vertexDifference has ${vertexDifference.size} bytes; ${vertexCount} vertices take ${vertexCount * 16}`,
    );
  }
  const turns = gpu.adapter.isSoftware ? TURNS.software : TURNS.hardware;
  const kernelOf = (entryPoint: string) =>
    createKernel(gpu, {
      label: `vertex regularisers ${entryPoint}`,
      files: [{ name: 'src/losses/vertex-regularisers/vertex-regularisers.wgsl', text: regularisersText }],
      entryPoint,
      bindings: {
        step: 'uniform',
        starts: 'read',
        neighbours: 'read',
        vertexDifference: 'read',
        laplacianDifference: 'readWrite',
        differenceGradient: 'readWrite',
        partials: 'readWrite',
      },
      constants: { groupWidth: GROUP_WIDTH, vertexCount, ...(entryPoint === 'gradient' ? { turns } : {}) },
    });
  const [laplacian, gradient] = await Promise.all([kernelOf('laplacian'), kernelOf('gradient')]);
  const owned = new Ownership();
  const own = (label: string, content: Parameters<typeof createStorageBuffer>[2]): GPUBuffer =>
    owned.own(createStorageBuffer(gpu, `vertex regularisers ${label}`, content));
  const gradientGroups = Math.max(1, Math.ceil(vertexCount / (GROUP_WIDTH * turns)));
  const partialCount = gradientGroups * GROUP_WIDTH;
  const buffers = {
    starts: own('starts', adjacency.starts),
    neighbours: own('neighbours', adjacency.neighbours),
    vertexDifference,
    laplacianDifference: own('laplacian of the difference', vertexCount * 16),
    differenceGradient: vertexDifferenceGradient,
    partials: own('partials', partialCount * 16),
  };
  const ring = owned.own(new UniformRing(gpu, 'vertex regularisers step', STEP_BYTES, options.slotCount));
  const groups: { laplacian: GPUBindGroup; gradient: GPUBindGroup }[] = [];
  return {
    record(commands, step) {
      const weights = { ...VERTEX_REGULARISER_DEFAULTS, ...step.weights };
      const slot = ring.write(commands, Float32Array.of(weights.vertexDifference, weights.laplacian));
      const bindings = { ...buffers, step: ring.binding(slot) };
      const group = (groups[slot] ??= { laplacian: laplacian.bind(bindings), gradient: gradient.bind(bindings) });
      const enter = history.prepare(commands, {
        slot: step.slot,
        group: 'vertices',
        partials: buffers.partials,
        partialCount,
        weights: [weights.vertexDifference, weights.laplacian, 0, 0],
        startsStep: false,
      });
      commands.pass('vertex regularisers', (pass) => {
        laplacian.dispatch(pass, group.laplacian, Math.ceil(vertexCount / GROUP_WIDTH));
        gradient.dispatch(pass, group.gradient, gradientGroups);
        enter(pass);
      });
    },
    dispose: () => owned.destroy(),
  };
}
