import type { Operation, Shape, Value } from '../graph.ts';
import type { NodeRule } from '../onnx/node-reader.ts';
import { tensor64, type Tensor64 } from '../tensor64.ts';
import { convTranspose } from './conv-transpose.ts';
import { convWeightGradient } from './conv-weight-gradient.ts';
import { padZero } from './pad.ts';
import { reduceSum } from './reduce.ts';
import { reshape } from './reshape.ts';
import { requireImage } from './shape-rules.ts';
import { flip } from './slice.ts';
import { transpose } from './transpose.ts';
import {
  placesOf,
  readWindow,
  spanOf,
  windowAttributes,
  windowFrom,
  type Window,
  type WindowOptions,
} from './window.ts';

export interface ConvAttributes extends Window {
  readonly groups: number;
}

/** Cross-correlation of N×C×H×W with O×(C/groups)×kh×kw, plus a bias per output channel. */
const CONV: Operation<ConvAttributes> = {
  name: 'Conv',
  shapes([image, weight, bias], attributes) {
    requireImage('Conv', image!);
    requireImage('Conv', weight!);
    const { groups } = attributes;
    if (image![1] !== weight![1]! * groups || weight![0]! % groups !== 0) {
      throw new RangeError(
        `Conv: an image of shape [${image!.join(', ')}] does not fit kernels of shape [${weight!.join(', ')}] in ${groups} group(s).`,
      );
    }
    if (bias && (bias.length !== 1 || bias[0] !== weight![0])) {
      throw new RangeError(`Conv: the bias has the shape [${bias.join(', ')}], not [${weight![0]}].`);
    }
    const [rows, columns] = [placesOf(attributes, image![2]!, 0), placesOf(attributes, image![3]!, 1)];
    if (rows < 1 || columns < 1) {
      throw new RangeError(`Conv: the kernel [${weight!.join(', ')}] is larger than the image [${image!.join(', ')}].`);
    }
    return [[image![0]!, weight![0]!, rows, columns]];
  },
  lower: (writer, node) =>
    writer.node('Conv', node, { ...windowAttributes(node.attributes), group: node.attributes.groups }),
  backward({ inputs: [image, weight], attributes }, [gradient], wanted) {
    return [
      wanted[0] ? convInputGradient(gradient!, weight!, image!.shape, attributes) : null,
      wanted[1] ? convWeightGradient(image!, gradient!, attributes) : null,
      wanted[2] ? reduceSum(gradient!, { axes: [0, 2, 3] }) : null,
    ];
  },
  reference([image, weight, bias], attributes, [shape]) {
    const result = tensor64(shape!);
    if (bias) {
      const plane = shape![2]! * shape![3]!;
      result.data.forEach((_, i) => (result.data[i] = bias.data[Math.floor(i / plane) % shape![1]!]!));
    }
    forEachTap(attributes, image!, weight!, result, (pixel, tap, place) => {
      result.data[place]! += image!.data[pixel]! * weight!.data[tap]!;
    });
    return [result];
  },
};

/** ∂loss/∂image of a convolution: the transposed convolution with the same kernels. */
function convInputGradient(gradient: Value, weight: Value, image: Shape, attributes: ConvAttributes): Value {
  const { strides, pads, groups } = attributes;
  const [rows, columns] = gradient.shape.slice(2) as [number, number];
  const isDense = strides[0] === 1 && strides[1] === 1 && groups === 1;
  if (isDense && rows * columns >= TURNED_KERNEL_PIXELS) return convTurned(gradient, weight, attributes);
  const reach = (axis: 0 | 1): number =>
    (gradient.shape[axis + 2]! - 1) * strides[axis] - pads[axis] - pads[axis + 2]! + spanOf(attributes, axis);
  // Rows at the end that no window touched.
  return convTranspose(gradient, weight, {
    ...attributes,
    outputPadding: [image[2]! - reach(0), image[3]! - reach(1)],
  });
}

/**
 * From this many pixels on, turning the kernels round pays: a convolution runs at 1.3 to 2 times the speed of the
 * transposed one (16 to 64 channels, 64² to 256²), and turning costs 2 ns per weight.
 */
const TURNED_KERNEL_PIXELS = 1024;

/** The transposed convolution of stride 1 as a convolution with kernels turned by 180°, inputs and outputs swapped. */
function convTurned(gradient: Value, weight: Value, { dilations, pads, ...window }: ConvAttributes): Value {
  const [outputs, channels, ...kernel] = weight.shape as [number, number, number, number];
  const taps = kernel[0]! * kernel[1]!;
  const swapped = transpose(reshape(weight, [outputs, channels, taps]), [1, 0, 2]);
  const turned = reshape(flip(swapped, [2]), [channels, outputs, ...kernel]);
  const [rows, columns] = [
    spanOf({ ...window, dilations, pads }, 0) - 1,
    spanOf({ ...window, dilations, pads }, 1) - 1,
  ];
  const border = [rows - pads[0], columns - pads[1], rows - pads[2], columns - pads[3]] as const;
  // Pads wider than the kernel reaches become a cut.
  const kept = padZero(
    gradient,
    [0, 0, Math.min(0, border[0]), Math.min(0, border[1])],
    [0, 0, Math.min(0, border[2]), Math.min(0, border[3])],
  );
  const positive = border.map((count) => Math.max(0, count)) as [number, number, number, number];
  return conv(kept, turned, { dilations, pads: positive });
}

/** Calls `visit` with the indices of pixel, kernel element and result for every product of a convolution. */
export function forEachTap(
  { kernel, strides, dilations, pads, groups }: ConvAttributes,
  image: Pick<Tensor64, 'shape'>,
  weight: Pick<Tensor64, 'shape'>,
  result: Pick<Tensor64, 'shape'>,
  visit: (pixel: number, tap: number, place: number) => void,
): void {
  const [, channels, height, width] = image.shape as [number, number, number, number];
  const [, perGroup] = weight.shape as [number, number];
  const [, outputs, rows, columns] = result.shape as [number, number, number, number];
  let place = 0;
  for (let sample = 0; sample < result.shape[0]!; sample++) {
    for (let output = 0; output < outputs; output++) {
      const firstChannel = Math.floor(output / (outputs / groups)) * perGroup;
      for (let i = 0; i < rows * columns; i++, place++) {
        const [row, column] = [Math.floor(i / columns), i % columns];
        for (let tap = 0; tap < perGroup * kernel[0] * kernel[1]; tap++) {
          const channel = Math.floor(tap / (kernel[0] * kernel[1]));
          const y = row * strides[0] - pads[0] + (Math.floor(tap / kernel[1]) % kernel[0]) * dilations[0];
          const x = column * strides[1] - pads[1] + (tap % kernel[1]) * dilations[1];
          if (y < 0 || y >= height || x < 0 || x >= width) continue;
          const pixel = ((sample * channels + firstChannel + channel) * height + y) * width + x;
          visit(pixel, output * perGroup * kernel[0] * kernel[1] + tap, place);
        }
      }
    }
  }
}

export interface ConvOptions extends WindowOptions {
  /** One value per output channel. */
  readonly bias?: Value;
  /** Default 1. */
  readonly groups?: number;
}

/** Convolution of an N×C×H×W image with O×(C/groups)×kh×kw kernels. */
export function conv(image: Value, weight: Value, { bias, groups = 1, ...options }: ConvOptions = {}): Value {
  const attributes = { ...windowFrom(weight.shape.slice(2), options), groups };
  return image.graph.add(CONV, bias ? [image, weight, bias] : [image, weight], attributes)[0]!;
}

export const convRules: Readonly<Record<string, NodeRule>> = {
  Conv(node) {
    const [image, weight] = [node.value(0), node.value(1)];
    const attributes = { ...readWindow(node, image.shape, weight.shape.slice(2)), groups: node.int('group', 1) };
    const inputs = node.has(2) ? [image, weight, node.value(2)] : [image, weight];
    return node.graph.add(CONV, inputs, attributes);
  },
};
