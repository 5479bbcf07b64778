import { afterAll, describe, expect, it } from 'vitest';
import { createStorageBuffer, readFloats, writeBuffer } from '../gpu/buffer.ts';
import { createNodeNetworkRuntime } from '../platform/node/network-runtime.ts';
import { testGpu } from '../../test/gpu.ts';
import {
  Graph,
  compileGraph,
  conv,
  createTrainableNetwork,
  heNormal,
  relu,
  sizeOf,
  type TrainableNetwork,
} from './index.ts';
import { buildCase, referenceError, operationCases } from './operations/operation-cases.ts';
import { normalNumbers, smallUNet } from '../../test/small-unet.ts';

/** What the U-Net below has not; compiling shaders takes a software driver seconds per case. */
const CHECKED = /^Conv stride 2|^Conv two groups|^ConvTranspose|AveragePool 2|Pad, negative|^Gemm Aᵀ Bᵀ/;

describe('ONNX Runtime on our own WebGPU device', () => {
  const made: TrainableNetwork[] = [];
  afterAll(() => Promise.all(made.map((network) => network.dispose())));

  async function create(backend: 'processor' | 'webgpu'): Promise<TrainableNetwork> {
    const runtime = await createNodeNetworkRuntime({ gpu: await testGpu(), backend, threads: 1 });
    const network = await createTrainableNetwork(runtime, { outputs: { maps: smallUNet().maps }, seed: 5 });
    made.push(network);
    return network;
  }

  it('trains a U-Net at 32² as the processor does, in buffers of the device', async () => {
    const gpu = await testGpu();
    const { maps, noise } = smallUNet();
    const input = createStorageBuffer(gpu, 'noise', normalNumbers(noise.shape, 1));
    const result = createStorageBuffer(gpu, 'maps', sizeOf(maps.shape) * 4);
    const gradient = createStorageBuffer(gpu, 'map gradient', normalNumbers(maps.shape, 2));
    const [onGpu, onProcessor] = [await create('webgpu'), await create('processor')];
    for (let step = 0; step < 3; step++) {
      const values: Float32Array[] = [];
      const gradients: Float32Array[] = [];
      for (const network of [onProcessor, onGpu]) {
        writeBuffer(gpu, result, new Float32Array(sizeOf(maps.shape)));
        await network.forward({ noise: input }, { maps: result });
        values.push(await readFloats(gpu, result, sizeOf(maps.shape)));
        await network.backward({ maps: gradient });
        gradients.push(await network.gradients());
        await network.step({ learningRate: 0.001 });
      }
      // Measured on lavapipe: 3e-6 and 2e-6 (a like net, first step).
      expect(distance(values[0]!, values[1]!)).toBeLessThan(1e-4);
      expect(distance(gradients[0]!, gradients[1]!)).toBeLessThan(1e-3);
    }
    for (const buffer of [input, result, gradient]) buffer.destroy();
  });

  it('keeps its buffers over 200 steps', async () => {
    const gpu = await testGpu();
    const graph = new Graph();
    const image = graph.input('image', [1, 2, 8, 8]);
    const sharp = relu(conv(image, graph.weight('kernel', [3, 2, 1, 1], heNormal([3, 2, 1, 1]))));
    const runtime = await createNodeNetworkRuntime({ gpu, backend: 'webgpu' });
    const network = await createTrainableNetwork(runtime, { outputs: { sharp }, seed: 1 });
    made.push(network);
    const input = createStorageBuffer(gpu, 'image', normalNumbers(image.shape, 1));
    const gradient = createStorageBuffer(gpu, 'gradient', normalNumbers(sharp.shape, 2));
    const into = { sharp: createStorageBuffer(gpu, 'sharp', sizeOf(sharp.shape) * 4) };
    const step = async (): Promise<void> => {
      await network.forward({ image: input }, into);
      await network.backward({ sharp: gradient });
      await network.step({ learningRate: 0.001 });
    };
    for (let i = 0; i < 10; i++) await step();

    let live = 0;
    const { device } = gpu;
    const create = device.createBuffer;
    device.createBuffer = (descriptor) => {
      const buffer = create.call(device, descriptor);
      const destroy = buffer.destroy;
      live++;
      buffer.destroy = () => {
        live--;
        destroy.call(buffer);
      };
      return buffer;
    };
    try {
      for (let i = 0; i < 200; i++) await step();
    } finally {
      device.createBuffer = create;
    }
    // The runtime keeps a few for its next run.
    expect(live).toBeLessThan(20);
    for (const buffer of [input, gradient, into.sharp]) buffer.destroy();
  });

  it.each(operationCases.filter(({ name }) => CHECKED.test(name)))('$name = reference', async (operationCase) => {
    const built = buildCase(operationCase);
    const runtime = await createNodeNetworkRuntime({ gpu: await testGpu(), backend: 'webgpu' });
    const compiled = await compileGraph(runtime, { outputs: built.outputs });
    try {
      expect(await referenceError(compiled, built)).toBeLessThan(1e-4);
    } finally {
      await compiled.dispose();
    }
  });
});

/** Largest difference relative to the largest value. */
function distance(a: Float32Array, b: Float32Array): number {
  const largest = a.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i]!)), 0) / largest;
}
