import type { Operation, Shape, Value } from '../graph.ts';
import type { NodeRule } from '../onnx/node-reader.ts';
import { elementAt, tensor64 } from '../tensor64.ts';
import { sumTo } from './arithmetic.ts';
import { concat } from './concat.ts';
import { broadcastShape, isSameShape } from './shape-rules.ts';

/** Repeats axes of size 1 up to a shape. */
const EXPAND: Operation<{ readonly shape: Shape }> = {
  name: 'Expand',
  shapes([input], { shape }) {
    if (!isSameShape(broadcastShape('Expand', input!, shape), shape)) {
      throw new RangeError(`Expand: [${input!.join(', ')}] does not repeat to [${shape.join(', ')}].`);
    }
    return [shape];
  },
  lower: (writer, node) => writer.node('Expand', node, {}, [writer.integers(node.attributes.shape)]),
  backward: ({ inputs: [input] }, [gradient]) => [sumTo(gradient!, input!.shape)],
  reference: ([input], _, [shape]) => [tensor64(shape!, (position) => elementAt(input!, position))],
};

export function expand(value: Value, shape: Shape): Value {
  return isSameShape(value.shape, shape) ? value : value.graph.add(EXPAND, [value], { shape })[0]!;
}

export const expandRules: Readonly<Record<string, NodeRule>> = {
  Expand: (node) => {
    const value = node.value(0);
    return expand(value, broadcastShape('Expand', value.shape, node.numbers(1)));
  },
  Tile: (node) =>
    node.numbers(1).reduce((value, times, axis) => concat(Array<Value>(times).fill(value), axis), node.value(0)),
};
