import { randomNormal } from '../src/math/random.ts';
import {
  Graph,
  concat,
  conv,
  heNormal,
  instanceNormalization,
  leakyRelu,
  maxPool,
  resize,
  sizeOf,
  softplus,
  type Shape,
  type Value,
} from '../src/network/index.ts';

/** A U-Net of two levels at 32² for tests: every kind of operation that BakeNet has. */
export function smallUNet(): { readonly graph: Graph; readonly noise: Value; readonly maps: Value } {
  const graph = new Graph();
  const weight = (name: string, shape: Shape): Value => graph.weight(name, shape, heNormal(shape));
  const layer = (name: string, input: Value, channels: number): Value => {
    const gamma = graph.weight(`${name}.gamma`, [channels], { kind: 'constant', value: 1 });
    const beta = graph.weight(`${name}.beta`, [channels], { kind: 'constant', value: 0 });
    const kernel = weight(`${name}.kernel`, [channels, input.shape[1]!, 3, 3]);
    return leakyRelu(instanceNormalization(conv(input, kernel, { pads: 1 }), gamma, beta), 0.1);
  };
  const noise = graph.input('noise', [1, 3, 32, 32]);
  const fine = layer('fine', noise, 4);
  const coarse = layer('coarse', maxPool(fine, { kernel: 2, strides: 2 }), 8);
  const joined = concat([resize(coarse, { scales: 2, coordinates: 'asymmetric', nearest: 'floor' }), fine], 1);
  const bias = graph.weight('out.bias', [5], { kind: 'constant', value: 0.1 });
  const maps = softplus(conv(layer('up', joined, 4), weight('out.kernel', [5, 4, 1, 1]), { bias }));
  return { graph, noise, maps };
}

/** Normal numbers in float32 for a shape. */
export const normalNumbers = (shape: Shape, seed: number): Float32Array =>
  Float32Array.from({ length: sizeOf(shape) }, (_, i) => randomNormal(seed, 0, i));
