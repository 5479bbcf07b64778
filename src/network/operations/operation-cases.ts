import { randomNormal } from '../../math/random.ts';
import type { CompiledGraph } from '../compiled-graph.ts';
import { differentiate } from '../differentiate.ts';
import { Graph, sizeOf, type Shape, type Value } from '../graph.ts';
import { evaluateReference } from '../reference.ts';
import * as op from './index.ts';

/** One use of an operation, for tests against differences, reference and runtimes. */
export interface OperationCase {
  readonly name: string;
  readonly inputs: readonly Shape[];
  /** Called with as many values as there are inputs. */
  readonly build: (a: Value, b: Value, c: Value, d: Value, e: Value) => Value;
  /** Inputs are drawn normal; this maps them into where the operation is defined and smooth. */
  readonly domain?: (value: number) => number;
  /** Whether second derivatives are checked as well. */
  readonly isSmooth?: boolean;
}

const one = (name: string, build: (value: Value) => Value, more: Partial<OperationCase> = {}): OperationCase => ({
  name,
  inputs: [[2, 3, 4]],
  build,
  ...more,
});
const image = (name: string, shape: Shape, build: (value: Value) => Value, more: Partial<OperationCase> = {}) =>
  one(name, build, { inputs: [shape], ...more });
const two = (name: string, build: (a: Value, b: Value) => Value, more: Partial<OperationCase> = {}): OperationCase => ({
  name,
  inputs: [
    [2, 3, 4],
    [3, 1],
  ],
  build,
  ...more,
});
const convolution = (
  name: string,
  inputs: readonly Shape[],
  options: op.ConvOptions,
  more: Partial<OperationCase> = {},
): OperationCase => ({
  name: `Conv ${name}`,
  inputs,
  build: (x, weight, bias) => op.conv(x!, weight!, { ...options, ...(bias ? { bias } : {}) }),
  ...more,
});
const positive = (value: number): number => 0.5 + Math.abs(value);
const smooth = { isSmooth: true };
/** Away from zero, where a kink would be. */
const awayFromZero = (value: number): number => value + Math.sign(value) * 0.1;

export const operationCases: readonly OperationCase[] = [
  two('Add, broadcast', op.add),
  two('Sub, broadcast', op.sub),
  two('Mul, broadcast', op.mul, smooth),
  two('Div, broadcast', op.div, { domain: awayFromZero, isSmooth: true }),
  two('Pow', op.pow, { domain: positive, isSmooth: true }),
  two('Max', op.maximum),
  two('Min', op.minimum),
  one('Neg', op.neg),
  one('Abs', op.abs, { domain: awayFromZero }),
  one('Exp', op.exp, smooth),
  one('Log', op.log, { domain: positive, isSmooth: true }),
  one('Sqrt', op.sqrt, { domain: positive, isSmooth: true }),
  one('Reciprocal', op.reciprocal, { domain: positive, isSmooth: true }),
  one('Sin and Cos', (x) => op.mul(op.sin(x), op.cos(x)), smooth),
  one('Sigmoid', op.sigmoid, smooth),
  one('Tanh', op.tanh, smooth),
  one('Softplus', op.softplus, smooth),
  one('Erf', op.erf, smooth),
  one('Relu', op.relu, { domain: awayFromZero }),
  one('LeakyRelu', (x) => op.leakyRelu(x, 0.2), { domain: awayFromZero }),
  one('LeakyRelu, negative slope', (x) => op.leakyRelu(x, -0.3), { domain: awayFromZero }),
  one('Elu', (x) => op.elu(x, 0.7), { domain: awayFromZero }),
  one('Clip', (x) => op.clip(x, -0.55, 0.65)),
  one('Softmax, last axis', (x) => op.softmax(x), smooth),
  one('Softmax, middle axis', (x) => op.softmax(x, 1), smooth),
  one('Reshape', (x) => op.reshape(x, [4, 6])),
  one('Transpose', (x) => op.transpose(x, [2, 0, 1])),
  one('Expand', (x) => op.expand(op.unsqueeze(x, [1]), [2, 5, 3, 4])),
  one('Slice, steps 1, −1 and 2', (x) => op.slice(x, [1, 2, 1], [1, 3, 2], [1, -1, 2])),
  one('Slice, step −2 that leaves a rest', (x) => op.slice(x, [0, 0, 2], [2, 3, 2], [1, 1, -2])),
  {
    name: 'Concat',
    inputs: [
      [2, 3],
      [2, 1],
      [2, 4],
    ],
    build: (a, b, c) => op.concat([a, b, c], 1),
  },
  one('Split', (x) => op.mul(...(op.split(op.sliceAxis(x, 2, 0, 4), [2, 2], 2) as [Value, Value]))),
  one('Pad, zeros', (x) => op.pad(x, [0, 1, 2], [1, 0, 3], { value: 0.5 })),
  one('Pad, negative', (x) => op.pad(x, [0, -1, 2], [0, 1, -1])),
  one('Pad, mirror', (x) => op.pad(x, [1, 2, 0], [0, 1, 3], { mode: 'reflect' })),
  one('Pad, edge', (x) => op.pad(x, [1, 0, 2], [0, 4, 3], { mode: 'edge' })),
  one('ReduceSum', (x) => op.reduceSum(x, { axes: [0, 2] })),
  one('ReduceMean, kept axes', (x) => op.reduceMean(x, { axes: [-1], keepAxes: true })),
  one('ReduceSumSquare', (x) => op.reduceSumSquare(x, { axes: [1] }), smooth),
  one('ReduceL2', (x) => op.reduceL2(x, { axes: [1] }), smooth),
  { name: 'MatMul, batches broadcast', inputs: [[2, 1, 3, 4], [5, 4, 2]], build: op.matMul, ...smooth }, // prettier-ignore
  ...[false, true].flatMap((transposeA) =>
    [false, true].map((transposeB) => ({
      name: `Gemm${transposeA ? ' Aᵀ' : ''}${transposeB ? ' Bᵀ' : ''}`,
      inputs: [transposeA ? [4, 3] : [3, 4], transposeB ? [5, 4] : [4, 5]],
      build: (a: Value, b: Value) => op.gemm(a, b, transposeA, transposeB),
      isSmooth: true,
    })),
  ),
  convolution('3×3', [[1, 3, 6, 5], [4, 3, 3, 3], [4]], { pads: 1 }, smooth), // prettier-ignore
  convolution('3×3 of two images', [[2, 3, 6, 5], [4, 3, 3, 3], [4]], { pads: 1 }), // prettier-ignore
  convolution('stride 2', [[1, 2, 7, 6], [3, 2, 3, 3]], { pads: [1, 0, 0, 1], strides: 2 }, smooth), // prettier-ignore
  convolution('dilated, pads uneven', [[1, 2, 8, 7], [3, 2, 3, 2]], { pads: [2, 0, 1, 1], dilations: [2, 1] }), // prettier-ignore
  convolution('pads wider than the kernel', [[1, 2, 4, 5], [3, 2, 2, 1]], { pads: [2, 1, 0, 3] }), // prettier-ignore
  convolution('1×1', [[1, 3, 4, 5], [2, 3, 1, 1], [2]], {}), // prettier-ignore
  convolution('two groups', [[2, 4, 5, 4], [6, 2, 3, 3], [6]], { groups: 2, pads: 1 }), // prettier-ignore
  convolution('depthwise, stride 2', [[1, 3, 6, 6], [3, 1, 3, 3]], { groups: 3, pads: [0, 0, 1, 1], strides: 2 }), // prettier-ignore
  // Large enough that the gradient goes through turned kernels.
  convolution('3×3 at 32²', [[1, 2, 32, 32], [3, 2, 3, 3]], { pads: 1 }), // prettier-ignore
  convolution('3×3 at 34×36, pads 3', [[1, 1, 34, 36], [2, 1, 3, 3]], { pads: [3, 0, 1, 2] }), // prettier-ignore
  {
    name: 'ConvTranspose, stride 2 with output padding',
    inputs: [[1, 3, 4, 5], [3, 2, 3, 3], [2]],
    build: (x, weight, bias) => op.convTranspose(x!, weight!, { bias: bias!, strides: 2, pads: 1, outputPadding: 1 }),
    isSmooth: true,
  },
  {
    name: 'ConvTranspose, groups',
    inputs: [
      [2, 4, 3, 4],
      [4, 1, 2, 3],
    ],
    build: (x, weight) => op.convTranspose(x!, weight!, { groups: 2, strides: [2, 1], pads: [0, 1, 1, 0] }),
  },
  image('MaxPool 2×2', [2, 2, 4, 6], (x) => op.maxPool(x, { kernel: 2, strides: 2 })),
  image('MaxPool 3×3 stride 2, overlapping', [1, 2, 7, 7], (x) => op.maxPool(x, { kernel: 3, strides: 2 })),
  image('MaxPool 3×3 with pads and ceil', [1, 2, 6, 8], (x) =>
    op.maxPool(x, { kernel: 3, strides: 2, pads: 1, ceilMode: true }),
  ),
  image('MaxPool ceil without pads', [1, 1, 6, 5], (x) => op.maxPool(x, { kernel: 3, strides: 2, ceilMode: true })),
  image('AveragePool 2×2', [1, 2, 4, 6], (x) => op.averagePool(x, { kernel: 2, strides: 2 })),
  image('AveragePool with pads', [1, 2, 5, 6], (x) => op.averagePool(x, { kernel: 3, strides: 2, pads: 1 })),
  image('AveragePool with counted pads', [1, 2, 5, 6], (x) =>
    op.averagePool(x, { kernel: 3, strides: 2, pads: 1, countsPads: true }),
  ),
  image('AveragePool ceil', [1, 1, 6, 7], (x) => op.averagePool(x, { kernel: 3, strides: 2, ceilMode: true })),
  image('GlobalAveragePool', [2, 3, 4, 5], op.globalAveragePool),
  image('Resize nearest, twice', [1, 2, 3, 4], (x) =>
    op.resize(x, { scales: 2, coordinates: 'asymmetric', nearest: 'floor' }),
  ),
  image('Resize nearest, half pixel, odd', [1, 2, 3, 4], (x) => op.resize(x, { size: [7, 6] })),
  image('Resize nearest, smaller, ceil', [1, 1, 6, 8], (x) =>
    op.resize(x, { scales: 0.5, coordinates: 'asymmetric', nearest: 'ceil' }),
  ),
  ...(['half_pixel', 'asymmetric', 'align_corners', 'pytorch_half_pixel'] as const).map((coordinates) =>
    image(`Resize linear, ${coordinates}`, [1, 2, 3, 4], (x) =>
      op.resize(x, { mode: 'linear', size: [6, 8], coordinates }),
    ),
  ),
  image('Resize linear, smaller', [1, 2, 6, 8], (x) => op.resize(x, { mode: 'linear', size: [4, 3] })),
  {
    name: 'InstanceNormalization',
    inputs: [[2, 3, 4, 5], [3], [3]],
    build: (x, gamma, beta) => op.instanceNormalization(x, gamma, beta),
    isSmooth: true,
  },
  {
    name: 'BatchNormalization',
    inputs: [[2, 3, 4, 5], [3], [3], [3], [3]],
    build: (x, gamma, beta, mean, variance) => op.batchNormalization(x!, gamma!, beta!, mean!, op.square(variance!)),
    isSmooth: true,
  },
];

/** A case as a graph: the value, ∂⟨value, direction⟩/∂input for each input, and numbers for all inputs. */
export interface BuiltCase {
  readonly outputs: Readonly<Record<string, Value>>;
  /** What `gradients` are gradients of: a scalar. */
  readonly loss: Value;
  readonly inputs: readonly Value[];
  readonly gradients: readonly Value[];
  readonly numbers: Readonly<Record<string, Float64Array>>;
}

/** With order 2, the value is itself the scalar product of the first gradients with fixed directions. */
export function buildCase(
  { name, inputs, build, domain = (value) => value }: OperationCase,
  { order = 1 } = {},
): BuiltCase {
  const graph = new Graph();
  const seed = [...name].reduce((sum, letter) => sum + letter.charCodeAt(0), 0);
  const values = inputs.map((shape, i) => graph.input(`input${i}`, shape));
  let stream = 100;
  const project = (value: Value): Value => {
    const direction = new Float32Array(sizeOf(value.shape)).map((_, i) => randomNormal(seed, stream, i));
    stream++;
    return op.reduceSum(op.mul(value, graph.constant(direction, value.shape)));
  };
  const gradientsOf = (loss: Value): Value[] =>
    differentiate([{ output: loss, gradient: graph.constant(1, loss.shape) }], values);
  const value = build(...(values as [Value, Value, Value, Value, Value]));
  let loss = project(value);
  for (let i = 1; i < order; i++) loss = gradientsOf(loss).map(project).reduce(op.add);
  const gradients = gradientsOf(loss);
  const numbers = Object.fromEntries(
    values.map((input, i) => [
      input.name,
      Float64Array.from({ length: sizeOf(input.shape) }, (_, k) => Math.fround(domain(randomNormal(seed, i, k)))),
    ]),
  );
  const outputs = Object.fromEntries([['value', value], ...gradients.map((gradient, i) => [`gradient${i}`, gradient])]);
  return { outputs: outputs as Record<string, Value>, loss, inputs: values, gradients, numbers };
}

/** Largest difference between gradient graph and five-point differences of the reference, relative to the gradient. */
export function differenceError({ loss, inputs, gradients, numbers }: BuiltCase): number {
  const analytic = evaluateReference(gradients, numbers);
  let worst = 0;
  inputs.forEach((input, i) => {
    const { data } = analytic[i]!;
    const largest = data.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-9);
    // Every element of small inputs, a sample of large ones.
    const stride = Math.max(1, Math.floor(data.length / 24));
    for (let index = 0; index < data.length; index += stride) {
      const step = 1e-3;
      const at = (offset: number): number => {
        const moved = numbers[input.name]!.slice();
        moved[index]! += offset * step;
        return evaluateReference([loss], { ...numbers, [input.name]: moved })[0]!.data[0]!;
      };
      const numeric = (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * step);
      worst = Math.max(worst, Math.abs(numeric - data[index]!) / largest);
    }
  });
  return worst;
}

/** Largest difference between a compiled case and the reference, relative to the largest value of each output. */
export async function referenceError(compiled: CompiledGraph, built: BuiltCase): Promise<number> {
  const given = Object.fromEntries(
    Object.entries(built.numbers).map(([name, numbers]) => [name, Float32Array.from(numbers)]),
  );
  const results = (await compiled.run(given)) as Record<string, Float32Array>;
  const expected = evaluateReference(Object.values(built.outputs), built.numbers);
  let worst = 0;
  Object.keys(built.outputs).forEach((name, i) => {
    const { data } = expected[i]!;
    const largest = data.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-9);
    data.forEach((value, index) => {
      const error = Math.abs(results[name]![index]! - value) / largest;
      worst = Math.max(worst, Number.isNaN(error) ? Infinity : error);
    });
  });
  return worst;
}
