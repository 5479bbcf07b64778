import {
  compileGraph,
  differentiate,
  sizeOf,
  type NetworkRuntime,
  type TensorData,
  type Value,
} from '../../network/index.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import { createStorageBuffer } from '../../gpu/buffer.ts';
import { abs, add, div, mul, reduceMean, reduceSum, scale, sqrt, square, sub } from '../../network/operations/index.ts';
import type { FeatureGraph, PerceptualNet } from './perceptual-net.ts';

export interface NetComparisonOptions {
  /** Pixels of the images. */
  readonly height: number;
  readonly width: number;
  readonly withGradient: boolean;
}

/** Compares images with one that it has looked at. One call at a time. */
export interface NetComparison {
  /** Takes the image (1×3×H×W, normalised) that others are compared with. */
  look(pixels: TensorData): Promise<void>;
  /** Distance of an image from the one looked at, into `distance` (one value) and, with gradient, into `gradient`. */
  compare(pixels: TensorData, into: { readonly distance: TensorData; readonly gradient?: TensorData }): Promise<void>;
  dispose(): Promise<void>;
}

/** Loads a net's features, and the distance from given features with its gradient, for one image size. */
export async function compareByNet(
  runtime: NetworkRuntime,
  net: PerceptualNet,
  { height, width, withGradient }: NetComparisonOptions,
): Promise<NetComparison> {
  const seen = net.build(height, width);
  const features = await compileGraph(runtime, { outputs: keyed(seen.layers.map((layer) => layer.features)) });
  const compared = net.build(height, width);
  const distance = addDistance(net, compared);
  const outputs: Record<string, Value> = { distance };
  if (withGradient) outputs.gradient = gradientOf(distance, compared.image);
  const comparison = await compileGraph(runtime, { outputs });
  const wanted = keyed(seen.layers.map((layer) => createTensor(runtime, layer.features)));
  return {
    async look(pixels) {
      await features.run({ [seen.image.name]: pixels }, wanted);
    },
    async compare(pixels, into) {
      await comparison.run({ [compared.image.name]: pixels, ...wanted }, into as Record<string, TensorData>);
    },
    async dispose() {
      for (const tensor of Object.values(wanted)) if (!(tensor instanceof Float32Array)) tensor.destroy();
      await features.dispose();
      await comparison.dispose();
    },
  };
}

/** Values by the names under which one session gives features and the other takes them. */
function keyed<T>(values: readonly T[]): Record<string, T> {
  return Object.fromEntries(values.map((value, index) => [`wanted${index}`, value]));
}

/** Room for a tensor where the runtime computes. */
function createTensor(runtime: NetworkRuntime, { name, shape }: Value): TensorData {
  if (runtime.home === 'memory') return new Float32Array(sizeOf(shape));
  return createStorageBuffer(runtime.gpu as Gpu, `features ${name}`, sizeOf(shape) * 4);
}

const gradientOf = (distance: Value, image: Value): Value =>
  differentiate([{ output: distance, gradient: distance.graph.constant(1, distance.shape) }], [image])[0];

/** Adds the distance of a graph's features from inputs `wanted0`, `wanted1`, …: a scalar, summed over layers. */
export function addDistance({ comparison }: Pick<PerceptualNet, 'comparison'>, { graph, layers }: FeatureGraph): Value {
  return layers
    .map(({ features, head }, index) => {
      const wanted = graph.input(`wanted${index}`, features.shape);
      return comparison === 'l1' ? reduceMean(abs(sub(features, wanted))) : weighted(features, wanted, head!);
    })
    .reduce((sum, term) => add(sum, term));
}

/** Σ over channels of head · (unit(a) − unit(b))², averaged over places. */
function weighted(a: Value, b: Value, head: Float32Array): Value {
  const [, channels, height, width] = a.shape;
  const differences = square(sub(unit(a), unit(b)));
  const counted = mul(differences, a.graph.constant(head, [1, channels, 1, 1]));
  return scale(reduceSum(counted), 1 / (height * width));
}

/**
 * Features over their length across channels, as LPIPS has it: x / (√Σx² + 10⁻¹⁰). The 10⁻²⁰ under the root keeps the
 * gradient finite where no channel responds; beside any other sum it vanishes in float32.
 */
function unit(features: Value): Value {
  const { graph } = features;
  const sum = reduceSum(square(features), { axes: [1], keepAxes: true });
  const length = sqrt(add(sum, graph.constant(1e-20)));
  return div(features, add(length, graph.constant(1e-10)));
}
