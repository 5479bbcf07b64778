import { Ownership, createStorageBuffer, readUints } from '../gpu/buffer.ts';
import type { Commands } from '../gpu/commands.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { createKernel, type Kernel } from '../gpu/kernel.ts';
import { UniformRing } from '../gpu/uniform-ring.ts';
import adamText from './adam.wgsl?raw';

export const ADAM_DEFAULTS = { beta1: 0.9, beta2: 0.999, epsilon: 1e-15 } as const;

export interface AdamOptions {
  readonly label: string;
  /** R×stride float32, updated in place. */
  readonly parameters: GPUBuffer;
  /** Laid out like `parameters`; or, with `gradientsOfOneRecord`, the stride floats of the record being stepped. */
  readonly gradients: GPUBuffer;
  readonly gradientsOfOneRecord?: boolean;
  /** Floats per record (a Gaussian, a vertex, a frame). Default 1. */
  readonly stride?: number;
  /** A uint32 on the GPU: records in use; those behind it stay untouched. Default: the whole buffer. */
  readonly count?: GPUBuffer;
  /** Unit: that of the parameter, per step. */
  readonly learningRate: number;
  /** Factor on the rate for each of the stride elements of a record; 0 holds one still. Default all 1. */
  readonly rateFactors?: Float32Array;
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
  /** Steps that may be recorded between two submits. Default 256. */
  readonly slotCount?: number;
}

export interface AdamStepOptions {
  /** Number of this update, from 1; for a single record, the number of updates of that record. */
  readonly step: number;
  /** Overrides the rate (schedules). */
  readonly learningRate?: number;
  /** Multiplies the gradient first: 1/K after K summed frames. Default 1. */
  readonly gradientScale?: number;
  /** Update this record alone (the pose of one frame). */
  readonly record?: number;
}

/** Adam over one parameter buffer. A gradient element that is NaN, infinite or beyond 2⁶⁰ counts as zero. */
export interface Adam {
  readonly label: string;
  /** R×stride×2 float32: (mean, mean square) of the gradient per element. Checkpoints save it, densification moves it. */
  readonly moments: GPUBuffer;
  readonly parameters: GPUBuffer;
  readonly stride: number;
  /** Records one update as a pass of its own. */
  step(commands: Commands, options: AdamStepOptions): void;
  /** The same in two halves, so that several updates share a pass: call the result inside one. */
  prepare(commands: Commands, options: AdamStepOptions): (pass: GPUComputePassEncoder) => void;
  /** Gradient elements that were not usable so far. Reads back: for the end of a stage. */
  readRejected(): Promise<number>;
  dispose(): void;
}

const BINDINGS = {
  adam: 'uniform',
  parameters: 'readWrite',
  gradients: 'read',
  moments: 'readWrite',
  count: 'read',
  rateFactors: 'read',
  rejected: 'readWrite',
} as const;
type Binding = keyof typeof BINDINGS;
const STEP_BYTES = 48;
const GROUP_WIDTH = 64;
/** 786k elements on lavapipe: 2.9 ms with one per invocation, 1.6 with 16, 1.5 with 64. A GPU wants more invocations. */
const ELEMENTS_PER_INVOCATION = { software: 64, hardware: 4 };
const elementsPerInvocation = (gpu: Gpu): number =>
  gpu.adapter.isSoftware ? ELEMENTS_PER_INVOCATION.software : ELEMENTS_PER_INVOCATION.hardware;

/** Without and with rate factors. */
type Kernels = [Promise<Kernel<Binding>>?, Promise<Kernel<Binding>>?];
const kernels = new WeakMap<Gpu, Kernels>();

function kernelOf(gpu: Gpu, hasRateFactors: boolean): Promise<Kernel<Binding>> {
  const known: Kernels = kernels.get(gpu) ?? [];
  kernels.set(gpu, known);
  return (known[Number(hasRateFactors)] ??= createKernel(gpu, {
    label: 'adam',
    files: [{ name: 'src/fitting/adam.wgsl', text: adamText }],
    bindings: BINDINGS,
    constants: {
      groupWidth: GROUP_WIDTH,
      elementsPerInvocation: elementsPerInvocation(gpu),
      hasRateFactors: Number(hasRateFactors),
    },
  }));
}

/** Records updates of several parameter buffers as one pass. They must not share a buffer. */
export function stepTogether(
  commands: Commands,
  label: string,
  updates: readonly (readonly [Adam, AdamStepOptions])[],
): void {
  const recorders = updates.map(([adam, options]) => adam.prepare(commands, options));
  commands.pass(label, (pass) => {
    for (const record of recorders) record(pass);
  });
}

/** Prepares Adam for one parameter buffer, with zero moments. */
export async function createAdam(gpu: Gpu, options: AdamOptions): Promise<Adam> {
  const { label, parameters, stride = 1, rateFactors, gradients } = options;
  if (rateFactors && rateFactors.length !== stride) {
    throw new RangeError(
      `adam "${label}": rateFactors has ${rateFactors.length} elements; give one per float of a record (${stride})`,
    );
  }
  if (!options.gradientsOfOneRecord && gradients.size < parameters.size) {
    throw new RangeError(
      `adam "${label}": gradients has ${gradients.size} bytes, parameters ${parameters.size}; they must match, or set gradientsOfOneRecord`,
    );
  }
  return new GpuAdam(gpu, options, await kernelOf(gpu, rateFactors !== undefined));
}

class GpuAdam implements Adam {
  readonly label: string;
  readonly moments: GPUBuffer;
  readonly parameters: GPUBuffer;
  readonly stride: number;
  readonly #gpu: Gpu;
  readonly #options: AdamOptions;
  readonly #kernel: Kernel<Binding>;
  readonly #recordCount: number;
  readonly #buffers: Record<Exclude<Binding, 'adam'>, GPUBuffer>;
  readonly #ring: UniformRing;
  readonly #groups: GPUBindGroup[] = [];
  readonly #owned = new Ownership();

  constructor(gpu: Gpu, options: AdamOptions, kernel: Kernel<Binding>) {
    const { label, parameters, gradients, stride = 1, count, rateFactors, slotCount } = options;
    this.#gpu = gpu;
    this.#options = options;
    this.#kernel = kernel;
    this.label = label;
    this.parameters = parameters;
    this.stride = stride;
    this.#recordCount = Math.floor(parameters.size / 4 / stride);
    const own = (name: string, content: Parameters<typeof createStorageBuffer>[2]): GPUBuffer =>
      this.#owned.own(createStorageBuffer(gpu, `adam ${label} ${name}`, content));
    this.moments = own('moments', parameters.size * 2);
    this.#buffers = {
      parameters,
      gradients,
      moments: this.moments,
      count: count ?? own('count', new Uint32Array([0xffffffff])),
      rateFactors: own('rate factors', rateFactors ?? new Float32Array([1])),
      rejected: own('rejected', 4),
    };
    this.#ring = this.#owned.own(new UniformRing(gpu, `adam ${label} step`, STEP_BYTES, slotCount));
  }

  step(commands: Commands, options: AdamStepOptions): void {
    commands.pass(`adam ${this.label}`, this.prepare(commands, options));
  }

  prepare(commands: Commands, options: AdamStepOptions): (pass: GPUComputePassEncoder) => void {
    const { step, record } = options;
    if (!(step >= 1)) throw new RangeError(`adam "${this.label}": step is ${step}; updates count from 1`);
    if (record !== undefined && !(record >= 0 && record < this.#recordCount)) {
      throw new RangeError(`adam "${this.label}": record ${record} is outside 0…${this.#recordCount - 1}`);
    }
    const recordLimit = record === undefined ? this.#recordCount : 1;
    const slot = this.#ring.write(commands, this.#stepValues(options, recordLimit));
    const group = (this.#groups[slot] ??= this.#kernel.bind({ ...this.#buffers, adam: this.#ring.binding(slot) }));
    const width = Math.ceil((recordLimit * this.stride) / (GROUP_WIDTH * elementsPerInvocation(this.#gpu)));
    return (pass) => this.#kernel.dispatch(pass, group, width);
  }

  async readRejected(): Promise<number> {
    return (await readUints(this.#gpu, this.#buffers.rejected, 1))[0]!;
  }

  dispose(): void {
    this.#owned.destroy();
  }

  #stepValues({ step, learningRate, gradientScale = 1, record }: AdamStepOptions, recordLimit: number): Uint32Array {
    const { epsilon = ADAM_DEFAULTS.epsilon } = this.#options;
    // The decays as the kernel sees them: 1 − β2 in float32 is off by 5e-5, and the correction must be off alike.
    const beta1 = Math.fround(this.#options.beta1 ?? ADAM_DEFAULTS.beta1);
    const beta2 = Math.fround(this.#options.beta2 ?? ADAM_DEFAULTS.beta2);
    const rate = learningRate ?? this.#options.learningRate;
    const base = (record ?? 0) * this.stride;
    const words = new Uint32Array(STEP_BYTES / 4);
    words.set([base, this.#options.gradientsOfOneRecord ? 0 : base, recordLimit, this.stride]);
    const floats = new Float32Array(words.buffer);
    floats.set([rate / (1 - beta1 ** step), 1 / Math.sqrt(1 - beta2 ** step), gradientScale, epsilon, beta1, beta2], 4);
    return words;
  }
}
