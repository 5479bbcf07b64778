import { Graph, sizeOf, type Shape, type Value } from '../graph.ts';
import { NetworkError } from '../runtime.ts';
import { foldNode, type FixedTensor } from './fold-constants.ts';
import { decodeOnnx, type OnnxModel, type OnnxNode, type OnnxPort } from './model.ts';
import type { NodeReader } from './node-reader.ts';
import { NODE_RULES, SUPPORTED_OPERATORS } from './node-rules.ts';

export interface ReadOptions {
  /** For error messages. Default "the model". */
  readonly name?: string;
  /** Sizes of inputs that the file leaves open (batch, height, width), or that are to be others than the file's. */
  readonly inputShapes?: Readonly<Record<string, Shape>>;
}

/** A user's file as a graph: its weights are weights, so that `compileGraph` and `createTrainableNetwork` take it. */
export interface OnnxGraph {
  readonly graph: Graph;
  readonly inputs: Readonly<Record<string, Value>>;
  /** In the file's order, under its names. */
  readonly outputs: Readonly<Record<string, Value>>;
  /** Every tensor of the file that became a value, by the file's name: activations inside the network. */
  readonly values: ReadonlyMap<string, Value>;
}

/**
 * Reads an `.onnx` file. What the file computes from shapes and constants is computed now; the rest becomes a graph of
 * float32 tensors. Throws `NetworkError` naming the node for an operator that is not supported, and for a damaged file,
 * an open size or shapes that do not fit.
 */
export function readOnnx(bytes: Uint8Array, { name = 'the model', inputShapes = {} }: ReadOptions = {}): OnnxGraph {
  const model = decode(bytes, name);
  const reading = new Reading(model, name);
  const fixed = new Set(model.initializers.map((tensor) => tensor.name));
  const ports = model.inputs.filter((port) => !fixed.has(port.name));
  const unknown = Object.keys(inputShapes).find((given) => !ports.some((port) => port.name === given));
  if (unknown !== undefined) {
    throw new NetworkError(`${name} has no input "${unknown}"; its inputs are ${listNames(ports)}.`);
  }
  const inputs = Object.fromEntries(
    ports.map((port) => [port.name, reading.addInput(port, inputShapes[port.name])] as const),
  );
  for (const node of model.nodes) reading.addNode(node);
  const outputs = Object.fromEntries(model.outputs.map((port) => [port.name, reading.output(port.name)] as const));
  return { graph: reading.graph, inputs, outputs, values: reading.values };
}

const listNames = (ports: readonly OnnxPort[]): string => ports.map((port) => `"${port.name}"`).join(', ');

function decode(bytes: Uint8Array, name: string): OnnxModel {
  try {
    return decodeOnnx(bytes);
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof RangeError)) throw error;
    throw new NetworkError(`${name} is no ONNX file that can be read: it ${error.message}.`, { cause: error });
  }
}

/** The state of reading one file. */
class Reading {
  readonly graph = new Graph();
  readonly values = new Map<string, Value>();
  readonly #name: string;
  readonly #opset: number;
  /** Tensors whose numbers are known: initializers, and what is computed from them and from shapes. */
  readonly #fixed = new Map<string, FixedTensor>();
  /** Names of float initializers: trainable as weights when they are used as a value. */
  readonly #weights = new Set<string>();

  constructor(model: OnnxModel, name: string) {
    this.#name = name;
    this.#opset = model.opset;
    for (const { name: tensor, shape, type, data } of model.initializers) {
      const isFloat = type === 'float32' || type === 'float16' || type === 'float64' || type === 'bfloat16';
      this.#fixed.set(tensor, { shape, data, isFloat });
      if (isFloat) this.#weights.add(tensor);
    }
  }

  addInput(port: OnnxPort, given: Shape | undefined): Value {
    if (port.type !== null && port.type !== 'float32') {
      throw new NetworkError(
        `${this.#name}: the input "${port.name}" holds ${port.type}; only networks that take float32 are supported.`,
      );
    }
    const shape = given ?? port.shape;
    if (!shape || shape.some((size) => typeof size !== 'number' || size < 1)) {
      const sizes = shape ? `[${shape.map((size) => size ?? '?').join(', ')}]` : 'any shape';
      throw new NetworkError(
        `${this.#name} leaves the shape of its input "${port.name}" open (${sizes}); give it as inputShapes: { "${port.name}": [...] }.`,
      );
    }
    if (given && port.shape && given.length !== port.shape.length) {
      throw new NetworkError(
        `${this.#name}: the input "${port.name}" has ${port.shape.length} axes, not ${given.length} as in [${given.join(', ')}].`,
      );
    }
    const value = this.graph.input(port.name, shape as number[]);
    this.values.set(port.name, value);
    return value;
  }

  addNode(node: OnnxNode): void {
    const label = `${node.type} "${node.name || node.outputs[0]}"`;
    try {
      const folded = foldNode(node, this.#opset, {
        fixed: (name) => this.#fixed.get(name) ?? null,
        shapeOf: (name) => this.values.get(name)?.shape ?? this.#fixed.get(name)?.shape ?? null,
      });
      if (folded) {
        this.#fixed.set(node.outputs[0]!, folded);
        return;
      }
      const rule = node.domain === '' ? NODE_RULES[node.type] : undefined;
      if (!rule) {
        const operator = node.domain ? `${node.domain}.${node.type}` : node.type;
        throw new NetworkError(
          `${this.#name}: the operator ${operator} of node "${node.name || node.outputs[0]}" is not supported; supported are ${SUPPORTED_OPERATORS.join(', ')}.`,
        );
      }
      const results = [rule(this.#reader(node, label))].flat();
      results.forEach((value, i) => {
        if (node.outputs[i]) this.values.set(node.outputs[i], value);
      });
    } catch (error) {
      if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
      throw new NetworkError(`${this.#name}: node ${label} cannot be built (${error.message}).`, { cause: error });
    }
  }

  output(name: string): Value {
    const value = this.values.get(name) ?? (this.#fixed.has(name) ? this.#value(name, 'the outputs') : null);
    if (!value) throw new NetworkError(`${this.#name} names the output "${name}", but no node computes it.`);
    return value;
  }

  /** A tensor as a value of the graph; fixed numbers become a weight or a constant when they are first used so. */
  #value(name: string, user: string): Value {
    const known = this.values.get(name);
    if (known) return known;
    const fixed = this.#fixed.get(name);
    if (!fixed) {
      throw new NetworkError(`${this.#name}: ${user} reads "${name}", which nothing computes before it.`);
    }
    if (sizeOf(fixed.shape) === 0) throw new NetworkError(`${this.#name}: ${user} reads "${name}", which is empty.`);
    const data = Float32Array.from(fixed.data);
    const value = this.#weights.has(name)
      ? this.graph.weight(name, fixed.shape, data)
      : this.graph.constant(data, fixed.shape);
    this.values.set(name, value);
    return value;
  }

  #reader(node: OnnxNode, label: string): NodeReader {
    const fail = (reason: string): never => {
      throw new NetworkError(`${this.#name}: node ${label} ${reason}.`);
    };
    const attribute = <Kind extends string>(name: string, kind: Kind) => {
      const found = node.attributes[name];
      if (found && found.kind !== kind) fail(`has an attribute "${name}" of another kind than ${kind}`);
      return found as Extract<OnnxNode['attributes'][string], { kind: Kind }> | undefined;
    };
    const nameOf = (input: number): string => node.inputs[input] || fail(`lacks its input ${input}`);
    const has = (input: number): boolean => Boolean(node.inputs[input]);
    const numbers = (input: number): number[] => {
      const fixed = this.#fixed.get(nameOf(input));
      return fixed
        ? Array.from(fixed.data)
        : fail(`takes its input "${node.inputs[input]}" from a computation; only fixed numbers are supported there`);
    };
    const required = (value: number | undefined, name: string): number =>
      value ?? fail(`lacks the attribute "${name}"`);
    return {
      graph: this.graph,
      type: node.type,
      opset: this.#opset,
      inputCount: node.inputs.length,
      outputCount: node.outputs.length,
      has,
      value: (input) => this.#value(nameOf(input), `node ${label}`),
      shapeOf: (input) => this.values.get(nameOf(input))?.shape ?? this.#fixed.get(nameOf(input))?.shape ?? [],
      numbers,
      int: (name, fallback) => required(attribute(name, 'int')?.value ?? fallback, name),
      float: (name, fallback) => required(attribute(name, 'float')?.value ?? fallback, name),
      ints: (name) => attribute(name, 'ints')?.value ?? null,
      text: (name, fallback) => attribute(name, 'string')?.value ?? fallback,
      axes: (input) =>
        has(input)
          ? numbers(input)
          : [...(attribute('axes', 'ints')?.value ?? [])].length > 0
            ? [...attribute('axes', 'ints')!.value]
            : null,
      fail,
    };
  }
}
