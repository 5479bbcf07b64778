import { describe, expect, it } from 'vitest';
import {
  describeDifferentiable,
  type DifferentiableOperation,
  type DifferentiableScene,
} from '../../../test/describe-differentiable.ts';
import { testGpu } from '../../../test/gpu.ts';
import { createStorageBuffer, readFloats } from '../../gpu/buffer.ts';
import { Commands } from '../../gpu/commands.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import { randomBits, randomUniform } from '../../math/random.ts';
import { LossHistory, type LossRecord } from '../loss-history.ts';
import { ssim, type MetricImage } from '../metrics.ts';
import { createPhotometricLoss } from './photometric.ts';
import { photometricReference, type PhotometricScene } from './photometric.reference.ts';

interface Setting extends PhotometricScene {
  readonly stripLength?: number;
}

async function runLoss(
  gpu: Gpu,
  image: Float32Array,
  setting: Setting,
): Promise<{ record: LossRecord; imageGradient: Float32Array }> {
  const { width, height, background, weights, stripLength } = setting;
  const history = await LossHistory.create(gpu, 4);
  const loss = await createPhotometricLoss(gpu, {
    width,
    height,
    history,
    stripLength,
    matte: weights.matte !== 0,
    mask: setting.mask !== undefined,
  });
  // Behind other data, as frames and masks of a clip lie behind each other.
  const targetOffset = 7;
  const maskOffset = 3;
  const pixels = new Uint32Array(targetOffset + setting.target.length).fill(0x12345678);
  pixels.set(setting.target, targetOffset);
  const target = createStorageBuffer(gpu, 'target', pixels);
  const maskBytes = new Uint8Array(Math.ceil((maskOffset + width * height) / 4) * 4).fill(99);
  maskBytes.set(setting.mask ?? [], maskOffset);
  const mask = setting.mask ? createStorageBuffer(gpu, 'mask', maskBytes) : undefined;
  const rendered = createStorageBuffer(gpu, 'image', image);
  const commands = new Commands(gpu);
  loss.record(commands, {
    image: rendered,
    target,
    targetOffset,
    mask,
    maskOffset,
    background,
    weights,
    ...(setting.shown ? { shown: setting.shown } : {}),
    slot: 2,
  });
  commands.submit();
  const imageGradient = await readFloats(gpu, loss.imageGradient, width * height * 4);
  const [record] = await history.read(2, 1);
  for (const buffer of [target, rendered, mask]) buffer?.destroy();
  loss.dispose();
  history.dispose();
  return { record: record!, imageGradient };
}

const operation: DifferentiableOperation<Setting> = {
  name: 'photometric loss',
  forward: ({ image }, setting) => ({ total: Float64Array.of(photometricReference(image!, setting).total) }),
  backward: ({ image }, { total }, setting) => ({
    image: photometricReference(image!, setting).imageGradient.map((value) => value * total![0]!),
  }),
  async runOnGpu(gpu, { image }, { total }, setting) {
    const { record, imageGradient } = await runLoss(gpu, image!, setting);
    return {
      outputs: { total: Float32Array.of(record.total) },
      gradients: { image: imageGradient.map((value) => value * total![0]!) },
    };
  },
};

/** A smooth picture and a noisy copy of it, away from equal values. */
function scene(
  width: number,
  height: number,
  overrides: Partial<Setting> & { mask?: Uint8Array } = {},
): DifferentiableScene<Setting> & { inputs: { image: Float32Array } } {
  const target = Uint32Array.from({ length: width * height }, (_, pixel) => {
    const [x, y] = [pixel % width, Math.floor(pixel / width)];
    const wave = (phase: number): number => Math.round(127 + 100 * Math.sin(x * 0.4 + y * 0.23 + phase));
    const alpha = overrides.weights?.matte ? randomBits(5, 0, pixel) & 255 : [255, 255, 128, 0][(x + y) & 3]!;
    return (wave(0) | (wave(2) << 8) | (wave(4) << 16) | (alpha << 24)) >>> 0;
  });
  const image = Float32Array.from({ length: width * height * 4 }, (_, index) => randomUniform(3, 1, index));
  const weights = { l1: 1, ssim: 0.2, matte: 0, mask: 0 };
  const setting = { width, height, target, background: [1, 0.5, 0.25], weights, ...overrides };
  return { name: `${width}×${height}`, inputs: { image }, setting };
}

const maskOf = (count: number): Uint8Array => Uint8Array.from({ length: count }, (_, pixel) => (pixel % 3) * 127);
const withMatte = { l1: 0.8, ssim: 0.2, matte: 0.3, mask: 0 };
const withMask = { l1: 1, ssim: 0.5, matte: 0.1, mask: 4 };

describeDifferentiable(
  operation,
  [
    scene(1, 1),
    { ...scene(3, 2, { weights: { l1: 0, ssim: 1, matte: 0, mask: 0 } }), name: '3×2, SSIM alone' },
    { ...scene(5, 17), name: '5×17, narrower than the window' },
    { ...scene(37, 23, { weights: withMatte }), name: '37×23 with the matte term' },
    { ...scene(24, 31, { weights: withMask, mask: maskOf(24 * 31) }), name: '24×31 with a mask' },
    { ...scene(40, 29, { stripLength: 7 }), name: '40×29 in strips of 7' },
    {
      ...scene(31, 27, { weights: withMatte, shown: { left: 3, top: 5, right: 31, bottom: 22 } }),
      name: '31×27 of which a part is shown',
    },
    { ...scene(64, 64, { weights: { l1: 0, ssim: 1, matte: 0, mask: 0 } }), name: '64×64, SSIM alone' },
  ].map((each) => ({
    ...each,
    // A difference may step over a pixel where x = y, and float32 holds a loss of 1 to 6e-8.
    tolerances: { differences: 2e-6, differenceStep: 1e-6, directional: 3e-2 },
  })),
  {
    hostile: [
      { ...hostile(scene(13, 9, { weights: withMatte })), name: 'NaN, infinity, denormals and large values' },
      { ...scene(33, 7, { stripLength: 11 }), name: 'odd strips' },
    ],
  },
);

function hostile(given: ReturnType<typeof scene>): ReturnType<typeof scene> {
  [NaN, Infinity, -Infinity, 1e38, 1e-41, -0.2, 1.7].forEach((value, index) => {
    given.inputs.image[5 * index + 1] = value;
  });
  return given;
}

describe('photometric loss', () => {
  it('gives each term and counts what it left out', async () => {
    const { inputs, setting } = hostile(scene(19, 21, { weights: withMatte }));
    const { record } = await runLoss(await testGpu(), inputs.image, setting);
    const expected = photometricReference(inputs.image, setting);
    expect(record.l1).toBeCloseTo(expected.l1, 6);
    expect(record.dissimilarity).toBeCloseTo(expected.dissimilarity, 5);
    expect(record.matte).toBeCloseTo(expected.matte, 6);
    expect(record.total).toBeCloseTo(expected.total, 5);
    expect(record.guardedValues).toBe([1, 6, 11, 16].filter((index) => index % 4 !== 3).length);
  });

  it('does not look at what the frame does not show', async () => {
    const gpu = await testGpu();
    const shown = { left: 6, top: 0, right: 20, bottom: 13 };
    const { inputs, setting } = scene(26, 17, { weights: withMatte, shown });
    const first = await runLoss(gpu, inputs.image, setting);
    const isShown = (pixel: number): boolean =>
      pixel % 26 >= shown.left && pixel % 26 < shown.right && Math.floor(pixel / 26) < shown.bottom;
    const other = inputs.image.map((value, i) => (isShown(Math.floor(i / 4)) ? value : 1 - value));
    other[0] = NaN;
    const second = await runLoss(gpu, other, setting);
    expect(second.record).toEqual(first.record);
    // A zero may have either sign.
    first.imageGradient.forEach((value, i) => {
      expect(second.imageGradient[i]! === value, `gradient ${i}`).toBe(true);
      if (!isShown(Math.floor(i / 4))) expect(Math.abs(value)).toBe(0);
    });
  });

  it('stays finite at the edge of what it takes', async () => {
    const { inputs, setting } = scene(32, 16);
    inputs.image.fill(9999.5, 40, 700);
    const { record, imageGradient } = await runLoss(await testGpu(), inputs.image, setting);
    expect(Object.values(record).every(Number.isFinite)).toBe(true);
    expect(imageGradient.every(Number.isFinite)).toBe(true);
  });

  it('is zero, with no gradient, for an image equal to the target', async () => {
    const [width, height] = [20, 20];
    const target = new Uint32Array(width * height).fill(0xff8040ff);
    const image = Float32Array.from(
      { length: width * height * 4 },
      (_, index) => [1, 0x40 / 255, 0x80 / 255, 0][index % 4]!,
    );
    const weights = { l1: 1, ssim: 1, matte: 1, mask: 0 };
    const { record, imageGradient } = await runLoss(await testGpu(), image, {
      width,
      height,
      target,
      background: [0, 0, 0],
      weights,
    });
    expect(record.total).toBeCloseTo(0, 6);
    expect(Math.max(...imageGradient.map(Math.abs))).toBeLessThan(1e-6);
  });

  it('agrees with the metric', async () => {
    const { inputs, setting } = scene(48, 40, { background: [0, 0, 0] });
    const { record } = await runLoss(await testGpu(), inputs.image, {
      ...setting,
      target: setting.target.map((pixel) => (pixel | 0xff000000) >>> 0),
    });
    const picture = (data: ArrayLike<number>, range: number): MetricImage => ({
      width: 48,
      height: 40,
      channels: 3,
      range,
      data: Array.from({ length: 48 * 40 * 3 }, (_, index) => data[Math.floor(index / 3) * 4 + (index % 3)]!),
    });
    const metric = ssim(picture(inputs.image, 1), picture(new Uint8Array(setting.target.buffer), 255));
    expect(1 - record.dissimilarity).toBeCloseTo(metric, 6);
  });

  it('fills one row of the history per step of one submit', async () => {
    const gpu = await testGpu();
    const history = await LossHistory.create(gpu, 3);
    const loss = await createPhotometricLoss(gpu, { width: 2, height: 2, history });
    const image = createStorageBuffer(gpu, 'image', new Float32Array(16));
    const target = createStorageBuffer(gpu, 'target', 16);
    const commands = new Commands(gpu);
    [0.25, 0.5, 0.75].forEach((gray, slot) =>
      loss.record(commands, { image, target, background: [gray, gray, gray], slot }),
    );
    commands.submit();
    expect((await history.read()).map((record) => record.l1)).toEqual([0.25, 0.5, 0.75]);
    loss.dispose();
    history.dispose();
  });

  it('names what is wrong', async () => {
    const gpu = await testGpu();
    const history = await LossHistory.create(gpu, 1);
    await expect(createPhotometricLoss(gpu, { width: 0, height: 4, history })).rejects.toThrow('size is 0×4');
    const loss = await createPhotometricLoss(gpu, { width: 1, height: 1, history });
    const buffer = createStorageBuffer(gpu, 'one', 16);
    const step = { image: buffer, target: buffer, background: [0, 0, 0], slot: 0 };
    const commands = new Commands(gpu);
    expect(() => loss.record(commands, { ...step, weights: { matte: 1 } })).toThrow('create the loss with matte: true');
    expect(() => loss.record(commands, { ...step, mask: buffer })).toThrow('create the loss with mask: true');
    expect(() => loss.record(commands, { ...step, slot: 1 })).toThrow('slot 1 is outside 0…0');
  });
});
