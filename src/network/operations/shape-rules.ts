import type { Shape } from '../graph.ts';

/** The shape that both extend to by repeating axes of size 1 (NumPy's rule). */
export function broadcastShape(operation: string, a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  const padded = (shape: Shape): number[] => [...Array<number>(rank - shape.length).fill(1), ...shape];
  const [left, right] = [padded(a), padded(b)];
  return left.map((size, axis) => {
    const other = right[axis]!;
    if (size !== other && size !== 1 && other !== 1) {
      throw new RangeError(`${operation}: the shapes [${a.join(', ')}] and [${b.join(', ')}] do not go together.`);
    }
    return Math.max(size, other);
  });
}

/** Axes counted from the front; negative ones count from the back. */
export function normalAxes(operation: string, axes: readonly number[], rank: number): number[] {
  return axes.map((axis) => {
    if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
      throw new RangeError(`${operation}: there is no axis ${axis} in a tensor of ${rank} axes.`);
    }
    return axis < 0 ? axis + rank : axis;
  });
}

/** Throws unless the tensor has N×C×H×W. */
export function requireImage(operation: string, shape: Shape): void {
  if (shape.length !== 4) {
    throw new RangeError(`${operation}: takes N×C×H×W, not a tensor of shape [${shape.join(', ')}].`);
  }
}

export const isSameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((size, i) => size === b[i]);
