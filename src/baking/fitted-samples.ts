import { LOCAL_ATTRIBUTES, SH_C0, type GaussianSet } from '../gaussians/layout.ts';
import type { ChannelActivation } from './activate/activate.ts';
import { MAP_CHANNEL_COUNT } from './attribute-maps.ts';
import { SAMPLE_STRIDE } from './sample/sample.ts';

/** A fitted avatar that no maps can be made of. The message says what is wrong and what to do. */
export class UnusableAvatarError extends Error {
  override readonly name = 'UnusableAvatarError';
}

/**
 * N×12: what every Gaussian would have to read from the maps to be as it was fitted; records as in record.wgsl.
 *
 * A Gaussian has 24 equal descriptions, one for each way to name its axes. The one that turns least is taken, so that
 * neighbours which look alike are described alike.
 */
export function fittedSamples(gaussians: GaussianSet): Float32Array {
  const { count, localRotation, logScale, opacityLogit, color, normalOffset } = gaussians;
  const records = new Float32Array(count * SAMPLE_STRIDE);
  for (let gaussian = 0; gaussian < count; gaussian++) {
    const { rotation, scale } = leastTurned(
      localRotation.subarray(gaussian * 4, gaussian * 4 + 4),
      logScale.subarray(gaussian * 3, gaussian * 3 + 3),
    );
    const rgb = [0, 1, 2].map((channel) => 0.5 + SH_C0 * color[gaussian * 3 + channel]!);
    records.set(
      [...scale, ...rotation, ...rgb, limited(opacityLogit[gaussian]!), normalOffset[gaussian]!],
      gaussian * SAMPLE_STRIDE,
    );
  }
  return records;
}

/** Beyond it an opacity is 0 or 1 to the eye (0.7 %); how far beyond is noise that a network would have to learn. */
const OPACITY_LIMIT = 5;
const limited = (opacityLogit: number): number => Math.max(-OPACITY_LIMIT, Math.min(OPACITY_LIMIT, opacityLogit));

/** Smallest spread that a channel is learned with: attributes that are all alike must still be able to move. */
const LEAST_DEVIATION = [0.3, 0.3, 0.3, 0.2, 0.2, 0.2, 0.1, 0.1, 0.1, 1, 0.1] as const;

/** Mean and standard deviation of each of the 11 channels over the Gaussians. */
export interface ChannelStatistics {
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

export function channelStatistics(samples: Float32Array): ChannelStatistics {
  const count = Math.max(1, samples.length / SAMPLE_STRIDE);
  const mean = new Array<number>(MAP_CHANNEL_COUNT).fill(0);
  const deviation = new Array<number>(MAP_CHANNEL_COUNT).fill(0);
  samples.forEach((value, index) => {
    if (index % SAMPLE_STRIDE < MAP_CHANNEL_COUNT) mean[index % SAMPLE_STRIDE]! += value / count;
  });
  samples.forEach((value, index) => {
    const channel = index % SAMPLE_STRIDE;
    if (channel < MAP_CHANNEL_COUNT) deviation[channel]! += (value - mean[channel]!) ** 2 / count;
  });
  return {
    mean,
    deviation: deviation.map((square, channel) => Math.max(Math.sqrt(square), LEAST_DEVIATION[channel]!)),
  };
}

const SCALE_CHANNELS = 3;

/** Map units from the network's: the fitted spread round the fitted mean; scales bounded by eq 24. */
export function channelActivations({ mean, deviation }: ChannelStatistics, scaleLimit: number): ChannelActivation[] {
  return mean.map((shift, channel) => ({
    gain: deviation[channel]!,
    shift,
    limit: channel < SCALE_CHANNELS ? shift + scaleLimit * deviation[channel]! : null,
  }));
}

/** Nearer to its limit no channel is asked for: the raw output grows without bound towards it. */
const LEAST_ROOM = 0.05;

/** The raw output for which a channel has a value of map units; with a limit, at most that less `LEAST_ROOM`. */
export function rawOf({ gain, shift, limit }: ChannelActivation, value: number): number {
  // limit − softplus(limit − v) = value, solved for v.
  const bounded = limit === null ? value : limit - Math.log(Math.expm1(Math.max(LEAST_ROOM, limit - value)));
  return (bounded - shift) / gain;
}

/** Throws `UnusableAvatarError` for an avatar without Gaussians, or with one that is not a number. */
export function checkGaussians(gaussians: GaussianSet): void {
  if (gaussians.count === 0)
    throw new UnusableAvatarError('the avatar has no Gaussians: fit it again with `fate fit` before baking');
  for (const name of [...LOCAL_ATTRIBUTES, 'barycentrics'] as const) {
    const index = gaussians[name].findIndex((value) => !Number.isFinite(value));
    if (index >= 0) {
      throw new UnusableAvatarError(
        `the avatar holds ${gaussians[name][index]} in "${name}" (element ${index}): fit it again with \`fate fit\``,
      );
    }
  }
}

/** The 24 rotations that take the axes onto themselves, as unit quaternions, with where each axis of the result comes from. */
const AXIS_TURNS = axisTurns();

interface AxisTurn {
  readonly quaternion: readonly [number, number, number, number];
  /** Axis `a` after the turn is what `source[a]` was before. */
  readonly source: readonly [number, number, number];
}

function axisTurns(): AxisTurn[] {
  const half = Math.SQRT1_2;
  const quaternions: [number, number, number, number][] = [
    [1, 0, 0, 0],
    [0, 1, 0, 0],
    [0, 0, 1, 0],
    [0, 0, 0, 1],
  ];
  for (let axis = 1; axis <= 3; axis++) {
    for (const sign of [1, -1]) {
      const quarter: [number, number, number, number] = [half, 0, 0, 0];
      quarter[axis] = sign * half;
      quaternions.push(quarter);
      const diagonal: [number, number, number, number] = [0, half, half, half];
      diagonal[axis] = 0;
      diagonal[axis === 3 ? 1 : axis + 1] *= sign;
      quaternions.push(diagonal);
    }
  }
  for (const x of [0.5, -0.5])
    for (const y of [0.5, -0.5]) for (const z of [0.5, -0.5]) quaternions.push([0.5, x, y, z]);
  return quaternions.map((quaternion) => {
    const source = [0, 1, 2].map((axis) => {
      const unit: [number, number, number, number] = [0, 0, 0, 0];
      unit[axis + 1] = 1;
      const [w, x, y, z] = quaternion;
      const turned = multiply(multiply(quaternion, unit), [w, -x, -y, -z]).slice(1).map(Math.abs);
      return turned.indexOf(Math.max(...turned));
    });
    return { quaternion, source: source as unknown as AxisTurn['source'] };
  });
}

function multiply(a: ArrayLike<number>, b: ArrayLike<number>): [number, number, number, number] {
  const [aw, ax, ay, az] = [a[0]!, a[1]!, a[2]!, a[3]!];
  const [bw, bx, by, bz] = [b[0]!, b[1]!, b[2]!, b[3]!];
  return [
    aw * bw - ax * bx - ay * by - az * bz,
    aw * bx + ax * bw + ay * bz - az * by,
    aw * by - ax * bz + ay * bw + az * bx,
    aw * bz + ax * by - ay * bx + az * bw,
  ];
}

/** R S² Rᵀ = (R G)(Gᵀ S² G)(R G)ᵀ: the turn G for which R G is nearest to no rotation. */
function leastTurned(
  rotation: ArrayLike<number>,
  logScale: ArrayLike<number>,
): { rotation: readonly number[]; scale: readonly number[] } {
  let best: { quaternion: readonly number[]; turn: AxisTurn } | null = null;
  for (const turn of AXIS_TURNS) {
    const quaternion = multiply(rotation, turn.quaternion);
    if (!best || Math.abs(quaternion[0]) > Math.abs(best.quaternion[0]!)) best = { quaternion, turn };
  }
  const { quaternion, turn } = best!;
  return { rotation: axisAngle(quaternion), scale: turn.source.map((axis) => logScale[axis]!) };
}

/** The shorter way round. */
function axisAngle(quaternion: readonly number[]): [number, number, number] {
  const sign = quaternion[0]! < 0 ? -1 : 1;
  const [x, y, z] = [sign * quaternion[1]!, sign * quaternion[2]!, sign * quaternion[3]!];
  const sine = Math.hypot(x, y, z);
  const factor = sine > 1e-9 ? (2 * Math.atan2(sine, sign * quaternion[0]!)) / sine : 2;
  return [x * factor, y * factor, z * factor];
}
