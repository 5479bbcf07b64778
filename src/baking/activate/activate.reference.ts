import type { ChannelActivation } from './activate.ts';

const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const sigmoid = (x: number): number => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)));

/** C×texels map values from the network's raw ones, in float64 (eq 24 where a channel has a limit). */
export function activateReference(raw: ArrayLike<number>, channels: readonly ChannelActivation[]): Float64Array {
  const texelCount = raw.length / channels.length;
  return Float64Array.from({ length: raw.length }, (_, element) => {
    const { gain, shift, limit } = channels[Math.floor(element / texelCount)]!;
    const value = gain * raw[element]! + shift;
    return limit === null ? value : limit - softplus(limit - value);
  });
}

/** ∂loss/∂raw from ∂loss/∂maps. */
export function activateBackwardReference(
  raw: ArrayLike<number>,
  mapGradient: ArrayLike<number>,
  channels: readonly ChannelActivation[],
): Float64Array {
  const texelCount = raw.length / channels.length;
  return Float64Array.from({ length: raw.length }, (_, element) => {
    const { gain, shift, limit } = channels[Math.floor(element / texelCount)]!;
    const slope = limit === null ? 1 : sigmoid(limit - (gain * raw[element]! + shift));
    return mapGradient[element]! * gain * slope;
  });
}
