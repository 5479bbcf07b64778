import type { Shape } from '../graph.ts';
import type { NodeReader } from '../onnx/node-reader.ts';

/** How a window (of a convolution or a pool) moves over an image. Pairs are [rows, columns]. */
export interface Window {
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  /** [top, left, bottom, right] */
  readonly pads: readonly [number, number, number, number];
}

/** One number for both directions or for all four sides. */
export interface WindowOptions {
  readonly strides?: number | readonly [number, number];
  readonly dilations?: number | readonly [number, number];
  readonly pads?: number | readonly [number, number, number, number];
}

export function windowFrom(kernel: readonly number[], { strides = 1, dilations = 1, pads = 0 }: WindowOptions): Window {
  const pair = (value: number | readonly [number, number]): readonly [number, number] =>
    typeof value === 'number' ? [value, value] : value;
  return {
    kernel: [kernel[0]!, kernel[1]!],
    strides: pair(strides),
    dilations: pair(dilations),
    pads: typeof pads === 'number' ? [pads, pads, pads, pads] : pads,
  };
}

/** Pixels that the window spans along an axis (0 rows, 1 columns). */
export const spanOf = ({ kernel, dilations }: Window, axis: 0 | 1): number => (kernel[axis] - 1) * dilations[axis] + 1;

/** Number of places of the window along an axis; `ceilMode` lets the last one hang over, if it starts inside. */
export function placesOf(window: Window, size: number, axis: 0 | 1, ceilMode = false): number {
  const { strides, pads } = window;
  const room = size + pads[axis] + pads[axis + 2]! - spanOf(window, axis);
  const places = (ceilMode ? Math.ceil(room / strides[axis]) : Math.floor(room / strides[axis])) + 1;
  const isLastOutside = (places - 1) * strides[axis] >= size + pads[axis];
  return ceilMode && isLastOutside ? places - 1 : places;
}

/** As ONNX's attributes. */
export const windowAttributes = ({ kernel, strides, dilations, pads }: Window) => ({
  kernel_shape: kernel,
  strides,
  dilations,
  pads,
});

/** The window of a node of a file; `kernel` is the weight's where there is one. */
export function readWindow(node: NodeReader, image: Shape, kernel: readonly number[]): Window {
  if (image.length !== 4 || kernel.length !== 2) {
    node.fail(`works on a tensor of shape [${image.join(', ')}]; only N×C×H×W is supported`);
  }
  const pair = (name: string): [number, number] => (node.ints(name) as [number, number] | null) ?? [1, 1];
  const [strides, dilations] = [pair('strides'), pair('dilations')];
  const given = (node.ints('pads') as [number, number, number, number] | null) ?? [0, 0, 0, 0];
  const window: Window = { kernel: [kernel[0]!, kernel[1]!], strides, dilations, pads: given };
  const auto = node.text('auto_pad', 'NOTSET');
  if (auto === 'NOTSET') return window;
  if (auto === 'VALID') return { ...window, pads: [0, 0, 0, 0] };
  const [rows, columns] = ([0, 1] as const).map((axis) => {
    const size = image[axis + 2]!;
    const total = Math.max(0, (Math.ceil(size / strides[axis]) - 1) * strides[axis] + spanOf(window, axis) - size);
    const smaller = Math.floor(total / 2);
    return auto === 'SAME_LOWER' ? [total - smaller, smaller] : [smaller, total - smaller];
  }) as [[number, number], [number, number]];
  return { ...window, pads: [rows[0], columns[0], rows[1], columns[1]] };
}

/** Offsets of the window's elements from its first pixel, row by row. */
export function offsetsOf({ kernel, dilations }: Window): [number, number][] {
  return Array.from({ length: kernel[0] * kernel[1] }, (_, i) => [
    Math.floor(i / kernel[1]) * dilations[0],
    (i % kernel[1]) * dilations[1],
  ]);
}
