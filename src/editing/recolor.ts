import { parseColor } from './colors.ts';
import type { LayerPainter } from './layer-painter.ts';
import type { RecolorLayer } from './layers.ts';
import type { PaintContext } from './make-painter.ts';
import { displayableRgb, okLabFromRgb } from './ok-lab.ts';
import { partMask } from './part-masks.ts';
import { readPlane } from './surface-texels.ts';

/** Of a texel's own difference in hue and chroma from the part's mean, this much stays: strands, freckles. */
const KEPT_CHROMA = 0.4;

/**
 * Another colour under the same shading: in OKLab, the part's mean becomes the wanted colour, lightness keeps its
 * differences from the mean, and chroma follows lightness as it does on real things: less of it in shadows and on
 * highlights.
 */
export function recolorPainter(context: PaintContext, layer: RecolorLayer): LayerPainter {
  const { size } = context.maps;
  const mask = partMask(context, layer.part);
  const wanted = okLabFromRgb(...parseColor(layer.color));
  const coverage = readPlane(mask, size, context.texels);
  const mean = weightedMean(context.below, coverage);
  return {
    fineParts: [],
    paint(texels, below) {
      const alpha = texels === context.texels ? coverage : readPlane(mask, size, texels);
      const color = new Float32Array(texels.count * 3);
      for (let index = 0; index < texels.count; index++) {
        if (alpha[index] <= 0) continue;
        const lab = okLabFromRgb(below[index * 3], below[index * 3 + 1], below[index * 3 + 2]);
        const lightness = wanted[0] + lab[0] - mean[0];
        const chroma = chromaAt(lightness, wanted[0]);
        const [a, b] = [1, 2].map((k) => wanted[k] * chroma + KEPT_CHROMA * (lab[k] - mean[k]));
        color.set(displayableRgb(lightness, a, b), index * 3);
      }
      return { color, alpha: alpha.slice() };
    },
  };
}

/** Chroma over the wanted colour's at another lightness: in proportion below it, falling towards white above. */
function chromaAt(lightness: number, wanted: number): number {
  if (lightness <= wanted) return Math.max(0, lightness / Math.max(1e-3, wanted)) ** 0.7;
  return Math.max(0, 1 - ((lightness - wanted) / Math.max(1e-3, 1 - wanted)) ** 2);
}

function weightedMean(rgb: Float32Array, weights: Float32Array): [number, number, number] {
  const sum: [number, number, number] = [0, 0, 0];
  let total = 0;
  weights.forEach((weight, index) => {
    if (weight <= 0) return;
    const lab = okLabFromRgb(rgb[index * 3], rgb[index * 3 + 1], rgb[index * 3 + 2]);
    for (let k = 0; k < 3; k++) sum[k] += weight * lab[k];
    total += weight;
  });
  return [sum[0] / (total || 1), sum[1] / (total || 1), sum[2] / (total || 1)];
}
