import { describe, expect, it } from 'vitest';
import { testGpu } from '../../../test/gpu.ts';
import { createStorageBuffer, readFloats } from '../../gpu/buffer.ts';
import { Commands } from '../../gpu/commands.ts';
import { randomBits, randomNormal, randomUniform } from '../../math/random.ts';
import { createNodeNetworkRuntime } from '../../platform/node/network-runtime.ts';
import { LossHistory } from '../loss-history.ts';
import { compareByNet } from './net-comparison.ts';
import { createPerceptualLoss } from './perceptual-loss.ts';
import { IMAGENET_NORMALISATION, type PerceptualNet } from './perceptual-net.ts';
import { prepareBackwardReference, prepareReference } from './prepare.reference.ts';
import { buildBlocks } from './vgg16.ts';

const BLOCKS = [
  { positions: [0], width: 4 },
  { positions: [2], width: 6 },
];
const draw = (count: number, stream: number): Float32Array =>
  Float32Array.from({ length: count }, (_, index) => 0.3 * randomNormal(4, stream, index));
const WEIGHTS = [
  { kernel: draw(4 * 27, 1), bias: draw(4, 2) },
  { kernel: draw(6 * 36, 3), bias: draw(6, 4) },
];
const net: PerceptualNet = {
  name: 'two blocks',
  normalisation: IMAGENET_NORMALISATION,
  comparison: 'l1',
  minimumSize: 8,
  build: (height, width) => buildBlocks(height, width, BLOCKS, WEIGHTS, (block) => `block${block}`),
};

const [WIDTH, HEIGHT, SIZE] = [20, 14, 12];
const PIXELS = WIDTH * HEIGHT;
const BACKGROUND = [0.2, 0.9, 0.5];
const WEIGHT = 3;

describe('the perceptual loss', () => {
  it('adds its gradient to the image’s and its distance to the loss, frames composited on the background', async () => {
    const gpu = await testGpu();
    const runtime = await createNodeNetworkRuntime({ gpu });
    const image = Float32Array.from({ length: PIXELS * 4 }, (_, index) => randomUniform(4, 5, index));
    // Half-covered pixels too; a frame before it in the buffer.
    const target = Uint32Array.from({ length: PIXELS * 2 }, (_, index) => randomBits(4, 6, index));
    const before = Float32Array.from({ length: PIXELS * 4 }, (_, index) => randomUniform(4, 7, index));
    const history = await LossHistory.create(gpu, 4);
    const loss = await createPerceptualLoss(gpu, { net, runtime, width: WIDTH, height: HEIGHT, size: SIZE, history });
    const buffers = {
      image: createStorageBuffer(gpu, 'image', image),
      target: createStorageBuffer(gpu, 'target', target),
      imageGradient: createStorageBuffer(gpu, 'image gradient', before),
    };
    const step = { ...buffers, targetOffset: PIXELS, background: BACKGROUND, weight: WEIGHT, slot: 2 };
    const commands = new Commands(gpu);
    await loss.add(commands, step);
    commands.submit();
    const after = await readFloats(gpu, buffers.imageGradient);
    const [record] = await history.read(2, 1);

    // The same by the float64 reference around the net.
    const scene = { width: WIDTH, height: HEIGHT, size: SIZE, normalisation: net.normalisation };
    const frame = new Float64Array(PIXELS * 4);
    for (let pixel = 0; pixel < PIXELS; pixel++) {
      const packed = target[PIXELS + pixel];
      const alpha = (packed >>> 24) / 255;
      for (let channel = 0; channel < 3; channel++) {
        const value = ((packed >>> (8 * channel)) & 255) / 255;
        frame[pixel * 4 + channel] = value * alpha + BACKGROUND[channel] * (1 - alpha);
      }
    }
    const comparison = await compareByNet(runtime, net, { height: SIZE, width: SIZE, withGradient: true });
    const [distance, gradient] = [new Float32Array(1), new Float32Array(3 * SIZE * SIZE)];
    await comparison.look(Float32Array.from(prepareReference(frame, scene)));
    await comparison.compare(Float32Array.from(prepareReference(image, scene)), { distance, gradient });
    const wanted = prepareBackwardReference(image, gradient, scene);

    expect(record.perceptual / distance[0]).toBeCloseTo(1, 4);
    expect(record.total / (WEIGHT * distance[0])).toBeCloseTo(1, 4);
    const size = Math.max(...wanted.map(Math.abs));
    for (let index = 0; index < after.length; index++) {
      expect(Math.abs(after[index] - before[index] - WEIGHT * wanted[index])).toBeLessThan(1e-3 * WEIGHT * size + 1e-6);
      if (index % 4 === 3) expect(after[index]).toBe(before[index]);
    }
    loss.dispose();
    await comparison.dispose();
    history.dispose();
    for (const buffer of Object.values(buffers)) buffer.destroy();
  });

  it('sees frames at 224², or at their own size where that is smaller', async () => {
    const seen: number[][] = [];
    const watched: PerceptualNet = {
      ...net,
      build(height, width) {
        seen.push([height, width]);
        return net.build(height, width);
      },
    };
    const gpu = await testGpu();
    const runtime = await createNodeNetworkRuntime({ gpu });
    const history = await LossHistory.create(gpu, 4);
    for (const edge of [32, 256]) {
      const loss = await createPerceptualLoss(gpu, { net: watched, runtime, width: edge, height: edge, history });
      loss.dispose();
    }
    history.dispose();
    expect(seen).toEqual([
      [32, 32],
      [32, 32],
      [224, 224],
      [224, 224],
    ]);
  });
});
