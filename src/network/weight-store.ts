import { createAdamArrays, type AdamArrays } from './adam-arrays.ts';
import type { AdamUpdate } from './adam.ts';
import { sizeOf, type Shape, type Value } from './graph.ts';
import type { NetworkRuntime, TensorData } from './runtime.ts';
import { DeviceWeights } from './device-weights.ts';

/** Where a weight lies in the flat arrays. */
export interface WeightSlot {
  readonly name: string;
  readonly shape: Shape;
  /** In elements. */
  readonly offset: number;
  /** Elements. */
  readonly size: number;
}

/** All that training needs to go on: three arrays laid out by `TrainableNetwork.slots`, and the number of updates. */
export interface NetworkState {
  readonly weights: Float32Array;
  /** Running mean of the gradient. */
  readonly firstMoments: Float32Array;
  /** Running mean of the gradient's square. */
  readonly secondMoments: Float32Array;
  readonly stepCount: number;
}

export type WeightArrays = Omit<NetworkState, 'stepCount'>;

/** Weights, gradients and moments, each one flat array where the runtime computes, and Adam over them. */
export interface WeightStore {
  readonly slots: readonly WeightSlot[];
  readonly count: number;
  /** The weights as tensors, by name. Views: valid until the next update. */
  weights(): Readonly<Record<string, TensorData>>;
  /** Where a backward run is to write each weight's gradient, by the port's name. */
  gradientTargets(ports: ReadonlyMap<string, string>): Readonly<Record<string, TensorData>>;
  update(update: AdamUpdate): void;
  readGradients(): Promise<Float32Array>;
  save(): Promise<WeightArrays>;
  load(state: WeightArrays): void;
  dispose(): void;
}

export async function createWeightStore(
  runtime: NetworkRuntime,
  starts: readonly { readonly weight: Value; readonly start: Float32Array }[],
): Promise<WeightStore> {
  let offset = 0;
  const slots = starts.map(({ weight }): WeightSlot => {
    const size = sizeOf(weight.shape);
    const slot = { name: weight.name, shape: weight.shape, offset, size };
    offset += size;
    return slot;
  });
  const values = new Float32Array(offset);
  starts.forEach(({ start }, i) => values.set(start, slots[i]!.offset));
  return runtime.home === 'memory'
    ? new MemoryWeights(slots, values)
    : DeviceWeights.create(runtime.gpu!, slots, values);
}

/** Throws `RangeError` when the arrays are not of this many weights. */
export function checkState(state: WeightArrays, count: number): void {
  for (const name of ['weights', 'firstMoments', 'secondMoments'] as const) {
    if (state[name].length !== count) {
      throw new RangeError(
        `the saved ${name} have ${state[name].length} values, this network ${count}: they are of another network.`,
      );
    }
  }
}

class MemoryWeights implements WeightStore {
  readonly slots: readonly WeightSlot[];
  readonly count: number;
  readonly #arrays: AdamArrays;

  constructor(slots: readonly WeightSlot[], values: Float32Array) {
    this.slots = slots;
    this.count = values.length;
    this.#arrays = createAdamArrays(values.length);
    this.#arrays.weights.set(values);
  }

  weights(): Readonly<Record<string, TensorData>> {
    return Object.fromEntries(this.slots.map((slot) => [slot.name, part(this.#arrays.weights, slot)]));
  }

  gradientTargets(ports: ReadonlyMap<string, string>): Readonly<Record<string, TensorData>> {
    return Object.fromEntries(this.slots.map((slot) => [ports.get(slot.name)!, part(this.#arrays.gradients, slot)]));
  }

  update(update: AdamUpdate): void {
    this.#arrays.update(update);
  }

  readGradients(): Promise<Float32Array> {
    return Promise.resolve(this.#arrays.gradients.slice());
  }

  save(): Promise<WeightArrays> {
    const { weights, firstMoments, secondMoments } = this.#arrays;
    return Promise.resolve({
      weights: weights.slice(),
      firstMoments: firstMoments.slice(),
      secondMoments: secondMoments.slice(),
    });
  }

  load(state: WeightArrays): void {
    checkState(state, this.count);
    this.#arrays.weights.set(state.weights);
    this.#arrays.firstMoments.set(state.firstMoments);
    this.#arrays.secondMoments.set(state.secondMoments);
  }

  dispose(): void {
    // Memory is the collector's.
  }
}

const part = (array: Float32Array, { offset, size }: WeightSlot): Float32Array => array.subarray(offset, offset + size);
