import { describe, expect, it } from 'vitest';
import { testGpu } from '../../test/gpu.ts';
import { createStorageBuffer, readFloats, writeBuffer } from '../gpu/buffer.ts';
import { Commands } from '../gpu/commands.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { randomNormal } from '../math/random.ts';
import { createAdam, type AdamOptions, type AdamStepOptions } from './adam.ts';
import { adamReference, type AdamState } from './adam.reference.ts';

const BETA2 = Math.fround(0.999);
const BETA1 = Math.fround(0.9);

const normals = (count: number, stream: number, scale = 1): Float32Array =>
  Float32Array.from({ length: count }, (_, index) => scale * randomNormal(7, stream, index));

const stateOf = (parameters: Float32Array): AdamState => ({
  parameters: Float64Array.from(parameters),
  first: new Float64Array(parameters.length),
  second: new Float64Array(parameters.length),
});

interface Run {
  readonly parameters: Float32Array;
  readonly moments: Float32Array;
  readonly rejected: number;
}

/** Runs one update per gradient array, all of them in one submit. */
async function runAdam(
  gpu: Gpu,
  initial: Float32Array,
  gradients: readonly Float32Array[],
  options: Partial<AdamOptions> = {},
  stepOptions: (index: number) => Partial<AdamStepOptions> = () => ({}),
): Promise<Run> {
  const parameters = createStorageBuffer(gpu, 'parameters', initial);
  const gradient = createStorageBuffer(gpu, 'gradient', gradients[0]!.byteLength);
  const staged = gradients.map((content) => createStorageBuffer(gpu, 'staged gradient', content));
  const adam = await createAdam(gpu, {
    label: 'test',
    parameters,
    gradients: gradient,
    learningRate: 0.01,
    ...options,
  });
  const commands = new Commands(gpu);
  staged.forEach((source, index) => {
    commands.copy(source, 0, gradient, 0, gradients[index]!.byteLength);
    adam.step(commands, { step: index + 1, ...stepOptions(index) });
  });
  commands.submit();
  const result = {
    parameters: await readFloats(gpu, parameters, initial.length),
    moments: await readFloats(gpu, adam.moments, initial.length * 2),
    rejected: await adam.readRejected(),
  };
  adam.dispose();
  for (const buffer of [parameters, gradient, ...staged]) buffer.destroy();
  return result;
}

function expectClose(actual: Float32Array, expected: Float64Array, tolerance: number): void {
  const worst = expected.reduce((most, value, index) => Math.max(most, Math.abs(actual[index]! - value)), 0);
  expect(worst).toBeLessThan(tolerance);
}

describe('adam', () => {
  for (const size of [1, 3, 255, 257, 4095, 4097, 9000]) {
    it(`follows the float64 reference over 20 updates of ${size} elements in one submit`, async () => {
      const initial = normals(size, 1);
      const gradients = Array.from({ length: 20 }, (_, step) =>
        normals(size, 10 + step, 1e-4).map((value, index) => value + 1e-4 * Math.sin(index)),
      );
      const state = stateOf(initial);
      gradients.forEach((gradient, index) =>
        adamReference(state, gradient, index + 1, { learningRate: 0.01, beta1: BETA1, beta2: BETA2 }),
      );
      const run = await runAdam(await testGpu(), initial, gradients);
      // Twenty roundings of parameters up to 4 (2.4e-7 each); an update moves by up to 0.01.
      expectClose(run.parameters, state.parameters, 5e-6);
      expectClose(
        run.moments.filter((_, index) => index % 2 === 0),
        state.first,
        1e-9,
      );
      expectClose(
        run.moments.filter((_, index) => index % 2 === 1),
        state.second,
        1e-13,
      );
      expect(run.rejected).toBe(0);
    });
  }

  it('moves by the rate at first, whatever the size of the gradient', async () => {
    const gradient = new Float32Array([1e-9, -1e-6, 1, -1e6, 0]);
    const run = await runAdam(await testGpu(), new Float32Array(5), [gradient]);
    [-0.01, 0.01, -0.01, 0.01, 0].forEach((expected, index) => expect(run.parameters[index]).toBeCloseTo(expected, 6));
  });

  it('leaves records past the count untouched', async () => {
    const gpu = await testGpu();
    const count = createStorageBuffer(gpu, 'count', new Uint32Array([5]));
    const run = await runAdam(gpu, new Float32Array(30), [new Float32Array(30).fill(1)], { stride: 3, count });
    expect(run.parameters.findIndex((value) => value === 0)).toBe(15);
    expect(run.parameters.slice(15).every((value) => value === 0)).toBe(true);
    expect(run.moments.slice(30).every((value) => value === 0)).toBe(true);
    const none = createStorageBuffer(gpu, 'count', new Uint32Array([0]));
    const still = await runAdam(gpu, new Float32Array(30), [new Float32Array(30).fill(1)], { stride: 3, count: none });
    expect(still.parameters.every((value) => value === 0)).toBe(true);
  });

  it('counts unusable gradients and treats them as zero', async () => {
    const hostile = new Float32Array([NaN, Infinity, -Infinity, 1e30, 1e-41, 1, 0]);
    const run = await runAdam(await testGpu(), new Float32Array(7), [hostile, hostile]);
    expect(run.rejected).toBe(8);
    expect(run.parameters.slice(0, 4)).toEqual(new Float32Array(4));
    expect([...run.parameters, ...run.moments].every(Number.isFinite)).toBe(true);
    expect(run.parameters[5]).toBeCloseTo(-0.02, 6);
  });

  it('updates one record from a gradient of one record, with its own step number and rate factors', async () => {
    const initial = new Float32Array(9);
    const gradient = new Float32Array([1, 1, 1]);
    const run = await runAdam(
      await testGpu(),
      initial,
      [gradient, gradient],
      { stride: 3, gradientsOfOneRecord: true, rateFactors: new Float32Array([1, 0.1, 0]) },
      (index) => ({ record: 2 - index, step: 1 }),
    );
    const expected = [0, 0, 0, -0.01, -0.001, 0, -0.01, -0.001, 0];
    expected.forEach((value, index) => expect(run.parameters[index]).toBeCloseTo(value, 7));
  });

  it('takes the rate and the gradient scale of each step', async () => {
    const gradients = [new Float32Array([8]), new Float32Array([8])];
    const state = stateOf(new Float32Array(1));
    adamReference(state, [2], 1, { learningRate: 0.5 });
    adamReference(state, [4], 2, { learningRate: 0.25 });
    const run = await runAdam(await testGpu(), new Float32Array(1), gradients, {}, (index) => ({
      learningRate: index === 0 ? 0.5 : 0.25,
      gradientScale: index === 0 ? 0.25 : 0.5,
    }));
    expect(run.parameters[0]).toBeCloseTo(state.parameters[0]!, 5);
  });

  it('gives the same bytes twice', async () => {
    const gpu = await testGpu();
    const gradients = Array.from({ length: 10 }, (_, step) => normals(1000, 40 + step));
    const [first, second] = [
      await runAdam(gpu, normals(1000, 3), gradients),
      await runAdam(gpu, normals(1000, 3), gradients),
    ];
    expect(first.parameters).toEqual(second.parameters);
    expect(first.moments).toEqual(second.moments);
  });

  it('names what is wrong', async () => {
    const gpu = await testGpu();
    const parameters = createStorageBuffer(gpu, 'parameters', 64);
    const gradients = createStorageBuffer(gpu, 'gradients', 32);
    const options = { label: 'test', parameters, gradients, learningRate: 1, stride: 4 };
    await expect(createAdam(gpu, options)).rejects.toThrow('gradients has 32 bytes');
    await expect(createAdam(gpu, { ...options, rateFactors: new Float32Array(3) })).rejects.toThrow(
      'rateFactors has 3',
    );
    const adam = await createAdam(gpu, { ...options, gradientsOfOneRecord: true, slotCount: 2 });
    const commands = new Commands(gpu);
    expect(() => adam.step(commands, { step: 0 })).toThrow('updates count from 1');
    expect(() => adam.step(commands, { step: 1, record: 4 })).toThrow('record 4 is outside 0…3');
    for (let turn = 0; turn < 3; turn++) {
      for (let step = 1; step <= 2; step++) adam.step(commands, { step });
      commands.submit();
    }
    for (let step = 1; step <= 2; step++) adam.step(commands, { step });
    expect(() => adam.step(commands, { step: 3 })).toThrow('holds 2 uses between two submits');
    await commands.done();
    writeBuffer(gpu, parameters, new Float32Array(1));
  });
});
