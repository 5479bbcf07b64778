import type { InferenceSession, Tensor } from 'onnxruntime-web';
import type { Gpu } from '../gpu/gpu.ts';
import { release } from './release.ts';
import {
  NetworkError,
  type NetworkRuntime,
  type NetworkSession,
  type SessionPlan,
  type TensorData,
} from './runtime.ts';

/** What we use of ONNX Runtime: `onnxruntime-node` and `onnxruntime-web` both have it. */
export interface OrtModule {
  readonly InferenceSession: {
    create(model: Uint8Array, options?: InferenceSession.SessionOptions): Promise<InferenceSession>;
  };
  readonly Tensor: {
    new (type: 'float32', data: Float32Array, shape: readonly number[]): Tensor;
    fromGpuBuffer?(buffer: GPUBuffer, options: { dataType: 'float32'; dims: readonly number[] }): Tensor;
  };
}

export interface OrtRuntimeOptions {
  readonly ort: OrtModule;
  readonly name: string;
  readonly home: 'memory' | 'device';
  readonly gpu: Gpu | null;
  readonly sessionOptions: InferenceSession.SessionOptions;
  /**
   * Whether arrays given for outputs are filled in place. The web's WebAssembly back end takes them and leaves them as
   * they were (onnxruntime-web 1.30). Default true.
   */
  readonly fillsArrays?: boolean;
  /** How to start something of the runtime and wait for it, where that needs care. Default: just so. */
  readonly perform?: <T>(start: () => Promise<T>) => Promise<T>;
}

/** A runtime over ONNX Runtime; the platform loads it and chooses the back end. */
export function createOrtRuntime(options: OrtRuntimeOptions): NetworkRuntime {
  const { ort, name, home, gpu, sessionOptions, fillsArrays = true, perform = (start) => start() } = options;
  return {
    name,
    home,
    gpu,
    async createSession(plan) {
      const session = await perform(() => ort.InferenceSession.create(plan.model, sessionOptions)).catch(
        (error: unknown) => {
          throw new NetworkError(`${name} does not take the network (${messageOf(error)}).`, { cause: error });
        },
      );
      return new OrtSession({ ...options, fillsArrays, perform }, plan, session);
    },
  };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Those of the buffers, each once, that none of the arrays lies in. */
function copiesIn(buffers: readonly ArrayBuffer[], arrays: readonly (readonly [string, TensorData])[]): ArrayBuffer[] {
  const own = new Set(arrays.map(([, array]) => (array as Float32Array).buffer));
  return [...new Set(buffers)].filter((buffer) => !own.has(buffer));
}

class OrtSession implements NetworkSession {
  readonly #options: Required<OrtRuntimeOptions>;
  readonly #session: InferenceSession;
  readonly #shapes: ReadonlyMap<string, readonly number[]>;
  #isRunning = false;

  constructor(options: Required<OrtRuntimeOptions>, plan: SessionPlan, session: InferenceSession) {
    this.#options = options;
    this.#session = session;
    this.#shapes = new Map([...plan.inputs, ...plan.outputs].map((port) => [port.name, port.shape]));
  }

  async run(feeds: Readonly<Record<string, TensorData>>, into: Readonly<Record<string, TensorData>>): Promise<void> {
    if (this.#isRunning) throw new NetworkError('a network was started again before it had finished; await each run.');
    this.#isRunning = true;
    const { name, perform, fillsArrays } = this.#options;
    try {
      const targets = this.#tensors(into);
      // With null the runtime makes the tensor itself.
      const isMade = (key: string): boolean => !fillsArrays && into[key] instanceof Float32Array;
      const wanted = Object.fromEntries(
        Object.entries(targets).map(([key, tensor]) => [key, isMade(key) ? null : tensor]),
      );
      const results = await perform(() => this.#session.run(this.#tensors(feeds), wanted)).catch((error: unknown) => {
        throw new NetworkError(`${name} failed (${messageOf(error)}).`, { cause: error });
      });
      const arrays = Object.entries(into).filter(([, target]) => target instanceof Float32Array);
      const dataOf = (key: string): Float32Array<ArrayBuffer> => results[key]!.data as Float32Array<ArrayBuffer>;
      // Arrays that were filled come back as they are, or as copies.
      if (fillsArrays)
        release(
          copiesIn(
            arrays.map(([key]) => dataOf(key).buffer),
            arrays,
          ),
        );
      else for (const [key, target] of arrays) (target as Float32Array).set(dataOf(key));
    } finally {
      this.#isRunning = false;
    }
  }

  async dispose(): Promise<void> {
    await this.#options.perform(() => this.#session.release());
  }

  #tensors(data: Readonly<Record<string, TensorData>>): Record<string, Tensor> {
    return Object.fromEntries(Object.entries(data).map(([name, values]) => [name, this.#tensor(name, values)]));
  }

  #tensor(name: string, data: TensorData): Tensor {
    const shape = this.#shapes.get(name)!;
    if (data instanceof Float32Array) return new this.#options.ort.Tensor('float32', data, shape);
    return this.#options.ort.Tensor.fromGpuBuffer!(data, { dataType: 'float32', dims: shape });
  }
}
