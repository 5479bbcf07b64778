import { NetworkError, type SessionPlan, type TensorPort } from '../runtime.ts';
import type { GraphNode, Value } from '../graph.ts';
import { encodeOnnx } from './model.ts';
import { NodeWriter } from './node-writer.ts';

/** Version of the standard operators that we write. */
export const OPSET = 17;

export interface WriteOptions {
  /** What the model gives, in order. Values that stand twice are given once. */
  readonly outputs: readonly Value[];
  /** Values at which the model starts instead of computing them: activations that another session has left. */
  readonly given?: readonly Value[];
  /**
   * Values of each weight, which then stand in the file as constants; `inputs` makes every weight an input of the model.
   */
  readonly weights: ReadonlyMap<Value, Float32Array> | 'inputs';
}

/** Lowers what the outputs need to an ONNX model. */
export function writeOnnx({ outputs, given = [], weights }: WriteOptions): SessionPlan {
  const starts = new Set(given);
  const needed = ancestors(outputs, starts);
  const writer = new NodeWriter();
  const inputs: Value[] = [];
  const written = new Set<GraphNode>();
  for (const value of needed) {
    const { origin } = value;
    if (starts.has(value) || origin.kind === 'input') inputs.push(value);
    else if (origin.kind === 'constant') writer.tensor(value.name, origin.data, value.shape);
    else if (origin.kind === 'weight') {
      if (weights === 'inputs') inputs.push(value);
      else writer.tensor(value.name, valuesOf(value, weights), value.shape);
    } else if (!written.has(origin.node)) {
      written.add(origin.node);
      origin.node.operation.lower(writer, origin.node);
    }
  }
  const results = [...new Set(outputs)];
  // A result that no node makes (an input, a constant) needs one to be a result.
  const isMade = (value: Value): boolean => value.origin.kind === 'node' && !starts.has(value);
  const outputPorts = results.map((value): TensorPort => {
    if (isMade(value)) return { name: value.name, shape: value.shape };
    return { name: writer.intermediate('Identity', [value.name]), shape: value.shape };
  });
  const inputPorts = inputs.map(({ name, shape }): TensorPort => ({ name, shape }));
  const typed = (ports: readonly TensorPort[]) => ports.map((port) => ({ ...port, type: 'float32' as const }));
  const { nodes, initializers } = writer;
  const model = { opset: OPSET, nodes, initializers, inputs: typed(inputPorts), outputs: typed(outputPorts) };
  return { model: encodeOnnx(model), inputs: inputPorts, outputs: outputPorts };
}

/** The values that the outputs are computed from, themselves included, in the order of their making. */
export function ancestors(outputs: readonly Value[], starts: ReadonlySet<Value> = new Set()): Value[] {
  const found = new Set<Value>();
  const pending = [...outputs];
  while (pending.length > 0) {
    const value = pending.pop()!;
    if (found.has(value)) continue;
    found.add(value);
    if (value.origin.kind === 'node' && !starts.has(value)) pending.push(...value.origin.node.inputs);
  }
  return [...found].toSorted((a, b) => a.index - b.index);
}

function valuesOf(weight: Value, weights: ReadonlyMap<Value, Float32Array>): Float32Array {
  const values = weights.get(weight);
  if (!values) throw new NetworkError(`the weight "${weight.name}" has no values.`);
  return values;
}
