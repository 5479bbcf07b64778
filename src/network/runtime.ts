import type { Gpu } from '../gpu/gpu.ts';
import type { Shape } from './graph.ts';

/** Values of a tensor: in memory, or in a buffer of the device (float32, row-major, at least as long as the tensor). */
export type TensorData = Float32Array | GPUBuffer;

/** A named tensor that goes into a session or comes out of it. */
export interface TensorPort {
  readonly name: string;
  readonly shape: Shape;
}

/** What a session is made of: the bytes of an ONNX model and what goes in and out. */
export interface SessionPlan {
  readonly model: Uint8Array;
  readonly inputs: readonly TensorPort[];
  readonly outputs: readonly TensorPort[];
}

/**
 * Runs ONNX models; injected by the platform (`createNodeNetworkRuntime`, `createBrowserNetworkRuntime`).
 *
 * A runtime takes tensors where it computes: `home` says whether that is memory or the device's buffers. `TensorData`
 * of the other kind is copied by `CompiledGraph` and `TrainableNetwork`, so that callers need not care.
 */
export interface NetworkRuntime {
  /** For reports: back end, version, threads. */
  readonly name: string;
  readonly home: 'memory' | 'device';
  /** The device whose buffers may be given as `TensorData`; null when only memory is possible. */
  readonly gpu: Gpu | null;
  /** Throws `NetworkError` when the model does not run here. */
  createSession(plan: SessionPlan): Promise<NetworkSession>;
}

/** A loaded model. One run at a time. */
export interface NetworkSession {
  /**
   * Runs the model. `feeds` has every input; `into` has every output, and is written. All of them must be at home: where
   * `runtime.home` is `memory`, Float32Array, else GPUBuffer.
   */
  run(feeds: Readonly<Record<string, TensorData>>, into: Readonly<Record<string, TensorData>>): Promise<void>;
  dispose(): Promise<void>;
}

/** A network cannot be read, built or run. The message names the file or the node, and the way out. */
export class NetworkError extends Error {
  override readonly name = 'NetworkError';
}
