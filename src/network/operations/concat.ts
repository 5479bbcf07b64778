import type { Operation, Value } from '../graph.ts';
import type { NodeRule } from '../onnx/node-reader.ts';
import { elementAt, tensor64 } from '../tensor64.ts';
import { normalAxes } from './shape-rules.ts';
import { sliceAxis } from './slice.ts';

/** Tensors one behind the other along an axis. */
const CONCAT: Operation<{ readonly axis: number }> = {
  name: 'Concat',
  isCheap: true,
  shapes(inputs, { axis }) {
    const [first] = inputs;
    const misfit = inputs.find(
      (shape) => shape.length !== first!.length || shape.some((size, i) => i !== axis && size !== first![i]),
    );
    if (misfit) {
      throw new RangeError(
        `Concat along axis ${axis}: [${first!.join(', ')}] and [${misfit.join(', ')}] differ on another axis.`,
      );
    }
    return [first!.map((size, i) => (i === axis ? inputs.reduce((sum, shape) => sum + shape[axis]!, 0) : size))];
  },
  lower: (writer, node) => writer.node('Concat', node, { axis: node.attributes.axis }),
  backward({ inputs, attributes: { axis } }, [gradient], wanted) {
    let start = 0;
    return inputs.map((input, i) => {
      const at = start;
      start += input.shape[axis]!;
      return wanted[i] ? sliceAxis(gradient!, axis, at, input.shape[axis]!) : null;
    });
  },
  reference: (inputs, { axis }, [shape]) => [
    tensor64(shape!, (position) => {
      let at = position[axis]!;
      let i = 0;
      while (at >= inputs[i]!.shape[axis]!) at -= inputs[i++]!.shape[axis]!;
      return elementAt(inputs[i]!, position.with(axis, at));
    }),
  ],
};

export function concat(values: readonly Value[], axis: number): Value {
  const [first] = values;
  if (!first) throw new RangeError('Concat: there is nothing to join; give at least one value.');
  const [normal] = normalAxes('Concat', [axis], first.shape.length);
  return values.length === 1 ? first : first.graph.add(CONCAT, values, { axis: normal! })[0]!;
}

export const concatRules: Readonly<Record<string, NodeRule>> = {
  Concat: (node) =>
    concat(
      Array.from({ length: node.inputCount }, (_, i) => node.value(i)),
      node.int('axis'),
    ),
};
