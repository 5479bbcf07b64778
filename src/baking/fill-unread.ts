import { sampleUvs } from '../binding/sampling.ts';
import type { GaussianSet } from '../gaussians/layout.ts';
import type { HeadModel } from '../head/head-model.ts';
import { atlasCoverage } from './atlas-coverage.ts';
import { MAP_NAMES, type AttributeMaps } from './attribute-maps.ts';
import { mapTaps, type MapTaps } from './sample/taps.ts';
import { texelNeighbours } from './texel-neighbours.ts';

/** A texel that Gaussians read with less weight than this, all of them together, has not learned what belongs there. */
const LEAST_READ = 0.02;
/** How much such a texel is held to what the network made, beside one neighbour. */
const HOLD_TO_MADE = 0.1;
/** Far enough: between the Gaussians of a portrait lie a few texels, and beyond them the network's say is right. */
const SWEEPS = 40;

/**
 * The maps with the texels of the atlas that Gaussians hardly read drawn towards the mean of their neighbours, so that
 * what the read ones learned alone does not stand out as specks. What the Gaussians read stays, but for at most
 * `LEAST_READ` of a texel.
 */
export function fillUnread(
  maps: AttributeMaps,
  head: Pick<HeadModel, 'uvs' | 'uvTriangles' | 'triangleCount'>,
  gaussians: GaussianSet,
): AttributeMaps {
  const { size } = maps;
  const { isUsed } = atlasCoverage(head, size);
  const weight = readWeight(mapTaps(sampleUvs(head, gaussians), size));
  const unread: number[] = [];
  isUsed.forEach((used, texel) => {
    if (used && weight[texel]! < LEAST_READ) unread.push(texel);
  });
  const neighbours = unread.map((texel) => texelNeighbours(texel, size).filter((other) => isUsed[other] === 1));
  const filled = { ...maps };
  for (const name of MAP_NAMES) {
    filled[name] = maps[name].slice();
    for (let first = 0; first < maps[name].length; first += size * size)
      relax(filled[name].subarray(first, first + size * size), unread, neighbours);
  }
  return filled;
}

/** size²: the sum of the weights with which Gaussians read each texel. */
function readWeight({ size, texels, weights }: MapTaps): Float64Array {
  const sums = new Float64Array(size * size);
  texels.forEach((texel, tap) => (sums[texel]! += weights[tap]!));
  return sums;
}

/** Gauss–Seidel in the texels' order: the same bytes every time. */
function relax(plane: Float32Array, unread: readonly number[], neighbours: readonly (readonly number[])[]): void {
  const made = unread.map((texel) => plane[texel]!);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (let index = 0; index < unread.length; index++) {
      let sum = HOLD_TO_MADE * made[index]!;
      for (const other of neighbours[index]!) sum += plane[other]!;
      plane[unread[index]!] = sum / (HOLD_TO_MADE + neighbours[index]!.length);
    }
  }
}
