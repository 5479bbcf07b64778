import type { Operation, Value } from '../graph.ts';
import type { NodeRule } from '../onnx/node-reader.ts';
import { add, div, maximum, minimum, mul, scale, sub } from './arithmetic.ts';
import { gate } from './gate.ts';

/** Functions of one element: activations and elementary ones. */

type Derivative = (gradient: Value, input: Value, result: Value) => Value;

interface ElementwiseAttributes {
  /** Slope of LeakyRelu, α of Elu. */
  readonly alpha: number;
}

function elementwise(
  name: string,
  compute: (value: number, alpha: number) => number,
  derivative: (gradient: Value, input: Value, result: Value, alpha: number) => Value,
  hasAlpha = false,
): Operation<ElementwiseAttributes> {
  return {
    name,
    isCheap: true,
    shapes: ([shape]) => [shape!],
    lower: (writer, node) => writer.node(name, node, hasAlpha ? { alpha: { float: node.attributes.alpha } } : {}),
    backward: ({ inputs: [input], outputs: [result], attributes: { alpha } }, [gradient]) => [
      derivative(gradient!, input!, result!, alpha),
    ],
    reference: ([input], { alpha }) => [
      { shape: input!.shape, data: input!.data.map((value) => compute(value, alpha)) },
    ],
  };
}

const plain = (name: string, compute: (value: number) => number, derivative: Derivative): ((value: Value) => Value) => {
  const operation = elementwise(name, compute, derivative);
  return (value) => value.graph.add(operation, [value], { alpha: 0 })[0]!;
};
const shaped = (
  name: string,
  compute: (value: number, alpha: number) => number,
  derivative: (gradient: Value, input: Value, result: Value, alpha: number) => Value,
): ((value: Value, alpha: number) => Value) => {
  const operation = elementwise(name, compute, derivative, true);
  return (value, alpha) => value.graph.add(operation, [value], { alpha })[0]!;
};

const zero = (like: Value): Value => like.graph.constant(0);
const one = (like: Value): Value => like.graph.constant(1);

export const neg = plain(
  'Neg',
  (x) => -x,
  (gradient) => neg(gradient),
);
export const abs = plain('Abs', Math.abs, (gradient, x) => mul(gradient, sign(x)));
/** −1, 0 or 1; flat everywhere. */
export const sign = plain('Sign', Math.sign, (gradient) => scale(gradient, 0));
export const exp = plain('Exp', Math.exp, (gradient, _, y) => mul(gradient, y));
export const log = plain('Log', Math.log, (gradient, x) => div(gradient, x));
export const sqrt = plain('Sqrt', Math.sqrt, (gradient, _, y) => div(scale(gradient, 0.5), y));
export const reciprocal = plain(
  'Reciprocal',
  (x) => 1 / x,
  (gradient, _, y) => neg(mul(gradient, mul(y, y))),
);
export const sin = plain('Sin', Math.sin, (gradient, x) => mul(gradient, cos(x)));
export const cos = plain('Cos', Math.cos, (gradient, x) => neg(mul(gradient, sin(x))));
export const sigmoid = plain(
  'Sigmoid',
  (x) => 1 / (1 + Math.exp(-x)),
  (gradient, _, y) => mul(gradient, mul(y, sub(one(y), y))),
);
export const tanh = plain('Tanh', Math.tanh, (gradient, _, y) => mul(gradient, sub(one(y), mul(y, y))));
/** log(1 + eˣ). */
export const softplus = plain(
  'Softplus',
  (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  (gradient, x) => mul(gradient, sigmoid(x)),
);
export const erf = plain('Erf', erf64, (gradient, x) =>
  mul(gradient, scale(exp(neg(mul(x, x))), 2 / Math.sqrt(Math.PI))),
);
/**
 * 1 where x is above zero, else 0; flat everywhere. Written as one HardSigmoid of a slope so steep that every normal
 * number above zero gives 1: a comparison and a choice cost five times as much (2.4 against 0.5 ms for 16×256²).
 */
const STEP: Operation<null> = {
  name: 'Step',
  shapes: ([shape]) => [shape!],
  lower: (writer, node) => writer.node('HardSigmoid', node, { alpha: { float: 3e38 }, beta: { float: 0 } }),
  backward: () => [null],
  reference: ([input]) => [{ shape: input!.shape, data: input!.data.map((value) => (value > 0 ? 1 : 0)) }],
};
export const step = (value: Value): Value => value.graph.add(STEP, [value], null)[0]!;

/** max(x, 0). */
export const relu = plain(
  'Relu',
  (x) => Math.max(x, 0),
  // By the result rather than the input: of the two, the result is what later operations keep anyway.
  (gradient, _, y) => mul(gradient, step(y)),
);
/** x above zero, `alpha`·x below. */
export const leakyRelu = shaped(
  'LeakyRelu',
  (x, alpha) => (x >= 0 ? x : alpha * x),
  (gradient, x, y, alpha) => {
    const isAbove = step(alpha > 0 ? y : x);
    const { graph } = gradient;
    if (alpha === 0) return mul(gradient, isAbove);
    // Of 0 and 1 makes α and 1.
    const slope =
      alpha > 0 && alpha < 1
        ? maximum(isAbove, graph.constant(alpha))
        : add(scale(isAbove, 1 - alpha), graph.constant(alpha));
    return mul(gradient, slope);
  },
);
/** x above zero, `alpha`·(eˣ − 1) below. */
export const elu = shaped(
  'Elu',
  (x, alpha) => (x >= 0 ? x : alpha * Math.expm1(x)),
  (gradient, x, y, alpha) =>
    // Below zero the slope is y + α; the part above is added where x > 0.
    add(gate(gradient, x, '>', zero(x)), gate(mul(gradient, add(y, y.graph.constant(alpha))), zero(x), '>', x)),
);

export const square = (value: Value): Value => mul(value, value);

/** Limits values to lowest…highest; either may be infinite. */
export function clip(value: Value, lowest: number, highest: number): Value {
  const above = lowest === -Infinity ? value : maximum(value, value.graph.constant(lowest));
  return highest === Infinity ? above : minimum(above, value.graph.constant(highest));
}

/** The error function to 1e-15 or so: series near zero, continued fraction far away (Abramowitz & Stegun 7.1.5, 7.1.14). */
function erf64(x: number): number {
  const size = Math.abs(x);
  if (size < 2.5) {
    let [term, sum] = [size, size];
    for (let n = 1; n < 80; n++) {
      term *= (-size * size) / n;
      sum += term / (2 * n + 1);
    }
    return (Math.sign(x) * 2 * sum) / Math.sqrt(Math.PI);
  }
  let fraction = 0;
  for (let n = 60; n >= 1; n--) fraction = n / 2 / (size + fraction);
  return Math.sign(x) * (1 - Math.exp(-size * size) / ((size + fraction) * Math.sqrt(Math.PI)));
}

const rule =
  (make: (value: Value) => Value): NodeRule =>
  (node) =>
    make(node.value(0));

export const elementwiseRules: Readonly<Record<string, NodeRule>> = {
  Neg: rule(neg),
  Abs: rule(abs),
  Exp: rule(exp),
  Log: rule(log),
  Sqrt: rule(sqrt),
  Reciprocal: rule(reciprocal),
  Sin: rule(sin),
  Cos: rule(cos),
  Sigmoid: rule(sigmoid),
  Tanh: rule(tanh),
  Softplus: rule(softplus),
  Erf: rule(erf),
  Relu: rule(relu),
  LeakyRelu: (node) => leakyRelu(node.value(0), node.float('alpha', 0.01)),
  Elu: (node) => elu(node.value(0), node.float('alpha', 1)),
  PRelu(node) {
    const [value, slope] = [node.value(0), node.value(1)];
    return sub(relu(value), mul(slope, relu(neg(value))));
  },
  HardSigmoid: (node) => hardSigmoid(node.value(0), node.float('alpha', 0.2), node.float('beta', 0.5)),
  HardSwish: (node) => mul(node.value(0), hardSigmoid(node.value(0), 1 / 6, 0.5)),
  Clip(node) {
    const limit = (input: number, name: string, none: number): number =>
      node.has(input) ? node.numbers(input)[0]! : node.float(name, none);
    const unlimited = 3.4e38; // files write float32's largest for "no limit"
    const [lowest, highest] = [limit(1, 'min', -Infinity), limit(2, 'max', Infinity)];
    return clip(node.value(0), lowest < -unlimited ? -Infinity : lowest, highest > unlimited ? Infinity : highest);
  },
};

function hardSigmoid(value: Value, alpha: number, beta: number): Value {
  return clip(add(scale(value, alpha), value.graph.constant(beta)), 0, 1);
}
