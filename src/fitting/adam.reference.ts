/** One element's state in the reference optimiser. */
export interface AdamState {
  readonly parameters: Float64Array;
  readonly first: Float64Array;
  readonly second: Float64Array;
}

export interface AdamReferenceOptions {
  readonly learningRate: number;
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
}

/** Adam in float64 (Kingma & Ba 2015, algorithm 1). `step` counts from 1. Changes `state`. */
export function adamReference(
  state: AdamState,
  gradients: ArrayLike<number>,
  step: number,
  { learningRate, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-15 }: AdamReferenceOptions,
): void {
  for (let element = 0; element < state.parameters.length; element++) {
    const gradient = gradients[element]!;
    state.first[element] = beta1 * state.first[element]! + (1 - beta1) * gradient;
    state.second[element] = beta2 * state.second[element]! + (1 - beta2) * gradient ** 2;
    const first = state.first[element]! / (1 - beta1 ** step);
    const second = state.second[element]! / (1 - beta2 ** step);
    state.parameters[element]! -= (learningRate * first) / (Math.sqrt(second) + epsilon);
  }
}
