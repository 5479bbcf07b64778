import { beforeAll, describe, expect, it } from 'vitest';
import { Graph, type NetworkRuntime, type Shape } from '../network/index.ts';
import { initialWeights } from '../network/initial-weights.ts';
import { conv } from '../network/operations/index.ts';
import { writeOnnx } from '../network/onnx/write-onnx.ts';
import { createNodeNetworkRuntime } from '../platform/node/network-runtime.ts';
import { styleColorMap } from './style-network.ts';

let runtime: NetworkRuntime;
beforeAll(async () => {
  runtime = await createNodeNetworkRuntime({ threads: 1 });
});

/** A network that gives `bias + gain · image` with the channels turned round, from an input of the given shape. */
function network(shape: Shape, { gain = -1, bias = 1, channels = 3, stride = 1 } = {}): Uint8Array {
  const graph = new Graph();
  const image = graph.input('image', shape);
  const kernel = new Float32Array(channels * shape[1]);
  for (let k = 0; k < Math.min(channels, shape[1]); k++) kernel[k * shape[1] + (shape[1] - 1 - k)] = gain;
  const weights = graph.weight('kernel', [channels, shape[1], 1, 1], kernel);
  const offsets = graph.weight('bias', [channels], new Float32Array(channels).fill(bias));
  const output = conv(image, weights, { bias: offsets, strides: stride });
  return writeOnnx({ outputs: [output], weights: initialWeights([weights, offsets]) }).model;
}

const size = 48;
const colorMap = Float32Array.from({ length: 3 * size * size }, (_, at) => ((at * 37) % 101) / 101);
const style = (bytes: Uint8Array, range?: '0..1' | '0..255'): Promise<Float32Array> =>
  styleColorMap(runtime, { network: bytes, name: 'paint.onnx', colorMap, size, ...(range ? { range } : {}) });

describe('styleColorMap', () => {
  it('runs a network of one fixed size in tiles that fit together, and a larger one once', async () => {
    for (const edge of [20, 64]) {
      const styled = await style(network([1, 3, edge, edge]));
      const plane = size * size;
      let worst = 0;
      styled.forEach((value, at) => {
        const opposite = colorMap[(2 - Math.floor(at / plane)) * plane + (at % plane)];
        worst = Math.max(worst, Math.abs(value - (1 - opposite)));
      });
      expect(worst).toBeLessThan(1e-5);
    }
  });

  it('speaks the network’s range, and says so when another was meant', async () => {
    const inverse = network([1, 3, 48, 48], { bias: 255 });
    const styled = await style(inverse, '0..255');
    expect(styled[0]).toBeCloseTo(1 - colorMap[2 * size * size], 4);
    await expect(style(inverse)).rejects.toThrow(/paint.onnx gives values far outside 0..1; .*--style-range 0..255/);
  });

  it('turns down other shapes, and files that are no networks', async () => {
    await expect(style(network([1, 4, 32, 32]))).rejects.toThrow(/takes "image" of 1×4×32×32; a style network must take one RGB image/); // prettier-ignore
    await expect(style(network([1, 3, 32, 32], { channels: 1 }))).rejects.toThrow(/of 1×1×32×32 from an image of 1×3×32×32; a style network must give one image of the same size/); // prettier-ignore
    await expect(style(network([1, 3, 32, 32], { stride: 2 }))).rejects.toThrow(/1×3×16×16/);
    await expect(style(Uint8Array.of(1, 2, 3))).rejects.toThrow(/paint.onnx/);
  });
});
