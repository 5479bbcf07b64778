import { describe, expect, it } from 'vitest';
import type { GaussianSet } from '../gaussians/layout.ts';
import { matrixFromAxisAngle, multiplyMatrices, type Matrix3 } from '../math/rotation.ts';
import { randomNormal } from '../math/random.ts';
import { activateReference } from './activate/activate.reference.ts';
import {
  channelActivations,
  channelStatistics,
  checkGaussians,
  fittedSamples,
  rawOf,
  UnusableAvatarError,
} from './fitted-samples.ts';

const random = (length: number, stream: number): Float32Array =>
  Float32Array.from({ length }, (_, index) => randomNormal(8, stream, index));

function gaussians(count: number): GaussianSet {
  return {
    count,
    triangleIndices: new Uint32Array(count),
    barycentrics: new Float32Array(count * 3).fill(1 / 3),
    localRotation: random(count * 4, 0),
    logScale: random(count * 3, 1).map((value) => value - 6),
    opacityLogit: random(count, 2),
    color: random(count * 3, 3),
    normalOffset: random(count, 4),
  };
}

function covariance(rotation: Matrix3, logScale: ArrayLike<number>): Matrix3 {
  const scaled = rotation.map((value, index) => value * Math.exp(logScale[index % 3]!));
  const transposed = scaled.map((_, index) => scaled[(index % 3) * 3 + Math.floor(index / 3)]!);
  return multiplyMatrices(scaled, transposed);
}

function matrixOf([w, x, y, z]: ArrayLike<number> & Iterable<number>): Matrix3 {
  const length = Math.hypot(w!, x!, y!, z!);
  const sine = Math.hypot(x!, y!, z!);
  const angle = 2 * Math.atan2(sine / length, w! / length);
  return matrixFromAxisAngle([x!, y!, z!].map((value) => (value * angle) / sine));
}

describe('fitted samples', () => {
  it('describe the same Gaussians with the least turn', () => {
    const set = gaussians(60);
    const samples = fittedSamples(set);
    for (let index = 0; index < set.count; index++) {
      const record = samples.subarray(index * 12, index * 12 + 12);
      const given = covariance(
        matrixOf(set.localRotation.subarray(index * 4, index * 4 + 4)),
        set.logScale.subarray(index * 3, index * 3 + 3),
      );
      const described = covariance(matrixFromAxisAngle(record.subarray(3, 6)), record.subarray(0, 3));
      const largest = Math.max(...given.map(Math.abs));
      given.forEach((value, place) => expect(described[place]! / largest).toBeCloseTo(value / largest, 4));
      // No rotation is further than this from one that maps the axes onto themselves.
      expect(Math.hypot(record[3]!, record[4]!, record[5]!)).toBeLessThan(1.1);
    }
  });

  it('have statistics that leave no channel stuck', () => {
    const set = { ...gaussians(50), opacityLogit: new Float32Array(50).fill(2) };
    const statistics = channelStatistics(fittedSamples(set));
    expect(statistics.mean[9]).toBeCloseTo(2, 5);
    expect(statistics.deviation[9]).toBe(1);
    const channels = channelActivations(statistics, 1);
    expect(channels.map(({ limit }) => limit === null)).toEqual([0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1].map(Boolean));
    const atMean = activateReference(
      channels.map((channel) => rawOf(channel, channel.shift)),
      channels,
    );
    atMean.forEach((value, channel) => expect(value).toBeCloseTo(statistics.mean[channel]!, 6));
  });

  it('are not made of what is no avatar', () => {
    expect(() => checkGaussians(gaussians(0))).toThrow(/no Gaussians/);
    const broken = gaussians(3);
    broken.color[4] = NaN;
    expect(() => checkGaussians(broken)).toThrow(UnusableAvatarError);
    expect(() => checkGaussians(broken)).toThrow(/NaN in "color" \(element 4\)/);
    expect(() => checkGaussians(gaussians(3))).not.toThrow();
  });
});
