import { sizeOf, type Operation, type Shape, type Value } from '../graph.ts';
import type { NodeRule } from '../onnx/node-reader.ts';
import { isSameShape, normalAxes } from './shape-rules.ts';

/** The same elements in the same order under another shape: Reshape, Flatten, Squeeze, Unsqueeze. */

const RESHAPE: Operation<{ readonly shape: Shape }> = {
  name: 'Reshape',
  shapes([input], { shape }) {
    if (sizeOf(shape) !== sizeOf(input!)) {
      throw new RangeError(`Reshape: [${input!.join(', ')}] does not fill the shape [${shape.join(', ')}].`);
    }
    return [shape];
  },
  lower: (writer, node) => writer.node('Reshape', node, {}, [writer.integers(node.attributes.shape)]),
  backward: ({ inputs: [input] }, [gradient]) => [reshape(gradient!, input!.shape)],
  reference: ([input], { shape }) => [{ shape, data: input!.data }],
};

export function reshape(value: Value, shape: Shape): Value {
  return isSameShape(value.shape, shape) ? value : value.graph.add(RESHAPE, [value], { shape })[0]!;
}

/** Adds axes of size 1; `axes` are those of the result. */
export function unsqueeze(value: Value, axes: readonly number[]): Value {
  const rank = value.shape.length + axes.length;
  const added = new Set(normalAxes('Unsqueeze', axes, rank));
  const rest = [...value.shape];
  return reshape(
    value,
    Array.from({ length: rank }, (_, axis) => (added.has(axis) ? 1 : rest.shift()!)),
  );
}

/** Drops axes of size 1; all of them when none are named. */
export function squeeze(value: Value, axes?: readonly number[]): Value {
  const dropped = axes
    ? new Set(normalAxes('Squeeze', axes, value.shape.length))
    : new Set(value.shape.flatMap((size, axis) => (size === 1 ? [axis] : [])));
  return reshape(
    value,
    value.shape.filter((_, axis) => !dropped.has(axis)),
  );
}

/** The sizes that ONNX's Reshape means: 0 keeps the input's, −1 takes what is left. */
export function resolveShape(input: Shape, wanted: readonly number[], allowZero = false): number[] {
  const shape = wanted.map((size, axis) => (size === 0 && !allowZero ? (input[axis] ?? 0) : size));
  const open = shape.indexOf(-1);
  if (open >= 0) shape[open] = sizeOf(input) / sizeOf(shape.filter((_, axis) => axis !== open));
  return shape;
}

export const reshapeRules: Readonly<Record<string, NodeRule>> = {
  Reshape: (node) =>
    reshape(node.value(0), resolveShape(node.value(0).shape, node.numbers(1), node.int('allowzero', 0) !== 0)),
  Flatten(node) {
    const { shape } = node.value(0);
    const axis = node.int('axis', 1);
    const split = axis < 0 ? axis + shape.length : axis;
    return reshape(node.value(0), [sizeOf(shape.slice(0, split)), sizeOf(shape.slice(split))]);
  },
  Unsqueeze: (node) => unsqueeze(node.value(0), node.axes(1) ?? node.fail('names no axes')),
  Squeeze: (node) => squeeze(node.value(0), node.axes(1) ?? undefined),
};
