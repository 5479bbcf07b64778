import { MAP_CHANNEL_COUNT } from './attribute-maps.ts';
import { SAMPLE_STRIDE } from './sample/sample.ts';
import type { MapTaps } from './sample/taps.ts';

export interface FittedDetailInputs {
  /** Which texels the Gaussians read, with their weights. */
  readonly taps: MapTaps;
  /** 11×size²: the maps as the network made them. */
  readonly maps: Float32Array;
  /** N×12: what the Gaussians were fitted with; records as in record.wgsl. */
  readonly targets: Float32Array;
  /** N: how much each Gaussian counts; 1 for one that is seen well. */
  readonly importance: ArrayLike<number>;
}

/** How much a texel is held to what the network made, beside a Gaussian that is seen well. */
const HOLD_TO_NETWORK = 0.01;
/** A step of conjugate gradients costs two passes over the reads; after these, what is left is below 1 % of the start. */
const ITERATIONS = 60;

/**
 * The maps with what the network could not say of the fitted attributes: per channel, the texels m that minimise
 *
 *   Σ_g importance_g · (Σ_t weight_gt · m_t − fitted_g)² + 0.01 · Σ_t (m_t − made_t)²
 *
 * by conjugate gradients in float64. Texels that no Gaussian reads stay as they were made. 11×size².
 */
export function addFittedDetail(inputs: FittedDetailInputs): Float32Array {
  const { taps, maps } = inputs;
  const plane = taps.size * taps.size;
  const reads = compactReads(taps);
  const result = maps.slice();
  for (let channel = 0; channel < MAP_CHANNEL_COUNT; channel++) {
    const made = maps.subarray(channel * plane, (channel + 1) * plane);
    const change = leastSquaresChange(reads, inputs, made, channel);
    reads.used.forEach((texel, index) => (result[channel * plane + texel]! += change[index]!));
  }
  return result;
}

/** The reads over the texels that are read at all, numbered in ascending order. */
interface CompactReads {
  /** M: texel of each number. */
  readonly used: Uint32Array;
  /** N×4: numbers instead of texels. */
  readonly places: Uint32Array;
  readonly weights: Float32Array;
}

function compactReads({ texels, weights, size, starts }: MapTaps): CompactReads {
  const numbers = new Uint32Array(size * size);
  const used: number[] = [];
  for (let texel = 0; texel < size * size; texel++) {
    if (starts[texel + 1]! > starts[texel]!) numbers[texel] = used.push(texel) - 1;
  }
  // A tap of a texel that nothing reads has no weight: whatever number stands there.
  return { used: Uint32Array.from(used), places: texels.map((texel) => numbers[texel]!), weights };
}

/** M: what to add to the texels of one channel. */
function leastSquaresChange(
  reads: CompactReads,
  { targets, importance }: FittedDetailInputs,
  made: Float32Array,
  channel: number,
): Float64Array {
  const { used } = reads;
  const start = Float64Array.from(used, (texel) => made[texel]!);
  const missing = gathered(reads, start).map(
    (value, gaussian) => importance[gaussian]! * (targets[gaussian * SAMPLE_STRIDE + channel]! - value),
  );
  const change = new Float64Array(used.length);
  const residual = scattered(reads, missing);
  const direction = residual.slice();
  let squared = dot(residual, residual);
  const enough = squared * 1e-8;
  for (let iteration = 0; iteration < ITERATIONS && squared > enough; iteration++) {
    const image = normalImage(reads, importance, direction);
    const length = squared / dot(direction, image);
    for (let index = 0; index < change.length; index++) {
      change[index]! += length * direction[index]!;
      residual[index]! -= length * image[index]!;
    }
    const next = dot(residual, residual);
    for (let index = 0; index < change.length; index++)
      direction[index] = residual[index]! + (next / squared) * direction[index]!;
    squared = next;
  }
  return change;
}

/** The problem's matrix times `values`. */
function normalImage(reads: CompactReads, importance: ArrayLike<number>, values: Float64Array): Float64Array {
  const read = gathered(reads, values);
  for (let gaussian = 0; gaussian < read.length; gaussian++) read[gaussian]! *= importance[gaussian]!;
  const image = scattered(reads, read);
  for (let index = 0; index < image.length; index++) image[index]! += HOLD_TO_NETWORK * values[index]!;
  return image;
}

/** N: what the Gaussians read from the texels' values. */
function gathered({ places, weights }: CompactReads, values: Float64Array): Float64Array {
  const read = new Float64Array(places.length / 4);
  for (let tap = 0; tap < places.length; tap++) read[tap >> 2]! += weights[tap]! * values[places[tap]!]!;
  return read;
}

/** M: the Gaussians' values, each given to the texels it reads. */
function scattered({ used, places, weights }: CompactReads, values: Float64Array): Float64Array {
  const sums = new Float64Array(used.length);
  for (let tap = 0; tap < places.length; tap++) sums[places[tap]!]! += weights[tap]! * values[tap >> 2]!;
  return sums;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let index = 0; index < a.length; index++) sum += a[index]! * b[index]!;
  return sum;
}
