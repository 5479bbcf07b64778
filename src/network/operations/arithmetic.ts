import type { Operation, Shape, Value } from '../graph.ts';
import type { NodeRule } from '../onnx/node-reader.ts';
import { elementAt, tensor64 } from '../tensor64.ts';
import { gate } from './gate.ts';
import { log, neg } from './elementwise.ts';
import { reduceSum } from './reduce.ts';
import { reshape } from './reshape.ts';
import { broadcastShape, isSameShape } from './shape-rules.ts';

/** Element by element, shapes broadcast: Add, Sub, Mul, Div, Pow, Max, Min. */

type Side = (gradient: Value, a: Value, b: Value, result: Value) => Value;

function binary(name: string, compute: (a: number, b: number) => number, left: Side, right: Side): Operation<null> {
  return {
    name,
    shapes: ([a, b]) => [broadcastShape(name, a!, b!)],
    lower: (writer, node) => writer.node(name, node),
    backward({ inputs: [a, b], outputs: [result] }, [gradient], wanted) {
      return [
        wanted[0] ? sumTo(left(gradient!, a!, b!, result!), a!.shape) : null,
        wanted[1] ? sumTo(right(gradient!, a!, b!, result!), b!.shape) : null,
      ];
    },
    reference: ([a, b], _, [shape]) => [
      tensor64(shape!, (position) => compute(elementAt(a!, position), elementAt(b!, position))),
    ],
  };
}

/** Sums a gradient over the axes along which a tensor of `shape` was repeated. */
export function sumTo(gradient: Value, shape: Shape): Value {
  if (isSameShape(gradient.shape, shape)) return gradient;
  const offset = gradient.shape.length - shape.length;
  const axes = gradient.shape.flatMap((size, axis) =>
    axis < offset || (shape[axis - offset] === 1 && size !== 1) ? [axis] : [],
  );
  return reshape(axes.length > 0 ? reduceSum(gradient, { axes }) : gradient, shape);
}

const ADD = binary(
  'Add',
  (a, b) => a + b,
  (gradient) => gradient,
  (gradient) => gradient,
);
const SUB = binary(
  'Sub',
  (a, b) => a - b,
  (gradient) => gradient,
  (gradient) => neg(gradient),
);
const MUL = binary(
  'Mul',
  (a, b) => a * b,
  (gradient, _, b) => mul(gradient, b),
  (gradient, a) => mul(gradient, a),
);
const DIV = binary(
  'Div',
  (a, b) => a / b,
  (gradient, _, b) => div(gradient, b),
  (gradient, _, b, result) => neg(div(mul(gradient, result), b)),
);
const POW = binary(
  'Pow',
  (a, b) => a ** b,
  (gradient, a, b) => mul(gradient, mul(b, pow(a, sub(b, b.graph.constant(1))))),
  (gradient, a, _, result) => mul(gradient, mul(result, log(a))),
);
// Where both are equal, the gradient goes to the first.
const MAX = binary(
  'Max',
  Math.max,
  (gradient, a, b) => sub(gradient, gate(gradient, b, '>', a)),
  (gradient, a, b) => gate(gradient, b, '>', a),
);
const MIN = binary(
  'Min',
  Math.min,
  (gradient, a, b) => sub(gradient, gate(gradient, a, '>', b)),
  (gradient, a, b) => gate(gradient, a, '>', b),
);

const apply =
  (operation: Operation<null>) =>
  (a: Value, b: Value): Value =>
    a.graph.add(operation, [a, b], null)[0]!;

export const add = apply(ADD);
export const sub = apply(SUB);
export const mul = apply(MUL);
export const div = apply(DIV);
/** aᵇ; with respect to b only where a is above zero. */
export const pow = apply(POW);
export const maximum = apply(MAX);
export const minimum = apply(MIN);

/** A value times a number. */
export const scale = (value: Value, factor: number): Value =>
  factor === 1 ? value : mul(value, value.graph.constant(factor));

const rule =
  (make: (a: Value, b: Value) => Value): NodeRule =>
  (node) => {
    let result = node.value(0);
    for (let i = 1; i < node.inputCount; i++) result = make(result, node.value(i));
    return result;
  };

export const arithmeticRules: Readonly<Record<string, NodeRule>> = {
  Add: rule(add),
  Sub: rule(sub),
  Mul: rule(mul),
  Div: rule(div),
  // A fixed exponent of 2 is by far the most frequent, and needs no logarithm.
  Pow: (node) => {
    const exponent = node.value(1);
    const { origin } = exponent;
    const isSquare = origin.kind === 'constant' && origin.data.length === 1 && origin.data[0] === 2;
    return isSquare ? mul(node.value(0), node.value(0)) : pow(node.value(0), exponent);
  },
  Sum: rule(add),
  Max: rule(maximum),
  Min: rule(minimum),
};
