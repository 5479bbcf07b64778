import { sizeOf, type GraphNode, type Shape, type Value } from '../graph.ts';
import type { OnnxAttribute, OnnxNode, OnnxTensor } from './model.ts';

/** An attribute as operations give it: whole numbers become `int`/`ints` unless marked by `asFloat`. */
export type AttributeValue = number | string | readonly number[] | { readonly float: number };

/** Collects the ONNX nodes of a graph while its operations lower themselves. */
export class NodeWriter {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: OnnxTensor[] = [];
  readonly #constants = new Map<string, string>();
  #count = 0;

  /** The name under which a value goes in the file. */
  nameOf(value: Value): string {
    return value.name;
  }

  /** A node from and to the values of a graph's node. `extraInputs` are further names (constants). */
  node(
    type: string,
    node: GraphNode<never> | GraphNode,
    attributes: Readonly<Record<string, AttributeValue>> = {},
    extraInputs: readonly string[] = [],
  ): void {
    this.emit(
      type,
      [...node.inputs.map((input) => this.nameOf(input)), ...extraInputs],
      node.outputs.map((output) => this.nameOf(output)),
      attributes,
    );
  }

  /** Any node by names. */
  emit(
    type: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
  ): void {
    this.nodes.push({
      type,
      name: `${type}_${this.nodes.length}`,
      domain: '',
      inputs,
      outputs,
      attributes: Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, attributeOf(value)])),
    });
  }

  /** One output of a node that has no place in our graph. */
  intermediate(
    type: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
  ): string {
    const name = `between${this.#count++}`;
    this.emit(type, inputs, [name], attributes);
    return name;
  }

  /** A one-dimensional int64 constant (axes, sizes, pads). */
  integers(values: readonly number[]): string {
    return this.#constant('int64', [values.length], Float64Array.from(values));
  }

  /** A float constant; small ones that are equal are written once. */
  floats(values: ArrayLike<number>, shape: Shape): string {
    return this.#constant('float32', shape, Float32Array.from(values));
  }

  /** A tensor with a name of its own (a weight). */
  tensor(name: string, data: Float32Array, shape: Shape): void {
    this.initializers.push({ name, type: 'float32', shape, data });
  }

  #constant(type: 'int64' | 'float32', shape: Shape, data: Float32Array | Float64Array): string {
    const key = sizeOf(shape) <= 16 ? `${type} ${shape.join('×')}: ${data.join()}` : null;
    const known = key === null ? undefined : this.#constants.get(key);
    if (known) return known;
    const name = `fixed${this.#count++}`;
    if (key !== null) this.#constants.set(key, name);
    this.initializers.push({ name, type, shape, data });
    return name;
  }
}

function attributeOf(value: AttributeValue): OnnxAttribute {
  if (typeof value === 'number') return { kind: 'int', value };
  if (typeof value === 'string') return { kind: 'string', value };
  if ('float' in value) return { kind: 'float', value: value.float };
  return { kind: 'ints', value };
}
