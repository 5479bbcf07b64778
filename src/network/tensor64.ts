import { sizeOf, type Shape } from './graph.ts';

/** A tensor in float64, row-major: what the reference of an operation works on. */
export interface Tensor64 {
  readonly shape: Shape;
  readonly data: Float64Array;
}

/** A tensor of zeros, or of what `at` gives for each position (the array is reused between calls). */
export function tensor64(shape: Shape, at?: (position: readonly number[]) => number): Tensor64 {
  const data = new Float64Array(sizeOf(shape));
  if (at) {
    let index = 0;
    for (const position of positions(shape)) data[index++] = at(position);
  }
  return { shape, data };
}

/** Every position of a shape, row-major; the same array is yielded each time. */
export function* positions(shape: Shape): Generator<readonly number[]> {
  const position = shape.map(() => 0);
  for (let left = sizeOf(shape); left > 0; left--) {
    yield position;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      position[axis]! += 1;
      if (position[axis]! < shape[axis]!) break;
      position[axis] = 0;
    }
  }
}

/** Elements to skip for one step along each axis. */
export function stridesOf(shape: Shape): number[] {
  const strides = shape.map(() => 1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1]! * shape[axis + 1]!;
  return strides;
}

/** The element at a position; missing leading axes and axes of size 1 are repeated, as in broadcasting. */
export function elementAt({ shape, data }: Tensor64, position: readonly number[]): number {
  const offset = position.length - shape.length;
  let index = 0;
  for (let axis = 0; axis < shape.length; axis++) {
    index = index * shape[axis]! + (shape[axis] === 1 ? 0 : position[axis + offset]!);
  }
  return data[index]!;
}
