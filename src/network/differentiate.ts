import { sizeOf, type Value } from './graph.ts';
import { add } from './operations/arithmetic.ts';

export interface OutputGradient {
  readonly output: Value;
  /** ∂loss/∂output, of the output's shape. */
  readonly gradient: Value;
}

/**
 * Adds to the graph what computes ∂loss/∂value for each of `values`, by the chain rule from the outputs back. The loss
 * is whatever the gradients of the outputs (`graph.input`s, usually) are gradients of; for a scalar output give
 * `graph.constant(1, output.shape)`. A value on which no output depends has a zero gradient, as a constant.
 */
export function differentiate(outputs: readonly OutputGradient[], values: readonly Value[]): Value[] {
  const graph = outputs[0]!.output.graph;
  const wanted = dependents(graph.values, values);
  const gradients = new Map<Value, Value>();
  const accumulate = (value: Value, gradient: Value): void => {
    if (value.shape.join() !== gradient.shape.join()) {
      throw new RangeError(
        `the gradient of "${value.name}" has the shape [${gradient.shape.join(', ')}], but the value [${value.shape.join(', ')}].`,
      );
    }
    const sum = gradients.get(value);
    gradients.set(value, sum ? add(sum, gradient) : gradient);
  };
  for (const { output, gradient } of outputs) accumulate(output, gradient);

  // Values are numbered in the order of making, so walking back visits every user of a value before the value.
  const last = Math.max(...outputs.map(({ output }) => output.index));
  const done = new Set<unknown>();
  for (let index = last; index >= 0; index--) {
    const value = graph.values[index]!;
    if (value.origin.kind !== 'node' || !wanted.has(value) || done.has(value.origin.node)) continue;
    const { node } = value.origin;
    // A node's outputs are made together: the last of them is met first, when every user of all of them is done.
    done.add(node);
    const outputGradients = node.outputs.map((output) => gradients.get(output) ?? null);
    if (outputGradients.every((gradient) => gradient === null)) continue;
    const needs = node.inputs.map((input) => wanted.has(input));
    const inputGradients = node.operation.backward(node, outputGradients, needs);
    node.inputs.forEach((input, i) => {
      const gradient = inputGradients[i];
      if (needs[i] && gradient) accumulate(input, gradient);
    });
  }
  return values.map(
    (value) => gradients.get(value) ?? graph.constant(new Float32Array(sizeOf(value.shape)), value.shape),
  );
}

/** The values and everything computed from them. */
function dependents(all: readonly Value[], values: readonly Value[]): Set<Value> {
  const found = new Set(values);
  for (const value of all) {
    if (value.origin.kind === 'node' && value.origin.node.inputs.some((input) => found.has(input))) found.add(value);
  }
  return found;
}
