import { sampleUvs } from '../binding/sampling.ts';
import type { GaussianSet } from '../gaussians/layout.ts';
import type { HeadModel } from '../head/head-model.ts';
import { atlasCoverage } from './atlas-coverage.ts';

/** How smooth a colour map is where frames show it. */
export interface ColorMapQuality {
  /** Texels that some frame shows. */
  readonly visibleTexels: number;
  /** Mean difference of neighbouring visible texels, over rows, columns and the three channels; colours run 0…1. */
  readonly totalVariation: number;
  /** Share of visible texels that stand out as a hole or speck: see `HOLE_CONTRAST`. */
  readonly holes: number;
}

/** A texel is a hole when a channel differs by more than this from the median of its eight neighbours'. */
export const HOLE_CONTRAST = 0.2;

/** A Gaussian is seen when it contributes at least this many pixels (alpha times transmittance) to a mean frame. */
export const SEEN_PIXELS = 0.02;

/**
 * size²: 1 where frames show the texel, that is, where the nearest Gaussian of its chart is seen. `contribution` holds
 * the pixels of a mean frame that each Gaussian contributes.
 */
export function visibleTexels(
  head: HeadModel,
  gaussians: GaussianSet,
  contribution: ArrayLike<number>,
  size: number,
): Uint8Array {
  const { isUsed } = atlasCoverage(head, size);
  const nearest = nearestGaussians(sampleUvs(head, gaussians), isUsed, size);
  return Uint8Array.from(nearest, (gaussian) => (gaussian >= 0 && contribution[gaussian]! >= SEEN_PIXELS ? 1 : 0));
}

/** Breadth first over used texels from every Gaussian's own one; −1 where none is reached. Ties: the lower index. */
function nearestGaussians(places: Float32Array, isUsed: Uint8Array, size: number): Int32Array {
  const nearest = new Int32Array(size * size).fill(-1);
  let front: number[] = [];
  const texelOf = (coordinate: number): number => Math.max(0, Math.min(size - 1, Math.floor(coordinate * size)));
  for (let gaussian = 0; gaussian < places.length / 2; gaussian++) {
    const texel = texelOf(places[gaussian * 2 + 1]!) * size + texelOf(places[gaussian * 2]!);
    if (nearest[texel]! >= 0) continue;
    nearest[texel] = gaussian;
    front.push(texel);
  }
  while (front.length > 0) {
    const next: number[] = [];
    for (const texel of front) {
      for (const other of neighbours(texel, size)) {
        if (isUsed[other] === 0 || nearest[other]! >= 0) continue;
        nearest[other] = nearest[texel]!;
        next.push(other);
      }
    }
    front = next;
  }
  return nearest;
}

function neighbours(texel: number, size: number): number[] {
  const [column, row] = [texel % size, Math.floor(texel / size)];
  const result: number[] = [];
  if (column > 0) result.push(texel - 1);
  if (column < size - 1) result.push(texel + 1);
  if (row > 0) result.push(texel - size);
  if (row < size - 1) result.push(texel + size);
  return result;
}

/** Measures a 3×size² colour map over the texels for which `isVisible` is 1. */
export function colorMapQuality(colorMap: Float32Array, isVisible: Uint8Array, size: number): ColorMapQuality {
  const plane = size * size;
  let [pairs, variation, visible, holes] = [0, 0, 0, 0];
  for (let texel = 0; texel < plane; texel++) {
    if (isVisible[texel] === 0) continue;
    visible++;
    for (const other of [texel % size < size - 1 ? texel + 1 : -1, texel + size]) {
      if (other < 0 || other >= plane || isVisible[other] === 0) continue;
      pairs++;
      for (let channel = 0; channel < 3; channel++)
        variation += Math.abs(colorMap[channel * plane + texel]! - colorMap[channel * plane + other]!) / 3;
    }
    if (isHole(colorMap, isVisible, texel, size)) holes++;
  }
  return {
    visibleTexels: visible,
    totalVariation: variation / Math.max(1, pairs),
    holes: holes / Math.max(1, visible),
  };
}

function isHole(colorMap: Float32Array, isVisible: Uint8Array, texel: number, size: number): boolean {
  const [column, row] = [texel % size, Math.floor(texel / size)];
  const around: number[] = [];
  for (let y = Math.max(0, row - 1); y <= Math.min(size - 1, row + 1); y++) {
    for (let x = Math.max(0, column - 1); x <= Math.min(size - 1, column + 1); x++) {
      const other = y * size + x;
      if (other !== texel && isVisible[other] === 1) around.push(other);
    }
  }
  if (around.length < 4) return false; // at a chart's edge there is no telling
  return [0, 1, 2].some((channel) => {
    const base = channel * size * size;
    const values = around.map((other) => colorMap[base + other]!).toSorted((a, b) => a - b);
    const middle = Math.floor(values.length / 2);
    const median = values.length % 2 === 1 ? values[middle]! : (values[middle - 1]! + values[middle]!) / 2;
    return Math.abs(colorMap[base + texel]! - median) > HOLE_CONTRAST;
  });
}
