import type { Shape, Value } from './graph.ts';
import type { NetworkRuntime, TensorData } from './runtime.ts';

export interface TrainableNetworkOptions {
  /** What `forward` gives, by name. */
  readonly outputs: Readonly<Record<string, Value>>;
  /** Seed of the weights that are drawn. Default 0. */
  readonly seed?: number;
  /** Graph inputs whose gradient `backward` gives as well. Default none. */
  readonly inputGradients?: readonly Value[];
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
}

/** Where a weight lies in the flat arrays. */
export interface WeightSlot {
  readonly name: string;
  readonly shape: Shape;
  /** In elements. */
  readonly offset: number;
}

/** All that training needs to go on: three arrays laid out by `TrainableNetwork.slots`, and the number of steps. */
export interface NetworkState {
  readonly weights: Float32Array;
  /** Running mean of the gradient. */
  readonly firstMoments: Float32Array;
  /** Running mean of the gradient's square. */
  readonly secondMoments: Float32Array;
  readonly stepCount: number;
}

/**
 * A network in training: one forward session that also keeps the activations which the backward session needs, the
 * backward session, and Adam over one flat array of weights. One call at a time; the order is
 * forward → backward → step, and `forward` may be called alone.
 */
export interface TrainableNetwork {
  readonly slots: readonly WeightSlot[];
  readonly weightCount: number;
  /** Steps done so far. */
  readonly stepCount: number;
  /**
   * Computes the outputs and keeps what `backward` needs. Outputs named in `into` are written there (an array, or a
   * buffer of `runtime.gpu`); the others are new arrays.
   */
  forward(
    inputs: Readonly<Record<string, TensorData>>,
    into?: Readonly<Record<string, TensorData>>,
  ): Promise<Record<string, TensorData>>;
  /**
   * From ∂loss/∂output of every output to ∂loss/∂weight (kept for `step`) and to the gradients of `inputGradients`,
   * which are given back by the inputs' names, or written into `into`. Belongs to the last `forward`.
   */
  backward(
    outputGradients: Readonly<Record<string, TensorData>>,
    into?: Readonly<Record<string, TensorData>>,
  ): Promise<Record<string, TensorData>>;
  /** One Adam update with the gradients of the last `backward`, times `gradientScale` (default 1). */
  step(options: { readonly learningRate: number; readonly gradientScale?: number }): Promise<void>;
  /** ∂loss/∂weight of the last `backward`, laid out by `slots`. A copy. */
  gradients(): Promise<Float32Array>;
  /** A copy of weights and moments, for checkpoints. */
  save(): Promise<NetworkState>;
  /** Goes on from a saved state. Throws `RangeError` when it is of another network. */
  load(state: NetworkState): Promise<void>;
  dispose(): Promise<void>;
}

export declare function createTrainableNetwork(
  runtime: NetworkRuntime,
  options: TrainableNetworkOptions,
): Promise<TrainableNetwork>;
