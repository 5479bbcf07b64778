import { expect, test } from 'vitest';
import { NORMAL_OFFSET_LIMIT, type GaussianSet } from '../gaussians/layout.ts';
import { shortenNeedles, triangleStretch, type ShortenNeedlesInputs } from './shorten-needles.ts';

const SPACING = 0.004;
const logs = (...metres: number[]): number[] => metres.map((value) => Math.log(value));

/** Four Gaussians, one like the other. */
function four(logScale: number[]): ShortenNeedlesInputs {
  const gaussians: GaussianSet = {
    count: 4,
    triangleIndices: new Uint32Array(4),
    barycentrics: Float32Array.from({ length: 12 }, (_, at) => (at % 3 === 0 ? 1 : 0)),
    localRotation: Float32Array.from({ length: 16 }, (_, at) => (at % 4 === 0 ? 1 : 0)),
    logScale: Float32Array.from([logScale, logScale, logScale, logScale].flat()),
    opacityLogit: new Float32Array(4),
    color: new Float32Array(12),
    normalOffset: new Float32Array(4),
  };
  return {
    gaussians,
    spacing: new Float32Array(4).fill(SPACING),
    groups: ['skin', 'skin', 'hair', 'neck'],
    stretch: new Float32Array(4).fill(1),
  };
}

test('a needle is cut to three spacings, and stays as wide as it was', () => {
  const { logScale } = shortenNeedles(four(logs(0.03, 0.002, 0.001)));
  const limit = 3 * SPACING;
  for (let i = 0; i < 4; i++) {
    expect(Math.exp(logScale[i * 3]!)).toBeCloseTo(limit, 6);
    expect(Math.exp(logScale[i * 3 + 1]!)).toBeCloseTo(0.002, 6);
    expect(Math.exp(logScale[i * 3 + 2]!)).toBeCloseTo(0.001, 6);
  }
});

test('what is short already, and the set that was given, stay as they are', () => {
  const short = four(logs(0.005, 0.002, 0.001));
  expect(shortenNeedles(short).logScale).toEqual(short.gaussians.logScale);
  const long = four(logs(0.05, 0.05, 0.05));
  shortenNeedles(long);
  expect(long.gaussians.logScale[0]).toBeCloseTo(Math.log(0.05), 6);
});

test('on a triangle that Δvertex has made four times as large, half is left; on a smaller one, no more', () => {
  const { logScale } = shortenNeedles({ ...four(logs(0.03, 0.002, 0.001)), stretch: Float32Array.of(4, 0.2, 1, 1) });
  const limit = 3 * SPACING;
  expect(Math.exp(logScale[0]!)).toBeCloseTo(limit / 2, 6);
  expect(Math.exp(logScale[3]!)).toBeCloseTo(limit, 6);
});

test('a strand that stands off by centimetres is cut to half of that; a wide one there, as elsewhere', () => {
  const limit = 3 * SPACING;
  const standing = (set: ShortenNeedlesInputs): ShortenNeedlesInputs => ({
    ...set,
    gaussians: { ...set.gaussians, normalOffset: new Float32Array(4).fill(Math.atanh(0.02 / NORMAL_OFFSET_LIMIT)) },
  });
  expect(Math.exp(shortenNeedles(standing(four(logs(0.03, 0.002, 0.001)))).logScale[0]!)).toBeCloseTo(limit / 2, 6);
  expect(Math.exp(shortenNeedles(standing(four(logs(0.03, 0.02, 0.001)))).logScale[0]!)).toBeCloseTo(limit, 6);
});

test('of a strand that stands off the skin all of the stretch is taken back, of one beside the neck its root', () => {
  const set = four(logs(0.03, 0.002, 0.001));
  set.gaussians.normalOffset.fill(Math.atanh(0.02 / NORMAL_OFFSET_LIMIT));
  const { logScale } = shortenNeedles({ ...set, stretch: new Float32Array(4).fill(4) });
  const limit = 1.5 * SPACING;
  expect([0, 2, 3].map((i) => Math.exp(logScale[i * 3]!) / limit)).toEqual(
    [1 / 4, 1 / 2, 1 / 2].map((share): unknown => expect.closeTo(share, 5)),
  );
});

test('stretch is that of a length: twice as wide and twice as high is 2', () => {
  const triangles = Uint32Array.of(0, 1, 2);
  const mesh = Float32Array.of(0, 0, 0, 0.01, 0, 0, 0, 0.02, 0);
  expect(
    triangleStretch(
      triangles,
      mesh,
      mesh.map((value) => 2 * value),
    )[0],
  ).toBeCloseTo(2, 5);
});
