import type { Value } from './graph.ts';
import type { NetworkRuntime, TensorData } from './runtime.ts';

export interface CompileOptions {
  /** What a run gives, by the names under which it gives them. Gradients (`differentiate`) are values like others. */
  readonly outputs: Readonly<Record<string, Value>>;
}

/** A part of a graph, loaded into a runtime: what the outputs need, with the weights as they start. */
export interface CompiledGraph {
  /**
   * Computes the outputs. `inputs` has every graph input that the outputs need, by its name, in memory or in buffers of
   * `runtime.gpu`. Outputs named in `into` are written there and returned as given; the others are new arrays.
   * One run at a time. Throws `NetworkError` for a missing input, `RangeError` for one of another length.
   */
  run(
    inputs: Readonly<Record<string, TensorData>>,
    into?: Readonly<Record<string, TensorData>>,
  ): Promise<Record<string, TensorData>>;
  dispose(): Promise<void>;
}

/** Lowers what `outputs` need to ONNX and loads it. Weights must have values or be drawn first (`drawWeights`). */
export declare function compileGraph(runtime: NetworkRuntime, options: CompileOptions): Promise<CompiledGraph>;
