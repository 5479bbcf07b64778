import { sizeOf, type Operation, type Shape, type Value } from '../graph.ts';
import type { NodeReader, NodeRule } from '../onnx/node-reader.ts';
import { positions, tensor64 } from '../tensor64.ts';
import { mul, scale } from './arithmetic.ts';
import { abs, exp, log, sqrt } from './elementwise.ts';
import { expand } from './expand.ts';
import { reshape } from './reshape.ts';
import { normalAxes } from './shape-rules.ts';

type Kind = 'sum' | 'mean' | 'sumSquare';

/** Sums, means or sums of squares over axes, which stay with size 1. */
interface ReduceAttributes {
  readonly axes: readonly number[];
  readonly kind: Kind;
}

const REDUCE: Operation<ReduceAttributes> = {
  name: 'Reduce',
  shapes: ([input], { axes }) => [input!.map((size, axis) => (axes.includes(axis) ? 1 : size))],
  lower(writer, node) {
    const { axes, kind } = node.attributes;
    // At opset 17 the axes of ReduceSum are an input, those of the others an attribute.
    if (kind === 'sum') writer.node('ReduceSum', node, { keepdims: 1 }, [writer.integers(axes)]);
    else writer.node(kind === 'mean' ? 'ReduceMean' : 'ReduceSumSquare', node, { axes, keepdims: 1 });
  },
  backward({ inputs: [input], attributes: { axes, kind } }, [gradient]) {
    if (kind === 'sumSquare') return [mul(input!, scale(gradient!, 2))];
    const count = sizeOf(axes.map((axis) => input!.shape[axis]!));
    return [expand(scale(gradient!, kind === 'mean' ? 1 / count : 1), input!.shape)];
  },
  reference([input], { axes, kind }, [shape]) {
    const result = tensor64(shape!);
    const count = sizeOf(axes.map((axis) => input!.shape[axis]!));
    let index = 0;
    for (const position of positions(input!.shape)) {
      let target = 0;
      position.forEach((at, axis) => {
        target = target * shape![axis]! + (axes.includes(axis) ? 0 : at);
      });
      const value = input!.data[index++]!;
      result.data[target]! += kind === 'sumSquare' ? value * value : kind === 'mean' ? value / count : value;
    }
    return [result];
  },
};

export interface ReduceOptions {
  /** Default all. */
  readonly axes?: readonly number[];
  /** Whether the axes stay with size 1. Default false. */
  readonly keepAxes?: boolean;
}

function reduce(value: Value, kind: Kind, { axes, keepAxes = false }: ReduceOptions): Value {
  const all = value.shape.map((_, axis) => axis);
  const normal = axes ? normalAxes('Reduce', axes, value.shape.length) : all;
  const kept = normal.length === 0 ? value : value.graph.add(REDUCE, [value], { axes: normal, kind })[0]!;
  return keepAxes ? kept : reshape(kept, remaining(value.shape, normal));
}

const remaining = (shape: Shape, axes: readonly number[]): number[] => shape.filter((_, axis) => !axes.includes(axis));

export const reduceSum = (value: Value, options: ReduceOptions = {}): Value => reduce(value, 'sum', options);
export const reduceMean = (value: Value, options: ReduceOptions = {}): Value => reduce(value, 'mean', options);
export const reduceSumSquare = (value: Value, options: ReduceOptions = {}): Value =>
  reduce(value, 'sumSquare', options);
/** √Σx². Its gradient is not finite where all elements are zero. */
export const reduceL2 = (value: Value, options: ReduceOptions = {}): Value => sqrt(reduceSumSquare(value, options));

const rule =
  (make: (value: Value, options: ReduceOptions) => Value): NodeRule =>
  (node) =>
    make(node.value(0), optionsOf(node));

function optionsOf(node: NodeReader): ReduceOptions {
  const axes = node.axes(1);
  const keepAxes = node.int('keepdims', 1) !== 0;
  const isIdle = (axes === null || axes.length === 0) && node.int('noop_with_empty_axes', 0) !== 0;
  return { axes: isIdle ? [] : axes && axes.length > 0 ? axes : undefined, keepAxes };
}

export const reduceRules: Readonly<Record<string, NodeRule>> = {
  ReduceSum: rule(reduceSum),
  ReduceMean: rule(reduceMean),
  ReduceL1: rule((value, options) => reduceSum(abs(value), options)),
  ReduceL2: rule(reduceL2),
  ReduceSumSquare: rule(reduceSumSquare),
  ReduceLogSumExp: rule((value, options) => log(reduceSum(exp(value), options))),
  GlobalAveragePool: (node) => globalAveragePool(node.value(0)),
};

/** The mean of each channel, as N×C×1×1. */
export const globalAveragePool = (value: Value): Value =>
  reduceMean(value, { axes: value.shape.map((_, axis) => axis).slice(2), keepAxes: true });
