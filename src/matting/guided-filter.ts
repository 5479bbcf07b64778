import { averageBlocks, boxFilter, resizeMap } from './box-filter.ts';

export interface GuidedFilterOptions {
  /** Half the window, in pixels. */
  readonly radius: number;
  /** How much an edge of the guide must vary (squared, guide 0…1) to be an edge of the result. */
  readonly epsilon: number;
  /** Computes the coefficients on a grid this many times coarser; the guide stays fine. */
  readonly subsampling: number;
}

/**
 * Guided image filter with a colour guide (He, Sun, Tang, 2013; the coarse grid from "Fast Guided Filter", 2015): in each
 * window the result is the linear function of the guide's colours that fits the input best.
 *
 * @param guide Three planes, 0…1.
 * @param input width×height.
 */
export function guidedFilter(
  guide: readonly Float32Array[],
  input: Float32Array,
  width: number,
  height: number,
  options: GuidedFilterOptions,
): Float32Array {
  const s = Math.max(Math.floor(options.subsampling), 1);
  const w = Math.ceil(width / s);
  const h = Math.ceil(height / s);
  const shrink = (map: Float32Array): Float32Array => (s > 1 ? averageBlocks(map, width, height, s) : map);
  const coarse = guide.map(shrink);
  const coefficients = windowCoefficients(
    coarse,
    shrink(input),
    w,
    h,
    Math.max(Math.round(options.radius / s), 1),
    options.epsilon,
  );
  const [slopeR, slopeG, slopeB, offset] = coefficients.map((map) => resizeMap(map, w, h, width, height));
  const [r, g, b] = guide;
  const result = new Float32Array(input.length);
  for (let i = 0; i < result.length; i++)
    result[i] = slopeR[i] * r[i] + slopeG[i] * g[i] + slopeB[i] * b[i] + offset[i];
  return result;
}

/** The three slopes and the offset of the linear functions, averaged over the windows that hold a pixel. */
function windowCoefficients(
  guide: readonly Float32Array[],
  input: Float32Array,
  w: number,
  h: number,
  radius: number,
  epsilon: number,
): Float32Array[] {
  const mean = (map: Float32Array): Float32Array => boxFilter(map, w, h, radius);
  const product = (a: Float32Array, b: Float32Array): Float32Array => a.map((value, i) => value * b[i]);
  const [r, g, b] = guide;
  const [meanR, meanG, meanB] = guide.map(mean);
  const meanP = mean(input);
  const [rr, rg, rb] = [mean(product(r, r)), mean(product(r, g)), mean(product(r, b))];
  const [gg, gb, bb] = [mean(product(g, g)), mean(product(g, b)), mean(product(b, b))];
  const [rp, gp, bp] = [mean(product(r, input)), mean(product(g, input)), mean(product(b, input))];
  const slopes = [new Float32Array(w * h), new Float32Array(w * h), new Float32Array(w * h)];
  const offset = new Float32Array(w * h);
  for (let i = 0; i < w * h; i++) {
    // Covariance of the guide (symmetric 3×3) and its covariance with the input.
    const a = rr[i] - meanR[i] * meanR[i] + epsilon;
    const b1 = rg[i] - meanR[i] * meanG[i];
    const c = rb[i] - meanR[i] * meanB[i];
    const d = gg[i] - meanG[i] * meanG[i] + epsilon;
    const e = gb[i] - meanG[i] * meanB[i];
    const f = bb[i] - meanB[i] * meanB[i] + epsilon;
    const x = rp[i] - meanR[i] * meanP[i];
    const y = gp[i] - meanG[i] * meanP[i];
    const z = bp[i] - meanB[i] * meanP[i];
    const df = d * f - e * e;
    const ce = c * e - b1 * f;
    const be = b1 * e - c * d;
    const determinant = a * df + b1 * ce + c * be;
    const slopeR = (df * x + ce * y + be * z) / determinant;
    const slopeG = (ce * x + (a * f - c * c) * y + (b1 * c - a * e) * z) / determinant;
    const slopeB = (be * x + (b1 * c - a * e) * y + (a * d - b1 * b1) * z) / determinant;
    slopes[0][i] = slopeR;
    slopes[1][i] = slopeG;
    slopes[2][i] = slopeB;
    offset[i] = meanP[i] - slopeR * meanR[i] - slopeG * meanG[i] - slopeB * meanB[i];
  }
  return [...slopes, offset].map(mean);
}
