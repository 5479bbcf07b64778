import { placeUv, sampleUvs } from '../binding/sampling.ts';
import type { Avatar } from '../avatar/avatar.ts';
import { SH_C0, type GaussianSet } from '../gaussians/layout.ts';
import { offsetVertices } from '../head/pose-vertices.ts';
import { dilogarithm, inverseDilogarithm } from '../math/dilogarithm.ts';
import { hilbertIndex } from '../math/hilbert-curve.ts';
import { randomUniform } from '../math/random.ts';
import { quaternionFromAxisAngle } from '../math/rotation.ts';
import { attributeMips, sampleAttributes, type AttributeMips, type SampledAttributes } from './attribute-mips.ts';
import { sampleMaps } from './attribute-maps.ts';
import type { BakedAvatar } from './baked-avatar.ts';
import { GAUSSIAN_LIMITS } from './gaussian-limits.ts';
import { localCovariance, mapTangentially, setShape } from '../gaussians/gaussian-shape.ts';
import { splitGaussian } from './split-gaussian.ts';
import { TrianglePlanes } from './triangle-planes.ts';

/** Maps that cannot be sampled at another count. */
export class ResampleError extends Error {
  override readonly name = 'ResampleError';
}

/** Random streams, so that other users of the seed draw other numbers. */
const STREAM_START = 0x10d1;
const STREAM_TURN = 0x10d2;

/**
 * The avatar with exactly `count` Gaussians that read their attributes from the maps (the paper's future work). Places
 * are taken from the fitted ones in order along a space-filling curve: detail stays where the fit put it.
 * - Fewer: some remain, evenly, or in proportion to `importance` (N, 0 or above, one for each fitted Gaussian). One that
 *   stands for k is k times as large in the surface and reads mip-maps of its own chart whose texels have grown like it.
 * - More: each is taken apart into parts whose footprints and optical depths add up to its own; each part reads the
 *   colour of its own place. Parts may lie beyond their triangle, in its plane: barycentrics below 0.
 *
 * Deterministic in maps, count, seed and importance. Parts and grown ones do not composite quite as what they stand for:
 * `resampleMatched` mends that. Throws `RangeError` for counts outside `GAUSSIAN_LIMITS`, `ResampleError` for maps of
 * appearance alone.
 */
export function resample(baked: BakedAvatar, count: number, seed: number, importance?: ArrayLike<number>): Avatar {
  const { avatar, maps, mapped } = baked;
  checkCount(count);
  if (mapped !== 'all') {
    throw new ResampleError(
      'these maps hold colour and opacity only; geometry is not in them but with each fitted Gaussian, so that the count cannot change. Bake with --variant all, or export without --gaussians.',
    );
  }
  const read = sampleMaps(maps, avatar.head, avatar.gaussians, mapped);
  if (read.count === 0)
    throw new ResampleError('the avatar has no Gaussians to sample from; fit it again with `fate fit`.');
  if (count === read.count) return { ...avatar, gaussians: read };
  const shares = wantedShares(read.count, count, importance);
  const copies = systematicCopies(avatar, shares, count, seed);
  const gaussians =
    count < read.count ? thinned(baked, read, copies, shares) : parted(baked, read, copies, count, seed);
  return { ...avatar, gaussians };
}

function checkCount(count: number): void {
  const { least, most } = GAUSSIAN_LIMITS;
  if (!Number.isInteger(count) || count < least || count > most)
    throw new RangeError(`the number of Gaussians is ${count}; give a whole number from ${least} to ${most}.`);
}

/**
 * N: M/N, as often as a Gaussian is to be taken. With importance, fewer are drawn in proportion to it, none more than
 * once: what stands out stays as it is.
 */
function wantedShares(fitted: number, count: number, importance?: ArrayLike<number>): Float64Array {
  const shares = new Float64Array(fitted).fill(count / fitted);
  if (!importance || count >= fitted) return shares;
  const order = Uint32Array.from(shares.keys()).sort((a, b) => importance[b] - importance[a] || a - b);
  let rest = order.reduce((sum, index) => sum + importance[index], 0);
  let left = count;
  for (const index of order) {
    // In falling order: once a share is below 1, so are all that follow.
    shares[index] = rest > 0 ? Math.min(1, (left * importance[index]) / rest) : 0;
    if (shares[index] < 1) continue;
    rest -= importance[index];
    left -= 1;
  }
  return shares;
}

/**
 * N: how often each fitted Gaussian is taken: its share rounded up or down, M in all. They stand in a row along Hilbert's
 * curve through the atlas, a random start and equal strides pick (systematic sampling), so that no patch is over- or
 * under-drawn by more than one.
 */
function systematicCopies({ head, gaussians }: Avatar, shares: Float64Array, count: number, seed: number): Uint32Array {
  const uvs = sampleUvs(head, gaussians);
  const codes = Float64Array.from({ length: gaussians.count }, (_, index) =>
    hilbertIndex(uvs[index * 2], uvs[index * 2 + 1]),
  );
  const order = Uint32Array.from(codes.keys()).sort((a, b) => codes[a] - codes[b] || a - b);
  const start = randomUniform(seed, STREAM_START, 0);
  const copies = new Uint32Array(gaussians.count);
  let [through, taken] = [0, 0];
  for (const [place, index] of order.entries()) {
    through += shares[index];
    const until = place === order.length - 1 ? count : Math.min(count, Math.max(taken, Math.ceil(through - start)));
    copies[index] = until - taken;
    taken = until;
  }
  return copies;
}

/** Some of the Gaussians, each standing for as many as its share tells. */
function thinned(
  { avatar, maps }: BakedAvatar,
  read: GaussianSet,
  copies: Uint32Array,
  shares: Float64Array,
): GaussianSet {
  const kept = Uint32Array.from(copies.keys()).filter((index) => copies[index] > 0);
  const set = emptySet(kept.length);
  const mips = attributeMips(avatar.head, maps);
  const uvs = sampleUvs(avatar.head, read);
  kept.forEach((from, to) => {
    // A footprint √(N/M) times as wide reads texels that much coarser.
    const grow = Math.sqrt(1 / Math.max(shares[from], LEAST_SHARE));
    const triangle = read.triangleIndices[from];
    set.triangleIndices[to] = triangle;
    set.barycentrics.set(read.barycentrics.subarray(from * 3, from * 3 + 3), to * 3);
    setAttributes(set, to, sampleAttributes(maps, mips, triangle, [uvs[from * 2], uvs[from * 2 + 1]], Math.log2(grow)));
    setShape(set, to, mapTangentially(localCovariance(set, to), [grow, 0, 0, grow]));
  });
  return set;
}

/** One Gaussian never stands for more than these: it would cover what others are for. */
const LEAST_SHARE = 1 / 16;

/** Keeps opacity below what a stored logit can tell from 1. */
const LARGEST_DEPTH = dilogarithm(0.9999);

/** Every Gaussian in parts. */
function parted(
  { avatar, maps }: BakedAvatar,
  read: GaussianSet,
  copies: Uint32Array,
  count: number,
  seed: number,
): GaussianSet {
  const { head, vertexOffset } = avatar;
  const set = emptySet(count);
  const mips = attributeMips(head, maps);
  const planes = new TrianglePlanes(head, offsetVertices(head.templateVertices, vertexOffset));
  let to = 0;
  copies.forEach((parts, from) => {
    const triangle = read.triangleIndices[from];
    const centre = read.barycentrics.subarray(from * 3, from * 3 + 3);
    const whole = localCovariance(read, from);
    const turn = 2 * Math.PI * randomUniform(seed, STREAM_TURN, from);
    const free = splitGaussian(whole, parts, turn, 1);
    const reach = planes.reach(triangle, centre, free.offsets);
    const { offsets, covariance, areaRatio } = reach < 1 ? splitGaussian(whole, parts, turn, reach) : free;
    const depth = dilogarithm(1 / (1 + Math.exp(-read.opacityLogit[from])));
    const opacity = inverseDilogarithm(Math.min(depth / (parts * areaRatio), LARGEST_DEPTH));
    for (const offset of offsets) {
      const place = planes.moved(triangle, centre, offset);
      const uv = placeUv(avatar.head, triangle, place);
      set.triangleIndices[to] = triangle;
      set.barycentrics.set(place, to * 3);
      // Beyond its chart's border a part keeps the colour of the whole.
      if (isInChart(mips, triangle, uv)) setColor(set, to, sampleAttributes(maps, mips, triangle, uv, 0));
      else set.color.set(read.color.subarray(from * 3, from * 3 + 3), to * 3);
      set.opacityLogit[to] = Math.log(opacity / (1 - opacity));
      set.normalOffset[to] = read.normalOffset[from];
      setShape(set, to, covariance);
      to++;
    }
  });
  return set;
}

function isInChart(
  { size, charts, texelCharts }: AttributeMips,
  triangle: number,
  uv: readonly [number, number],
): boolean {
  const [column, row] = uv.map((value) => Math.floor(value * size));
  if (column < 0 || row < 0 || column >= size || row >= size) return false;
  return texelCharts[row * size + column] === charts[triangle] + 1;
}

function setAttributes(set: GaussianSet, index: number, attributes: SampledAttributes): void {
  setColor(set, index, attributes);
  set.opacityLogit[index] = attributes.opacityLogit;
  set.normalOffset[index] = attributes.normalOffset;
  set.logScale.set(attributes.logScale, index * 3);
  set.localRotation.set(quaternionFromAxisAngle(attributes.rotation), index * 4);
}

function setColor(set: GaussianSet, index: number, { rgb }: SampledAttributes): void {
  set.color.set(rgb.map((value) => (value - 0.5) / SH_C0), index * 3); // prettier-ignore
}

function emptySet(count: number): GaussianSet {
  const floats = (perGaussian: number): Float32Array => new Float32Array(count * perGaussian);
  return {
    count,
    triangleIndices: new Uint32Array(count),
    barycentrics: floats(3),
    localRotation: floats(4),
    logScale: floats(3),
    opacityLogit: floats(1),
    color: floats(3),
    normalOffset: floats(1),
  };
}
