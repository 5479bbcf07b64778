import { describe, expect, it } from 'vitest';
import { describeDifferentiable, type DifferentiableOperation } from '../../../test/describe-differentiable.ts';
import { testGpu } from '../../../test/gpu.ts';
import { createStorageBuffer, readFloats } from '../../gpu/buffer.ts';
import { Commands } from '../../gpu/commands.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import { randomNormal } from '../../math/random.ts';
import { LossHistory } from '../loss-history.ts';
import { createGaussianRegularisers, type GaussianRegulariserSettings } from './gaussian-regularisers.ts';
import { gaussianRegularisersReference } from './gaussian-regularisers.reference.ts';

interface Setting extends GaussianRegulariserSettings {
  readonly count: number;
}

/** Triangles of very different hold, one of them with none. */
const HOLDS = [1, 0.25, 0, 0.5, 2];
const triangleOf = (gaussian: number): number => (gaussian * 3) % HOLDS.length;
const holdsOf = (count: number): number[] => Array.from({ length: count }, (_, i) => HOLDS[triangleOf(i)]);

/** Runs over gradient buffers that hold `present` already. */
async function run(
  gpu: Gpu,
  logScale: Float32Array,
  normalOffset: Float32Array,
  { count, ...settings }: Setting,
  present = 0,
) {
  const history = await LossHistory.create(gpu, 1);
  const buffer = (content: Float32Array | Uint32Array): GPUBuffer => createStorageBuffer(gpu, 'test', content);
  const buffers = {
    count: buffer(new Uint32Array([count])),
    logScale: buffer(logScale),
    normalOffset: buffer(normalOffset),
    logScaleGradient: buffer(new Float32Array(logScale.length).fill(present)),
    normalOffsetGradient: buffer(new Float32Array(normalOffset.length).fill(present)),
    triangleIndices: buffer(Uint32Array.from({ length: normalOffset.length }, (_, i) => triangleOf(i))),
    surfaceHold: buffer(Float32Array.from(HOLDS)),
  };
  const regularisers = await createGaussianRegularisers(gpu, { ...buffers, capacity: normalOffset.length, history });
  const commands = new Commands(gpu);
  regularisers.record(commands, { ...settings, slot: 0 });
  commands.submit();
  const result = {
    record: (await history.read())[0],
    logScale: await readFloats(gpu, buffers.logScaleGradient, logScale.length),
    normalOffset: await readFloats(gpu, buffers.normalOffsetGradient, normalOffset.length),
  };
  regularisers.dispose();
  history.dispose();
  for (const each of Object.values(buffers)) each.destroy();
  return result;
}

const operation: DifferentiableOperation<Setting> = {
  name: 'gaussian regularisers',
  forward: ({ logScale, normalOffset }, setting) => ({
    total: Float64Array.of(
      gaussianRegularisersReference(logScale, normalOffset, setting.count, holdsOf(setting.count), setting).total,
    ),
  }),
  backward: ({ logScale, normalOffset }, { total }, setting) => {
    const value = gaussianRegularisersReference(logScale, normalOffset, setting.count, holdsOf(setting.count), setting);
    return {
      logScale: value.logScaleGradient.map((gradient) => gradient * total[0]),
      normalOffset: value.normalOffsetGradient.map((gradient) => gradient * total[0]),
    };
  },
  async runOnGpu(gpu, { logScale, normalOffset }, { total }, setting) {
    const result = await run(gpu, logScale, normalOffset, setting);
    return {
      outputs: { total: Float32Array.of(result.record.total) },
      gradients: {
        logScale: result.logScale.map((gradient) => gradient * total[0]),
        normalOffset: result.normalOffset.map((gradient) => gradient * total[0]),
      },
    };
  },
};

const weights = { scaleRatio: 0.1, scaleLimit: 0.5, offset: 0.3 };
const setting = { ratioLimit: 9, sizeLimit: 0.004, weights };
const gaussians = (count: number, spread = 1) => ({
  logScale: Float32Array.from({ length: count * 3 }, (_, index) => Math.log(2e-3) + spread * randomNormal(2, 0, index)),
  normalOffset: Float32Array.from({ length: count }, (_, index) => randomNormal(2, 1, index)),
});
const tied = [Math.log(0.1), Math.log(0.1), Math.log(0.001)];
const hostileScales = [NaN, 0, 0, Infinity, 0, 0, -Infinity, 0, 0, 80, -80, 0, -1e4, 1e4, 0, 1e-41, 0, 0, ...tied];

describeDifferentiable(
  operation,
  [
    { name: '9 Gaussians', inputs: gaussians(9), setting: { ...setting, count: 9 } },
    {
      name: '2500 Gaussians of 3000',
      inputs: gaussians(3000),
      setting: { ...setting, count: 2500 },
      tolerances: { differenceStep: 1e-8 }, // so many Gaussians have a limit within any wider step
    },
    { name: 'one of one', inputs: gaussians(1, 3), setting: { ...setting, count: 1 } },
    {
      name: 'the paper alone',
      inputs: gaussians(70),
      setting: { ...setting, weights: { scaleRatio: 0.1, scaleLimit: 0, offset: 0 }, count: 70 },
    },
  ],
  {
    hostile: [
      { name: 'no Gaussian', inputs: gaussians(5), setting: { ...setting, count: 0 } },
      {
        name: 'NaN, infinite, extreme and tied scales',
        inputs: { logScale: hostileScales, normalOffset: [NaN, Infinity, 1e-41, 1e4, 2, 0, 1] },
        setting: { ...setting, count: 7 },
        tolerances: { forwardRelative: 1e-4, backwardRelative: 1e-3 },
      },
    ],
  },
);

describe('gaussian regularisers', () => {
  it('splits the gradient between tied axes and adds to what is there', async () => {
    const settings = { ...setting, weights: { scaleRatio: 1, scaleLimit: 0, offset: 0 }, count: 1 };
    const result = await run(await testGpu(), Float32Array.from(tied), new Float32Array(1), settings, 7);
    expect(result.record.scaleRatio).toBeCloseTo(91, 3);
    [57, 57, -93].forEach((expected, axis) => expect(result.logScale[axis]).toBeCloseTo(expected, 3));
    expect(result.normalOffset[0]).toBe(7);
  });

  it('leaves round and small Gaussians alone', async () => {
    const settings = { ...setting, count: 2 };
    const logScale = new Float32Array(6).fill(Math.log(1e-3));
    const result = await run(await testGpu(), logScale, new Float32Array(2), settings);
    expect(result.record.total).toBe(0);
    expect([...result.logScale, ...result.normalOffset].every((gradient) => gradient === 0)).toBe(true);
  });
});
