import type { Operation, Value } from '../graph.ts';
import type { NodeRule } from '../onnx/node-reader.ts';
import { elementAt, tensor64 } from '../tensor64.ts';
import { add } from './arithmetic.ts';
import { reduceSum } from './reduce.ts';
import { flip, sliceAxis, spread } from './slice.ts';

export type PadMode = 'constant' | 'reflect' | 'edge';

/**
 * Adds elements before and behind each axis: a constant, the mirror image without the edge itself, or the edge. A constant
 * pad may be negative: it cuts.
 */
interface PadAttributes {
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly mode: PadMode;
  readonly value: number;
}

const PAD: Operation<PadAttributes> = {
  name: 'Pad',
  shapes([input], { before, after, mode }) {
    const shape = input!.map((size, axis) => before[axis]! + size + after[axis]!);
    const isCut = [...before, ...after].some((count) => count < 0);
    if (before.length !== input!.length || (isCut && mode !== 'constant')) {
      throw new RangeError(`Pad: [${before.join(', ')}] and [${after.join(', ')}] do not fit [${input!.join(', ')}].`);
    }
    if (mode === 'reflect' && input!.some((size, axis) => Math.max(before[axis]!, after[axis]!) >= size)) {
      throw new RangeError(`Pad: a mirror image wider than [${input!.join(', ')}] itself is not possible.`);
    }
    return [shape];
  },
  lower(writer, node) {
    const { before, after, mode, value } = node.attributes;
    const extra = [writer.integers([...before, ...after])];
    if (mode === 'constant') extra.push(writer.floats([value], []));
    writer.node('Pad', node, { mode }, extra);
  },
  backward({ inputs: [input], attributes: { before, after, mode } }, [gradient]) {
    if (mode === 'constant') return [padZero(gradient!, before.map(negative), after.map(negative))];
    let result = gradient!;
    input!.shape.forEach((size, axis) => {
      result = foldBorder(result, axis, size, before[axis]!, after[axis]!, mode);
    });
    return [result];
  },
  reference: ([input], { before, mode, value }, [shape]) => [
    tensor64(shape!, (position) => {
      const source = position.map((at, axis) => sourceOf(at - before[axis]!, input!.shape[axis]!, mode));
      return source.some((at) => at < 0) ? value : elementAt(input!, source);
    }),
  ],
};

/** The element that a place outside the tensor repeats; −1 for the constant. */
function sourceOf(at: number, size: number, mode: PadMode): number {
  if (at >= 0 && at < size) return at;
  if (mode === 'constant') return -1;
  if (mode === 'edge') return at < 0 ? 0 : size - 1;
  return at < 0 ? -at : 2 * (size - 1) - at;
}

/** Adds the gradient of the border along one axis to the elements that the border repeated. */
function foldBorder(gradient: Value, axis: number, size: number, before: number, after: number, mode: PadMode): Value {
  let result = sliceAxis(gradient, axis, before, size);
  const place = (part: Value, start: number): void => {
    const steps = result.shape.map(() => 1);
    const starts = result.shape.map((_, i) => (i === axis ? start : 0));
    result = add(result, spread(part, result.shape, { starts, steps }));
  };
  const border = (part: Value): Value =>
    mode === 'edge' ? reduceSum(part, { axes: [axis], keepAxes: true }) : flip(part, [axis]);
  if (before > 0) place(border(sliceAxis(gradient, axis, 0, before)), mode === 'edge' ? 0 : 1);
  if (after > 0) {
    place(border(sliceAxis(gradient, axis, before + size, after)), mode === 'edge' ? size - 1 : size - 1 - after);
  }
  return result;
}

export function pad(
  value: Value,
  before: readonly number[],
  after: readonly number[],
  { mode = 'constant', value: fill = 0 }: { mode?: PadMode; value?: number } = {},
): Value {
  if ([...before, ...after].every((count) => count === 0)) return value;
  return value.graph.add(PAD, [value], { before, after, mode, value: fill })[0]!;
}

const negative = (count: number): number => (count === 0 ? 0 : -count);

/** Zeros around a tensor; negative counts cut instead. */
export const padZero = (value: Value, before: readonly number[], after: readonly number[]): Value =>
  pad(value, before, after);

export const padRules: Readonly<Record<string, NodeRule>> = {
  Pad(node) {
    const value = node.value(0);
    const rank = value.shape.length;
    const mode = node.text('mode', 'constant');
    if (mode !== 'constant' && mode !== 'reflect' && mode !== 'edge') node.fail(`has the unsupported mode "${mode}"`);
    const given = node.opset < 11 ? (node.ints('pads') ?? []) : node.numbers(1);
    const axes = node.has(3)
      ? node.numbers(3).map((axis) => (axis < 0 ? axis + rank : axis))
      : value.shape.map((_, i) => i);
    const fill = node.opset < 11 ? node.float('value', 0) : node.has(2) ? node.numbers(2)[0]! : 0;
    const [before, after] = [value.shape.map(() => 0), value.shape.map(() => 0)];
    axes.forEach((axis, i) => {
      before[axis] = given[i]!;
      after[axis] = given[i + axes.length]!;
    });
    if (mode === 'constant') return pad(value, before, after, { value: fill });
    // Negative pads cut first.
    const cut = padZero(
      value,
      before.map((count) => Math.min(0, count)),
      after.map((count) => Math.min(0, count)),
    );
    const positive = (counts: readonly number[]): number[] => counts.map((count) => Math.max(0, count));
    return pad(cut, positive(before), positive(after), { mode: mode as PadMode });
  },
};
