import { describeDifferentiable, type DifferentiableOperation } from './describe-differentiable.ts';

/** The ladder on an operation without kernels: y = x³ · w, with float32 arithmetic in the GPU's place. */
const cube: DifferentiableOperation<{ readonly weight: number }> = {
  name: 'the ladder itself',
  forward: ({ x }, { weight }) => ({ y: x!.map((value) => weight * value ** 3) }),
  backward: ({ x }, { y }, { weight }) => ({ x: x!.map((value, index) => 3 * weight * value ** 2 * y![index]!) }),
  runOnGpu: ({}, { x }, { y }, { weight }) =>
    Promise.resolve({
      outputs: { y: x!.map((value) => weight * value ** 3) },
      gradients: { x: x!.map((value, index) => 3 * weight * value ** 2 * y![index]!) },
    }),
};

describeDifferentiable(cube, [{ name: 'three numbers', inputs: { x: [1, -2, 3] }, setting: { weight: 0.7 } }], {
  hostile: [{ name: 'denormals and no elements', inputs: { x: [1e-41, 0] }, setting: { weight: 1 } }],
});
