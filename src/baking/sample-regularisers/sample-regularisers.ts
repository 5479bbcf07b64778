import { createStorageBuffer, Ownership } from '../../gpu/buffer.ts';
import type { Commands } from '../../gpu/commands.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import { createKernel } from '../../gpu/kernel.ts';
import { UniformRing } from '../../gpu/uniform-ring.ts';
import type { LossHistory } from '../../losses/loss-history.ts';
import { MAP_CHANNEL_COUNT } from '../attribute-maps.ts';
import recordText from '../sample/record.wgsl?raw';
import { SAMPLE_STRIDE } from '../sample/sample.ts';
import regularisersText from './sample-regularisers.wgsl?raw';

export interface SampleRegulariserWeights {
  /** λ_V of eq 26: of the mean over Gaussians of Σ channels · (v − v̄)². */
  readonly attributes: number;
  /** Of each of the 11 channels within it: 0 where a channel is free. */
  readonly channels: readonly number[];
  /** The same over those Gaussians alone whose target says so: what no frame shows must not drift. */
  readonly kept: number;
  /** Of eq 27: the mean squared rotation, in radians, about the two axes that lie in the triangle. */
  readonly tilt: number;
}

export interface SampleRegulariserOptions {
  readonly gaussianCount: number;
  /** N×12 records: what was read, and its gradient, which is added to. */
  readonly samples: GPUBuffer;
  readonly sampleGradient: GPUBuffer;
  /** N×12 records: the fitted attributes, v̄, and last how much the Gaussian is to be kept, 0…1. */
  readonly targets: GPUBuffer;
  readonly history: LossHistory;
}

/** Keeps what Gaussians read from the maps near what was fitted (eq 26), and their rotations in the surface (eq 27). */
export interface SampleRegularisers {
  /** Enters the terms in row `slot` of the history; `startsStep` where no other loss has begun that row. */
  record(
    commands: Commands,
    step: { readonly slot: number; readonly startsStep: boolean; readonly weights: SampleRegulariserWeights },
  ): void;
  dispose(): void;
}

const GROUP_WIDTH = 64;
const STEP_BYTES = 64;

export async function createSampleRegularisers(
  gpu: Gpu,
  { gaussianCount, samples, sampleGradient, targets, history }: SampleRegulariserOptions,
): Promise<SampleRegularisers> {
  const kernel = await createKernel(gpu, {
    label: 'sample regularisers',
    files: [
      { name: 'src/baking/sample/record.wgsl', text: recordText },
      { name: 'src/baking/sample-regularisers/sample-regularisers.wgsl', text: regularisersText },
    ],
    bindings: {
      step: 'uniform',
      samples: 'read',
      targets: 'read',
      sampleGradient: 'readWrite',
      partials: 'readWrite',
    },
    constants: { gaussianCount },
  });
  const owned = new Ownership();
  const groupCount = Math.max(1, Math.ceil(gaussianCount / GROUP_WIDTH));
  const partialCount = groupCount * GROUP_WIDTH;
  const partials = owned.own(createStorageBuffer(gpu, 'sample regulariser partials', partialCount * 16));
  const ring = owned.own(new UniformRing(gpu, 'sample regulariser step', STEP_BYTES));
  const groups: GPUBindGroup[] = [];
  return {
    record(commands, { slot, startsStep, weights }) {
      if (weights.channels.length !== MAP_CHANNEL_COUNT) {
        throw new RangeError(
          `sample regularisers: channels has ${weights.channels.length} weights; give one per channel (${MAP_CHANNEL_COUNT})`,
        );
      }
      const values = new Float32Array(STEP_BYTES / 4);
      values.set(weights.channels);
      values.set([weights.attributes, weights.tilt, weights.kept], SAMPLE_STRIDE);
      const ringSlot = ring.write(commands, values);
      const buffers = { step: ring.binding(ringSlot), samples, targets, sampleGradient, partials };
      const group = (groups[ringSlot] ??= kernel.bind(buffers));
      const enter = history.prepare(commands, {
        slot,
        group: 'maps',
        partials,
        partialCount,
        weights: [weights.attributes, weights.tilt, weights.kept, 0],
        startsStep,
      });
      commands.pass('sample regularisers', (pass) => {
        kernel.dispatch(pass, group, groupCount);
        enter(pass);
      });
    },
    dispose: () => owned.destroy(),
  };
}
