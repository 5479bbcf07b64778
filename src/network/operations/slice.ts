import type { Operation, Shape, Value } from '../graph.ts';
import type { NodeRule } from '../onnx/node-reader.ts';
import { elementAt, tensor64 } from '../tensor64.ts';
import { concat } from './concat.ts';
import { padZero } from './pad.ts';
import { reshape } from './reshape.ts';
import { normalAxes } from './shape-rules.ts';

/** Elements `start`, `start + step` … of each axis, `count` of them; a negative step goes backwards. */
interface SliceAttributes {
  readonly starts: readonly number[];
  readonly counts: readonly number[];
  readonly steps: readonly number[];
}

const SLICE: Operation<SliceAttributes> = {
  name: 'Slice',
  shapes([input], { starts, counts, steps }) {
    input!.forEach((size, axis) => {
      const last = starts[axis]! + (counts[axis]! - 1) * steps[axis]!;
      if (starts[axis]! < 0 || starts[axis]! >= size || last < 0 || last >= size) {
        throw new RangeError(
          `Slice: elements ${starts[axis]} to ${last} are outside axis ${axis} of [${input!.join(', ')}].`,
        );
      }
    });
    return [counts];
  },
  lower(writer, node) {
    const { starts, counts, steps } = node.attributes;
    const { shape } = node.inputs[0]!;
    // Only the axes that are cut: each one costs the runtime time.
    const axes = shape.flatMap((size, axis) => (counts[axis] === size && steps[axis] === 1 ? [] : [axis]));
    const end = (axis: number): number => {
      const past = starts[axis]! + counts[axis]! * steps[axis]!;
      // Before the first element: any number below −size, since −1 means the last.
      return past < 0 ? -shape[axis]! - 1 : past;
    };
    writer.node('Slice', node, {}, [
      writer.integers(axes.map((axis) => starts[axis]!)),
      writer.integers(axes.map(end)),
      writer.integers(axes),
      writer.integers(axes.map((axis) => steps[axis]!)),
    ]);
  },
  backward: ({ inputs: [input], attributes }, [gradient]) => [spread(gradient!, input!.shape, attributes)],
  reference: ([input], { starts, steps }, [shape]) => [
    tensor64(shape!, (position) =>
      elementAt(
        input!,
        position.map((at, axis) => starts[axis]! + at * steps[axis]!),
      ),
    ),
  ],
};

/** Puts the elements of a slice back into a tensor of zeros of `shape`: the gradient of a slice. */
export function spread(value: Value, shape: Shape, { starts, steps }: Omit<SliceAttributes, 'counts'>): Value {
  const backwards = steps.flatMap((step, axis) => (step < 0 ? [axis] : []));
  let result = flip(value, backwards);
  const first = starts.map((start, axis) =>
    steps[axis]! < 0 ? start + (value.shape[axis]! - 1) * steps[axis]! : start,
  );
  steps.forEach((step, axis) => {
    if (Math.abs(step) > 1) result = insertZeros(result, axis, Math.abs(step));
  });
  // Inserting leaves zeros behind the last element as well: cut or add as the shape wants.
  return padZero(
    result,
    first,
    shape.map((size, axis) => size - first[axis]! - result.shape[axis]!),
  );
}

/** x₀ 0 … 0 x₁ 0 … 0: `step` − 1 zeros behind each element of an axis. */
function insertZeros(value: Value, axis: number, step: number): Value {
  const { shape } = value;
  const [before, behind] = [shape.slice(0, axis + 1), shape.slice(axis + 1)];
  const apart = reshape(value, [...before, 1, ...behind]);
  const padded = padZero(
    apart,
    apart.shape.map(() => 0),
    apart.shape.map((_, i) => (i === axis + 1 ? step - 1 : 0)),
  );
  return reshape(padded, [...shape.slice(0, axis), shape[axis]! * step, ...behind]);
}

/** `counts` elements from `starts` on each axis, in steps of `steps` (default 1). */
export function slice(
  value: Value,
  starts: readonly number[],
  counts: readonly number[],
  steps: readonly number[] = starts.map(() => 1),
): Value {
  const isWhole = value.shape.every((size, axis) => counts[axis] === size && steps[axis] === 1);
  return isWhole ? value : value.graph.add(SLICE, [value], { starts, counts, steps })[0]!;
}

/** `count` elements of one axis. */
export function sliceAxis(value: Value, axis: number, start: number, count: number, step = 1): Value {
  const at = (given: number, other: (size: number) => number): number[] =>
    value.shape.map((size, i) => (i === axis ? given : other(size)));
  return slice(
    value,
    at(start, () => 0),
    at(count, (size) => size),
    at(step, () => 1),
  );
}

/** Turns axes round. */
export function flip(value: Value, axes: readonly number[]): Value {
  return axes.reduce(
    (result, axis) => sliceAxis(result, axis, result.shape[axis]! - 1, result.shape[axis]!, -1),
    value,
  );
}

/** Cuts an axis into pieces of the given sizes. */
export function split(value: Value, sizes: readonly number[], axis: number): Value[] {
  let start = 0;
  return sizes.map((size) => {
    const piece = sliceAxis(value, axis, start, size);
    start += size;
    return piece;
  });
}

/** ONNX's starts and ends (clamped, counted from the back when negative) as first element and count. */
export function resolveRange(size: number, start: number, end: number, step: number): { start: number; count: number } {
  const clamp = (at: number, lowest: number, highest: number): number => Math.max(lowest, Math.min(highest, at));
  const counted = (at: number): number => (at < 0 ? at + size : at);
  if (step > 0) {
    const first = clamp(counted(start), 0, size);
    return { start: first, count: Math.max(0, Math.ceil((clamp(counted(end), 0, size) - first) / step)) };
  }
  const first = clamp(counted(start), -1, size - 1);
  return { start: first, count: Math.max(0, Math.ceil((clamp(counted(end), -1, size - 1) - first) / step)) };
}

export const sliceRules: Readonly<Record<string, NodeRule>> = {
  Slice(node) {
    const value = node.value(0);
    const isOld = node.opset < 10;
    const starts = isOld ? (node.ints('starts') ?? []) : node.numbers(1);
    const ends = isOld ? (node.ints('ends') ?? []) : node.numbers(2);
    const named = isOld ? node.ints('axes') : node.has(3) ? node.numbers(3) : null;
    const axes = normalAxes('Slice', named ?? starts.map((_, i) => i), value.shape.length);
    const steps = !isOld && node.has(4) ? node.numbers(4) : starts.map(() => 1);
    return axes.reduce((result, axis, i) => {
      const range = resolveRange(result.shape[axis]!, starts[i]!, ends[i]!, steps[i]!);
      if (range.count === 0) node.fail(`leaves nothing of axis ${axis}`);
      return sliceAxis(result, axis, range.start, range.count, steps[i]);
    }, value);
  },
  Split(node) {
    const value = node.value(0);
    const [axis] = normalAxes('Split', [node.int('axis', 0)], value.shape.length);
    const size = value.shape[axis!]!;
    const sizes = node.opset < 13 ? node.ints('split') : node.has(1) ? node.numbers(1) : null;
    const each = Math.ceil(size / node.outputCount);
    const even = Array.from({ length: node.outputCount }, (_, i) => Math.min(each, size - i * each));
    return split(value, sizes ?? even, axis!);
  },
  Gather(node) {
    const value = node.value(0);
    const [axis] = normalAxes('Gather', [node.int('axis', 0)], value.shape.length);
    const indices = node.numbers(1).map((index) => (index < 0 ? index + value.shape[axis!]! : index));
    if (indices.length > 64) node.fail(`picks ${indices.length} elements; up to 64 fixed indices are supported`);
    const picked = concat(
      indices.map((index) => sliceAxis(value, axis!, index, 1)),
      axis!,
    );
    // A single index (a scalar) drops the axis.
    const isScalar = node.shapeOf(1).length === 0;
    return isScalar
      ? reshape(
          picked,
          picked.shape.filter((_, i) => i !== axis),
        )
      : picked;
  },
};
