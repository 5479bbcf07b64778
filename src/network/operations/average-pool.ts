import { sizeOf, type Operation, type Value } from '../graph.ts';
import type { NodeRule } from '../onnx/node-reader.ts';
import { tensor64 } from '../tensor64.ts';
import { add, mul } from './arithmetic.ts';
import { frame, poolAttributes, poolShape, type PoolAttributes, type PoolOptions } from './max-pool.ts';
import { slice, spread } from './slice.ts';
import { offsetsOf, readWindow, windowAttributes } from './window.ts';

interface AverageAttributes extends PoolAttributes {
  /** Whether the border counts as zeros; otherwise the mean is over the pixels inside. */
  readonly countsPads: boolean;
}

/** The mean under a window. */
const AVERAGE_POOL: Operation<AverageAttributes> = {
  name: 'AveragePool',
  shapes([image], attributes) {
    if (attributes.dilations.some((dilation) => dilation !== 1)) {
      throw new RangeError('AveragePool: dilations other than 1 are not supported.');
    }
    return [poolShape('AveragePool', image!, attributes)];
  },
  lower(writer, node) {
    const { dilations: _, ...window } = windowAttributes(node.attributes);
    writer.node('AveragePool', node, {
      ...window,
      ceil_mode: Number(node.attributes.ceilMode),
      count_include_pad: Number(node.attributes.countsPads),
    });
  },
  backward({ inputs: [image], outputs: [mean], attributes }, [gradient]) {
    const { strides, pads } = attributes;
    const [, , rows, columns] = mean!.shape as [number, number, number, number];
    const shares = image!.graph.constant(reciprocalCounts(image!.shape, attributes), [1, 1, rows, columns]);
    const share = mul(gradient!, shares);
    const framed = frame(image!, attributes, 0).shape;
    const steps = [1, 1, strides[0], strides[1]];
    const sum = offsetsOf(attributes)
      .map(([row, column]) => spread(share, framed, { starts: [0, 0, row, column], steps }))
      .reduce(add);
    return [slice(sum, [0, 0, pads[0], pads[1]], image!.shape)];
  },
  reference([image], attributes, [shape]) {
    const { kernel, strides, pads } = attributes;
    const [, channels, height, width] = image!.shape as [number, number, number, number];
    const shares = reciprocalCounts(image!.shape, attributes);
    return [
      tensor64(shape!, ([sample, channel, row, column]) => {
        let sum = 0;
        for (let i = 0; i < kernel[0] * kernel[1]; i++) {
          const y = row! * strides[0] - pads[0] + Math.floor(i / kernel[1]);
          const x = column! * strides[1] - pads[1] + (i % kernel[1]);
          if (y < 0 || y >= height || x < 0 || x >= width) continue;
          sum += image!.data[((sample! * channels + channel!) * height + y) * width + x]!;
        }
        return sum * shares[row! * shape![3]! + column!]!;
      }),
    ];
  },
};

/** 1 / (pixels that count) for each place of the window, rows × columns. */
function reciprocalCounts(image: readonly number[], attributes: AverageAttributes): number[] {
  const { kernel, strides, pads, countsPads } = attributes;
  const [, , rows, columns] = poolShape('AveragePool', image, attributes) as [number, number, number, number];
  const count = (axis: 0 | 1, place: number): number => {
    const size = image[axis + 2]!;
    const start = place * strides[axis] - pads[axis];
    // With pads counted, what hangs over beyond the pads (ceil mode) still does not count.
    const [first, end] = countsPads ? [-pads[axis], size + pads[axis + 2]!] : [0, size];
    return Math.min(start + kernel[axis], end) - Math.max(start, first);
  };
  return Array.from(
    { length: sizeOf([rows, columns]) },
    (_, i) => 1 / (count(0, Math.floor(i / columns)) * count(1, i % columns)),
  );
}

export interface AveragePoolOptions extends PoolOptions {
  /** Whether the border counts as zeros. Default false. */
  readonly countsPads?: boolean;
}

/** The mean under each window. */
export function averagePool(image: Value, { countsPads = false, ...options }: AveragePoolOptions): Value {
  return image.graph.add(AVERAGE_POOL, [image], { ...poolAttributes(options), countsPads })[0]!;
}

export const averagePoolRules: Readonly<Record<string, NodeRule>> = {
  AveragePool(node) {
    const image = node.value(0);
    const window = readWindow(node, image.shape, node.ints('kernel_shape') ?? []);
    return averagePool(image, {
      ...window,
      ceilMode: node.int('ceil_mode', 0) !== 0,
      countsPads: node.int('count_include_pad', 0) !== 0,
    });
  },
};
