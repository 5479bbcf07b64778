import type { GraphNode, Operation, Value } from '../graph.ts';
import type { NodeRule } from '../onnx/node-reader.ts';
import type { AttributeValue, NodeWriter } from '../onnx/node-writer.ts';
import { tensor64 } from '../tensor64.ts';
import { conv, forEachTap, type ConvAttributes } from './conv.ts';
import { convWeightGradient } from './conv-weight-gradient.ts';
import { reduceSum } from './reduce.ts';
import { requireImage } from './shape-rules.ts';
import { readWindow, spanOf, windowAttributes, windowFrom, type WindowOptions } from './window.ts';

interface ConvTransposeAttributes extends ConvAttributes {
  /** Rows and columns added at the end. */
  readonly outputPadding: readonly [number, number];
}

/** The transpose of a convolution: N×C×H×W with C×(O/groups)×kh×kw to N×O×H'×W', plus a bias per output channel. */
const CONV_TRANSPOSE: Operation<ConvTransposeAttributes> = {
  name: 'ConvTranspose',
  shapes([image, weight, bias], attributes) {
    requireImage('ConvTranspose', image!);
    requireImage('ConvTranspose', weight!);
    const { strides, pads, groups, outputPadding } = attributes;
    if (image![1] !== weight![0] || image![1]! % groups !== 0) {
      throw new RangeError(
        `ConvTranspose: an image of shape [${image!.join(', ')}] does not fit kernels of shape [${weight!.join(', ')}] in ${groups} group(s).`,
      );
    }
    if (bias && (bias.length !== 1 || bias[0] !== weight![1]! * groups)) {
      throw new RangeError(
        `ConvTranspose: the bias has the shape [${bias.join(', ')}], not [${weight![1]! * groups}].`,
      );
    }
    const size = (axis: 0 | 1): number =>
      (image![axis + 2]! - 1) * strides[axis] -
      pads[axis] -
      pads[axis + 2]! +
      spanOf(attributes, axis) +
      outputPadding[axis];
    return [[image![0]!, weight![1]! * groups, size(0), size(1)]];
  },
  lower(writer, node) {
    const { groups, outputPadding } = node.attributes;
    const attributes = { ...windowAttributes(node.attributes), output_padding: outputPadding };
    const [channels, perGroup] = node.inputs[1]!.shape as [number, number];
    // ONNX Runtime 1.30 on WebGPU gives wrong numbers for several inputs and one output per group.
    if (groups > 1 && perGroup === 1 && channels > groups) lowerByGroups(writer, node, attributes);
    else writer.node('ConvTranspose', node, { ...attributes, group: groups });
  },
  backward({ inputs: [image, weight], attributes }, [gradient], wanted) {
    return [
      wanted[0] ? conv(gradient!, weight!, attributes) : null,
      // The gradient plays the image and the image the gradient.
      wanted[1] ? convWeightGradient(gradient!, image!, attributes) : null,
      wanted[2] ? reduceSum(gradient!, { axes: [0, 2, 3] }) : null,
    ];
  },
  reference([image, weight, bias], attributes, [shape]) {
    const result = tensor64(shape!);
    if (bias) {
      const plane = shape![2]! * shape![3]!;
      result.data.forEach((_, i) => (result.data[i] = bias.data[Math.floor(i / plane) % shape![1]!]!));
    }
    forEachTap(attributes, result, weight!, image!, (pixel, tap, place) => {
      result.data[pixel]! += image!.data[place]! * weight!.data[tap]!;
    });
    return [result];
  },
};

/** Each group by itself. */
function lowerByGroups(
  writer: NodeWriter,
  { inputs, outputs, attributes: { groups } }: GraphNode<ConvTransposeAttributes>,
  attributes: Readonly<Record<string, AttributeValue>>,
): void {
  const parts = inputs.map((input, i) => {
    const axis = i === 0 ? 1 : 0;
    const sizes = Array<number>(groups).fill(input.shape[axis]! / groups);
    const names = sizes.map((_, group) => `${writer.nameOf(outputs[0]!)}.input${i}.group${group}`);
    writer.emit('Split', [writer.nameOf(input), writer.integers(sizes)], names, { axis });
    return names;
  });
  const results = Array.from({ length: groups }, (_, group) =>
    writer.intermediate(
      'ConvTranspose',
      parts.map((names) => names[group]!),
      attributes,
    ),
  );
  writer.emit('Concat', results, [writer.nameOf(outputs[0]!)], { axis: 1 });
}

export interface ConvTransposeOptions extends WindowOptions {
  readonly bias?: Value;
  /** Default 1. */
  readonly groups?: number;
  /** Rows and columns added at the end, so that an odd size is reached. Default 0. */
  readonly outputPadding?: number | readonly [number, number];
}

/** Transposed convolution of N×C×H×W with C×(O/groups)×kh×kw kernels: H' = (H − 1)·stride − pads + span + padding. */
export function convTranspose(
  image: Value,
  weight: Value,
  { bias, groups = 1, outputPadding = 0, ...options }: ConvTransposeOptions = {},
): Value {
  const padding = typeof outputPadding === 'number' ? ([outputPadding, outputPadding] as const) : outputPadding;
  const attributes = { ...windowFrom(weight.shape.slice(2), options), groups, outputPadding: padding };
  return image.graph.add(CONV_TRANSPOSE, bias ? [image, weight, bias] : [image, weight], attributes)[0]!;
}

export const convTransposeRules: Readonly<Record<string, NodeRule>> = {
  ConvTranspose(node) {
    const [image, weight] = [node.value(0), node.value(1)];
    if (node.text('auto_pad', 'NOTSET') !== 'NOTSET') node.fail('uses auto_pad; export it with explicit pads');
    if (node.ints('output_shape')) node.fail('uses output_shape; export it with explicit pads');
    const padding = (node.ints('output_padding') ?? [0, 0]) as [number, number];
    return convTranspose(image, weight, {
      ...readWindow(node, image.shape, weight.shape.slice(2)),
      groups: node.int('group', 1),
      outputPadding: padding,
      ...(node.has(2) ? { bias: node.value(2) } : {}),
    });
  },
};
