import { afterAll, describe, expect, it } from 'vitest';
import { createNodeNetworkRuntime } from '../platform/node/network-runtime.ts';
import {
  createTrainableNetwork,
  differentiate,
  evaluateReference,
  NetworkError,
  type TrainableNetwork,
} from './index.ts';
import { normalNumbers, smallUNet } from '../../test/small-unet.ts';
import { planTraining } from './training-plan.ts';

const made: TrainableNetwork[] = [];
afterAll(() => Promise.all(made.map((network) => network.dispose())));

async function createSmall(threads = 1, seed = 5): Promise<TrainableNetwork> {
  const runtime = await createNodeNetworkRuntime({ threads });
  const { maps } = smallUNet();
  const network = await createTrainableNetwork(runtime, { outputs: { maps }, seed });
  made.push(network);
  return network;
}

const { maps: shapeOfMaps, noise: shapeOfNoise } = smallUNet();
const noise = normalNumbers(shapeOfNoise.shape, 1);
const target = normalNumbers(shapeOfMaps.shape, 2);

/** One step of least squares towards the target; gives the loss before it. */
async function trainStep(network: TrainableNetwork): Promise<number> {
  const { maps } = (await network.forward({ noise })) as { maps: Float32Array };
  let loss = 0;
  const gradient = maps.map((value, i) => {
    loss += (value - target[i]!) ** 2 / maps.length;
    return (2 * (value - target[i]!)) / maps.length;
  });
  await network.backward({ maps: gradient });
  await network.step({ learningRate: 0.01 });
  return loss;
}

async function trace(network: TrainableNetwork, steps: number): Promise<number[]> {
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) losses.push(await trainStep(network));
  return losses;
}

const bytesOf = (values: Float32Array): Buffer => Buffer.from(values.buffer, values.byteOffset, values.byteLength);

describe('training', () => {
  it('lowers the loss in ten steps, and gives the same bytes for the same seed', async () => {
    const [first, second, other] = [await createSmall(), await createSmall(), await createSmall(1, 6)];
    const losses = await trace(first, 10);
    expect(await trace(second, 10)).toEqual(losses);
    expect(losses[9]).toBeLessThan(0.8 * losses[0]!);
    losses.slice(1).forEach((loss, i) => expect(loss).toBeLessThan(losses[i]!));
    const [a, b] = [await first.save(), await second.save()];
    expect(bytesOf(a.weights).equals(bytesOf(b.weights))).toBe(true);
    expect(bytesOf(a.secondMoments).equals(bytesOf(b.secondMoments))).toBe(true);
    expect(await trace(other, 1)).not.toEqual(losses.slice(0, 1));
  });

  it('gives the same bytes on one thread and on two', async () => {
    const [one, two] = [await createSmall(1), await createSmall(2)];
    expect(await trace(one, 3)).toEqual(await trace(two, 3));
    expect(bytesOf((await one.save()).weights).equals(bytesOf((await two.save()).weights))).toBe(true);
  });

  it("has the float64 reference's gradients, of the input too", async () => {
    const { graph, maps, noise: input } = smallUNet();
    const runtime = await createNodeNetworkRuntime({ threads: 1 });
    const network = await createTrainableNetwork(runtime, { outputs: { maps }, seed: 5, inputGradients: [input] });
    made.push(network);
    const { weights } = await network.save();
    await network.forward({ noise });
    const { noise: ofNoise } = (await network.backward({ maps: target })) as { noise: Float32Array };
    const gradients = await network.gradients();

    const given: Record<string, Float64Array> = { noise: Float64Array.from(noise) };
    for (const { name, offset, size } of network.slots)
      given[name] = Float64Array.from(weights.slice(offset, offset + size));
    const gradient = graph.constant(target, maps.shape);
    const values = [...network.slots.map(({ name }) => graph.weights.find((weight) => weight.name === name)!), input];
    const expected = evaluateReference(differentiate([{ output: maps, gradient }], values), given);
    const actual = [...network.slots.map(({ offset, size }) => gradients.slice(offset, offset + size)), ofNoise];
    expected.forEach(({ data }, i) => {
      const error = Math.sqrt(data.reduce((sum, value, k) => sum + (value - actual[i]![k]!) ** 2, 0));
      const length = Math.sqrt(data.reduce((sum, value) => sum + value ** 2, 0));
      expect(error / length, values[i]!.name).toBeLessThan(1e-4);
    });
  });

  it('carries only convolutions over to the backward half, which computes the rest again', () => {
    const { maps } = smallUNet();
    const { kept } = planTraining({ maps }, []);
    expect(kept.map((name) => name.replace(/\d+$/, ''))).toEqual(['conv', 'conv', 'conv', 'conv']);
  });

  it('goes on from a saved state as if it had not stopped', async () => {
    const [unbroken, stopped] = [await createSmall(), await createSmall()];
    const losses = await trace(unbroken, 6);
    await trace(stopped, 3);
    const state = await stopped.save();
    const resumed = await createSmall(1, 99);
    await resumed.load(state);
    expect(resumed.stepCount).toBe(3);
    expect(await trace(resumed, 3)).toEqual(losses.slice(3));
    await expect(resumed.load({ ...state, weights: new Float32Array(3) })).rejects.toThrow(/another network/);
  });

  it('refuses what is out of order, missing or of another size', async () => {
    const network = await createSmall();
    await expect(network.backward({ maps: target })).rejects.toThrow(/before forward/);
    await expect(network.step({ learningRate: 1 })).rejects.toThrow(/run backward first/);
    await expect(network.forward({})).rejects.toThrow(/input "noise" is missing/);
    await expect(network.forward({ noise: new Float32Array(5) })).rejects.toThrow(/"noise" takes 3072 values/);
    await network.forward({ noise });
    await expect(network.backward({})).rejects.toThrow(NetworkError);
    const runs = [network.forward({ noise }), network.forward({ noise })];
    expect((await Promise.allSettled(runs)).map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  });

  it('does not count gradients that are not finite', async () => {
    const network = await createSmall();
    await network.forward({ noise });
    await network.backward({ maps: target.map(() => Number.NaN) });
    await network.step({ learningRate: 0.01 });
    expect((await network.save()).weights.every(Number.isFinite)).toBe(true);
  });

  it('keeps its memory over 200 steps', async () => {
    const network = await createSmall();
    await trace(network, 50);
    const before = process.memoryUsage.rss();
    await trace(network, 200);
    // One leaked image of 4×32² per step would be 3 MB, one set of activations and gradients far more than the limit.
    expect(process.memoryUsage.rss() - before).toBeLessThan(40e6);
  });
});
