import { describe, expect, it } from 'vitest';
import { describeDifferentiable, type DifferentiableOperation } from '../../../test/describe-differentiable.ts';
import { testGpu } from '../../../test/gpu.ts';
import { createStorageBuffer, readFloats } from '../../gpu/buffer.ts';
import { Commands } from '../../gpu/commands.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import { LossHistory } from '../../losses/loss-history.ts';
import { randomNormal } from '../../math/random.ts';
import { MAP_CHANNEL_COUNT } from '../attribute-maps.ts';
import { SAMPLE_STRIDE } from '../sample/sample.ts';
import { sampleRegularisersReference } from './sample-regularisers.reference.ts';
import { createSampleRegularisers, type SampleRegulariserWeights } from './sample-regularisers.ts';

interface Setting {
  readonly targets: Float32Array;
  readonly keep: Float32Array;
  readonly weights: SampleRegulariserWeights;
}

/** N×11 to records of 12 floats, and back. */
function toRecords(values: Float32Array, last?: Float32Array): Float32Array {
  const count = values.length / MAP_CHANNEL_COUNT;
  const records = new Float32Array(count * SAMPLE_STRIDE);
  for (let gaussian = 0; gaussian < count; gaussian++)
    records.set(
      values.subarray(gaussian * MAP_CHANNEL_COUNT, (gaussian + 1) * MAP_CHANNEL_COUNT),
      gaussian * SAMPLE_STRIDE,
    );
  last?.forEach((value, gaussian) => (records[gaussian * SAMPLE_STRIDE + MAP_CHANNEL_COUNT] = value));
  return records;
}
const fromRecords = (records: Float32Array): Float32Array =>
  records.filter((_, index) => index % SAMPLE_STRIDE < MAP_CHANNEL_COUNT);

async function run(gpu: Gpu, samples: Float32Array, { targets, keep, weights }: Setting, present = 0) {
  const gaussianCount = samples.length / MAP_CHANNEL_COUNT;
  const history = await LossHistory.create(gpu, 2);
  const records = toRecords(samples);
  const buffers = {
    samples: createStorageBuffer(gpu, 'samples', records),
    targets: createStorageBuffer(gpu, 'targets', toRecords(targets, keep)),
    sampleGradient: createStorageBuffer(gpu, 'gradient', new Float32Array(records.length).fill(present)),
  };
  const regularisers = await createSampleRegularisers(gpu, { ...buffers, gaussianCount, history });
  const commands = new Commands(gpu);
  regularisers.record(commands, { slot: 1, startsStep: true, weights });
  commands.submit();
  const gradient = fromRecords(await readFloats(gpu, buffers.sampleGradient, records.length));
  const [, record] = await history.read();
  regularisers.dispose();
  history.dispose();
  for (const buffer of Object.values(buffers)) buffer.destroy();
  return { record: record!, gradient };
}

const operation: DifferentiableOperation<Setting> = {
  name: 'sample regularisers',
  forward: ({ samples }, { targets, keep, weights }) => ({
    total: Float64Array.of(sampleRegularisersReference(samples!, targets, keep, weights).total),
  }),
  backward: ({ samples }, { total }, { targets, keep, weights }) => ({
    samples: sampleRegularisersReference(samples!, targets, keep, weights).gradient.map((value) => value * total![0]!),
  }),
  async runOnGpu(gpu, { samples }, { total }, setting) {
    const { record, gradient } = await run(gpu, samples!, setting);
    return {
      outputs: { total: Float32Array.of(record.total) },
      gradients: { samples: gradient.map((value) => value * total![0]!) },
    };
  },
};

const values = (count: number, stream: number): Float32Array =>
  Float32Array.from({ length: count * MAP_CHANNEL_COUNT }, (_, index) => randomNormal(4, stream, index));
const channels = Array.from({ length: MAP_CHANNEL_COUNT }, (_, channel) => (channel === 4 ? 0 : 0.2 + 0.1 * channel));
const scene = (count: number, weights: Partial<SampleRegulariserWeights> = {}) => ({
  name: `${count} Gaussians`,
  inputs: { samples: values(count, 0) },
  setting: {
    targets: values(count, 1),
    keep: Float32Array.from({ length: count }, (_, index) => (index % 3) / 2),
    weights: { attributes: 0.7, tilt: 0.1, kept: 0.4, channels, ...weights },
  },
});

describeDifferentiable(
  operation,
  [scene(5), scene(333), { ...scene(64, { attributes: 0, kept: 0 }), name: 'tilt alone' }],
  {
    hostile: [
      {
        ...scene(2),
        name: 'far away, and unknown where it was fitted',
        setting: {
          ...scene(2).setting,
          targets: values(2, 1).map((value, index) => (index === 0 ? NaN : index === 9 ? -Infinity : value)),
        },
      },
    ],
  },
);

describe('sample regularisers', () => {
  it('add to the gradient that is there, and name the terms', async () => {
    const { inputs, setting } = scene(3);
    const [none, some] = [
      await run(await testGpu(), inputs.samples, setting),
      await run(await testGpu(), inputs.samples, setting, 2),
    ];
    none.gradient.forEach((value, index) => expect(some.gradient[index]).toBeCloseTo(value + 2, 5));
    const expected = sampleRegularisersReference(inputs.samples, setting.targets, setting.keep, setting.weights);
    expect(none.record.attributes).toBeCloseTo(expected.attributes, 4);
    expect(none.record.kept).toBeCloseTo(expected.kept, 4);
    expect(none.record.tilt).toBeCloseTo(expected.tilt, 4);
  });

  it('want a weight for every channel', async () => {
    const { inputs, setting } = scene(1, { channels: [1, 2] });
    await expect(run(await testGpu(), inputs.samples, setting)).rejects.toThrow(/channels has 2 weights/);
  });
});
