import type { GraphNode, Value } from './graph.ts';
import { ancestors } from './onnx/write-onnx.ts';
import type { Tensor64 } from './tensor64.ts';

/**
 * Computes values of a graph in float64 with the operations' plain references: slow, and the truth that the runtimes are
 * measured by. `given` holds inputs and weights by name.
 */
export function evaluateReference(
  outputs: readonly Value[],
  given: Readonly<Record<string, Float64Array>>,
): Tensor64[] {
  const results = new Map<Value, Tensor64>();
  const done = new Set<GraphNode>();
  for (const value of ancestors(outputs)) {
    const { origin, shape, name } = value;
    if (origin.kind === 'constant') results.set(value, { shape, data: Float64Array.from(origin.data) });
    else if (origin.kind === 'node') {
      const { node } = origin;
      if (done.has(node)) continue;
      done.add(node);
      const inputs = node.inputs.map((input) => results.get(input)!);
      const shapes = node.outputs.map((output) => output.shape);
      const computed = node.operation.reference(inputs, node.attributes, shapes);
      node.outputs.forEach((output, i) => results.set(output, computed[i]!));
    } else {
      const data = given[name];
      if (!data) throw new TypeError(`evaluateReference: no numbers are given for "${name}".`);
      results.set(value, { shape, data });
    }
  }
  return outputs.map((output) => results.get(output)!);
}
