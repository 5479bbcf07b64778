import { describe, expect, it } from 'vitest';
import { blendOver, type BlendMode } from './blend-modes.ts';
import { hexOf, parseColor } from './colors.ts';
import { displayableRgb, okLabFromRgb, rgbFromOkLab } from './ok-lab.ts';
import { transportMatrix } from './match-colors.ts';

describe('OKLab', () => {
  it('comes back to the same colour; grey has no chroma', () => {
    for (const rgb of [[0, 0, 0], [1, 1, 1], [0.2, 0.7, 0.4], [0.9, 0.1, 0.02]] as const) {
      const back = rgbFromOkLab(...okLabFromRgb(rgb[0], rgb[1], rgb[2]));
      back.forEach((value, k) => expect(value).toBeCloseTo(rgb[k], 5));
    } // prettier-ignore
    const [lightness, a, b] = okLabFromRgb(0.5, 0.5, 0.5);
    expect(lightness).toBeGreaterThan(0.5);
    expect(Math.hypot(a, b)).toBeLessThan(1e-6);
  });

  it('keeps lightness where a screen cannot show the colour', () => {
    const rgb = displayableRgb(0.6, 0.4, -0.3);
    expect(rgb.every((value) => value >= 0 && value <= 1)).toBe(true);
    expect(okLabFromRgb(...rgb)[0]).toBeCloseTo(0.6, 2);
  });
});

describe('parseColor', () => {
  it('reads hex and names', () => {
    expect(parseColor('#f80')).toEqual([1, 136 / 255, 0]);
    expect(hexOf(' Navy ')).toBe('#000080');
    expect(() => parseColor('#12345')).toThrow(/colour "#12345" is not known; write it as #3a1f7a/);
  });
});

describe('blendOver', () => {
  const blended = (mode: BlendMode, alpha = 1): number[] => {
    const below = Float32Array.of(0.8, 0.4, 0.2);
    blendOver(below, Float32Array.of(0.5, 0.5, 0.9), Float32Array.of(alpha), mode);
    return [...below].map((value) => Number(value.toFixed(3)));
  };

  it('does what paint programs do', () => {
    expect(blended('normal')).toEqual([0.5, 0.5, 0.9]);
    expect(blended('normal', 0.5)).toEqual([0.65, 0.45, 0.55]);
    expect(blended('multiply')).toEqual([0.4, 0.2, 0.18]);
    expect(blended('screen')).toEqual([0.9, 0.7, 0.92]);
    expect(blended('overlay')).toEqual([0.8, 0.4, 0.36]);
    expect(blended('multiply', 0)).toEqual([0.8, 0.4, 0.2]);
  });

  it('keeps lightness for a colour and colour for a lightness', () => {
    const lightness = (rgb: number[]): number => okLabFromRgb(rgb[0], rgb[1], rgb[2])[0];
    expect(lightness(blended('color'))).toBeCloseTo(lightness([0.8, 0.4, 0.2]), 2);
    expect(lightness(blended('luminosity'))).toBeCloseTo(lightness([0.5, 0.5, 0.9]), 2);
  });
});

describe('transportMatrix', () => {
  it('takes one covariance to the other', () => {
    const from = [[0.04, 0.01, 0], [0.01, 0.02, 0.002], [0, 0.002, 0.01]]; // prettier-ignore
    const to = [[0.01, 0, 0.001], [0, 0.05, 0], [0.001, 0, 0.02]]; // prettier-ignore
    const m = transportMatrix(from, to);
    for (let i = 0; i < 3; i++) {
      for (let j = 0; j < 3; j++) {
        let sum = 0;
        for (let k = 0; k < 3; k++) for (let l = 0; l < 3; l++) sum += m[i][k] * from[k][l] * m[j][l];
        expect(sum).toBeCloseTo(to[i][j], 8);
        expect(m[i][j]).toBeCloseTo(m[j][i], 8);
      }
    }
  });
});
