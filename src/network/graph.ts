import type { NodeWriter } from './onnx/node-writer.ts';
import type { Tensor64 } from './tensor64.ts';

/** Sizes of a tensor, outermost first; images are N×C×H×W. A scalar is `[]`. */
export type Shape = readonly number[];

/** Number of elements. */
export const sizeOf = (shape: Shape): number => shape.reduce((product, size) => product * size, 1);

/**
 * What an operation is: one small file in `operations/` holds all of it. Attributes are plain data, fixed when a node
 * is made.
 */
export interface Operation<Attributes> {
  readonly name: string;
  /** Whether the backward half of a training computes the outputs again, rather than having them carried over. */
  readonly isCheap?: boolean;
  /** Shapes of the outputs. Throws `RangeError` naming what does not fit. */
  shapes(inputs: readonly Shape[], attributes: Attributes): Shape[];
  /** Writes the ONNX nodes (opset 17) that compute it. */
  lower(writer: NodeWriter, node: GraphNode<Attributes>): void;
  /**
   * ∂loss/∂input for each input for which `wanted` is true, written with operations of the same graph, so that a
   * gradient can be differentiated again. `gradients` holds ∂loss/∂output, null for an output that nothing depends on.
   * Null (or left out) means zero.
   */
  backward(
    node: GraphNode<Attributes>,
    gradients: readonly (Value | null)[],
    wanted: readonly boolean[],
  ): (Value | null)[];
  /** The same mathematics in float64 with plain loops, for tests. */
  reference(inputs: readonly Tensor64[], attributes: Attributes, outputShapes: readonly Shape[]): Tensor64[];
}

/** One use of an operation. */
export interface GraphNode<Attributes = unknown> {
  readonly operation: Operation<Attributes>;
  readonly attributes: Attributes;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
}

/** How a weight starts: given values, or drawn from a seed (see `initialWeights`). */
export type WeightStart =
  | Float32Array
  | { readonly kind: 'constant'; readonly value: number }
  /** Normal with standard deviation `deviation`. */
  | { readonly kind: 'normal'; readonly deviation: number };

/** Where a value comes from. */
export type Origin =
  | { readonly kind: 'input' }
  | { readonly kind: 'weight'; readonly start: WeightStart }
  | { readonly kind: 'constant'; readonly data: Float32Array }
  | { readonly kind: 'node'; readonly node: GraphNode };

/** A float32 tensor of a graph. Made by `Graph` and by the functions of `operations/`, never by hand. */
export interface Value {
  readonly graph: Graph;
  /** Values are numbered in the order in which they were made: inputs of a node come before its outputs. */
  readonly index: number;
  readonly name: string;
  readonly shape: Shape;
  readonly origin: Origin;
}

/**
 * A network as a list of operations on tensors of fixed shapes. Values are added and never changed; gradients
 * (`differentiate`) are added to the same graph.
 *
 * ```ts
 * const graph = new Graph();
 * const image = graph.input('image', [1, 3, 64, 64]);
 * const kernel = graph.weight('first.kernel', [16, 3, 3, 3], heNormal([16, 3, 3, 3]));
 * const features = relu(conv(image, kernel, { pads: 1 }));
 * ```
 */
export class Graph {
  readonly #values: Value[] = [];
  readonly #names = new Set<string>();

  /** All values in the order of their making. */
  get values(): readonly Value[] {
    return this.#values;
  }
  get inputs(): readonly Value[] {
    return this.#values.filter((value) => value.origin.kind === 'input');
  }
  get weights(): readonly Value[] {
    return this.#values.filter((value) => value.origin.kind === 'weight');
  }

  /** A tensor that is given at each run. */
  input(name: string, shape: Shape): Value {
    return this.#add(name, shape, { kind: 'input' });
  }

  /** A tensor that training changes (or that stays as given, when the graph is compiled without training). */
  weight(name: string, shape: Shape, start: WeightStart): Value {
    if (start instanceof Float32Array) checkLength(`weight "${name}"`, start, shape);
    return this.#add(name, shape, { kind: 'weight', start });
  }

  /** A tensor that never changes; a number makes a scalar. */
  constant(data: Float32Array | readonly number[] | number, shape?: Shape): Value {
    const values = typeof data === 'number' ? Float32Array.of(data) : Float32Array.from(data);
    const sizes = shape ?? (typeof data === 'number' ? [] : [values.length]);
    checkLength('constant', values, sizes);
    return this.#add(`constant${this.#values.length}`, sizes, { kind: 'constant', data: values });
  }

  /** Adds a node; the functions of `operations/` call this. */
  add<Attributes>(operation: Operation<Attributes>, inputs: readonly Value[], attributes: Attributes): Value[] {
    const foreign = inputs.find((input) => input.graph !== this);
    if (foreign) throw new TypeError(`${operation.name}: the input "${foreign.name}" belongs to another graph.`);
    const outputs: Value[] = [];
    const node: GraphNode<Attributes> = { operation, attributes, inputs, outputs };
    const shapes = operation.shapes(
      inputs.map((input) => input.shape),
      attributes,
    );
    for (const shape of shapes) {
      const name = `${operation.name.toLowerCase()}${this.#values.length}`;
      outputs.push(this.#add(name, shape, { kind: 'node', node: node as GraphNode }));
    }
    return outputs;
  }

  #add(name: string, shape: Shape, origin: Origin): Value {
    if (!shape.every((size) => Number.isInteger(size) && size > 0)) {
      throw new RangeError(`"${name}" has the shape [${shape.join(', ')}]; sizes must be whole numbers above zero.`);
    }
    if (this.#names.has(name)) throw new RangeError(`the graph already has a value "${name}"; give it another name.`);
    this.#names.add(name);
    const value: Value = { graph: this, index: this.#values.length, name, shape: [...shape], origin };
    this.#values.push(value);
    return value;
  }
}

function checkLength(what: string, data: Float32Array, shape: Shape): void {
  if (data.length !== sizeOf(shape)) {
    throw new RangeError(`${what}: ${data.length} values do not fill the shape [${shape.join(', ')}].`);
  }
}

/** The standard deviation √(2 / fan-in) that keeps activations level through ReLU (He et al. 2015); for [out, in, ...]. */
export function heNormal(shape: Shape): WeightStart {
  return { kind: 'normal', deviation: Math.sqrt(2 / sizeOf(shape.slice(1))) };
}
