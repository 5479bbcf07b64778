import { createStorageBuffer, readFloats, writeBuffer } from '../gpu/buffer.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { sizeOf } from './graph.ts';
import { NetworkError, type NetworkRuntime, type TensorData, type TensorPort } from './runtime.ts';

export type NamedTensors = Readonly<Record<string, TensorData>>;

/**
 * Brings tensors to where the runtime computes and results to where the caller wants them. Nothing is copied where both
 * are the same place; its own arrays and buffers are made once and used again.
 */
export class TensorTransfer {
  readonly #runtime: NetworkRuntime;
  readonly #own = new Map<string, TensorData>();

  constructor(runtime: NetworkRuntime) {
    this.#runtime = runtime;
  }

  /** The tensors of all ports at home. Throws when one is missing or has another length. */
  async feeds(ports: readonly TensorPort[], given: NamedTensors): Promise<Record<string, TensorData>> {
    const feeds: Record<string, TensorData> = {};
    for (const port of ports) {
      const data = given[port.name];
      if (!data) {
        const names = ports.map(({ name }) => name).join(', ');
        throw new NetworkError(`the input "${port.name}" is missing; this network takes ${names}.`);
      }
      feeds[port.name] = await this.#bringHome(port, data);
    }
    return feeds;
  }

  /** An own array or buffer for each port, the same at every call. */
  targets(ports: readonly TensorPort[]): Record<string, TensorData> {
    return Object.fromEntries(ports.map((port) => [port.name, this.#ownTensor(`result ${port.name}`, port)]));
  }

  /** Hands results to the caller: into what `into` names, else as a new array. `ports` maps names to ports. */
  async deliver(
    all: readonly TensorPort[],
    results: NamedTensors,
    ports: ReadonlyMap<string, string>,
    into: NamedTensors,
  ): Promise<Record<string, TensorData>> {
    const delivered: Record<string, TensorData> = {};
    for (const [name, portName] of ports) {
      const port = all.find((candidate) => candidate.name === portName)!;
      delivered[name] = await this.#copyOut(port, results[portName]!, into[name]);
    }
    const unknown = Object.keys(into).find((name) => !ports.has(name));
    if (unknown)
      throw new NetworkError(`there is no output "${unknown}"; this network gives ${[...ports.keys()].join(', ')}.`);
    return delivered;
  }

  dispose(): void {
    for (const tensor of this.#own.values()) if (!(tensor instanceof Float32Array)) tensor.destroy();
    this.#own.clear();
  }

  async #bringHome(port: TensorPort, data: TensorData): Promise<TensorData> {
    const isInMemory = data instanceof Float32Array;
    checkSize(port, data);
    if (isInMemory === (this.#runtime.home === 'memory')) return data;
    const own = this.#ownTensor(`feed ${port.name}`, port);
    await copy(this.#device(), data, own, sizeOf(port.shape));
    return own;
  }

  async #copyOut(port: TensorPort, result: TensorData, target: TensorData | undefined): Promise<TensorData> {
    if (target) checkSize(port, target);
    const size = sizeOf(port.shape);
    if (result instanceof Float32Array && (!target || target instanceof Float32Array)) {
      if (!target) return result.slice();
      target.set(result);
      return target;
    }
    const delivered = target ?? new Float32Array(size);
    await copy(this.#device(), result, delivered, size);
    return delivered;
  }

  #ownTensor(key: string, port: TensorPort): TensorData {
    let tensor = this.#own.get(key);
    if (!tensor) {
      const size = sizeOf(port.shape);
      tensor =
        this.#runtime.home === 'memory'
          ? new Float32Array(size)
          : createStorageBuffer(this.#device(), `network ${key}`, size * 4);
      this.#own.set(key, tensor);
    }
    return tensor;
  }

  #device(): Gpu {
    const { gpu } = this.#runtime;
    if (!gpu) {
      throw new NetworkError(
        'a GPUBuffer was given to a network, but its runtime knows no device; create the runtime with `gpu`.',
      );
    }
    return gpu;
  }
}

function checkSize({ name, shape }: TensorPort, data: TensorData): void {
  const size = sizeOf(shape);
  const isMemory = data instanceof Float32Array;
  if (isMemory ? data.length !== size : data.size < size * 4) {
    const given = isMemory ? `${data.length} values` : `a buffer of ${data.size} bytes`;
    throw new RangeError(`"${name}" takes ${size} values in the shape [${shape.join(', ')}], not ${given}.`);
  }
}

/** Copies `count` floats between memory and device in any direction. */
async function copy(gpu: Gpu, source: TensorData, target: TensorData, count: number): Promise<void> {
  if (source instanceof Float32Array) {
    if (target instanceof Float32Array) target.set(source);
    else writeBuffer(gpu, target, source);
  } else if (target instanceof Float32Array) {
    target.set(await readFloats(gpu, source, count));
  } else {
    const encoder = gpu.device.createCommandEncoder({ label: 'network copy' });
    encoder.copyBufferToBuffer(source, 0, target, 0, count * 4);
    gpu.device.queue.submit([encoder.finish()]);
  }
}
