export const NETWORK_ADAM_DEFAULTS = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } as const;

export interface AdamSettings {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

/** One update; `step` counts from 1. */
export interface AdamUpdate extends AdamSettings {
  readonly step: number;
  readonly learningRate: number;
  /** Factor on the gradient. */
  readonly gradientScale: number;
}

/**
 * One Adam update (Kingma & Ba 2015) over flat arrays, in place. A gradient element that is not finite counts as zero
 * and is counted in the result.
 */
export function updateAdam(
  weights: Float32Array,
  gradients: Float32Array,
  firstMoments: Float32Array,
  secondMoments: Float32Array,
  { beta1, beta2, epsilon, step, learningRate, gradientScale }: AdamUpdate,
): number {
  const rate = learningRate / (1 - beta1 ** step);
  const correction = 1 / Math.sqrt(1 - beta2 ** step);
  let rejected = 0;
  for (let i = 0; i < weights.length; i++) {
    let gradient = gradients[i]! * gradientScale;
    if (!(Math.abs(gradient) < 1e18)) {
      gradient = 0;
      rejected++;
    }
    const first = beta1 * firstMoments[i]! + (1 - beta1) * gradient;
    const second = beta2 * secondMoments[i]! + (1 - beta2) * gradient * gradient;
    firstMoments[i] = first;
    secondMoments[i] = second;
    weights[i]! -= (rate * first) / (Math.sqrt(second) * correction + epsilon);
  }
  return rejected;
}
