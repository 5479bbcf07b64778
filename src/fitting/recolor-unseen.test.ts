import { describe, expect, it } from 'vitest';
import { SH_C0, type GaussianSet } from '../gaussians/layout.ts';
import { bestLight, recolorUnseen, type RecolorInputs } from './recolor-unseen.ts';
import type { SurfaceGroup } from './region-appearance.ts';

const EDGE = 24;
const COUNT = EDGE * EDGE;
const SPACING = 0.004;

/** A square sheet of Gaussians: the left part seen and brown, the rest hidden, of any colour, one in three too long. */
function sheet(seenColumns: number) {
  const grid = (i: number): [number, number] => [i % EDGE, Math.floor(i / EDGE)];
  const stored = (rgb: number): number => (rgb - 0.5) / SH_C0;
  const brown = [0.6, 0.4, 0.3];
  const gaussians: GaussianSet = {
    count: COUNT,
    triangleIndices: new Uint32Array(COUNT),
    barycentrics: new Float32Array(COUNT * 3).fill(1 / 3),
    localRotation: Float32Array.from({ length: COUNT * 4 }, (_, i) => (i % 4 === 0 ? 1 : 0)),
    logScale: Float32Array.from({ length: COUNT * 3 }, (_, i) => Math.log(SPACING) + (i % 9 === 0 ? 2 : -0.5)),
    opacityLogit: new Float32Array(COUNT).fill(2),
    color: Float32Array.from({ length: COUNT * 3 }, (_, i) =>
      grid(Math.floor(i / 3))[0] < seenColumns ? stored(brown[i % 3]!) : stored((i * 7) % 5),
    ),
    normalOffset: new Float32Array(COUNT),
  };
  const positions = Float32Array.from({ length: COUNT * 3 }, (_, i) =>
    i % 3 === 2 ? 0 : SPACING * grid(Math.floor(i / 3))[i % 3]!,
  );
  const light = Float32Array.from({ length: COUNT }, (_, i) => (grid(i)[0] < seenColumns ? 0.5 : 0));
  const spacing = new Float32Array(COUNT).fill(SPACING);
  return { gaussians, positions, spacing, light, brown: brown.map(stored), column: (i: number) => grid(i)[0] };
}

/** Faces the camera everywhere. */
const front = new Float32Array(COUNT).fill(1);
const skin: SurfaceGroup[] = Array.from({ length: COUNT }, () => 'skin');

type Needed = 'gaussians' | 'positions' | 'spacing' | 'light';

/** Recolours skin that faces the camera and is seen inside of the mattes, unless told otherwise. */
function recolor(inputs: Pick<RecolorInputs, Needed> & Partial<RecolorInputs>): GaussianSet {
  return recolorUnseen({ innerLight: inputs.light, facing: front, groups: skin, ...inputs });
}

describe('recolorUnseen', () => {
  it('gives what hides the colour round it, and leaves what is seen', () => {
    const { gaussians, positions, spacing, light, brown, column } = sheet(10);
    const result = recolor({ gaussians, positions, spacing, light });
    for (let i = 0; i < COUNT; i++) {
      for (let k = 0; k < 3; k++) expect(result.color[i * 3 + k]).toBeCloseTo(brown[k]!, 3);
      const own = gaussians.logScale.slice(i * 3, i * 3 + 3);
      if (column(i) < 10) expect(result.logScale.slice(i * 3, i * 3 + 3)).toEqual(own);
      else expect(Math.max(...result.logScale.slice(i * 3, i * 3 + 3))).toBeLessThan(Math.log(3 * SPACING));
    }
    expect(result.opacityLogit).toEqual(gaussians.opacityLogit);
    expect(result.normalOffset).toEqual(gaussians.normalOffset);
  });

  it('carries the height of hair on over what hides, and that of hair alone', () => {
    const { gaussians, positions, spacing, light, column } = sheet(10);
    gaussians.normalOffset.forEach((_, i) => (gaussians.normalOffset[i] = column(i) < 10 ? 0.12 : 0));
    const hair: SurfaceGroup[] = Array.from({ length: COUNT }, () => 'hair');
    const raised = recolor({ gaussians, positions, spacing, light, groups: hair }).normalOffset;
    raised.forEach((height) => expect(height).toBeCloseTo(0.12, 3));
    expect(recolor({ gaussians, positions, spacing, light }).normalOffset).toEqual(gaussians.normalOffset);
  });

  it('changes in proportion to how little was seen, without a seam', () => {
    const { gaussians, positions, spacing, brown } = sheet(EDGE);
    const light = Float32Array.from({ length: COUNT }, (_, i) => 0.3 * (1 - (i % EDGE) / (EDGE - 1)));
    gaussians.color.fill(0, 0, 3 * EDGE);
    const { color } = recolor({ gaussians, positions, spacing, light });
    const change = (i: number): number => Math.abs(color[i * 3]! - gaussians.color[i * 3]!);
    expect(change(0)).toBe(0);
    expect(change(EDGE - 1)).toBeGreaterThan(0.1 * Math.abs(brown[0]!));
    for (let i = 1; i < EDGE; i++) expect(change(i)).toBeGreaterThan(change(i - 1) - 0.05);
  });

  it('takes no colour from the edge of the mattes, where it is partly the background, but keeps the height of hair there', () => {
    const { gaussians, positions, spacing, light, brown, column } = sheet(10);
    gaussians.normalOffset.fill(0.12);
    const rim = (i: number): boolean => column(i) === 8 || column(i) === 9;
    for (let i = 0; i < COUNT; i++) {
      if (!rim(i)) continue;
      gaussians.color.fill(1.5, i * 3, i * 3 + 3);
      gaussians.normalOffset[i] = 0.3;
    }
    const innerLight = light.map((share, i) => (rim(i) ? 0 : share));
    const groups: SurfaceGroup[] = Array.from({ length: COUNT }, () => 'hair');
    const result = recolor({ gaussians, positions, spacing, light, innerLight, groups });
    for (let i = 0; i < COUNT; i++) {
      for (let k = 0; k < 3; k++) expect(result.color[i * 3 + k]).toBeCloseTo(brown[k]!, 3);
      if (rim(i)) expect(result.normalOffset[i]).toBeCloseTo(0.3, 5);
    }
  });

  it('takes no colour from what turns its back in every frame, however much light of it comes through', () => {
    const { gaussians, positions, spacing, brown, column } = sheet(EDGE);
    const light = new Float32Array(COUNT).fill(0.5);
    const behind = (i: number): boolean => column(i) >= 16;
    for (let i = 0; i < COUNT; i++) if (behind(i)) gaussians.color.fill(0, i * 3, i * 3 + 3);
    const facing = light.map((_, i) => (behind(i) ? -0.4 : 0.1));
    const { color } = recolor({ gaussians, positions, spacing, light, facing });
    for (let i = 0; i < COUNT * 3; i++) expect(color[i]).toBeCloseTo(brown[i % 3]!, 3);
  });

  it('believes what shows little of itself where its neighbours show much, and not what hides there', () => {
    const { gaussians, positions, spacing, light } = sheet(EDGE);
    const [overlapped, hidden, lonely] = [5 * EDGE + 5, 5 * EDGE + 15, 15 * EDGE + 10];
    for (const i of [overlapped, hidden, lonely]) gaussians.color.fill(1.2, i * 3, i * 3 + 3);
    for (let i = 0; i < COUNT; i++) {
      const [x, y] = [i % EDGE, Math.floor(i / EDGE)];
      if (Math.hypot(x - 10, y - 15) < 4) light[i] = 0.02;
    }
    light[overlapped] = 0.02;
    light[hidden] = 0.0005;
    const { color } = recolor({ gaussians, positions, spacing, light });
    expect(color[overlapped * 3]).toBeCloseTo(1.2, 5);
    expect(color[hidden * 3]).toBeLessThan(0.6);
    expect(color[lonely * 3]).toBeLessThan(0.6);
  });

  it('does not carry a colour from one surface to another, and leaves what belongs to none', () => {
    const { gaussians, positions, spacing, light, column } = sheet(8);
    const groups = Array.from({ length: COUNT }, (_, i) => (column(i) < 8 ? 'skin' : column(i) < 16 ? 'hair' : null));
    const result = recolor({ gaussians, positions, spacing, light, groups });
    for (let i = 0; i < COUNT; i++) {
      const own = gaussians.color.slice(i * 3, i * 3 + 3);
      if (groups[i] === null) expect(result.color.slice(i * 3, i * 3 + 3)).toEqual(own);
    }
    expect(result.color.every(Number.isFinite)).toBe(true);
  });

  it('tells the light of the best frames', () => {
    const contributions = [
      [1, 0],
      [4, 0],
      [3, 1],
      [2, 0],
    ].map((values) => Float32Array.from(values));
    expect([...bestLight(contributions, Float32Array.of(2, 1))]).toEqual([1.5, Math.fround(1 / 3)]);
    expect([...bestLight([], Float32Array.of(2, 1))]).toEqual([0, 0]);
  });
});
