import { describe, expect, it } from 'vitest';
import { randomNormal, randomUniform } from '../math/random.ts';
import { MAP_CHANNEL_COUNT } from './attribute-maps.ts';
import { addFittedDetail } from './fitted-detail.ts';
import { SAMPLE_STRIDE } from './sample/sample.ts';
import { mapTaps, type MapTaps } from './sample/taps.ts';

const SIZE = 16;
const TEXELS = SIZE * SIZE;
const COUNT = 30;

const places = Float32Array.from({ length: COUNT * 2 }, (_, index) => randomUniform(3, 0, index));
const targets = Float32Array.from({ length: COUNT * SAMPLE_STRIDE }, (_, index) => randomNormal(3, 1, index));
const made = Float32Array.from({ length: MAP_CHANNEL_COUNT * TEXELS }, (_, index) => 0.1 * randomNormal(3, 2, index));
const evenly = new Float32Array(COUNT).fill(1);

/** Root of the mean square, over Gaussians and channels, of what is read less what was fitted. */
function error(taps: MapTaps, maps: Float32Array, wanted: Float32Array): number {
  let sum = 0;
  const count = taps.gaussianCount;
  for (let gaussian = 0; gaussian < count; gaussian++) {
    for (let channel = 0; channel < MAP_CHANNEL_COUNT; channel++)
      sum += (readAt(taps, maps, gaussian, channel) - wanted[gaussian * SAMPLE_STRIDE + channel]!) ** 2;
  }
  return Math.sqrt(sum / (count * MAP_CHANNEL_COUNT));
}

function readAt({ texels, weights }: MapTaps, maps: Float32Array, gaussian: number, channel: number): number {
  const taps = [0, 1, 2, 3].map((tap) => gaussian * 4 + tap);
  return taps.reduce((sum, tap) => sum + weights[tap]! * maps[channel * TEXELS + texels[tap]!]!, 0);
}

describe('the fitted detail', () => {
  it('lets Gaussians read what they were fitted with, and leaves what none reads', () => {
    const taps = mapTaps(places, SIZE);
    const maps = addFittedDetail({ taps, maps: made, targets, importance: evenly });
    expect(error(taps, made, targets)).toBeGreaterThan(0.8);
    expect(error(taps, maps, targets)).toBeLessThan(0.25);
    maps.forEach((value, element) => {
      const texel = element % TEXELS;
      if (taps.starts[texel] === taps.starts[texel + 1]) expect(value).toBe(made[element]);
    });
  });

  it('changes nothing where nothing is missing', () => {
    const taps = mapTaps(places, SIZE);
    const read = Float32Array.from({ length: COUNT * SAMPLE_STRIDE }, (_, index) => {
      const channel = index % SAMPLE_STRIDE;
      return channel < MAP_CHANNEL_COUNT ? readAt(taps, made, Math.floor(index / SAMPLE_STRIDE), channel) : 0;
    });
    const maps = addFittedDetail({ taps, maps: made, targets: read, importance: evenly });
    maps.forEach((value, element) => expect(value).toBeCloseTo(made[element]!, 5));
  });

  it('between Gaussians of one place takes their mean by importance', () => {
    const taps = mapTaps(Float32Array.of(0.53, 0.47, 0.53, 0.47), SIZE);
    const wanted = new Float32Array(2 * SAMPLE_STRIDE).fill(1, SAMPLE_STRIDE);
    const maps = addFittedDetail({
      taps,
      maps: new Float32Array(made.length),
      targets: wanted,
      importance: Float32Array.of(1, 3),
    });
    // The texels' own hold of 0.01 on 0, against 4 of importance times Σ weight², draws it down a little.
    expect(readAt(taps, maps, 0, 0)).toBeGreaterThan(0.73);
    expect(readAt(taps, maps, 0, 0)).toBeLessThan(0.75);
  });
});
