import { NETWORK_ADAM_DEFAULTS, type AdamSettings } from './adam.ts';
import type { Value } from './graph.ts';
import { initialWeights } from './initial-weights.ts';
import { NetworkError, type NetworkRuntime, type NetworkSession, type TensorData } from './runtime.ts';
import { TensorTransfer, type NamedTensors } from './tensor-transfer.ts';
import { gradientPort, planTraining, type TrainingPlan } from './training-plan.ts';
import { createWeightStore, type NetworkState, type WeightSlot, type WeightStore } from './weight-store.ts';

export interface TrainableNetworkOptions {
  /** What `forward` gives, by name. */
  readonly outputs: Readonly<Record<string, Value>>;
  /** Seed of the weights that are drawn. Default 0. */
  readonly seed?: number;
  /** Graph inputs whose gradient `backward` gives as well. Default none. */
  readonly inputGradients?: readonly Value[];
  /** Decay of the gradient's running mean. Default 0.9. */
  readonly beta1?: number;
  /** Decay of the gradient's running mean square. Default 0.999. */
  readonly beta2?: number;
  /** Default 1e-8. */
  readonly epsilon?: number;
}

export interface StepOptions {
  readonly learningRate: number;
  /** Factor on the gradient first: 1/K after K summed frames. Default 1. */
  readonly gradientScale?: number;
}

/**
 * A network in training: a forward session that also gives the activations which the backward session needs, the
 * backward session, and Adam over one flat array of weights. One call at a time, in the order forward → backward → step;
 * `forward` may be called alone.
 */
export interface TrainableNetwork {
  readonly slots: readonly WeightSlot[];
  readonly weightCount: number;
  /** Updates done so far. */
  readonly stepCount: number;
  /**
   * Computes the outputs and keeps what `backward` needs. Outputs named in `into` are written there (an array, or a
   * buffer of `runtime.gpu`) and returned as given; the others are new arrays.
   */
  forward(inputs: NamedTensors, into?: NamedTensors): Promise<Record<string, TensorData>>;
  /**
   * From ∂loss/∂output of every output, by the outputs' names, to ∂loss/∂weight (kept for `step`) and to the gradients
   * of `inputGradients`, which are returned by the inputs' names, or written into `into`. Belongs to the last `forward`,
   * whose inputs must still hold the same values.
   */
  backward(outputGradients: NamedTensors, into?: NamedTensors): Promise<Record<string, TensorData>>;
  /** One Adam update with the gradients of the last `backward`. */
  step(options: StepOptions): Promise<void>;
  /** ∂loss/∂weight of the last `backward`, laid out by `slots`. A copy. */
  gradients(): Promise<Float32Array>;
  /** A copy of weights and moments, for checkpoints. */
  save(): Promise<NetworkState>;
  /** Goes on from a saved state. Throws `RangeError` when it is of another network. */
  load(state: NetworkState): Promise<void>;
  dispose(): Promise<void>;
}

/** Builds both sessions and draws the weights. The graph grows by its gradient. */
export async function createTrainableNetwork(
  runtime: NetworkRuntime,
  { outputs, seed = 0, inputGradients = [], ...adam }: TrainableNetworkOptions,
): Promise<TrainableNetwork> {
  const graphWeights = Object.values(outputs)[0]?.graph.weights ?? [];
  const starts = initialWeights(graphWeights, seed);
  const plan = planTraining(outputs, inputGradients);
  if (plan.weights.length === 0) {
    throw new NetworkError('the outputs depend on no weight: there is nothing to train; use compileGraph.');
  }
  const forward = await runtime.createSession(plan.forward);
  const backward = await runtime.createSession(plan.backward);
  const store = await createWeightStore(
    runtime,
    plan.weights.map((weight) => ({ weight, start: starts.get(weight)! })),
  );
  const settings = { ...NETWORK_ADAM_DEFAULTS, ...adam };
  return new SessionPair(runtime, plan, { forward, backward }, store, settings, inputGradients);
}

class SessionPair implements TrainableNetwork {
  readonly slots: readonly WeightSlot[];
  readonly weightCount: number;
  readonly #plan: TrainingPlan;
  readonly #sessions: { readonly forward: NetworkSession; readonly backward: NetworkSession };
  readonly #store: WeightStore;
  readonly #adam: AdamSettings;
  readonly #transfers: { readonly forward: TensorTransfer; readonly backward: TensorTransfer };
  readonly #inputGradientPorts: ReadonlyMap<string, string>;
  /** What the last `forward` was fed and what it left, at home. */
  #last: Readonly<Record<string, TensorData>> | null = null;
  #hasGradients = false;
  #stepCount = 0;

  constructor(
    runtime: NetworkRuntime,
    plan: TrainingPlan,
    sessions: { readonly forward: NetworkSession; readonly backward: NetworkSession },
    store: WeightStore,
    adam: AdamSettings,
    inputGradients: readonly Value[],
  ) {
    this.#plan = plan;
    this.#sessions = sessions;
    this.#store = store;
    this.#adam = adam;
    this.#transfers = { forward: new TensorTransfer(runtime), backward: new TensorTransfer(runtime) };
    this.#inputGradientPorts = new Map(inputGradients.map(({ name }) => [name, plan.gradientPorts.get(name)!]));
    this.slots = store.slots;
    this.weightCount = store.count;
  }

  get stepCount(): number {
    return this.#stepCount;
  }

  async forward(inputs: NamedTensors, into: NamedTensors = {}): Promise<Record<string, TensorData>> {
    const { forward: transfer } = this.#transfers;
    const { inputs: ports, outputs } = this.#plan.forward;
    const weights = this.#store.weights();
    const feeds = await transfer.feeds(ports, { ...inputs, ...weights });
    const results = transfer.targets(outputs);
    this.#last = null;
    await this.#sessions.forward.run(feeds, results);
    this.#last = { ...feeds, ...results };
    return transfer.deliver(outputs, results, this.#plan.outputPorts, into);
  }

  async backward(outputGradients: NamedTensors, into: NamedTensors = {}): Promise<Record<string, TensorData>> {
    if (!this.#last)
      throw new NetworkError('backward was called before forward; run forward with the same weights first.');
    const { backward: transfer } = this.#transfers;
    const { inputs: ports, outputs } = this.#plan.backward;
    const given = Object.fromEntries(
      Object.entries(outputGradients).map(([name, gradient]) => [gradientPort(name), gradient]),
    );
    const feeds = await transfer.feeds(ports, { ...this.#last, ...given });
    const ofWeights = this.#store.gradientTargets(this.#plan.gradientPorts);
    const others = outputs.filter(({ name }) => !(name in ofWeights));
    const results: Record<string, TensorData> = { ...transfer.targets(others), ...ofWeights };
    this.#hasGradients = false;
    await this.#sessions.backward.run(feeds, results);
    this.#hasGradients = true;
    return transfer.deliver(outputs, results, this.#inputGradientPorts, into);
  }

  async step({ learningRate, gradientScale = 1 }: StepOptions): Promise<void> {
    if (!this.#hasGradients) throw new NetworkError('step was called without gradients; run backward first.');
    this.#stepCount++;
    this.#store.update({ ...this.#adam, step: this.#stepCount, learningRate, gradientScale });
    // Activations and gradients belong to the weights as they were.
    this.#last = null;
    this.#hasGradients = false;
  }

  gradients(): Promise<Float32Array> {
    return this.#store.readGradients();
  }

  async save(): Promise<NetworkState> {
    return { ...(await this.#store.save()), stepCount: this.#stepCount };
  }

  async load(state: NetworkState): Promise<void> {
    this.#store.load(state);
    this.#stepCount = state.stepCount;
    this.#last = null;
    this.#hasGradients = false;
  }

  async dispose(): Promise<void> {
    this.#store.dispose();
    this.#transfers.forward.dispose();
    this.#transfers.backward.dispose();
    await this.#sessions.forward.dispose();
    await this.#sessions.backward.dispose();
  }
}
