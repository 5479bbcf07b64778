import type { Graph, Shape, Value } from '../graph.ts';

/** What an operation sees of a node of a user's file while it turns the node into values of our graph. */
export interface NodeReader {
  readonly graph: Graph;
  readonly type: string;
  /** Version of the standard operators that the file uses. */
  readonly opset: number;
  readonly inputCount: number;
  readonly outputCount: number;
  /** True when the optional input is given. */
  has(input: number): boolean;
  /** The input's shape, also of one that is only numbers. */
  shapeOf(input: number): Shape;
  /** The input as a value. Fails when it is left out. */
  value(input: number): Value;
  /** The numbers of an input that must be fixed (axes, sizes). Fails when the file computes it from an input. */
  numbers(input: number): number[];
  int(name: string, fallback?: number): number;
  float(name: string, fallback?: number): number;
  ints(name: string): readonly number[] | null;
  text(name: string, fallback: string): string;
  /** Axes, from the attribute (older files) or from the input of that number (newer ones); null when left out. */
  axes(input: number): number[] | null;
  /** Throws `NetworkError` naming the node. */
  fail(reason: string): never;
}

/** Turns a node of a file into values: one per output. */
export type NodeRule = (node: NodeReader) => Value | Value[];
