import { describe, expect, it } from 'vitest';
import { randomNormal, randomUniform } from '../../math/random.ts';
import { createNodeNetworkRuntime } from '../../platform/node/network-runtime.ts';
import {
  absoluteDistanceReference,
  convolvedReference,
  pooledReference,
  weightedDistanceReference,
  type Planes,
} from './features.reference.ts';
import { createImageDistance, normalisedPlanes } from './image-distance.ts';
import { ALEXNET_LAYERS, lpips, LPIPS_NORMALISATION } from './lpips.ts';
import { compareByNet } from './net-comparison.ts';
import { IMAGENET_NORMALISATION, type PerceptualNet } from './perceptual-net.ts';
import type { ConvolutionWeights } from './state-dict.ts';
import { buildBlocks, VGG16_BLOCKS, VGG16_CONVOLUTIONS } from './vgg16.ts';

const normals = (count: number, stream: number, deviation = 1): Float32Array =>
  Float32Array.from({ length: count }, (_, index) => deviation * randomNormal(3, stream, index));
const image = (size: number, stream: number): Float32Array =>
  Float32Array.from({ length: 3 * size * size }, (_, index) => 2 * randomUniform(3, stream, index) - 1);
const planes = (pixels: ArrayLike<number>, size: number): Planes => ({
  channels: 3,
  height: size,
  width: size,
  data: Float64Array.from(pixels),
});

/** Random weights of given shapes, level through ReLUs. */
function randomWeights(shapes: readonly (readonly number[])[]): ConvolutionWeights[] {
  return shapes.map(([outputs, inputs, height, width], index) => ({
    kernel: normals(outputs * inputs * height * width, index, Math.sqrt(2 / (inputs * height * width))),
    bias: normals(outputs, 100 + index, 0.1),
  }));
}

/** VGG16's sequence of blocks, a sixteenth as wide. */
const NARROW_BLOCKS = VGG16_BLOCKS.map(({ positions, width }) => ({ positions, width: width / 16 }));
const narrowShapes = VGG16_CONVOLUTIONS.map(({ shape: [outputs, inputs] }) => [
  outputs / 16,
  inputs === 3 ? 3 : inputs / 16,
  3,
  3,
]);
const blockWeights = randomWeights(narrowShapes);
const narrowVgg: PerceptualNet = {
  name: 'narrow blocks',
  normalisation: IMAGENET_NORMALISATION,
  comparison: 'l1',
  minimumSize: 8,
  build: (height, width) => buildBlocks(height, width, NARROW_BLOCKS, blockWeights, (block) => `block${block}`),
};

function blocksReference(pixels: ArrayLike<number>, size: number): Planes[] {
  let value = planes(pixels, size);
  let next = 0;
  return NARROW_BLOCKS.map(({ positions }, block) => {
    if (block > 0) value = pooledReference(value, { edge: 2, stride: 2 });
    for (let layer = 0; layer < positions.length; layer++) {
      const { kernel, bias } = blockWeights[next++];
      value = convolvedReference(value, kernel, bias, { edge: 3, stride: 1, pad: 1 });
    }
    return value;
  });
}

/** AlexNet's layers, a sixteenth as wide, with heads as LPIPS trains them (not negative, many zero). */
const NARROW_LAYERS = ALEXNET_LAYERS.map((layer) => {
  const [outputs, inputs, height, width] = layer.shape;
  const shape = [outputs / 16, inputs === 3 ? 3 : inputs / 16, height, width] as const;
  return { ...layer, shape };
});
const layerWeights = randomWeights(NARROW_LAYERS.map(({ shape }) => shape));
const heads = NARROW_LAYERS.map(({ shape }, index) =>
  normals(shape[0], 200 + index).map((value) => Math.max(0, value)),
);
const narrowLpips = lpips('narrow LPIPS', NARROW_LAYERS, layerWeights, heads);

function lpipsReference(a: ArrayLike<number>, b: ArrayLike<number>, size: number): number {
  let [left, right] = [planes(a, size), planes(b, size)];
  let distance = 0;
  for (const [index, { shape, stride, pad, pooled }] of NARROW_LAYERS.entries()) {
    const { kernel, bias } = layerWeights[index];
    const next = (value: Planes): Planes => {
      const input = pooled ? pooledReference(value, { edge: 3, stride: 2 }) : value;
      return convolvedReference(input, kernel, bias, { edge: shape[2], stride, pad });
    };
    [left, right] = [next(left), next(right)];
    distance += weightedDistanceReference(left, right, heads[index]);
  }
  return distance;
}

const blocksDistance = (a: ArrayLike<number>, b: ArrayLike<number>, size: number): number => {
  const wanted = blocksReference(b, size);
  return blocksReference(a, size).reduce((sum, value, k) => sum + absoluteDistanceReference(value, wanted[k]), 0);
};

describe.each([
  ['VGG16’s shape', narrowVgg, 24, blocksDistance],
  ['LPIPS’s shape', narrowLpips, 47, lpipsReference],
] as const)('a net of %s', (_, net, size, reference) => {
  const [rendered, wanted] = [image(size, 50), image(size, 51)];

  async function compare(pixels: Float32Array) {
    const runtime = await createNodeNetworkRuntime();
    const comparison = await compareByNet(runtime, net, { height: size, width: size, withGradient: true });
    const [distance, gradient] = [new Float32Array(1), new Float32Array(pixels.length)];
    await comparison.look(wanted);
    await comparison.compare(pixels, { distance, gradient });
    await comparison.dispose();
    return { distance: distance[0], gradient };
  }

  it('gives the distance of the float64 reference', async () => {
    const { distance } = await compare(rendered);
    const expected = reference(rendered, wanted, size);
    expect(Math.abs(distance - expected)).toBeLessThan(1e-5 * expected);
  });

  it('gives its gradient by the image, against differences of the reference', async () => {
    const { gradient } = await compare(rendered);
    // ReLU, |·| and max pooling have kinks: many pixels together, one small step.
    for (let direction = 0; direction < 4; direction++) {
      const towards = normals(rendered.length, 300 + direction);
      const step = 1e-6;
      const at = (sign: number) =>
        reference(
          Float64Array.from(rendered, (value, index) => value + sign * step * towards[index]),
          wanted,
          size,
        );
      const expected = (at(1) - at(-1)) / (2 * step);
      const found = gradient.reduce((sum, value, index) => sum + value * towards[index], 0);
      const scale = Math.sqrt(gradient.reduce((sum, value) => sum + value * value, 0) * rendered.length);
      expect(Math.abs(found - expected)).toBeLessThan(1e-4 * scale);
    }
  });

  it('is zero between equal images, with a finite gradient, also where no channel responds', async () => {
    const { distance, gradient } = await compare(wanted);
    expect(distance).toBe(0);
    expect(gradient.every(Number.isFinite)).toBe(true);
    const black = await compare(new Float32Array(rendered.length));
    expect(black.gradient.every(Number.isFinite)).toBe(true);
  });

  it('gives the same bytes twice', async () => {
    const [first, second] = [await compare(rendered), await compare(rendered)];
    expect(second).toEqual(first);
  });
});

describe('an image distance', () => {
  const picture = (stream: number, size = 40) => ({
    width: size,
    height: size,
    channels: 3,
    data: Float32Array.from({ length: 3 * size * size }, (_, index) => randomUniform(9, stream, index)),
  });

  it('scales pixels as LPIPS does, and compares several renderings with one truth', async () => {
    const [truth, one, other] = [picture(1), picture(2), picture(3)];
    const distance = await createImageDistance(await createNodeNetworkRuntime(), narrowLpips, {
      width: 40,
      height: 40,
    });
    const [found, again, same] = await distance.distances(truth, [one, other, truth]);
    await distance.dispose();
    // The authors' two steps, for RGB of −1…1.
    const scaled = ({ data }: { data: Float32Array }): Float64Array => {
      const [shift, scale] = [
        [-0.03, -0.088, -0.188],
        [0.458, 0.448, 0.45],
      ];
      return Float64Array.from({ length: data.length }, (_, index) => {
        const [channel, pixel] = [Math.floor(index / 1600), index % 1600];
        return (2 * data[pixel * 3 + channel] - 1 - shift[channel]) / scale[channel];
      });
    };
    expect(found / lpipsReference(scaled(one), scaled(truth), 40)).toBeCloseTo(1, 5);
    expect(again / lpipsReference(scaled(other), scaled(truth), 40)).toBeCloseTo(1, 5);
    expect(same).toBe(0);
  });

  it('refuses images of another size and images that are too small', async () => {
    const runtime = await createNodeNetworkRuntime();
    await expect(createImageDistance(runtime, narrowLpips, { width: 64, height: 16 })).rejects.toThrow(
      /at least 31² pixels, not 64×16/,
    );
    const distance = await createImageDistance(runtime, narrowLpips, { width: 40, height: 40 });
    await expect(distance.distances(picture(1), [picture(2, 41)])).rejects.toThrow(/made for 40×40×3/);
    await distance.dispose();
  });

  it('takes bytes as well as floats', () => {
    const bytes = { width: 1, height: 1, channels: 3, range: 255, data: [255, 0, 51] };
    const floats = { width: 1, height: 1, channels: 3, data: [1, 0, 0.2] };
    expect(normalisedPlanes(bytes, LPIPS_NORMALISATION)).toEqual(normalisedPlanes(floats, LPIPS_NORMALISATION));
  });
});
