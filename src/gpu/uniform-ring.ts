import { createUniformBuffer, writeBuffer } from './buffer.ts';
import type { Commands } from './commands.ts';
import type { Gpu } from './gpu.ts';

/**
 * Small values that change with every training step, when many steps are recorded into one submit: each use gets its
 * own slot of one uniform buffer, so that the write for a later step does not overtake an earlier one. Bind groups can
 * be kept per slot.
 */
export class UniformRing {
  readonly slotCount: number;
  readonly #gpu: Gpu;
  readonly #buffer: GPUBuffer;
  readonly #slotBytes: number;
  readonly #alignment: number;
  #next = 0;
  #encoder: GPUCommandEncoder | null = null;
  #usedByEncoder = 0;

  /** `slotBytes` is the size of the WGSL struct; `slotCount` the most uses between two submits. */
  constructor(gpu: Gpu, label: string, slotBytes: number, slotCount = 256) {
    this.#gpu = gpu;
    this.slotCount = slotCount;
    this.#slotBytes = Math.ceil(slotBytes / 16) * 16;
    const alignment = gpu.device.limits.minUniformBufferOffsetAlignment;
    this.#alignment = Math.ceil(this.#slotBytes / alignment) * alignment;
    this.#buffer = createUniformBuffer(gpu, label, this.#alignment * slotCount);
  }

  /** Writes `content` for commands about to be recorded and returns its slot. */
  write(commands: Commands, content: Float32Array | Uint32Array): number {
    if (commands.encoder !== this.#encoder) {
      this.#encoder = commands.encoder;
      this.#usedByEncoder = 0;
    }
    if (++this.#usedByEncoder > this.slotCount) {
      throw new RangeError(
        `"${this.#buffer.label}" holds ${this.slotCount} uses between two submits. Submit more often, or make it larger.`,
      );
    }
    const slot = this.#next;
    this.#next = (slot + 1) % this.slotCount;
    writeBuffer(this.#gpu, this.#buffer, content, slot * this.#alignment);
    return slot;
  }

  binding(slot: number): GPUBufferBinding {
    return { buffer: this.#buffer, offset: slot * this.#alignment, size: this.#slotBytes };
  }

  destroy(): void {
    this.#buffer.destroy();
  }
}
