import { randomNormal } from '../math/random.ts';
import { sizeOf, type Value } from './graph.ts';

/**
 * The values with which each weight starts. What is drawn depends on the seed and on the weight's place among the
 * graph's weights alone, so that one seed always gives the same bytes.
 */
export function initialWeights(weights: readonly Value[], seed = 0): Map<Value, Float32Array> {
  return new Map(weights.map((weight, stream) => [weight, startOf(weight, seed, stream)]));
}

function startOf(weight: Value, seed: number, stream: number): Float32Array {
  if (weight.origin.kind !== 'weight') throw new TypeError(`"${weight.name}" is no weight.`);
  const { start } = weight.origin;
  if (start instanceof Float32Array) return start;
  const values = new Float32Array(sizeOf(weight.shape));
  if (start.kind === 'constant') return values.fill(start.value);
  return values.map((_, index) => start.deviation * randomNormal(seed, stream, index));
}
