import type { Operation, Value } from '../graph.ts';
import { elementAt, tensor64 } from '../tensor64.ts';
import { sumTo } from './arithmetic.ts';
import { broadcastShape } from './shape-rules.ts';

/**
 * `value` where `a > b` (or `a = b`), zero elsewhere: what the gradients of maxima and of piecewise functions are made
 * of. Its own gradient goes to `value` alone: the comparison is flat wherever it is differentiable.
 */
interface GateAttributes {
  readonly comparison: '>' | '=';
}

const GATE: Operation<GateAttributes> = {
  name: 'Gate',
  shapes: ([value, a, b]) => [broadcastShape('Gate', value!, broadcastShape('Gate', a!, b!))],
  lower(writer, { inputs: [value, a, b], outputs: [result], attributes: { comparison } }) {
    const [left, right] = [writer.nameOf(a!), writer.nameOf(b!)];
    // The value 1 is the mask itself: a cast is cheaper than a choice.
    const { origin } = value!;
    const isMask = origin.kind === 'constant' && origin.data.length === 1 && origin.data[0] === 1;
    const mask = writer.intermediate(comparison === '>' ? 'Greater' : 'Equal', [left, right]);
    if (isMask) writer.emit('Cast', [mask], [writer.nameOf(result!)], { to: 1 });
    else writer.emit('Where', [mask, writer.nameOf(value!), writer.floats([0], [])], [writer.nameOf(result!)]);
  },
  backward({ inputs: [value, a, b], attributes: { comparison } }, [gradient], [isWanted]) {
    return [isWanted ? sumTo(gate(gradient!, a!, comparison, b!), value!.shape) : null];
  },
  reference: ([value, a, b], { comparison }, [shape]) => [
    tensor64(shape!, (position) => {
      const [left, right] = [elementAt(a!, position), elementAt(b!, position)];
      return (comparison === '>' ? left > right : left === right) ? elementAt(value!, position) : 0;
    }),
  ],
};

export function gate(value: Value, a: Value, comparison: '>' | '=', b: Value): Value {
  return value.graph.add(GATE, [value, a, b], { comparison })[0]!;
}
