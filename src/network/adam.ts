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

/** What an update in float32 computes with (Kingma & Ba 2015); a gradient element that is not finite counts as zero. */
export interface AdamNumbers {
  readonly decay1: number;
  readonly decay2: number;
  /** Learning rate over the first moment's bias. */
  readonly rate: number;
  /** Factor on the root of the second moment. */
  readonly correction: number;
}

export function adamNumbers({ beta1, beta2, step, learningRate }: AdamUpdate): AdamNumbers {
  // As float32 has them: 1 − β2 is off by 5e-5 there, and the corrections must be off alike.
  const [decay1, decay2] = [Math.fround(beta1), Math.fround(beta2)];
  return {
    decay1,
    decay2,
    rate: learningRate / (1 - decay1 ** step),
    correction: 1 / Math.sqrt(1 - decay2 ** step),
  };
}
