import type { Image } from '../video/frame.ts';
import type { LayerPainter } from './layer-painter.ts';
import type { MatchLayer } from './layers.ts';
import type { PaintContext } from './make-painter.ts';
import { displayableRgb, okLabFromRgb } from './ok-lab.ts';
import { EditError } from './layers.ts';
import { regionOf } from './head-surface.ts';

type Matrix = number[][];

/** Variance that is added before roots are taken: a picture of one colour has none of its own. */
const LEAST_VARIANCE = 1e-5;
const MOST_PIXELS = 40_000;

/**
 * Gives the head the colours of a picture: the affine map between the two Gaussian distributions of OKLab colours that
 * moves them least (Monge–Kantorovich; Pitié and Kokaram 2007), x → μ' + Σ^-½ (Σ^½ Σ' Σ^½)^½ Σ^-½ (x − μ).
 */
export function matchPainter(context: PaintContext, layer: MatchLayer, example: Image): LayerPainter {
  const own = statistics(headColors(context, layer));
  const wanted = statistics(imageColors(layer, example));
  const transfer = transportMatrix(own.covariance, wanted.covariance);
  return {
    fineParts: [],
    paint(texels, below) {
      const color = new Float32Array(texels.count * 3);
      for (let index = 0; index < texels.count; index++) {
        const lab = okLabFromRgb(below[index * 3], below[index * 3 + 1], below[index * 3 + 2]);
        const moved = transfer.map((row, k) =>
          row.reduce((sum, factor, j) => sum + factor * (lab[j] - own.mean[j]), wanted.mean[k]),
        );
        color.set(displayableRgb(moved[0], moved[1], moved[2]), index * 3);
      }
      return { color, alpha: new Float32Array(texels.count).fill(1) };
    },
  };
}

/** OKLab of the outer skin and hair, or of the regions that the layer is kept to. */
function headColors({ surface, texels, below }: PaintContext, { name, regions }: MatchLayer): number[][] {
  const colors: number[][] = [];
  for (let index = 0; index < texels.count; index++) {
    const triangle = texels.triangles[index];
    const isIncluded = regions ? regions.includes(regionOf(surface.head, triangle)) : surface.sheets[triangle] === 0;
    if (isIncluded) colors.push(okLabFromRgb(below[index * 3], below[index * 3 + 1], below[index * 3 + 2]));
  }
  if (colors.length === 0)
    throw new EditError(`layer "${name}": this head has none of the regions ${regions?.join(', ')}`);
  return colors;
}

/** OKLab of the opaque pixels, thinned to a number that suffices for six moments. */
function imageColors({ name, image }: MatchLayer, { width, height, channels, data }: Image): number[][] {
  const step = Math.max(1, Math.floor((width * height) / MOST_PIXELS));
  const colors: number[][] = [];
  for (let pixel = 0; pixel < width * height; pixel += step) {
    const at = pixel * channels;
    if (channels === 4 && data[at + 3] < 128) continue;
    colors.push(okLabFromRgb(data[at] / 255, data[at + 1] / 255, data[at + 2] / 255));
  }
  if (colors.length === 0) throw new EditError(`layer "${name}": the example ${image} is transparent all over`);
  return colors;
}

function statistics(colors: readonly number[][]): { mean: number[]; covariance: Matrix } {
  const mean = [0, 1, 2].map((k) => colors.reduce((sum, color) => sum + color[k], 0) / colors.length);
  const covariance = [0, 1, 2].map((i) =>
    [0, 1, 2].map((j) => {
      const sum = colors.reduce((total, color) => total + (color[i] - mean[i]) * (color[j] - mean[j]), 0);
      return sum / colors.length + (i === j ? LEAST_VARIANCE : 0);
    }),
  );
  return { mean, covariance };
}

/** Σ^-½ (Σ^½ Σ' Σ^½)^½ Σ^-½, symmetric. */
export function transportMatrix(from: Matrix, to: Matrix): Matrix {
  const root = symmetricPower(from, 0.5);
  const inverse = symmetricPower(from, -0.5);
  return multiply(multiply(inverse, symmetricPower(multiply(multiply(root, to), root), 0.5)), inverse);
}

function multiply(a: Matrix, b: Matrix): Matrix {
  return a.map((row) => b[0].map((_, j) => row.reduce((sum, value, k) => sum + value * b[k][j], 0)));
}

/** A power of a symmetric positive 3×3 matrix, by Jacobi's rotations. */
function symmetricPower(matrix: Matrix, power: number): Matrix {
  let a = matrix.map((row) => row.slice());
  let vectors: Matrix = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]; // prettier-ignore
  for (let sweep = 0; sweep < 30; sweep++) {
    for (const [p, q] of [
      [0, 1],
      [0, 2],
      [1, 2],
    ]) {
      // prettier-ignore
      if (Math.abs(a[p][q]) < 1e-18) continue;
      const angle = Math.atan2(2 * a[p][q], a[q][q] - a[p][p]) / 2;
      const turn: Matrix = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]; // prettier-ignore
      turn[p][p] = turn[q][q] = Math.cos(angle);
      turn[p][q] = Math.sin(angle);
      turn[q][p] = -Math.sin(angle);
      const transposed = turn[0].map((_, j) => turn.map((row) => row[j]));
      a = multiply(multiply(transposed, a), turn);
      vectors = multiply(vectors, turn);
    }
  }
  return [0, 1, 2].map((i) =>
    [0, 1, 2].map((j) =>
      [0, 1, 2].reduce((sum, k) => sum + vectors[i][k] * Math.max(a[k][k], 1e-12) ** power * vectors[j][k], 0),
    ),
  );
}
