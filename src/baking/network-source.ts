import type { Tensor } from '../avatar/safetensors.ts';
import { createStorageBuffer, Ownership, readFloats, writeBuffer } from '../gpu/buffer.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { randomNormal } from '../math/random.ts';
import { createTrainableNetwork, sizeOf, type NetworkRuntime, type TensorData } from '../network/index.ts';
import type { ChannelActivation } from './activate/activate.ts';
import { bakeNet } from './bake-net.ts';
import type { BakeOptions } from './bake-options.ts';
import { rawOf } from './fitted-samples.ts';
import {
  BAKE_STREAM,
  createFreeMap,
  createTexelLearner,
  learnsTexels,
  type MapSource,
  type TexelLearner,
} from './map-source.ts';

/** What makes the maps of the options' variant. `channels` says where each channel starts: at its fitted mean. */
export async function createMapSource(
  gpu: Gpu,
  runtime: NetworkRuntime | null,
  options: BakeOptions,
  channels: readonly ChannelActivation[],
): Promise<MapSource> {
  if (options.variant === 'freeMap') return createFreeMap(gpu, options.mapSize, options.seed);
  if (!runtime) throw new TypeError(`baking "${options.variant}" trains a network: give a network runtime`);
  return createNetworkSource(
    gpu,
    runtime,
    options,
    channels.map((channel) => rawOf(channel, channel.shift)),
  );
}

/** The U-Net (or its decoder alone) over fixed noise of the seed. */
async function createNetworkSource(
  gpu: Gpu,
  runtime: NetworkRuntime,
  { mapSize, enlargement, width, depth, variant, seed }: BakeOptions,
  start: readonly number[],
): Promise<MapSource> {
  const decoderOnly = variant === 'decoderOnly';
  const { noise, raw: output } = bakeNet({ mapSize, enlargement, width, depth, decoderOnly, start });
  const network = await createTrainableNetwork(runtime, { outputs: { raw: output }, seed });
  const noiseValues = Float32Array.from({ length: sizeOf(noise.shape) }, (_, index) =>
    randomNormal(seed, BAKE_STREAM.noise, index),
  );
  const owned = new Ownership();
  const bytes = sizeOf(output.shape) * 4;
  const raw = owned.own(createStorageBuffer(gpu, 'raw channels', bytes));
  const rawGradient = owned.own(createStorageBuffer(gpu, 'raw channels gradient', bytes));
  // Buffers go in and out as they are where the network runs on our device; else through memory.
  const shares = runtime.gpu === gpu;
  let texels: TexelLearner | null = null;
  const produce = async (): Promise<void> => {
    if (texels) return;
    if (shares) await network.forward({ noise: noiseValues }, { raw });
    else writeBuffer(gpu, raw, (await network.forward({ noise: noiseValues }))['raw'] as Float32Array);
  };
  const release = async (): Promise<void> => {
    if (texels) return;
    await produce(); // what its last step learned
    texels = await createTexelLearner(gpu, raw, rawGradient);
  };
  return {
    raw,
    rawGradient,
    get isReleased() {
      return texels !== null;
    },
    release,
    produce,
    async learn(_, { rate, gradientScale }) {
      if (texels) return texels.learn({ rate, gradientScale });
      const gradient: TensorData = shares ? rawGradient : await readFloats(gpu, rawGradient, bytes / 4);
      await network.backward({ raw: gradient });
      await network.step({ learningRate: rate, gradientScale });
    },
    async save() {
      if (texels) return texels.save();
      const { weights, firstMoments, secondMoments, stepCount } = await network.save();
      const tensor = (data: Tensor['data']): Tensor => ({ shape: [data.length], data });
      return new Map([
        ['network weights', tensor(weights)],
        ['network first moments', tensor(firstMoments)],
        ['network second moments', tensor(secondMoments)],
        ['network steps', tensor(Uint32Array.of(stepCount))],
      ]);
    },
    async load(state) {
      if (learnsTexels(state)) {
        await release();
        return texels!.load(state);
      }
      const floats = (name: string): Float32Array => state.get(`network ${name}`)!.data as Float32Array;
      await network.load({
        weights: floats('weights'),
        firstMoments: floats('first moments'),
        secondMoments: floats('second moments'),
        stepCount: state.get('network steps')!.data[0]!,
      });
    },
    async dispose() {
      texels?.dispose();
      await network.dispose();
      owned.destroy();
    },
  };
}
