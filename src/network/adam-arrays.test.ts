import { expect, it } from 'vitest';
import { randomNormal } from '../math/random.ts';
import { createAdamArrays } from './adam-arrays.ts';
import { NETWORK_ADAM_DEFAULTS } from './adam.ts';

it('updates as the formulas say in float64, and takes what is not finite for zero', () => {
  const [count, learningRate, gradientScale] = [10, 1e-2, 0.5];
  const { beta1, beta2, epsilon } = NETWORK_ADAM_DEFAULTS;
  const arrays = createAdamArrays(count);
  arrays.weights.forEach((_, i) => (arrays.weights[i] = randomNormal(1, 0, i)));
  const expected = Array.from(arrays.weights, (weight) => ({ weight, first: 0, second: 0 }));
  for (let step = 1; step <= 20; step++) {
    arrays.gradients.forEach((_, i) => (arrays.gradients[i] = randomNormal(1, step, i)));
    arrays.gradients.set([Number.NaN, Infinity], 3);
    arrays.update({ ...NETWORK_ADAM_DEFAULTS, step, learningRate, gradientScale });
    expected.forEach((element, i) => {
      const gradient = Number.isFinite(arrays.gradients[i]!) ? arrays.gradients[i]! * gradientScale : 0;
      element.first = beta1 * element.first + (1 - beta1) * gradient;
      element.second = beta2 * element.second + (1 - beta2) * gradient ** 2;
      const [mean, meanSquare] = [element.first / (1 - beta1 ** step), element.second / (1 - beta2 ** step)];
      element.weight -= (learningRate * mean) / (Math.sqrt(meanSquare) + epsilon);
    });
  }
  expected.forEach(({ weight, first, second }, i) => {
    expect(arrays.weights[i]).toBeCloseTo(weight, 6);
    expect(arrays.firstMoments[i]).toBeCloseTo(first, 6);
    expect(arrays.secondMoments[i]! / (second || 1)).toBeCloseTo(second ? 1 : 0, 3);
  });
});
