import type { Gpu } from './gpu.ts';

type Numbers = Float32Array | Uint32Array | Int32Array | Uint8Array;

/**
 * A storage buffer, zero-filled, or holding `content`. Sizes are rounded up to 4 bytes; a size of zero becomes 16
 * (WebGPU binds nothing smaller), so that an empty list is no special case.
 */
export function createStorageBuffer(gpu: Gpu, label: string, content: number | Numbers): GPUBuffer {
  const bytes = typeof content === 'number' ? content : content.byteLength;
  const size = Math.max(16, Math.ceil(bytes / 4) * 4);
  const limit = gpu.device.limits.maxStorageBufferBindingSize;
  if (size > limit) {
    throw new RangeError(
      `buffer "${label}" needs ${size} bytes, but this device binds at most ${limit}. Use fewer Gaussians or a smaller image size.`,
    );
  }
  const buffer = gpu.device.createBuffer({
    label,
    size,
    usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST | GPUBufferUsage.INDIRECT,
  });
  if (typeof content !== 'number' && bytes > 0) writeBuffer(gpu, buffer, content);
  return buffer;
}

/** A uniform buffer of `bytes` (rounded up to 16). */
export function createUniformBuffer(gpu: Gpu, label: string, bytes: number): GPUBuffer {
  return gpu.device.createBuffer({
    label,
    size: Math.ceil(bytes / 16) * 16,
    usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
  });
}

/** Writes `content` at `byteOffset`; the write takes effect before commands submitted later. */
export function writeBuffer(gpu: Gpu, buffer: GPUBuffer, content: Numbers, byteOffset = 0): void {
  gpu.device.queue.writeBuffer(buffer, byteOffset, content as Float32Array<ArrayBuffer>);
}

/** Reads bytes of a buffer back. For stage edges, checkpoints and tests; never inside the training loop. */
export async function readBytes(
  gpu: Gpu,
  buffer: GPUBuffer,
  byteOffset = 0,
  byteLength = buffer.size - byteOffset,
): Promise<ArrayBuffer> {
  const staging = gpu.device.createBuffer({
    label: `${buffer.label} read-back`,
    size: byteLength,
    usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  });
  const encoder = gpu.device.createCommandEncoder({ label: `read ${buffer.label}` });
  encoder.copyBufferToBuffer(buffer, byteOffset, staging, 0, byteLength);
  gpu.device.queue.submit([encoder.finish()]);
  await gpu.wait(staging.mapAsync(GPUMapMode.READ));
  const bytes = staging.getMappedRange().slice(0);
  staging.destroy();
  return bytes;
}

/** `readBytes` as float32. `count` in elements. */
export async function readFloats(gpu: Gpu, buffer: GPUBuffer, count = buffer.size / 4): Promise<Float32Array> {
  return new Float32Array(await readBytes(gpu, buffer, 0, count * 4));
}

/** `readBytes` as uint32. `count` in elements. */
export async function readUints(gpu: Gpu, buffer: GPUBuffer, count = buffer.size / 4): Promise<Uint32Array> {
  return new Uint32Array(await readBytes(gpu, buffer, 0, count * 4));
}

/** Owns buffers (or anything destroyable) and frees them together. */
export class Ownership {
  readonly #owned: { destroy(): void }[] = [];
  own<T extends { destroy(): void }>(resource: T): T {
    this.#owned.push(resource);
    return resource;
  }
  destroy(): void {
    for (const resource of this.#owned.splice(0)) resource.destroy();
  }
  [Symbol.dispose](): void {
    this.destroy();
  }
}
