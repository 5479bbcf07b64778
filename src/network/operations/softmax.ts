import type { Operation, Value } from '../graph.ts';
import type { NodeRule } from '../onnx/node-reader.ts';
import { sizeOf } from '../graph.ts';
import { stridesOf, tensor64 } from '../tensor64.ts';
import { mul, sub } from './arithmetic.ts';
import { reduceSum } from './reduce.ts';
import { reshape } from './reshape.ts';
import { normalAxes } from './shape-rules.ts';

/** eˣ over its sum along an axis. */
const SOFTMAX: Operation<{ readonly axis: number }> = {
  name: 'Softmax',
  shapes: ([input]) => [input!],
  lower: (writer, node) => writer.node('Softmax', node, { axis: node.attributes.axis }),
  backward({ outputs: [result], attributes: { axis } }, [gradient]) {
    const weighted = reduceSum(mul(gradient!, result!), { axes: [axis], keepAxes: true });
    return [mul(sub(gradient!, weighted), result!)];
  },
  reference([input], { axis }, [shape]) {
    const result = tensor64(shape!);
    const step = stridesOf(shape!)[axis]!;
    const size = shape![axis]!;
    for (let line = 0; line < result.data.length / size; line++) {
      const start = Math.floor(line / step) * step * size + (line % step);
      const indices = Array.from({ length: size }, (_, i) => start + i * step);
      const largest = Math.max(...indices.map((index) => input!.data[index]!));
      const total = indices.reduce((sum, index) => sum + Math.exp(input!.data[index]! - largest), 0);
      for (const index of indices) result.data[index] = Math.exp(input!.data[index]! - largest) / total;
    }
    return [result];
  },
};

export function softmax(value: Value, axis = -1): Value {
  const [normal] = normalAxes('Softmax', [axis], value.shape.length);
  return value.graph.add(SOFTMAX, [value], { axis: normal! })[0]!;
}

export const softmaxRules: Readonly<Record<string, NodeRule>> = {
  Softmax(node) {
    const value = node.value(0);
    if (node.opset >= 13) return softmax(value, node.int('axis', -1));
    // Before opset 13 all axes from `axis` on counted as one.
    const axis = node.int('axis', 1);
    const first = axis < 0 ? axis + value.shape.length : axis;
    const flat = reshape(value, [sizeOf(value.shape.slice(0, first)), sizeOf(value.shape.slice(first))]);
    return reshape(softmax(flat, 1), value.shape);
  },
};
