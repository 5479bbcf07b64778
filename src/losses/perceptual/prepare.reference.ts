import type { PixelNormalisation } from './perceptual-net.ts';

/** What the preparation depends on beside the image. */
export interface PreparationScene {
  readonly width: number;
  readonly height: number;
  /** Edge of the net's image. */
  readonly size: number;
  readonly normalisation: PixelNormalisation;
  /** Left, top, right, bottom of what the (black) frame shows. Default all. */
  readonly shown?: readonly [number, number, number, number];
}

/** 3×size×size: an image (H×W×4) as a net sees it, in float64. */
export function prepareReference(image: ArrayLike<number>, scene: PreparationScene): Float64Array {
  const plane = scene.size ** 2;
  const result = Float64Array.from({ length: 3 * plane }, (_, index) => {
    return scene.normalisation.offset[Math.floor(index / plane)];
  });
  forEachTap(image, scene, (from, to, factor) => (result[to] += factor * image[from]));
  return result;
}

/** ∂loss/∂image (H×W×4, the fourth zero) from ∂loss/∂pixels. */
export function prepareBackwardReference(
  image: ArrayLike<number>,
  pixelGradient: ArrayLike<number>,
  scene: PreparationScene,
): Float64Array {
  const result = new Float64Array(scene.width * scene.height * 4);
  forEachTap(image, scene, (from, to, factor) => (result[from] += factor * pixelGradient[to]));
  return result;
}

/** Every (value of the image, value of the net's image) with the factor between them; what takes no part has none. */
function forEachTap(
  image: ArrayLike<number>,
  { width, height, size, normalisation, shown = [0, 0, width, height] }: PreparationScene,
  visit: (from: number, to: number, factor: number) => void,
): void {
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      for (const [y, yWeight] of neighbours(row, height, size)) {
        for (const [x, xWeight] of neighbours(column, width, size)) {
          if (x < shown[0] || y < shown[1] || x >= shown[2] || y >= shown[3]) continue;
          for (let channel = 0; channel < 3; channel++) {
            const from = (y * width + x) * 4 + normalisation.channels[channel];
            if (!(Math.abs(image[from]) <= 1e4)) continue;
            visit(from, (channel * size + row) * size + column, yWeight * xWeight * normalisation.scale[channel]);
          }
        }
      }
    }
  }
}

function neighbours(at: number, extent: number, size: number): [number, number][] {
  const place = Math.min(extent - 1, Math.max(0, ((at + 0.5) * extent) / size - 0.5));
  const first = Math.floor(place);
  return [
    [first, 1 - (place - first)],
    [Math.min(first + 1, extent - 1), place - first],
  ];
}
