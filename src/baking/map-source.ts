import { captureCheckpoint, type PersistentBuffer } from '../fitting/checkpoint.ts';
import { createAdam } from '../fitting/adam.ts';
import { createStorageBuffer, Ownership, writeBuffer } from '../gpu/buffer.ts';
import { Commands } from '../gpu/commands.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { randomNormal } from '../math/random.ts';
import type { Tensor } from '../avatar/safetensors.ts';
import { MAP_CHANNEL_COUNT } from './attribute-maps.ts';

/** What makes the maps and learns: the U-Net, or the maps themselves. */
export interface MapSource {
  /** 11×size² float32: raw channels, written by `produce`. */
  readonly raw: GPUBuffer;
  /** ∂loss/∂raw, read by `learn`. */
  readonly rawGradient: GPUBuffer;
  /** Makes the raw channels for what follows. */
  produce(): Promise<void>;
  /** One step down the gradient, times `gradientScale`. `update` counts from 1. */
  learn(update: number, options: { readonly rate: number; readonly gradientScale: number }): Promise<void>;
  /** Whether the raw channels are what learns. */
  readonly isReleased: boolean;
  /** From now on the raw channels as they stand learn, each texel on its own. */
  release(): Promise<void>;
  /** Everything that a resumed run must have; and back. */
  save(): Promise<ReadonlyMap<string, Tensor>>;
  load(state: ReadonlyMap<string, Tensor>): Promise<void>;
  dispose(): Promise<void>;
}

/** Random streams of baking, so that no two uses of one seed draw the same numbers. */
export const BAKE_STREAM = { freeMap: 0x30000000, noise: 0x31000000 } as const;

/**
 * The maps as parameters, each texel on its own, from standard normal numbers: what the paper compares its network with.
 * A texel that no Gaussian reads keeps its random start.
 */
export async function createFreeMap(gpu: Gpu, size: number, seed: number): Promise<MapSource> {
  const owned = new Ownership();
  const start = Float32Array.from({ length: MAP_CHANNEL_COUNT * size * size }, (_, index) =>
    randomNormal(seed, BAKE_STREAM.freeMap, index),
  );
  const raw = owned.own(createStorageBuffer(gpu, 'free feature map', start));
  const rawGradient = owned.own(createStorageBuffer(gpu, 'raw gradient', start.byteLength));
  const texels = await createTexelLearner(gpu, raw, rawGradient);
  return {
    raw,
    rawGradient,
    isReleased: true,
    produce: () => Promise.resolve(),
    release: () => Promise.resolve(),
    learn(_, options) {
      texels.learn(options);
      return Promise.resolve();
    },
    save: () => texels.save(),
    load(state) {
      texels.load(state);
      return Promise.resolve();
    },
    dispose() {
      texels.dispose();
      owned.destroy();
      return Promise.resolve();
    },
  };
}

/** Adam on the raw channels themselves. */
export interface TexelLearner {
  learn(options: { readonly rate: number; readonly gradientScale: number }): void;
  save(): Promise<ReadonlyMap<string, Tensor>>;
  load(state: ReadonlyMap<string, Tensor>): void;
  dispose(): void;
}

/** Whether a saved state is of raw channels that learn by themselves. */
export function learnsTexels(state: ReadonlyMap<string, Tensor>): boolean {
  return state.has('raw channels');
}

export async function createTexelLearner(gpu: Gpu, raw: GPUBuffer, rawGradient: GPUBuffer): Promise<TexelLearner> {
  const adam = await createAdam(gpu, {
    label: 'texels',
    parameters: raw,
    gradients: rawGradient,
    learningRate: 0,
  });
  const persistent: PersistentBuffer[] = [
    { name: 'raw channels', buffer: raw },
    { name: 'texel moments', buffer: adam.moments },
  ];
  let step = 0;
  return {
    learn({ rate, gradientScale }) {
      const commands = new Commands(gpu);
      adam.step(commands, { step: ++step, learningRate: rate, gradientScale });
      commands.submit();
    },
    async save() {
      const { tensors } = await captureCheckpoint(gpu, persistent, { step: 0, key: '' });
      return new Map<string, Tensor>([...tensors, ['texel steps', { shape: [1], data: Uint32Array.of(step) }]]);
    },
    load(state) {
      for (const { name, buffer } of persistent) writeBuffer(gpu, buffer, state.get(name)!.data as Uint32Array);
      step = state.get('texel steps')!.data[0]!;
    },
    dispose: () => adam.dispose(),
  };
}
