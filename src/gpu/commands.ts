import type { Gpu } from './gpu.ts';
import { readBytes } from './buffer.ts';

/**
 * Records labelled compute passes and submits them together; with `profile`, each pass is timed by the GPU's own
 * clock. One `Commands` holds as many steps as one wishes to submit at once.
 */
export class Commands {
  readonly #gpu: Gpu;
  #encoder: GPUCommandEncoder;
  readonly #profiler: Profiler | null;

  constructor(gpu: Gpu, profiler: Profiler | null = null) {
    this.#gpu = gpu;
    this.#profiler = profiler;
    this.#encoder = gpu.device.createCommandEncoder();
  }

  get encoder(): GPUCommandEncoder {
    return this.#encoder;
  }

  /** Records one pass; equal labels are summed in the profile. */
  pass(label: string, record: (pass: GPUComputePassEncoder) => void): void {
    const timestampWrites = this.#profiler?.next(label);
    const pass = this.#encoder.beginComputePass(timestampWrites ? { label, timestampWrites } : { label });
    record(pass);
    pass.end();
  }

  /** Zeroes a buffer between passes. */
  clear(buffer: GPUBuffer, byteOffset = 0, byteLength?: number): void {
    this.#encoder.clearBuffer(buffer, byteOffset, byteLength);
  }

  copy(source: GPUBuffer, sourceOffset: number, target: GPUBuffer, targetOffset: number, byteLength: number): void {
    this.#encoder.copyBufferToBuffer(source, sourceOffset, target, targetOffset, byteLength);
  }

  /** Hands everything recorded so far to the device; recording may go on afterwards. */
  submit(): void {
    this.#profiler?.resolve(this.#encoder);
    this.#gpu.device.queue.submit([this.#encoder.finish()]);
    this.#encoder = this.#gpu.device.createCommandEncoder();
  }

  /** Waits until the device has done all that was submitted. */
  async done(): Promise<void> {
    await this.#gpu.wait(this.#gpu.device.queue.onSubmittedWorkDone());
  }
}

/** Collects GPU timestamps per pass label. Give it to `Commands`; read `milliseconds()` after the work is done. */
export class Profiler {
  readonly #gpu: Gpu;
  readonly #capacity: number;
  readonly #querySet: GPUQuerySet;
  readonly #resolved: GPUBuffer;
  #labels: string[] = [];

  constructor(gpu: Gpu, passCapacity = 2000) {
    if (!gpu.adapter.hasTimestamps) throw new Error('This device has no timestamp queries; profile without them.');
    this.#gpu = gpu;
    this.#capacity = passCapacity;
    this.#querySet = gpu.device.createQuerySet({ label: 'profile', type: 'timestamp', count: passCapacity * 2 });
    this.#resolved = gpu.device.createBuffer({
      label: 'profile timestamps',
      size: passCapacity * 16,
      usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
    });
  }

  next(label: string): GPUComputePassTimestampWrites | undefined {
    const index = this.#labels.length;
    if (index >= this.#capacity) return undefined;
    this.#labels.push(label);
    return { querySet: this.#querySet, beginningOfPassWriteIndex: index * 2, endOfPassWriteIndex: index * 2 + 1 };
  }

  resolve(encoder: GPUCommandEncoder): void {
    if (this.#labels.length > 0) encoder.resolveQuerySet(this.#querySet, 0, this.#labels.length * 2, this.#resolved, 0);
  }

  /** Milliseconds and number of passes by label since the last call, in the order first seen. Submit first. */
  async milliseconds(): Promise<Map<string, { milliseconds: number; passes: number }>> {
    const sums = new Map<string, { milliseconds: number; passes: number }>();
    const labels = this.#labels.splice(0);
    if (labels.length === 0) return sums;
    const stamps = new BigUint64Array(await readBytes(this.#gpu, this.#resolved, 0, labels.length * 16));
    labels.forEach((label, index) => {
      const sum = sums.get(label) ?? { milliseconds: 0, passes: 0 };
      sum.milliseconds += Number(stamps[index * 2 + 1]! - stamps[index * 2]!) / 1e6;
      sum.passes += 1;
      sums.set(label, sum);
    });
    return sums;
  }

  dispose(): void {
    this.#querySet.destroy();
    this.#resolved.destroy();
  }
}
