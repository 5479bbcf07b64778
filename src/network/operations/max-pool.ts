import type { Operation, Shape, Value } from '../graph.ts';
import type { NodeRule } from '../onnx/node-reader.ts';
import { tensor64 } from '../tensor64.ts';
import { add, div, mul, scale } from './arithmetic.ts';
import { averagePool } from './average-pool.ts';
import { gate } from './gate.ts';
import { pad } from './pad.ts';
import { resize } from './resize.ts';
import { requireImage } from './shape-rules.ts';
import { slice, spread } from './slice.ts';
import {
  offsetsOf,
  placesOf,
  readWindow,
  spanOf,
  windowAttributes,
  windowFrom,
  type Window,
  type WindowOptions,
} from './window.ts';

export interface PoolAttributes extends Window {
  /** Whether a last window may hang over the end. */
  readonly ceilMode: boolean;
}

/** The largest value under a window; places outside the image do not count. */
const MAX_POOL: Operation<PoolAttributes> = {
  name: 'MaxPool',
  isCheap: true,
  shapes: ([image], attributes) => [poolShape('MaxPool', image!, attributes)],
  lower: (writer, node) =>
    writer.node('MaxPool', node, {
      ...windowAttributes(node.attributes),
      ceil_mode: Number(node.attributes.ceilMode),
    }),
  backward({ inputs: [image], outputs: [largest], attributes }, [gradient]) {
    return [
      isTiling(image!.shape, attributes)
        ? tiledGradient(image!, largest!, gradient!, attributes)
        : overlappingGradient(image!, largest!, gradient!, attributes),
    ];
  },
  reference([image], { kernel, strides, dilations, pads }, [shape]) {
    const [, , height, width] = image!.shape as [number, number, number, number];
    return [
      tensor64(shape!, ([sample, channel, row, column]) => {
        let largest = -Infinity;
        for (let i = 0; i < kernel[0] * kernel[1]; i++) {
          const y = row! * strides[0] - pads[0] + Math.floor(i / kernel[1]) * dilations[0];
          const x = column! * strides[1] - pads[1] + (i % kernel[1]) * dilations[1];
          if (y < 0 || y >= height || x < 0 || x >= width) continue;
          largest = Math.max(largest, image!.data[((sample! * image!.shape[1]! + channel!) * height + y) * width + x]!);
        }
        return largest;
      }),
    ];
  },
};

/** Whether each pixel lies under exactly one window. */
function isTiling(image: Shape, { kernel, strides, dilations, pads }: PoolAttributes): boolean {
  const fits = ([0, 1] as const).every(
    (axis) => kernel[axis] === strides[axis] && dilations[axis] === 1 && image[axis + 2]! % kernel[axis] === 0,
  );
  return fits && pads.every((count) => count === 0);
}

// Equal largest values of a window share its gradient: one of the possible subgradients, and the one without order.

function tiledGradient(image: Value, largest: Value, gradient: Value, { kernel, strides }: PoolAttributes): Value {
  const repeated = (value: Value): Value =>
    resize(value, { size: [image.shape[2]!, image.shape[3]!], coordinates: 'asymmetric', nearest: 'floor' });
  const isLargest = gate(image.graph.constant(1), image, '=', repeated(largest));
  const share = div(scale(gradient, 1 / (kernel[0] * kernel[1])), averagePool(isLargest, { kernel, strides }));
  return mul(isLargest, repeated(share));
}

function overlappingGradient(image: Value, largest: Value, gradient: Value, attributes: PoolAttributes): Value {
  const framed = frame(image, attributes, -Infinity);
  const { strides, pads } = attributes;
  const steps = [1, 1, strides[0], strides[1]];
  const views = offsetsOf(attributes).map(([row, column]) => {
    const starts = [0, 0, row, column];
    return { starts, pixels: slice(framed, starts, largest.shape, steps) };
  });
  const one = image.graph.constant(1);
  const share = div(gradient, views.map(({ pixels }) => gate(one, pixels, '=', largest)).reduce(add));
  const sum = views
    .map(({ starts, pixels }) => spread(gate(share, pixels, '=', largest), framed.shape, { starts, steps }))
    .reduce(add);
  return slice(sum, [0, 0, pads[0], pads[1]], image.shape);
}

export function poolShape(operation: string, image: readonly number[], attributes: PoolAttributes): number[] {
  requireImage(operation, image);
  const [rows, columns] = ([0, 1] as const).map((axis) =>
    placesOf(attributes, image[axis + 2]!, axis, attributes.ceilMode),
  ) as [number, number];
  if (rows < 1 || columns < 1) {
    throw new RangeError(
      `${operation}: the window [${attributes.kernel.join(', ')}] is larger than the image [${image.join(', ')}].`,
    );
  }
  return [image[0]!, image[1]!, rows, columns];
}

/** The image with its border, long enough for every window, overhanging ones included. */
export function frame(image: Value, attributes: PoolAttributes, fill: number): Value {
  const { strides, pads } = attributes;
  const [, , rows, columns] = poolShape('pool', image.shape, attributes);
  const after = ([0, 1] as const).map((axis) => {
    const reach = ([rows, columns][axis]! - 1) * strides[axis] + spanOf(attributes, axis);
    return Math.max(pads[axis + 2]!, reach - image.shape[axis + 2]! - pads[axis]);
  });
  // −∞ as a pad: the lowest float32, since 0 · ∞ must never come up.
  const value = fill === -Infinity ? -3.4028234663852886e38 : fill;
  return pad(image, [0, 0, pads[0], pads[1]], [0, 0, ...after], { value });
}

export interface PoolOptions extends WindowOptions {
  /** [rows, columns] of the window, or one number for both. */
  readonly kernel: number | readonly [number, number];
  /** Default false. */
  readonly ceilMode?: boolean;
}

export function poolAttributes({ kernel, ceilMode = false, ...options }: PoolOptions): PoolAttributes {
  return { ...windowFrom(typeof kernel === 'number' ? [kernel, kernel] : kernel, options), ceilMode };
}

/** The largest value under each window. */
export function maxPool(image: Value, options: PoolOptions): Value {
  return image.graph.add(MAX_POOL, [image], poolAttributes(options))[0]!;
}

export const maxPoolRules: Readonly<Record<string, NodeRule>> = {
  MaxPool(node) {
    const image = node.value(0);
    if (node.outputCount > 1) node.fail('gives the indices of its maxima, which is not supported');
    if (node.int('storage_order', 0) !== 0) node.fail('counts by columns (storage_order 1), which is not supported');
    const window = readWindow(node, image.shape, node.ints('kernel_shape') ?? []);
    return maxPool(image, { ...window, ceilMode: node.int('ceil_mode', 0) !== 0 });
  },
};
