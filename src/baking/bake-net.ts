import { Graph, heNormal, type Value } from '../network/index.ts';
import { concat, conv, instanceNormalization, leakyRelu, maxPool, resize } from '../network/operations/index.ts';
import { MAP_CHANNEL_COUNT } from './attribute-maps.ts';

export interface BakeNetOptions {
  /** Pixels of the square maps; a multiple of enlargement · 2^depth. */
  readonly mapSize: number;
  /** The levels make maps so many times smaller; these are then enlarged by bilinear reads. */
  readonly enlargement: number;
  /** Channels of the first level; each further level has twice as many. */
  readonly width: number;
  /** Levels below the first. */
  readonly depth: number;
  /** Without the encoder and its skip connections: the noise enters at the coarsest level. */
  readonly decoderOnly: boolean;
  /** 11: raw output at which each channel starts. */
  readonly start: readonly number[];
}

/** A network of the maps: its fixed noise goes in, the 11 raw channels come out. */
export interface BakeNet {
  readonly graph: Graph;
  readonly noise: Value;
  readonly raw: Value;
}

const LEAK = 0.1;

/**
 * BakeNet (§7.3, figure 10): a U-Net whose levels are two 3×3 convolutions each, halved in size and doubled in channels
 * downwards, joined to its mirror upwards by skip connections, and a last 1×1 convolution to the 11 channels; these may be enlarged at last (not in the
 * paper: a level of twice the size costs as much as all below it together, and what is that fine is the polish's to say).
 */
export function bakeNet({ mapSize, enlargement, width, depth, decoderOnly, start }: BakeNetOptions): BakeNet {
  const graph = new Graph();
  const channels = (level: number): number => width * 2 ** level;
  const finest = mapSize / enlargement;
  const coarse = finest / 2 ** depth;
  const noise = decoderOnly
    ? graph.input('noise', [1, channels(depth), coarse, coarse])
    : graph.input('noise', [1, MAP_CHANNEL_COUNT, finest, finest]);
  const skips: Value[] = [];
  let value = noise;
  if (decoderOnly) {
    value = twoConvolutions(graph, 'bottom', value, channels(depth));
  } else {
    for (let level = 0; level <= depth; level++) {
      if (level > 0) value = maxPool(value, { kernel: 2, strides: 2 });
      value = twoConvolutions(graph, `down${level}`, value, channels(level));
      skips.push(value);
    }
  }
  for (let level = depth - 1; level >= 0; level--) {
    const size = finest / 2 ** level;
    const finer = resize(value, { size: [size, size], mode: 'nearest', coordinates: 'asymmetric', nearest: 'floor' });
    const joined = decoderOnly ? finer : concat([skips[level]!, finer], 1);
    value = twoConvolutions(graph, `up${level}`, joined, channels(level));
  }
  const shape = [MAP_CHANNEL_COUNT, width, 1, 1];
  const kernel = graph.weight('out.kernel', shape, { kind: 'normal', deviation: 0.3 / Math.sqrt(width) });
  const bias = graph.weight('out.bias', [MAP_CHANNEL_COUNT], Float32Array.from(start));
  const raw = conv(value, kernel, { bias });
  const size = [mapSize, mapSize] as const;
  return { graph, noise, raw: enlargement === 1 ? raw : resize(raw, { size, mode: 'linear' }) };
}

function twoConvolutions(graph: Graph, name: string, input: Value, channels: number): Value {
  return convolution(graph, `${name}.b`, convolution(graph, `${name}.a`, input, channels), channels);
}

/** 3×3 convolution, each channel normalised over its pixels, leaky rectifier. */
function convolution(graph: Graph, name: string, input: Value, channels: number): Value {
  const shape = [channels, input.shape[1]!, 3, 3];
  const kernel = graph.weight(`${name}.kernel`, shape, heNormal(shape));
  const gamma = graph.weight(`${name}.gamma`, [channels], { kind: 'constant', value: 1 });
  const beta = graph.weight(`${name}.beta`, [channels], { kind: 'constant', value: 0 });
  return leakyRelu(instanceNormalization(conv(input, kernel, { pads: 1 }), gamma, beta), LEAK);
}
