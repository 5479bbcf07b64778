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
  type TrainableNetwork,
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

/** What a few steps of training came to, as plain numbers. */
export interface SmallTraining {
  /** Before each step. */
  readonly losses: number[];
  readonly weights: number[];
}

/** Trains `smallUNet` by least squares towards random maps; the arrays cross to and from the device that it runs on. */
export async function trainSmallUNet(network: TrainableNetwork, steps: number): Promise<SmallTraining> {
  const { maps: shapeOfMaps, noise: shapeOfNoise } = smallUNet();
  const [noise, target] = [normalNumbers(shapeOfNoise.shape, 1), normalNumbers(shapeOfMaps.shape, 2)];
  const maps = new Float32Array(target.length);
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    await network.forward({ noise }, { maps });
    losses.push(maps.reduce((sum, value, i) => sum + (value - target[i]!) ** 2 / maps.length, 0));
    await network.backward({ maps: maps.map((value, i) => (2 * (value - target[i]!)) / maps.length) });
    await network.step({ learningRate: 0.01 });
  }
  return { losses, weights: [...(await network.save()).weights] };
}
