import { okLabFromRgb, displayableRgb } from './ok-lab.ts';

/** How a layer's colour meets what lies below it, on sRGB-encoded values as paint programs do. */
export const BLEND_MODES = ['normal', 'multiply', 'screen', 'overlay', 'softLight', 'darken', 'lighten', 'color', 'luminosity'] as const; // prettier-ignore
export type BlendMode = (typeof BLEND_MODES)[number];

const PER_CHANNEL: Partial<Record<BlendMode, (below: number, above: number) => number>> = {
  multiply: (below, above) => below * above,
  screen: (below, above) => below + above - below * above,
  overlay: (below, above) => (below < 0.5 ? 2 * below * above : 1 - 2 * (1 - below) * (1 - above)),
  // Pegtop's formula: continuous, unlike the one of the PDF standard.
  softLight: (below, above) => (1 - 2 * above) * below * below + 2 * above * below,
  darken: Math.min,
  lighten: Math.max,
};

/** Blends N×3 `above` with N coverages over N×3 `below`, in place. */
export function blendOver(below: Float32Array, above: Float32Array, alpha: Float32Array, mode: BlendMode): void {
  const channelRule = PER_CHANNEL[mode];
  for (let index = 0; index < alpha.length; index++) {
    const coverage = alpha[index];
    if (coverage <= 0) continue;
    const at = index * 3;
    if (mode === 'color' || mode === 'luminosity') {
      const lower = okLabFromRgb(below[at], below[at + 1], below[at + 2]);
      const upper = okLabFromRgb(above[at], above[at + 1], above[at + 2]);
      const mixed =
        mode === 'color' ? displayableRgb(lower[0], upper[1], upper[2]) : displayableRgb(upper[0], lower[1], lower[2]);
      for (let k = 0; k < 3; k++) below[at + k] += coverage * (mixed[k] - below[at + k]);
      continue;
    }
    for (let k = 0; k < 3; k++) {
      const result = channelRule ? channelRule(below[at + k], above[at + k]) : above[at + k];
      below[at + k] += coverage * (result - below[at + k]);
    }
  }
}
