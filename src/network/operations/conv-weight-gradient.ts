import type { Value } from '../graph.ts';
import { concat } from './concat.ts';
import type { ConvAttributes } from './conv.ts';
import { gemm, matMul } from './matmul.ts';
import { padZero } from './pad.ts';
import { reduceSum } from './reduce.ts';
import { reshape } from './reshape.ts';
import { slice } from './slice.ts';
import { transposeMatrix } from './transpose.ts';
import { offsetsOf } from './window.ts';

/**
 * ∂loss/∂kernels of a convolution: for each element of the window, the image shifted by it times the gradient, summed
 * over all places. A matrix product per element.
 *
 * `image` is N×C×H×W, `gradient` N×O×rows×columns; the result O×(C/groups)×kh×kw.
 */
export function convWeightGradient(image: Value, gradient: Value, attributes: ConvAttributes): Value {
  const { kernel, strides, pads, groups } = attributes;
  const [count, outputs, rows, columns] = gradient.shape as [number, number, number, number];
  const channels = image.shape[1]!;
  const places = rows * columns;
  const padded = padZero(image, [0, 0, pads[0], pads[1]], [0, 0, pads[2], pads[3]]);
  const isPlain = count === 1 && groups === 1;
  const left = reshape(gradient, isPlain ? [outputs, places] : [count, groups, outputs / groups, places]);
  const products = offsetsOf(attributes).map(([row, column]) => {
    const shifted = slice(
      padded,
      [0, 0, row, column],
      [count, channels, rows, columns],
      [1, 1, strides[0], strides[1]],
    );
    if (isPlain) return reshape(gemm(left, reshape(shifted, [channels, places]), false, true), [outputs, channels, 1]);
    const right = reshape(shifted, [count, groups, channels / groups, places]);
    const product = reduceSum(matMul(left, transposeMatrix(right)), { axes: [0] });
    return reshape(product, [outputs, channels / groups, 1]);
  });
  return reshape(concat(products, 2), [outputs, channels / groups, kernel[0], kernel[1]]);
}
