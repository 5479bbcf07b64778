/** The operations, grouped as one looks for them. */
export { add, div, maximum, minimum, mul, pow, scale, sub } from './arithmetic.ts';
export {
  abs,
  clip,
  cos,
  elu,
  erf,
  exp,
  leakyRelu,
  log,
  neg,
  reciprocal,
  relu,
  sigmoid,
  sign,
  sin,
  softplus,
  sqrt,
  square,
  step,
  tanh,
} from './elementwise.ts';
export { gate } from './gate.ts';
export { averagePool, type AveragePoolOptions } from './average-pool.ts';
export { conv, type ConvOptions } from './conv.ts';
export { convTranspose, type ConvTransposeOptions } from './conv-transpose.ts';
export { gemm, matMul } from './matmul.ts';
export { maxPool, type PoolOptions } from './max-pool.ts';
export { resize, type CoordinateMode, type NearestMode, type ResizeMode, type ResizeOptions } from './resize.ts';
export { batchNormalization, instanceNormalization } from './normalization.ts';
export { softmax } from './softmax.ts';
export { globalAveragePool, reduceL2, reduceMean, reduceSum, reduceSumSquare, type ReduceOptions } from './reduce.ts';
export { concat } from './concat.ts';
export { expand } from './expand.ts';
export { pad, type PadMode } from './pad.ts';
export { reshape, squeeze, unsqueeze } from './reshape.ts';
export { flip, slice, sliceAxis, split } from './slice.ts';
export { transpose, transposeMatrix } from './transpose.ts';
