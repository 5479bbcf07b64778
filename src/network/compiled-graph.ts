import type { Value } from './graph.ts';
import { initialWeights } from './initial-weights.ts';
import { writeOnnx } from './onnx/write-onnx.ts';
import type { NetworkRuntime, NetworkSession, SessionPlan, TensorData } from './runtime.ts';
import { TensorTransfer, type NamedTensors } from './tensor-transfer.ts';

export interface CompileOptions {
  /** What a run gives, by the names under which it gives them. Gradients (`differentiate`) are values like others. */
  readonly outputs: Readonly<Record<string, Value>>;
  /** Seed of weights that are drawn rather than given. Default 0. */
  readonly seed?: number;
}

/** A part of a graph, loaded into a runtime: what the outputs need, with the weights as they start. */
export interface CompiledGraph {
  /**
   * Computes the outputs. `inputs` has every graph input that the outputs need, by its name, in memory or in buffers of
   * `runtime.gpu`. Outputs named in `into` are written there and returned as given; the others are new arrays.
   * One run at a time. Throws `NetworkError` for a missing input, `RangeError` for one of another length.
   */
  run(inputs: NamedTensors, into?: NamedTensors): Promise<Record<string, TensorData>>;
  dispose(): Promise<void>;
}

/** Lowers what `outputs` need to ONNX and loads it; weights become constants of the model. */
export async function compileGraph(runtime: NetworkRuntime, { outputs, seed }: CompileOptions): Promise<CompiledGraph> {
  const values = Object.values(outputs);
  if (values.length === 0) throw new TypeError('compileGraph: outputs is empty; name at least one value.');
  const weights = initialWeights(values[0]!.graph.weights, seed);
  const plan = writeOnnx({ outputs: values, weights });
  return new LoadedGraph(runtime, plan, await runtime.createSession(plan), outputs);
}

class LoadedGraph implements CompiledGraph {
  readonly #session: NetworkSession;
  readonly #transfer: TensorTransfer;
  readonly #plan: SessionPlan;
  /** Port of the model behind each output name; a value that stands twice has one port. */
  readonly #ports: ReadonlyMap<string, string>;

  constructor(
    runtime: NetworkRuntime,
    plan: SessionPlan,
    session: NetworkSession,
    outputs: Readonly<Record<string, Value>>,
  ) {
    this.#session = session;
    this.#plan = plan;
    this.#transfer = new TensorTransfer(runtime);
    const values = [...new Set(Object.values(outputs))];
    this.#ports = new Map(
      Object.entries(outputs).map(([name, value]) => [name, plan.outputs[values.indexOf(value)]!.name]),
    );
  }

  async run(inputs: NamedTensors, into: NamedTensors = {}): Promise<Record<string, TensorData>> {
    const feeds = await this.#transfer.feeds(this.#plan.inputs, inputs);
    const targets = this.#transfer.targets(this.#plan.outputs);
    await this.#session.run(feeds, targets);
    return this.#transfer.deliver(this.#plan.outputs, targets, this.#ports, into);
  }

  async dispose(): Promise<void> {
    this.#transfer.dispose();
    await this.#session.dispose();
  }
}
