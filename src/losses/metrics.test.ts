import { describe, expect, it } from 'vitest';
import { randomUniform } from '../math/random.ts';
import { psnr, ssim, SSIM_C1, SSIM_C2, SSIM_WINDOW, type MetricImage } from './metrics.ts';

const image = (width: number, height: number, channels: number, value: (index: number) => number): MetricImage => ({
  width,
  height,
  channels,
  data: Float64Array.from({ length: width * height * channels }, (_, index) => value(index)),
});
const noise = (stream: number) => (index: number) => randomUniform(1, stream, index);

describe('psnr', () => {
  it('is 20 dB for a difference of a tenth of the range', () => {
    expect(
      psnr(
        image(4, 3, 3, () => 0.5),
        image(4, 3, 3, () => 0.6),
      ),
    ).toBeCloseTo(20, 10);
    const bytes = { ...image(4, 3, 3, () => 100), range: 255 };
    expect(psnr(bytes, { ...image(4, 3, 3, () => 125.5), range: 255 })).toBeCloseTo(20, 10);
  });

  it('is infinite for equal images', () => {
    expect(psnr(image(2, 2, 1, noise(1)), image(2, 2, 1, noise(1)))).toBe(Infinity);
  });

  it('takes the pixels of the mask alone', () => {
    const black = image(2, 1, 3, () => 0);
    const half = image(2, 1, 3, (index) => (index < 3 ? 0.1 : 1));
    expect(psnr(black, half, [255, 0])).toBeCloseTo(20, 10);
    expect(psnr(black, half, [0, 255])).toBeCloseTo(0, 10);
    expect(() => psnr(black, half, [0, 0])).toThrow('leaves no pixel');
    expect(() => psnr(black, half, [1])).toThrow('mask has 1 values for 2 pixels');
  });
});

describe('ssim', () => {
  it('is 1 for equal images and symmetric', () => {
    const [a, b] = [image(20, 15, 3, noise(1)), image(20, 15, 3, noise(2))];
    for (const border of ['zero', 'valid'] as const) {
      expect(ssim(a, a, { border })).toBeCloseTo(1, 12);
      expect(ssim(a, b, { border })).toBeCloseTo(ssim(b, a, { border }), 12);
      expect(ssim(a, b, { border })).toBeLessThan(0.4);
    }
  });

  it('compares flat images by their luminance: (2ab + C1) / (a² + b² + C1)', () => {
    const expected = (2 * 0.3 * 0.7 + SSIM_C1) / (0.3 ** 2 + 0.7 ** 2 + SSIM_C1);
    const [a, b] = [image(13, 12, 1, () => 0.3), image(13, 12, 1, () => 0.7)];
    expect(ssim(a, b, { border: 'valid' })).toBeCloseTo(expected, 12);
  });

  it('compares opposite ramps by their contrast, known in closed form', () => {
    // Around the middle column both means are 0.5; the ramps' covariance is −slope² times the window's variance.
    const slope = 0.02;
    const variance = slope ** 2 * SSIM_WINDOW.reduce((sum, weight, index) => sum + weight * (index - 5) ** 2, 0);
    const ramp = (sign: number) => (index: number) => 0.5 + sign * slope * ((index % 11) - 5);
    const [a, b] = [image(11, 11, 1, ramp(1)), image(11, 11, 1, ramp(-1))];
    const expected = (-2 * variance + SSIM_C2) / (2 * variance + SSIM_C2);
    expect(ssim(a, b, { border: 'valid' })).toBeCloseTo(expected, 12);
  });

  it('agrees with the definition, window by window', () => {
    const [width, height] = [14, 9];
    const [a, b] = [image(width, height, 1, noise(3)), image(width, height, 1, noise(4))];
    let sum = 0;
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) sum += similarityAt(a, b, column, row);
    }
    expect(ssim(a, b)).toBeCloseTo(sum / (width * height), 12);
  });

  it('takes bytes and floats alike, and images smaller than the window', () => {
    const bytes = (stream: number) => (index: number) => Math.floor(256 * randomUniform(2, stream, index));
    const [a, b] = [image(4, 3, 3, bytes(1)), image(4, 3, 3, bytes(2))];
    const scaled = ({ data, ...rest }: MetricImage): MetricImage => ({
      ...rest,
      data: Float64Array.from(data, (value) => value / 255),
    });
    expect(ssim({ ...a, range: 255 }, { ...b, range: 255 })).toBeCloseTo(ssim(scaled(a), scaled(b)), 12);
    expect(() => ssim(a, b, { border: 'valid' })).toThrow('needs at least 11×11');
  });

  it('refuses images of different shape', () => {
    expect(() =>
      ssim(
        image(2, 2, 3, () => 0),
        image(2, 3, 3, () => 0),
      ),
    ).toThrow('2×2×3 against 2×3×3');
    expect(() =>
      psnr(
        image(2, 2, 3, () => 0),
        { ...image(2, 2, 3, () => 0), data: [1] },
      ),
    ).toThrow('has 1 values');
  });
});

/** The definition: weighted means, variances and covariance about them, black outside. */
function similarityAt(a: MetricImage, b: MetricImage, column: number, row: number): number {
  const samples: [number, number, number][] = [];
  for (let dy = -5; dy <= 5; dy++) {
    for (let dx = -5; dx <= 5; dx++) {
      const [x, y] = [column + dx, row + dy];
      const inside = x >= 0 && y >= 0 && x < a.width && y < a.height;
      const weight = SSIM_WINDOW[dx + 5]! * SSIM_WINDOW[dy + 5]!;
      samples.push([weight, inside ? a.data[y * a.width + x]! : 0, inside ? b.data[y * a.width + x]! : 0]);
    }
  }
  const mean = (value: (sample: [number, number, number]) => number): number =>
    samples.reduce((sum, sample) => sum + sample[0] * value(sample), 0);
  const [ma, mb] = [mean(([, x]) => x), mean(([, , y]) => y)];
  const [va, vb] = [mean(([, x]) => (x - ma) ** 2), mean(([, , y]) => (y - mb) ** 2)];
  const covariance = mean(([, x, y]) => (x - ma) * (y - mb));
  return ((2 * ma * mb + SSIM_C1) * (2 * covariance + SSIM_C2)) / ((ma ** 2 + mb ** 2 + SSIM_C1) * (va + vb + SSIM_C2));
}
