import {
  Graph,
  concat,
  conv,
  heNormal,
  instanceNormalization,
  leakyRelu,
  maxPool,
  resize,
  type Value,
} from '../../src/network/index.ts';

export interface UNetShape {
  /** Width and height of input and output. */
  readonly size: number;
  /** Channels of the finest level; each coarser one has twice as many. */
  readonly base: number;
  /** How often the size is halved. */
  readonly levels: number;
  readonly inputChannels: number;
  readonly outputChannels: number;
}

/** The benchmark's net: per level two 3×3 convolutions with instance norm and leaky ReLU; `unet.py` is the same. */
export function buildUNet({ size, base, levels, inputChannels, outputChannels }: UNetShape): Value {
  const graph = new Graph();
  const skips: Value[] = [];
  let value = graph.input('noise', [1, inputChannels, size, size]);
  for (let level = 0; level < levels; level++) {
    value = block(graph, `down${level}`, value, base * 2 ** level);
    skips.push(value);
    value = maxPool(value, { kernel: 2, strides: 2 });
  }
  value = block(graph, 'bottom', value, base * 2 ** levels);
  for (let level = levels - 1; level >= 0; level--) {
    const finer = resize(value, { scales: 2, coordinates: 'asymmetric', nearest: 'floor' });
    value = block(graph, `up${level}`, concat([finer, skips[level]!], 1), base * 2 ** level);
  }
  const shape = [outputChannels, base, 1, 1];
  const bias = graph.weight('out.bias', [outputChannels], { kind: 'constant', value: 0 });
  return conv(value, graph.weight('out.kernel', shape, heNormal(shape)), { bias });
}

const block = (graph: Graph, name: string, value: Value, channels: number): Value =>
  convolution(graph, `${name}.b`, convolution(graph, `${name}.a`, value, channels), channels);

function convolution(graph: Graph, name: string, value: Value, channels: number): Value {
  const shape = [channels, value.shape[1]!, 3, 3];
  const kernel = graph.weight(`${name}.kernel`, shape, heNormal(shape));
  const gamma = graph.weight(`${name}.gamma`, [channels], { kind: 'constant', value: 1 });
  const beta = graph.weight(`${name}.beta`, [channels], { kind: 'constant', value: 0 });
  return leakyRelu(instanceNormalization(conv(value, kernel, { pads: 1 }), gamma, beta), 0.2);
}
