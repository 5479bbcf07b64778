import { sizeOf, type Operation, type Shape, type Value } from '../graph.ts';
import type { NodeReader, NodeRule } from '../onnx/node-reader.ts';
import { positions, tensor64 } from '../tensor64.ts';
import { scale } from './arithmetic.ts';
import { abs, exp, log, sqrt, square } from './elementwise.ts';
import { expand } from './expand.ts';
import { reshape } from './reshape.ts';
import { normalAxes } from './shape-rules.ts';

/** Sums over axes, which stay with size 1. */
interface ReduceAttributes {
  readonly axes: readonly number[];
  readonly isMean: boolean;
}

const REDUCE: Operation<ReduceAttributes> = {
  name: 'Reduce',
  shapes: ([input], { axes }) => [input!.map((size, axis) => (axes.includes(axis) ? 1 : size))],
  lower(writer, node) {
    const { axes, isMean } = node.attributes;
    // At opset 17 the axes of ReduceSum are an input, those of ReduceMean an attribute.
    if (isMean) writer.node('ReduceMean', node, { axes, keepdims: 1 });
    else writer.node('ReduceSum', node, { keepdims: 1 }, [writer.integers(axes)]);
  },
  backward({ inputs: [input], attributes: { axes, isMean } }, [gradient]) {
    const count = sizeOf(axes.map((axis) => input!.shape[axis]!));
    return [expand(scale(gradient!, isMean ? 1 / count : 1), input!.shape)];
  },
  reference([input], { axes, isMean }, [shape]) {
    const result = tensor64(shape!);
    const count = sizeOf(axes.map((axis) => input!.shape[axis]!));
    let index = 0;
    for (const position of positions(input!.shape)) {
      let target = 0;
      position.forEach((at, axis) => {
        target = target * shape![axis]! + (axes.includes(axis) ? 0 : at);
      });
      result.data[target]! += input!.data[index++]! / (isMean ? count : 1);
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

function reduce(value: Value, isMean: boolean, { axes, keepAxes = false }: ReduceOptions): Value {
  const all = value.shape.map((_, axis) => axis);
  const normal = axes ? normalAxes('Reduce', axes, value.shape.length) : all;
  const kept = normal.length === 0 ? value : value.graph.add(REDUCE, [value], { axes: normal, isMean })[0]!;
  return keepAxes ? kept : reshape(kept, remaining(value.shape, normal));
}

const remaining = (shape: Shape, axes: readonly number[]): number[] => shape.filter((_, axis) => !axes.includes(axis));

export const reduceSum = (value: Value, options: ReduceOptions = {}): Value => reduce(value, false, options);
export const reduceMean = (value: Value, options: ReduceOptions = {}): Value => reduce(value, true, options);
/** √Σx². Its gradient is not finite where all elements are zero. */
export const reduceL2 = (value: Value, options: ReduceOptions = {}): Value => sqrt(reduceSum(square(value), options));

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
  ReduceSumSquare: rule((value, options) => reduceSum(square(value), options)),
  ReduceLogSumExp: rule((value, options) => log(reduceSum(exp(value), options))),
  GlobalAveragePool: (node) => globalAveragePool(node.value(0)),
};

/** The mean of each channel, as N×C×1×1. */
export const globalAveragePool = (value: Value): Value =>
  reduceMean(value, { axes: value.shape.map((_, axis) => axis).slice(2), keepAxes: true });
