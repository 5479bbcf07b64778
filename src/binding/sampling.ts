import { surfaceArea } from '../head/atlas/charts.ts';
import type { HeadModel, RegionName } from '../head/head-model.ts';
import { randomUniform } from '../math/random.ts';
import { nearestNeighbours } from './nearest-neighbours.ts';

/** Where Gaussians sit on a head. */
export interface SurfaceSamples {
  readonly count: number;
  /** N: triangle of the head model. */
  readonly triangleIndices: Uint32Array;
  /** N×3, sum 1. */
  readonly barycentrics: Float32Array;
  /** N×3 equal values: log of the distance to the neighbours, in metres of the canonical mesh. */
  readonly logScale: Float32Array;
}

export interface SampleAtlasOptions {
  /** Exactly this many samples. */
  readonly count: number;
  readonly seed: number;
  /** Samples per surface area, relative between regions; 0 leaves a region empty. Absent regions keep the default. */
  readonly regionDensity?: Partial<Record<RegionName, number>>;
  /** V×3 metres: the canonical mesh whose spacing sets the scales. Default: the template. */
  readonly canonicalVertices?: Float32Array;
}

/**
 * Detail is where people look: eyes and mouth get several times the samples of plain skin, what is behind them little.
 * The atlas already gives each part its share of texels; these are per surface area, so that they mean the same on
 * every head.
 */
export const REGION_DENSITY: Readonly<Record<RegionName, number>> = {
  face: 2, scalp: 1, neck: 0.6, leftEar: 1, rightEar: 1, lips: 4, leftEyelids: 6, rightEyelids: 6,
  leftEyeSocket: 0.1, rightEyeSocket: 0.1, leftEyeball: 2, rightEyeball: 2, mouthCavity: 0.25, gums: 0.4,
  upperTeeth: 0.6, lowerTeeth: 0.6, tongue: 0.5,
}; // prettier-ignore

/** Random streams, so that other users of the seed draw other numbers. */
const STREAM_TRIANGLE = 0x5a01;
const STREAM_BARYCENTRIC = 0x5a02;
/** A Gaussian starts at most this many times larger or smaller than the mean one. */
const SCALE_SPREAD = 4;
const SEARCH_STEPS = 8;

/**
 * Places Gaussians over the UV atlas (FATE §3.1): a uniform grid in UV, then random barycentrics up to the exact count.
 * The grid is uniform within a region; between regions its spacing follows `regionDensity`. The paper starts every
 * Gaussian at the mean nearest-neighbour distance; here each starts at its own (three nearest), since lids and lips are
 * sampled several times denser than the skull. Deterministic in head, options and seed.
 */
export function sampleAtlas(head: HeadModel, options: SampleAtlasOptions): SurfaceSamples {
  const { count, seed, canonicalVertices = head.templateVertices } = options;
  if (!Number.isInteger(count) || count < 1)
    throw new RangeError(`count is ${count}; give a whole number of at least 1.`);
  const weightedAreas = weightTriangles(head, { ...REGION_DENSITY, ...options.regionDensity });
  const total = weightedAreas.reduce((sum, area) => sum + area, 0);
  if (!(total > 0))
    throw new RangeError('regionDensity leaves no surface to sample; give at least one region a density above 0.');

  const resolutions = gridResolutions(head, weightedAreas);
  // The finest common grid that does not exceed the count: hits follow scale² · total but for the edges.
  const expected = Math.sqrt(count / total);
  const fits = (scale: number): boolean => gridHits(head, resolutions, scale).triangles.length <= count;
  let [low, high] = [fits(0.9 * expected) ? 0.9 * expected : 0, 1.1 * expected];
  for (let step = 0; step < SEARCH_STEPS; step++) {
    const middle = (low + high) / 2;
    if (fits(middle)) low = middle;
    else high = middle;
  }
  const grid = gridHits(head, resolutions, low);
  const triangleIndices = new Uint32Array(count);
  const barycentrics = new Float32Array(count * 3);
  triangleIndices.set(grid.triangles);
  barycentrics.set(grid.barycentrics);
  padRandomly(grid.triangles.length, weightedAreas, seed, triangleIndices, barycentrics);

  const positions = surfacePositions(canonicalVertices, head.triangles, triangleIndices, barycentrics);
  return { count, triangleIndices, barycentrics, logScale: initialLogScale(positions, Math.sqrt(total / count)) };
}

type Atlas = Pick<HeadModel, 'uvs' | 'uvTriangles'>;

/** Where a place of a triangle lies in the atlas, 0…1; beyond its edges the triangle's own mapping goes on. */
export function placeUv(
  { uvs, uvTriangles }: Atlas,
  triangle: number,
  barycentric: ArrayLike<number>,
): [number, number] {
  const uv: [number, number] = [0, 0];
  for (let corner = 0; corner < 3; corner++) {
    const at = uvTriangles[triangle * 3 + corner] * 2;
    uv[0] += barycentric[corner] * uvs[at];
    uv[1] += barycentric[corner] * uvs[at + 1];
  }
  return uv;
}

/** N×2 in 0…1: where samples lie in the atlas. */
export function sampleUvs(
  head: Atlas,
  { triangleIndices, barycentrics }: Pick<SurfaceSamples, 'triangleIndices' | 'barycentrics'>,
): Float32Array {
  const uvs = new Float32Array(triangleIndices.length * 2);
  triangleIndices.forEach((triangle, i) => {
    for (let k = 0; k < 3; k++) {
      const uv = head.uvTriangles[triangle * 3 + k];
      uvs[i * 2] += barycentrics[i * 3 + k] * head.uvs[uv * 2];
      uvs[i * 2 + 1] += barycentrics[i * 3 + k] * head.uvs[uv * 2 + 1];
    }
  });
  return uvs;
}

/** N×3 metres: points of a mesh. */
export function surfacePositions(
  vertices: Float32Array,
  triangles: Uint32Array,
  triangleIndices: Uint32Array,
  barycentrics: Float32Array,
): Float32Array {
  const positions = new Float32Array(triangleIndices.length * 3);
  triangleIndices.forEach((triangle, i) => {
    for (let k = 0; k < 3; k++) {
      const vertex = triangles[triangle * 3 + k] * 3;
      for (let axis = 0; axis < 3; axis++) positions[i * 3 + axis] += barycentrics[i * 3 + k] * vertices[vertex + axis];
    }
  });
  return positions;
}

/** T: surface area × density of its region. */
function weightTriangles(head: HeadModel, density: Readonly<Record<RegionName, number>>): Float64Array {
  const mesh = { vertices: head.templateVertices, triangles: head.triangles };
  return Float64Array.from({ length: head.triangleCount }, (_, triangle) => {
    const area = surfaceArea(mesh, triangle);
    return area * Math.max(0, density[head.regionNames[head.triangleRegions[triangle]]] ?? 1);
  });
}

/** Per region, grid lines per unit of UV at one sample per weighted square metre. */
function gridResolutions(head: HeadModel, weightedAreas: Float64Array): Float64Array {
  const surface = new Float64Array(head.regionNames.length);
  const flat = new Float64Array(head.regionNames.length);
  for (let triangle = 0; triangle < head.triangleCount; triangle++) {
    surface[head.triangleRegions[triangle]] += weightedAreas[triangle];
    flat[head.triangleRegions[triangle]] += Math.abs(doubleUvArea(head, triangle)) / 2;
  }
  return surface.map((area, region) => (flat[region] > 0 ? Math.sqrt(area / flat[region]) : 0));
}

function doubleUvArea({ uvs, uvTriangles }: HeadModel, triangle: number): number {
  const [a, b, c] = [
    uvTriangles[triangle * 3] * 2,
    uvTriangles[triangle * 3 + 1] * 2,
    uvTriangles[triangle * 3 + 2] * 2,
  ];
  return (uvs[b] - uvs[a]) * (uvs[c + 1] - uvs[a + 1]) - (uvs[b + 1] - uvs[a + 1]) * (uvs[c] - uvs[a]);
}

/** Grid points (cell centres) that fall into triangles; a point on an edge goes to the first triangle. */
function gridHits(
  head: HeadModel,
  resolutions: Float64Array,
  scale: number,
): { triangles: number[]; barycentrics: number[] } {
  const triangles: number[] = [];
  const barycentrics: number[] = [];
  const taken = Array.from(resolutions, () => new Set<number>());
  const { uvs, uvTriangles } = head;
  for (let triangle = 0; triangle < head.triangleCount; triangle++) {
    const region = head.triangleRegions[triangle];
    const size = resolutions[region] * scale;
    const area = doubleUvArea(head, triangle) * size * size;
    if (area === 0) continue;
    const corner = [0, 1, 2].map((k) => uvTriangles[triangle * 3 + k] * 2);
    const [ax, bx, cx] = corner.map((uv) => uvs[uv] * size);
    const [ay, by, cy] = corner.map((uv) => uvs[uv + 1] * size);
    const lastY = Math.floor(Math.max(ay, by, cy) - 0.5);
    const lastX = Math.floor(Math.max(ax, bx, cx) - 0.5);
    for (let row = Math.ceil(Math.min(ay, by, cy) - 0.5); row <= lastY; row++) {
      for (let column = Math.ceil(Math.min(ax, bx, cx) - 0.5); column <= lastX; column++) {
        const [x, y] = [column + 0.5, row + 0.5];
        const wa = ((bx - x) * (cy - y) - (by - y) * (cx - x)) / area;
        const wb = ((cx - x) * (ay - y) - (cy - y) * (ax - x)) / area;
        const wc = 1 - wa - wb;
        if (wa < 0 || wb < 0 || wc < 0) continue;
        const isOnEdge = wa === 0 || wb === 0 || wc === 0;
        const key = row * 65536 + column;
        if (isOnEdge && taken[region].has(key)) continue;
        if (isOnEdge) taken[region].add(key);
        triangles.push(triangle);
        barycentrics.push(wa, wb, wc);
      }
    }
  }
  return { triangles, barycentrics };
}

/** Fills from `first` on: triangles by weighted area, uniform within. */
function padRandomly(
  first: number,
  weightedAreas: Float64Array,
  seed: number,
  triangleIndices: Uint32Array,
  barycentrics: Float32Array,
): void {
  const cumulative = new Float64Array(weightedAreas.length);
  let sum = 0;
  weightedAreas.forEach((area, triangle) => (cumulative[triangle] = sum += area));
  for (let i = first; i < triangleIndices.length; i++) {
    triangleIndices[i] = upperBound(cumulative, randomUniform(seed, STREAM_TRIANGLE, i) * sum);
    const root = Math.sqrt(randomUniform(seed, STREAM_BARYCENTRIC, i * 2));
    const along = randomUniform(seed, STREAM_BARYCENTRIC, i * 2 + 1);
    barycentrics.set([1 - root, root * (1 - along), root * along], i * 3);
  }
}

/** First index whose value exceeds `wanted`. */
function upperBound(sorted: Float64Array, wanted: number): number {
  let [low, high] = [0, sorted.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] > wanted) high = middle;
    else low = middle + 1;
  }
  return low;
}

function initialLogScale(positions: Float32Array, spacing: number): Float32Array {
  const distances = nearestNeighbours(positions, 3).meanDistances;
  const mean = distances.reduce((sum, distance) => sum + distance, 0) / distances.length || spacing;
  const logScale = new Float32Array(positions.length);
  distances.forEach((distance, i) => {
    logScale.fill(Math.log(Math.min(mean * SCALE_SPREAD, Math.max(mean / SCALE_SPREAD, distance))), i * 3, i * 3 + 3);
  });
  return logScale;
}
