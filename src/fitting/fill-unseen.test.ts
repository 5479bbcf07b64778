import { describe, expect, it } from 'vitest';
import { fillUnseen, seenConfidence, type FillInputs } from './fill-unseen.ts';

const SIDE = 16;
const COUNT = SIDE * SIDE;
const SPACING = 0.005;
const SEEN_COLOR = [1, -0.5, 0.25];

/** A flat patch whose left half was learned; the right half was never shown and stands as it began. */
function halfSeen(): FillInputs {
  const isSeen = (i: number): boolean => i % SIDE < SIDE / 2;
  const perGaussian = (stride: number, value: (i: number, k: number) => number): Float32Array =>
    Float32Array.from({ length: COUNT * stride }, (_, at) => value(Math.floor(at / stride), at % stride));
  return {
    gaussians: {
      count: COUNT,
      triangleIndices: new Uint32Array(COUNT),
      barycentrics: perGaussian(3, () => 1 / 3),
      localRotation: perGaussian(4, (i, k) => (isSeen(i) ? 0.5 : Number(k === 0))),
      logScale: perGaussian(3, () => Math.log(SPACING) - 0.5),
      opacityLogit: perGaussian(1, (i) => (isSeen(i) ? 1.5 : 2.2)),
      color: perGaussian(3, (i, k) => (isSeen(i) ? SEEN_COLOR[k] : 0)),
      normalOffset: perGaussian(1, (i) => (isSeen(i) ? 0.04 : 0)),
    },
    positions: perGaussian(3, (i, k) => (k === 0 ? i % SIDE : k === 1 ? Math.floor(i / SIDE) : 0) * SPACING),
    spacing: perGaussian(1, () => SPACING),
    isFirst: new Uint8Array(COUNT).fill(1),
    contribution: perGaussian(1, (i) => (isSeen(i) ? 3 : 0)),
    pixelsPerMetre: 400,
    groups: Array.from({ length: COUNT }, (_, i) => (i < SIDE ? null : 'skin')),
    thickness: 0.5,
  };
}

describe('fillUnseen', () => {
  const inputs = halfSeen();
  const before = structuredClone(inputs);
  const filled = fillUnseen(inputs);

  it('tells the seen from the unseen by their light', () => {
    const confidence = seenConfidence(inputs);
    expect(confidence[3 * SIDE]).toBe(1);
    expect(confidence[3 * SIDE + SIDE - 1]).toBe(0);
  });

  it('leaves what is seen, what belongs to no group, and its input as they are', () => {
    expect(inputs).toEqual(before);
    for (const i of [3 * SIDE, 9 * SIDE + 4, SIDE - 1]) {
      for (const [name, stride] of [
        ['color', 3],
        ['logScale', 3],
        ['localRotation', 4],
        ['opacityLogit', 1],
        ['normalOffset', 1],
      ] as const) {
        const of = (set: typeof filled): Float32Array => set[name].subarray(i * stride, (i + 1) * stride);
        expect([name, ...of(filled)]).toEqual([name, ...of(before.gaussians)]);
      }
    }
  });

  it('continues colour and height over what is not, opaque, as wide as its spacing, and flat', () => {
    for (const i of [4 * SIDE + SIDE - 1, 12 * SIDE + SIDE - 3]) {
      SEEN_COLOR.forEach((value, k) => expect(filled.color[i * 3 + k]).toBeCloseTo(value, 3));
      expect(filled.normalOffset[i]).toBeCloseTo(0.04, 3);
      expect(1 / (1 + Math.exp(-filled.opacityLogit[i]))).toBeGreaterThan(0.9);
      expect(Math.exp(filled.logScale[i * 3])).toBeGreaterThan(0.8 * SPACING);
      expect(Math.exp(filled.logScale[i * 3])).toBeLessThan(2.5 * SPACING);
      expect(filled.logScale[i * 3 + 1] - filled.logScale[i * 3]).toBeCloseTo(Math.log(0.5), 3); // along the normal
    }
    for (const values of [filled.color, filled.logScale, filled.opacityLogit, filled.normalOffset]) {
      expect(values.every(Number.isFinite)).toBe(true);
    }
  });

  it('closes a hole with the look round it, and asks for nothing else', () => {
    const faint = 9 * SIDE + 3;
    const { opacityLogit, logScale } = inputs.gaussians;
    const gaussians = {
      ...inputs.gaussians,
      opacityLogit: opacityLogit.with(faint, -3),
      logScale: logScale.map((value) => value - 1), // so small that they do not cover each other's places
    };
    let asked: number[] = [];
    const inward = (isAsked: (gaussian: number) => boolean): Float32Array => {
      asked = [...opacityLogit.keys()].filter(isAsked);
      return new Float32Array(COUNT).fill(NaN).with(faint, -0.3);
    };
    const { normalOffset, opacityLogit: logits, color } = fillUnseen({ ...inputs, gaussians, inward });
    expect(asked).toEqual([faint]);
    expect(normalOffset[faint]).toBeCloseTo(-0.3, 5);
    expect(1 / (1 + Math.exp(-logits[faint]))).toBeGreaterThan(0.9);
    SEEN_COLOR.forEach((value, k) => expect(color[faint * 3 + k]).toBeCloseTo(value, 3));
    expect(normalOffset[faint + 1]).toBe(inputs.gaussians.normalOffset[faint + 1]);
  });

  it('takes a set where nothing is seen, and one smaller than a neighbourhood', () => {
    const dark = fillUnseen({ ...inputs, contribution: new Float32Array(COUNT) });
    expect(dark.color.every(Number.isFinite)).toBe(true);
    const three = Object.fromEntries(
      Object.entries(inputs.gaussians).map(([name, values]) => [
        name,
        typeof values === 'number' ? 3 : values.slice(0, (values.length / COUNT) * 3),
      ]),
    );
    const few = fillUnseen({
      ...inputs,
      gaussians: three as unknown as FillInputs['gaussians'],
      positions: inputs.positions.slice(0, 9),
      spacing: inputs.spacing.slice(0, 3),
      isFirst: inputs.isFirst.slice(0, 3),
      contribution: inputs.contribution.slice(0, 3),
      groups: ['skin', 'skin', 'skin'],
    });
    for (const values of [few.color, few.logScale, few.opacityLogit]) expect(values.every(Number.isFinite)).toBe(true);
  });
});
