import type { NetworkRuntime } from '../../network/index.ts';
import type { MetricImage } from '../metrics.ts';
import { compareByNet } from './net-comparison.ts';
import type { PerceptualNet, PixelNormalisation } from './perceptual-net.ts';

/** A net's distance between images on the host, at their own size: LPIPS as a metric. */
export interface ImageDistance {
  readonly net: PerceptualNet;
  /** Distances of renderings from one truth. RGB; all of the size that the distance was made for. */
  distances(truth: MetricImage, renderings: readonly MetricImage[]): Promise<number[]>;
  dispose(): Promise<void>;
}

/** Loads a net for images of one size. Throws `RangeError` for images that are too small for it. */
export async function createImageDistance(
  runtime: NetworkRuntime,
  net: PerceptualNet,
  { width, height }: { readonly width: number; readonly height: number },
): Promise<ImageDistance> {
  if (Math.min(width, height) < net.minimumSize) {
    throw new RangeError(
      `${net.name} compares images of at least ${net.minimumSize}² pixels, not ${width}×${height}; give larger ones.`,
    );
  }
  const comparison = await compareByNet(runtime, net, { height, width, withGradient: false });
  const pixels = (image: MetricImage): Float32Array => {
    if (image.width !== width || image.height !== height || image.channels !== 3) {
      const given = `${image.width}×${image.height}×${image.channels}`;
      throw new RangeError(`image distance: made for ${width}×${height}×3, an image is ${given}; make another.`);
    }
    return normalisedPlanes(image, net.normalisation);
  };
  return {
    net,
    async distances(truth, renderings) {
      await comparison.look(pixels(truth));
      const result: number[] = [];
      const distance = new Float32Array(1);
      for (const rendering of renderings) {
        await comparison.compare(pixels(rendering), { distance });
        result.push(distance[0]);
      }
      return result;
    },
    dispose: () => comparison.dispose(),
  };
}

/** 3×H×W as a net wants it. */
export function normalisedPlanes(image: MetricImage, { channels, scale, offset }: PixelNormalisation): Float32Array {
  const plane = image.width * image.height;
  const range = image.range ?? 1;
  const result = new Float32Array(3 * plane);
  for (let channel = 0; channel < 3; channel++) {
    for (let pixel = 0; pixel < plane; pixel++) {
      const value = image.data[pixel * 3 + channels[channel]] / range;
      result[channel * plane + pixel] = scale[channel] * value + offset[channel];
    }
  }
  return result;
}
