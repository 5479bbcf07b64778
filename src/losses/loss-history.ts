import { Ownership, createStorageBuffer, readBytes } from '../gpu/buffer.ts';
import type { Commands } from '../gpu/commands.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { createKernel, type Kernel } from '../gpu/kernel.ts';
import { UniformRing } from '../gpu/uniform-ring.ts';
import sumText from './sum-partials.wgsl?raw';

/**
 * Where each term stands in the 24 floats of a slot. Terms are means as the formulas define them, before their weight;
 * `total` is the weighted sum. `dissimilarity` is 1 − SSIM; `guardedValues` counts colour values of the rendered image
 * that were not usable (NaN, infinite, beyond ±10⁴) and took no part. A term that a step does not enter is 0.
 */
export const LOSS_TERMS = {
  total: 0,
  l1: 4,
  dissimilarity: 5,
  matte: 6,
  guardedValues: 7,
  scaleRatio: 8,
  scaleLimit: 9,
  offset: 10,
  vertexDifference: 12,
  laplacian: 13,
  attributes: 16,
  tilt: 17,
  kept: 18,
  perceptual: 20,
} as const;
export type LossTerm = keyof typeof LOSS_TERMS;
export type LossRecord = Readonly<Record<LossTerm, number>>;

/** The four terms that one kernel's partial sums hold. */
export const LOSS_GROUPS = { photometric: 1, gaussians: 2, vertices: 3, maps: 4, perceptual: 5 } as const;

const SLOT_FLOATS = 24;
const ENTRY_BYTES = 32;
type Binding = 'entry' | 'partials' | 'history';

export interface LossEntry {
  /** Row of the history: the step's number modulo `slotCount`. */
  readonly slot: number;
  readonly group: keyof typeof LOSS_GROUPS;
  /** P vec4f: partial sums of the group's four terms. */
  readonly partials: GPUBuffer;
  readonly partialCount: number;
  /** Weights of the four terms in the total. */
  readonly weights: readonly [number, number, number, number];
  /** True for the first loss of a step (the photometric one): it sets the total and clears the other groups, which then add to it. */
  readonly startsStep: boolean;
}

/** Loss values of every step, kept on the GPU so that the training loop reads nothing back. */
export class LossHistory {
  readonly slotCount: number;
  /** slotCount×24 float32, laid out as `LOSS_TERMS`. */
  readonly buffer: GPUBuffer;
  readonly #gpu: Gpu;
  readonly #kernel: Kernel<Binding>;
  readonly #ring: UniformRing;
  readonly #groups = new Map<number, { partials: GPUBuffer; group: GPUBindGroup }>();
  readonly #owned = new Ownership();

  private constructor(gpu: Gpu, slotCount: number, entriesBetweenSubmits: number, kernel: Kernel<Binding>) {
    this.#gpu = gpu;
    this.slotCount = slotCount;
    this.#kernel = kernel;
    this.buffer = this.#owned.own(createStorageBuffer(gpu, 'loss history', slotCount * SLOT_FLOATS * 4));
    this.#ring = this.#owned.own(new UniformRing(gpu, 'loss history entry', ENTRY_BYTES, entriesBetweenSubmits));
  }

  /** `slotCount`: steps that are kept before the oldest is overwritten. */
  static async create(gpu: Gpu, slotCount: number, entriesBetweenSubmits = 1024): Promise<LossHistory> {
    const kernel = await createKernel(gpu, {
      label: 'sum loss partials',
      files: [{ name: 'src/losses/sum-partials.wgsl', text: sumText }],
      bindings: { entry: 'uniform', partials: 'read', history: 'readWrite' },
    });
    return new LossHistory(gpu, slotCount, entriesBetweenSubmits, kernel);
  }

  /** Prepares entering one loss's partial sums; call the result inside a pass, after the kernel that wrote them. */
  prepare(commands: Commands, entry: LossEntry): (pass: GPUComputePassEncoder) => void {
    if (!(entry.slot >= 0 && entry.slot < this.slotCount)) {
      throw new RangeError(
        `loss history: slot ${entry.slot} is outside 0…${this.slotCount - 1}; take the step modulo slotCount`,
      );
    }
    const words = new Uint32Array(ENTRY_BYTES / 4);
    new Float32Array(words.buffer).set(entry.weights);
    words.set([entry.partialCount, entry.slot, LOSS_GROUPS[entry.group], entry.startsStep ? 1 : 0], 4);
    const ringSlot = this.#ring.write(commands, words);
    let kept = this.#groups.get(ringSlot);
    if (kept?.partials !== entry.partials) {
      const group = this.#kernel.bind({
        entry: this.#ring.binding(ringSlot),
        partials: entry.partials,
        history: this.buffer,
      });
      kept = { partials: entry.partials, group };
      this.#groups.set(ringSlot, kept);
    }
    const { group } = kept;
    return (pass) => this.#kernel.dispatch(pass, group, 1);
  }

  /** Reads `count` slots from `first`. For progress reports between submits, not inside the loop. */
  async read(first = 0, count = this.slotCount - first): Promise<LossRecord[]> {
    const bytes = await readBytes(this.#gpu, this.buffer, first * SLOT_FLOATS * 4, count * SLOT_FLOATS * 4);
    const floats = new Float32Array(bytes);
    return Array.from({ length: count }, (_, slot) => {
      const terms = Object.entries(LOSS_TERMS).map(([term, place]) => [term, floats[slot * SLOT_FLOATS + place]!]);
      return Object.fromEntries(terms) as LossRecord;
    });
  }

  dispose(): void {
    this.#owned.destroy();
  }
}
