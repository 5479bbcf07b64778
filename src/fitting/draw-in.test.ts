import { describe, expect, it } from 'vitest';
import type { GaussianSet } from '../gaussians/layout.ts';
import { drawIn, NOTHING } from './draw-in.ts';

const SIDE = 12;
const COUNT = SIDE * SIDE;
const SPACING = 0.005;

/** A sheet of solid Gaussians, the given ones faint. */
function sheet(faint: readonly number[], logit = -2) {
  const gaussians: GaussianSet = {
    count: COUNT,
    triangleIndices: new Uint32Array(COUNT),
    barycentrics: new Float32Array(COUNT * 3).fill(1 / 3),
    localRotation: new Float32Array(COUNT * 4).fill(0.5),
    logScale: new Float32Array(COUNT * 3).fill(-7),
    opacityLogit: Float32Array.from({ length: COUNT }, (_, i) => (faint.includes(i) ? logit : 2)),
    color: new Float32Array(COUNT * 3),
    normalOffset: new Float32Array(COUNT),
  };
  const positions = Float32Array.from({ length: COUNT * 3 }, (_, at) => {
    const [i, k] = [Math.floor(at / 3), at % 3];
    return k === 2 ? 0 : SPACING * (k === 0 ? i % SIDE : Math.floor(i / SIDE));
  });
  const groups = Array.from({ length: COUNT }, (_, i) => (i === 0 ? null : ('hair' as const)));
  const inward = (isAsked: (gaussian: number) => boolean): Float32Array =>
    Float32Array.from({ length: COUNT }, (_, i) => (isAsked(i) ? -0.25 : NaN));
  const isFirst = new Uint8Array(COUNT).fill(1);
  const spacing = new Float32Array(COUNT).fill(SPACING);
  return { gaussians, positions, spacing, groups, isFirst, thickness: 0.5, inward };
}

const moved = ({ gaussians, isDrawnIn }: ReturnType<typeof drawIn>): number[] =>
  Array.from({ length: gaussians.count }, (_, i) => i).filter(isDrawnIn);

describe('drawIn', () => {
  const middle = 5 * SIDE + 5;

  it('makes a hole solid again below the surface, as wide as its spacing and flat, and leaves the rest', () => {
    const inputs = sheet([middle, middle + 1]);
    const before = structuredClone(inputs.gaussians);
    const result = drawIn(inputs);
    expect(moved(result)).toEqual([middle, middle + 1]);
    const { normalOffset, opacityLogit, logScale, localRotation } = result.gaussians;
    expect(normalOffset[middle]).toBeCloseTo(-0.25, 6);
    expect(opacityLogit[middle]).toBeGreaterThan(2.5);
    expect(Math.exp(logScale[middle * 3]!)).toBeGreaterThan(SPACING * 0.9);
    expect(logScale[middle * 3 + 1]! - logScale[middle * 3]!).toBeCloseTo(Math.log(0.5), 5);
    expect([...localRotation.subarray(middle * 4, middle * 4 + 4)]).toEqual([1, 0, 0, 0]);
    expect(inputs.gaussians).toEqual(before);
    expect(logScale[(middle + 2) * 3]).toBe(before.logScale[(middle + 2) * 3]);
  });

  it('leaves a child that is still faint: it began so, and the pictures say nothing by it', () => {
    const inputs = sheet([middle, middle + 1]);
    inputs.isFirst[middle] = 0;
    expect(moved(drawIn(inputs))).toEqual([middle + 1]);
  });

  it('leaves what is faint inside of the mattes, but only under others that cover it', () => {
    const inputs = sheet([middle]);
    const inside = (isAsked: (gaussian: number) => boolean): Float32Array =>
      inputs.inward(isAsked).map((place) => place && 0);
    const wide = { ...inputs.gaussians, logScale: new Float32Array(COUNT * 3).fill(Math.log(SPACING)) };
    expect(moved(drawIn({ ...inputs, inward: inside, gaussians: wide }))).toEqual([]);
    expect(moved(drawIn({ ...inputs, inward: inside }))).toEqual([middle]);
    expect(moved(drawIn({ ...inputs, gaussians: wide }))).toEqual([middle]); // sticks out
  });

  it('counts what is faint but covered as surface round a hole', () => {
    const block = [-1, 0, 1].flatMap((row) => [-1, 0, 1].map((column) => middle + row * SIDE + column));
    const inputs = sheet(block);
    const inside = (isAsked: (gaussian: number) => boolean): Float32Array =>
      inputs.inward(isAsked).map((place) => place && 0);
    // Solid ones reach one spacing into the block, so its rim is covered and its middle is not.
    const logScale = inputs.gaussians.logScale.map(() => Math.log(0.75 * SPACING));
    const result = drawIn({ ...inputs, inward: inside, gaussians: { ...inputs.gaussians, logScale } });
    expect(moved(result)).toEqual([middle]);
  });

  it('leaves what has nothing solid round it, lies below what belongs, is of no surface, or was ended for good', () => {
    const everywhere = Array.from({ length: COUNT }, (_, i) => i);
    const alone = sheet(everywhere);
    const one = (isAsked: (gaussian: number) => boolean): Float32Array =>
      alone.inward(isAsked).map((place, i) => (i === middle ? place : NaN));
    expect(moved(drawIn({ ...alone, inward: one }))).toEqual([]);
    expect(moved(drawIn({ ...sheet([middle]), lowest: SPACING * 6 }))).toEqual([]);
    expect(moved(drawIn(sheet([0])))).toEqual([]);
    expect(moved(drawIn(sheet([middle], NOTHING)))).toEqual([]);
  });

  it('gives the set itself where nothing sticks out', () => {
    const inputs = sheet([]);
    expect(drawIn(inputs).gaussians).toBe(inputs.gaussians);
    expect(drawIn({ ...inputs, inward: undefined }).gaussians).toBe(inputs.gaussians);
  });
});
