import type { Operation, Value } from '../graph.ts';
import type { NodeRule } from '../onnx/node-reader.ts';
import { elementAt, tensor64 } from '../tensor64.ts';
import { reshape } from './reshape.ts';

/** Axis i of the result is axis `order[i]` of the input. */
const TRANSPOSE: Operation<{ readonly order: readonly number[] }> = {
  name: 'Transpose',
  shapes([input], { order }) {
    if (order.toSorted((a, b) => a - b).join() !== input!.map((_, axis) => axis).join()) {
      throw new RangeError(
        `Transpose: the order [${order.join(', ')}] does not name each of ${input!.length} axes once.`,
      );
    }
    return [order.map((axis) => input![axis]!)];
  },
  lower: (writer, node) => writer.node('Transpose', node, { perm: node.attributes.order }),
  backward: ({ attributes: { order } }, [gradient]) => [transpose(gradient!, inverse(order))],
  reference([input], { order }, [shape]) {
    const back = inverse(order);
    return [
      tensor64(shape!, (position) =>
        elementAt(
          input!,
          back.map((axis) => position[axis]!),
        ),
      ),
    ];
  },
};

const inverse = (order: readonly number[]): number[] => order.map((_, axis) => order.indexOf(axis));

export function transpose(value: Value, order: readonly number[]): Value {
  return order.every((axis, i) => axis === i) ? value : value.graph.add(TRANSPOSE, [value], { order })[0]!;
}

/** Swaps the last two axes. */
export function transposeMatrix(value: Value): Value {
  const order = value.shape.map((_, axis) => axis);
  order.push(...order.splice(-2).toReversed());
  return transpose(value, order);
}

export const transposeRules: Readonly<Record<string, NodeRule>> = {
  Transpose(node) {
    const value = node.value(0);
    return transpose(value, node.ints('perm') ?? value.shape.map((_, axis) => axis).toReversed());
  },
  // Both move pixels into channels or back: a reshape, a change of order, a reshape.
  DepthToSpace(node) {
    const value = node.value(0);
    const [count, channels, height, width] = value.shape as [number, number, number, number];
    const block = node.int('blocksize', 1);
    const rest = channels / block ** 2;
    const [shape, order] =
      node.text('mode', 'DCR') === 'CRD'
        ? [
            [count, rest, block, block, height, width],
            [0, 1, 4, 2, 5, 3],
          ]
        : [
            [count, block, block, rest, height, width],
            [0, 3, 4, 1, 5, 2],
          ];
    return reshape(transpose(reshape(value, shape), order), [count, rest, height * block, width * block]);
  },
  SpaceToDepth(node) {
    const value = node.value(0);
    const [count, channels, height, width] = value.shape as [number, number, number, number];
    const block = node.int('blocksize', 1);
    const [rows, columns] = [height / block, width / block];
    const blocks = reshape(value, [count, channels, rows, block, columns, block]);
    return reshape(transpose(blocks, [0, 3, 5, 1, 2, 4]), [count, channels * block ** 2, rows, columns]);
  },
};
