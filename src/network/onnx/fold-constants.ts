import { sizeOf, type Shape } from '../graph.ts';
import { broadcastShape, normalAxes } from '../operations/shape-rules.ts';
import { resolveRange } from '../operations/slice.ts';
import { resolveShape } from '../operations/reshape.ts';
import { elementAt, positions, tensor64, type Tensor64 } from '../tensor64.ts';
import type { OnnxNode } from './model.ts';

/** A tensor whose numbers are known when the file is read: sizes, axes, constants. */
export interface FixedTensor {
  readonly shape: Shape;
  readonly data: Float32Array | Float64Array;
  readonly isFloat: boolean;
}

/** What folding may look up by name. */
export interface KnownTensors {
  fixed(name: string): FixedTensor | null;
  /** Of computed tensors too: all shapes are known. */
  shapeOf(name: string): Shape | null;
}

type Fold = (inputs: readonly FixedTensor[], node: OnnxNode, opset: number) => FixedTensor;

/**
 * Computes a node now if it only depends on shapes and fixed numbers: exporters write the sizes of a reshape or a
 * resize as such little programs. Null when it depends on an input, or is no such node.
 */
export function foldNode(node: OnnxNode, opset: number, known: KnownTensors): FixedTensor | null {
  if (node.domain !== '') return null;
  if (node.type === 'Constant') return constantOf(node);
  if (node.type === 'Shape' || node.type === 'Size') {
    const shape = known.shapeOf(node.inputs[0]!);
    if (!shape) return null;
    const start = intOf(node, 'start', 0);
    const end = intOf(node, 'end', shape.length);
    return node.type === 'Size' ? integers([sizeOf(shape)], []) : integers(shape.slice(start, end));
  }
  const fold = FOLDS[node.type];
  if (!fold) return null;
  const inputs: FixedTensor[] = [];
  for (const name of node.inputs) {
    const input = name === '' ? ABSENT : known.fixed(name);
    if (!input) return null;
    inputs.push(input);
  }
  return fold(inputs, node, opset);
}

const ABSENT: FixedTensor = { shape: [0], data: new Float64Array(0), isFloat: false };

const integers = (values: readonly number[], shape: Shape = [values.length]): FixedTensor => ({
  shape,
  data: Float64Array.from(values),
  isFloat: false,
});

function intOf(node: OnnxNode, name: string, fallback: number): number {
  const attribute = node.attributes[name];
  return attribute?.kind === 'int' ? attribute.value : fallback;
}

function intsOf(node: OnnxNode, name: string): readonly number[] | null {
  const attribute = node.attributes[name];
  return attribute?.kind === 'ints' ? attribute.value : null;
}

function constantOf(node: OnnxNode): FixedTensor {
  for (const attribute of Object.values(node.attributes)) {
    if (attribute.kind === 'tensor') {
      const { shape, data, type } = attribute.value;
      return { shape, data, isFloat: type.includes('float') };
    }
    if (attribute.kind === 'float') return { shape: [], data: Float64Array.of(attribute.value), isFloat: true };
    if (attribute.kind === 'int') return integers([attribute.value], []);
    if (attribute.kind === 'ints') return integers(attribute.value);
    if (attribute.kind === 'floats') {
      return { shape: [attribute.value.length], data: Float64Array.from(attribute.value), isFloat: true };
    }
  }
  throw new RangeError('a constant of a kind that is not supported');
}

const as64 = ({ shape, data }: FixedTensor): Tensor64 => ({
  shape,
  data: data instanceof Float64Array ? data : Float64Array.from(data),
});

function binary(compute: (a: number, b: number) => number, isTruth = false): Fold {
  return ([a, b]) => {
    const [left, right] = [as64(a!), as64(b!)];
    const shape = broadcastShape('a fixed computation', left.shape, right.shape);
    const isFloat = !isTruth && a!.isFloat;
    const { data } = tensor64(shape, (position) => {
      const result = compute(elementAt(left, position), elementAt(right, position));
      return isFloat ? Math.fround(result) : result;
    });
    return { shape, data, isFloat };
  };
}

const unary =
  (compute: (value: number) => number): Fold =>
  ([input]) => ({ ...input!, data: input!.data.map((value) => compute(value)) });

/** The axes of Squeeze, Unsqueeze and reductions: an attribute in older files, an input in newer ones. */
const axesOf = (node: OnnxNode, input: FixedTensor | undefined): readonly number[] | null =>
  input && input !== ABSENT ? Array.from(input.data) : intsOf(node, 'axes');

const FOLDS: Readonly<Record<string, Fold>> = {
  Add: binary((a, b) => a + b),
  Sub: binary((a, b) => a - b),
  Mul: binary((a, b) => a * b),
  // Whole numbers are divided towards zero.
  Div: (inputs, node, opset) =>
    inputs[0]!.isFloat
      ? binary((a, b) => a / b)(inputs, node, opset)
      : binary((a, b) => Math.trunc(a / b))(inputs, node, opset),
  Mod: binary((a, b) => a - b * Math.floor(a / b)),
  Pow: binary((a, b) => a ** b),
  Max: binary(Math.max),
  Min: binary(Math.min),
  Equal: binary((a, b) => Number(a === b), true),
  Greater: binary((a, b) => Number(a > b), true),
  Less: binary((a, b) => Number(a < b), true),
  And: binary((a, b) => Number(a !== 0 && b !== 0), true),
  Or: binary((a, b) => Number(a !== 0 || b !== 0), true),
  Not: unary((value) => Number(value === 0)),
  Neg: unary((value) => -value),
  Abs: unary(Math.abs),
  Floor: unary(Math.floor),
  Ceil: unary(Math.ceil),
  Sqrt: unary(Math.sqrt),
  Exp: unary(Math.exp),
  Log: unary(Math.log),
  Reciprocal: unary((value) => 1 / value),
  Identity: ([input]) => input!,
  Cast([input], node) {
    const isFloat = [1, 10, 11, 16].includes(intOf(node, 'to', 1));
    const isTruth = intOf(node, 'to', 1) === 9;
    const data = Float64Array.from(input!.data, (value) =>
      isFloat ? Math.fround(value) : isTruth ? Number(value !== 0) : Math.trunc(value),
    );
    return { shape: input!.shape, data, isFloat };
  },
  Concat(inputs, node) {
    const [axis] = normalAxes('Concat', [intOf(node, 'axis', 0)], inputs[0]!.shape.length);
    const outer = sizeOf(inputs[0]!.shape.slice(0, axis));
    const data: number[] = [];
    for (let row = 0; row < outer; row++) {
      for (const { data: part } of inputs) {
        const length = part.length / outer;
        data.push(...part.subarray(row * length, (row + 1) * length));
      }
    }
    const total = inputs.reduce((sum, { shape }) => sum + shape[axis!]!, 0);
    return { ...integers(data, inputs[0]!.shape.with(axis!, total)), isFloat: inputs[0]!.isFloat };
  },
  Gather([input, indices], node) {
    const [axis] = normalAxes('Gather', [intOf(node, 'axis', 0)], input!.shape.length);
    const source = as64(input!);
    const picks = as64(indices!);
    const rank = picks.shape.length;
    const shape = [...input!.shape.slice(0, axis), ...picks.shape, ...input!.shape.slice(axis! + 1)];
    const { data } = tensor64(shape, (position) => {
      const pick = elementAt(picks, position.slice(axis, axis! + rank));
      const at = pick < 0 ? pick + input!.shape[axis!]! : pick;
      return elementAt(source, [...position.slice(0, axis), at, ...position.slice(axis! + rank)]);
    });
    return { shape, data, isFloat: input!.isFloat };
  },
  Slice(inputs, node, opset) {
    const [input] = inputs;
    const list = (i: number, name: string): readonly number[] | null => {
      const given = inputs[i] && inputs[i] !== ABSENT ? Array.from(inputs[i].data) : null;
      return opset < 10 ? intsOf(node, name) : given;
    };
    const [starts, ends] = [list(1, 'starts') ?? [], list(2, 'ends') ?? []];
    const axes = normalAxes('Slice', list(3, 'axes') ?? starts.map((_, i) => i), input!.shape.length);
    const steps = (opset < 10 ? null : list(4, 'steps')) ?? starts.map(() => 1);
    const ranges = input!.shape.map((size, axis) => {
      const i = axes.indexOf(axis);
      return i < 0
        ? { start: 0, count: size, step: 1 }
        : { ...resolveRange(size, starts[i]!, ends[i]!, steps[i]!), step: steps[i]! };
    });
    const source = as64(input!);
    const shape = ranges.map(({ count }) => count);
    const { data } = tensor64(shape, (position) =>
      elementAt(
        source,
        position.map((at, axis) => ranges[axis]!.start + at * ranges[axis]!.step),
      ),
    );
    return { shape, data, isFloat: input!.isFloat };
  },
  Reshape: ([input, wanted], node) => ({
    ...input!,
    shape: resolveShape(input!.shape, Array.from(wanted!.data), intOf(node, 'allowzero', 0) !== 0),
  }),
  Squeeze([input, given], node) {
    const named = axesOf(node, given);
    const axes = named && normalAxes('Squeeze', named, input!.shape.length);
    return { ...input!, shape: input!.shape.filter((size, axis) => (axes ? !axes.includes(axis) : size !== 1)) };
  },
  Unsqueeze([input, given], node) {
    const named = axesOf(node, given) ?? [];
    const rank = input!.shape.length + named.length;
    const axes = normalAxes('Unsqueeze', named, rank);
    const rest = [...input!.shape];
    return { ...input!, shape: Array.from({ length: rank }, (_, axis) => (axes.includes(axis) ? 1 : rest.shift()!)) };
  },
  Transpose([input], node) {
    const order = intsOf(node, 'perm') ?? input!.shape.map((_, axis) => axis).toReversed();
    const source = as64(input!);
    const shape = order.map((axis) => input!.shape[axis]!);
    const { data } = tensor64(shape, (position) =>
      elementAt(
        source,
        order.map((_, axis) => position[order.indexOf(axis)]!),
      ),
    );
    return { shape, data, isFloat: input!.isFloat };
  },
  ConstantOfShape([wanted], node) {
    const value = node.attributes.value;
    const fill = value?.kind === 'tensor' ? value.value.data[0]! : 0;
    const isFloat = value?.kind === 'tensor' ? value.value.type.includes('float') : true;
    const shape = Array.from(wanted!.data);
    return { shape, data: new Float64Array(sizeOf(shape)).fill(fill), isFloat };
  },
  Expand([input, wanted]) {
    const shape = broadcastShape('Expand', input!.shape, Array.from(wanted!.data));
    const source = as64(input!);
    return { shape, data: tensor64(shape, (position) => elementAt(source, position)).data, isFloat: input!.isFloat };
  },
  Range([start, limit, step]) {
    const [from, to, by] = [start!.data[0]!, limit!.data[0]!, step!.data[0]!];
    const count = Math.max(0, Math.ceil((to - from) / by));
    return { ...integers(Array.from({ length: count }, (_, i) => from + i * by)), isFloat: start!.isFloat };
  },
  Where([condition, yes, no]) {
    const both = broadcastShape('Where', yes!.shape, no!.shape);
    const shape = broadcastShape('Where', condition!.shape, both);
    const [mask, left, right] = [as64(condition!), as64(yes!), as64(no!)];
    const { data } = tensor64(shape, (position) => elementAt(elementAt(mask, position) ? left : right, position));
    return { shape, data, isFloat: yes!.isFloat };
  },
  ReduceProd([input, given], node) {
    const named = axesOf(node, given) ?? input!.shape.map((_, axis) => axis);
    const axes = normalAxes('ReduceProd', named, input!.shape.length);
    const source = as64(input!);
    const kept = input!.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
    const { data } = tensor64(kept, (position) => {
      let product = 1;
      for (const inner of positions(axes.map((axis) => input!.shape[axis]!))) {
        const at = [...position];
        axes.forEach((axis, i) => (at[axis] = inner[i]!));
        product *= elementAt(source, at);
      }
      return product;
    });
    const shape = intOf(node, 'keepdims', 1) ? kept : kept.filter((_, axis) => !axes.includes(axis));
    return { shape, data, isFloat: input!.isFloat };
  },
};

/** Operators that are computed while reading when all they read is fixed. */
export const FOLDED_OPERATORS: readonly string[] = ['Constant', 'Shape', 'Size', ...Object.keys(FOLDS)];
