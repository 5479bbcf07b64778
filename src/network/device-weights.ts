import { Ownership, createStorageBuffer, createUniformBuffer, readFloats, writeBuffer } from '../gpu/buffer.ts';
import { Commands } from '../gpu/commands.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { createKernel, type Kernel } from '../gpu/kernel.ts';
import { adamNumbers, type AdamUpdate } from './adam.ts';
import adamText from './adam.wgsl?raw';
import type { TensorData } from './runtime.ts';
import { checkState, type WeightArrays, type WeightSlot, type WeightStore } from './weight-store.ts';

const BINDINGS = {
  adam: 'uniform',
  weights: 'readWrite',
  gradients: 'read',
  firstMoments: 'readWrite',
  secondMoments: 'readWrite',
} as const;
type Flat = Exclude<keyof typeof BINDINGS, 'adam'>;
const FLAT: readonly Flat[] = ['weights', 'gradients', 'firstMoments', 'secondMoments'];
const GROUP_WIDTH = 64;
const LARGEST_GROUP_COUNT = 4096;

/**
 * Weights on our own device. ONNX Runtime binds whole buffers, so each weight and each gradient has a buffer of its own
 * beside the flat ones that Adam works on; copies between them stay on the device.
 */
export class DeviceWeights implements WeightStore {
  readonly slots: readonly WeightSlot[];
  readonly count: number;
  readonly #gpu: Gpu;
  readonly #kernel: Kernel<keyof typeof BINDINGS>;
  readonly #owned = new Ownership();
  readonly #flat: Record<Flat, GPUBuffer>;
  readonly #uniforms: GPUBuffer;
  readonly #weights: Record<string, GPUBuffer>;
  readonly #gradients: Record<string, GPUBuffer>;

  static async create(gpu: Gpu, slots: readonly WeightSlot[], values: Float32Array): Promise<DeviceWeights> {
    const kernel = await createKernel(gpu, {
      label: 'network adam',
      files: [{ name: 'src/network/adam.wgsl', text: adamText }],
      bindings: BINDINGS,
    });
    return new DeviceWeights(gpu, kernel, slots, values);
  }

  private constructor(
    gpu: Gpu,
    kernel: Kernel<keyof typeof BINDINGS>,
    slots: readonly WeightSlot[],
    values: Float32Array,
  ) {
    this.slots = slots;
    this.count = values.length;
    this.#gpu = gpu;
    this.#kernel = kernel;
    const own = (label: string, size: number): GPUBuffer =>
      this.#owned.own(createStorageBuffer(gpu, `network ${label}`, size * 4));
    const perSlot = (kind: string): Record<string, GPUBuffer> =>
      Object.fromEntries(slots.map(({ name, size }) => [name, own(`${kind} ${name}`, size)]));
    this.#flat = Object.fromEntries(FLAT.map((name) => [name, own(name, values.length)])) as Record<Flat, GPUBuffer>;
    this.#weights = perSlot('weight');
    this.#gradients = perSlot('gradient');
    this.#uniforms = this.#owned.own(createUniformBuffer(gpu, 'network adam', 32));
    const zeros = new Float32Array(values.length);
    this.load({ weights: values, firstMoments: zeros, secondMoments: zeros });
  }

  weights(): Readonly<Record<string, TensorData>> {
    return this.#weights;
  }

  gradientTargets(ports: ReadonlyMap<string, string>): Readonly<Record<string, TensorData>> {
    return Object.fromEntries(this.slots.map(({ name }) => [ports.get(name)!, this.#gradients[name]!]));
  }

  update(update: AdamUpdate): void {
    const groups = Math.min(LARGEST_GROUP_COUNT, Math.ceil(this.count / GROUP_WIDTH));
    const words = new Uint32Array(8);
    words.set([this.count, groups * GROUP_WIDTH]);
    const { rate, correction, decay1, decay2 } = adamNumbers(update);
    new Float32Array(words.buffer).set([rate, correction, decay1, decay2, update.epsilon, update.gradientScale], 2);
    writeBuffer(this.#gpu, this.#uniforms, words);
    const commands = new Commands(this.#gpu);
    this.#gather(commands);
    const group = this.#kernel.bind({ ...this.#flat, adam: this.#uniforms });
    commands.pass('network adam', (pass) => this.#kernel.dispatch(pass, group, groups));
    this.#scatter(commands);
    commands.submit();
  }

  async readGradients(): Promise<Float32Array> {
    const commands = new Commands(this.#gpu);
    this.#gather(commands);
    commands.submit();
    return this.#read('gradients');
  }

  async save(): Promise<WeightArrays> {
    return {
      weights: await this.#read('weights'),
      firstMoments: await this.#read('firstMoments'),
      secondMoments: await this.#read('secondMoments'),
    };
  }

  load(state: WeightArrays): void {
    checkState(state, this.count);
    for (const name of ['weights', 'firstMoments', 'secondMoments'] as const) {
      writeBuffer(this.#gpu, this.#flat[name], state[name]);
    }
    const commands = new Commands(this.#gpu);
    this.#scatter(commands);
    commands.submit();
  }

  dispose(): void {
    this.#owned.destroy();
  }

  /** Gradients of the single weights into the flat buffer. */
  #gather(commands: Commands): void {
    for (const { name, offset, size } of this.slots) {
      commands.copy(this.#gradients[name]!, 0, this.#flat.gradients, offset * 4, size * 4);
    }
  }

  /** The flat weights into the buffers of the single ones. */
  #scatter(commands: Commands): void {
    for (const { name, offset, size } of this.slots) {
      commands.copy(this.#flat.weights, offset * 4, this.#weights[name]!, 0, size * 4);
    }
  }

  #read(name: Flat): Promise<Float32Array> {
    return readFloats(this.#gpu, this.#flat[name], this.count);
  }
}
