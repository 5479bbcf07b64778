import { describe, expect, it } from 'vitest';
import { SH_C0 } from '../gaussians/layout.ts';
import { randomNormal } from '../math/random.ts';
import { shadeUnseen, type ShadeInputs } from './shade-unseen.ts';

const COUNT = 4000;

/** A ball of hair of 10 cm whose front was seen and varies by `contrast`; its back has one colour. */
function ball(contrast: number): ShadeInputs {
  const positions = new Float32Array(COUNT * 3);
  const color = new Float32Array(COUNT * 3);
  for (let i = 0; i < COUNT; i++) {
    const height = 1 - (2 * (i + 0.5)) / COUNT;
    const turn = i * 2.399963; // the golden angle spreads them evenly
    const radius = Math.sqrt(1 - height * height);
    positions.set(
      [radius * Math.sin(turn), height, radius * Math.cos(turn)].map((value) => 0.1 * value),
      i * 3,
    );
    const seen = positions[i * 3 + 2] > 0 ? contrast * randomNormal(3, 0, i) : 0;
    for (let k = 0; k < 3; k++) color[i * 3 + k] = (0.4 * (1 + seen) - 0.5) / SH_C0;
  }
  return {
    gaussians: {
      count: COUNT,
      triangleIndices: new Uint32Array(COUNT),
      barycentrics: new Float32Array(COUNT * 3),
      localRotation: new Float32Array(COUNT * 4),
      logScale: new Float32Array(COUNT * 3),
      opacityLogit: new Float32Array(COUNT),
      color,
      normalOffset: new Float32Array(COUNT),
    },
    positions,
    light: Float32Array.from({ length: COUNT }, (_, i) => (positions[i * 3 + 2] > 0 ? 0.5 : 0)),
    groups: Array.from({ length: COUNT }, (_, i) => (i % 10 === 0 ? 'skin' : 'hair')),
    seed: 1,
  };
}

const rgb = (value: number): number => 0.5 + SH_C0 * value;
const isBack = ({ positions }: ShadeInputs, i: number): boolean => positions[i * 3 + 2] <= 0;

describe('shadeUnseen', () => {
  const inputs = ball(0.1);
  const before = structuredClone(inputs);
  const shaded = shadeUnseen(inputs);
  const back = [...shaded.opacityLogit.keys()].filter((i) => isBack(inputs, i) && i % 10 !== 0);

  it('leaves what is seen, what is no hair, and its input as they are', () => {
    expect(inputs).toEqual(before);
    for (let i = 0; i < COUNT; i++) {
      if (isBack(inputs, i) && i % 10 !== 0) continue;
      expect(shaded.color[i * 3]).toBeCloseTo(before.gaussians.color[i * 3], 5);
    }
    expect({ ...shaded, color: null }).toEqual({ ...before.gaussians, color: null });
  });

  it('gives unseen hair the contrast of seen hair, round the same mean', () => {
    const values = back.map((i) => rgb(shaded.color[i * 3]) / 0.4);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
    expect(mean).toBeGreaterThan(0.96);
    expect(mean).toBeLessThan(1.04);
    expect(deviation).toBeGreaterThan(0.07);
    expect(deviation).toBeLessThan(0.13);
    expect(Math.max(...values.map((value) => Math.abs(value - 1)))).toBeLessThan(0.3);
  });

  it('has no seam where a turn ends, and runs along the strands', () => {
    const difference = (wanted: (dx: number, dy: number) => boolean): number => {
      const found: number[] = [];
      const middle = back.filter((i) => inputs.positions[i * 3 + 2] < -0.08);
      for (const i of middle)
        for (const j of middle) {
          const [dx, dy, dz] = [0, 1, 2].map((axis) => inputs.positions[i * 3 + axis] - inputs.positions[j * 3 + axis]);
          if (Math.hypot(dx, dy, dz) < 0.008 && i !== j && wanted(Math.abs(dx), Math.abs(dy)))
            found.push(Math.abs(rgb(shaded.color[i * 3]) - rgb(shaded.color[j * 3])));
        }
      return found.reduce((sum, value) => sum + value, 0) / found.length;
    };
    const across = difference((dx, dy) => dx > 3 * dy);
    const along = difference((dx, dy) => dy > 3 * dx);
    expect(along).toBeLessThan(0.6 * across);
  });

  it('is the same for the same seed, other for another, and leaves hair of one colour so', () => {
    expect(shadeUnseen(inputs).color).toEqual(shaded.color);
    expect(shadeUnseen({ ...inputs, seed: 2 }).color).not.toEqual(shaded.color);
    const plain = ball(0);
    const { color } = shadeUnseen(plain);
    color.forEach((value, i) => expect(value).toBeCloseTo(plain.gaussians.color[i], 3));
  });

  it('takes a set without hair, or without anything seen', () => {
    const groups = inputs.groups.map(() => 'skin' as const);
    expect(shadeUnseen({ ...inputs, groups })).toBe(inputs.gaussians);
    expect(shadeUnseen({ ...inputs, light: new Float32Array(COUNT) })).toBe(inputs.gaussians);
  });
});
