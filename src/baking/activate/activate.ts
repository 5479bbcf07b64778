import { createStorageBuffer, Ownership } from '../../gpu/buffer.ts';
import type { Commands } from '../../gpu/commands.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import { createKernel } from '../../gpu/kernel.ts';
import backwardText from './activate.backward.wgsl?raw';
import forwardText from './activate.wgsl?raw';

/** How one channel of the network's output becomes map units. */
export interface ChannelActivation {
  /** Map units per unit of raw output: the spread of the fitted attribute, so that the network works near 1. */
  readonly gain: number;
  /** Map value of a raw output of 0: the mean of the fitted attribute (s_mean of eq 24). */
  readonly shift: number;
  /** Value that the channel comes near but never reaches (s_max of eq 24); null: none. */
  readonly limit: number | null;
}

export interface ActivateOptions {
  /** Pixels of the square maps. */
  readonly size: number;
  /** C, in the order of the channels. */
  readonly channels: readonly ChannelActivation[];
  /** C×size² float32: the network's output. */
  readonly raw: GPUBuffer;
  /** C×size²: written by `forward`. */
  readonly maps: GPUBuffer;
  /** C×size²: ∂loss/∂maps, read by `backward`, and ∂loss/∂raw, written by it. */
  readonly mapGradient: GPUBuffer;
  readonly rawGradient: GPUBuffer;
}

/** The network's raw channels to attribute maps, and back (§7.3, eq 24). */
export interface Activate {
  forward(commands: Commands): void;
  backward(commands: Commands): void;
  dispose(): void;
}

const GROUP_WIDTH = 64;
const ELEMENTS_PER_INVOCATION = { software: 64, hardware: 4 };

export async function createActivate(gpu: Gpu, options: ActivateOptions): Promise<Activate> {
  const { size, channels, raw, maps, mapGradient, rawGradient } = options;
  const texelCount = size * size;
  const elementsPerInvocation = gpu.adapter.isSoftware
    ? ELEMENTS_PER_INVOCATION.software
    : ELEMENTS_PER_INVOCATION.hardware;
  const constants = { groupWidth: GROUP_WIDTH, elementsPerInvocation, texelCount };
  const forward = await createKernel(gpu, {
    label: 'activate maps',
    files: [{ name: 'src/baking/activate/activate.wgsl', text: forwardText }],
    bindings: { channels: 'read', raw: 'read', maps: 'readWrite' },
    constants,
  });
  const backward = await createKernel(gpu, {
    label: 'activate maps backward',
    files: [{ name: 'src/baking/activate/activate.backward.wgsl', text: backwardText }],
    bindings: { channels: 'read', raw: 'read', mapGradient: 'read', rawGradient: 'readWrite' },
    constants,
  });
  const owned = new Ownership();
  const records = Float32Array.from(
    channels.flatMap(({ gain, shift, limit }) => [gain, shift, limit ?? 0, limit === null ? 0 : 1]),
  );
  const channelBuffer = owned.own(createStorageBuffer(gpu, 'channel activations', records));
  const forwardGroup = forward.bind({ channels: channelBuffer, raw, maps });
  const backwardGroup = backward.bind({ channels: channelBuffer, raw, mapGradient, rawGradient });
  const width = Math.ceil(texelCount / (GROUP_WIDTH * elementsPerInvocation));
  return {
    forward(commands) {
      commands.pass('activate maps', (pass) => forward.dispatch(pass, forwardGroup, width, channels.length));
    },
    backward(commands) {
      commands.pass('activate maps', (pass) => backward.dispatch(pass, backwardGroup, width, channels.length));
    },
    dispose: () => owned.destroy(),
  };
}
