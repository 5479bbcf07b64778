import { describe, expect, it } from 'vitest';
import { describeDifferentiable, type DifferentiableOperation } from '../../../test/describe-differentiable.ts';
import { testGpu } from '../../../test/gpu.ts';
import { createStorageBuffer, readFloats } from '../../gpu/buffer.ts';
import { Commands } from '../../gpu/commands.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import { vertexAdjacency, type VertexAdjacency } from '../../head/laplacian.ts';
import { randomNormal } from '../../math/random.ts';
import { LossHistory } from '../loss-history.ts';
import { createVertexRegularisers } from './vertex-regularisers.ts';
import { vertexRegularisersReference } from './vertex-regularisers.reference.ts';

interface Setting {
  readonly adjacency: VertexAdjacency;
  readonly weights: { readonly vertexDifference: number; readonly laplacian: number };
}

const widened = (values: Float32Array): Float32Array =>
  Float32Array.from({ length: (values.length / 3) * 4 }, (_, index) =>
    index % 4 === 3 ? 99 : values[Math.floor(index / 4) * 3 + (index % 4)],
  );

async function run(gpu: Gpu, difference: Float32Array, { adjacency, weights }: Setting) {
  const history = await LossHistory.create(gpu, 1);
  const vertexDifference = createStorageBuffer(gpu, 'difference', widened(difference));
  const vertexDifferenceGradient = createStorageBuffer(gpu, 'gradient', vertexDifference.size);
  const regularisers = await createVertexRegularisers(gpu, {
    adjacency,
    vertexDifference,
    vertexDifferenceGradient,
    history,
  });
  const commands = new Commands(gpu);
  regularisers.record(commands, { slot: 0, weights });
  commands.submit();
  const padded = await readFloats(gpu, vertexDifferenceGradient, (difference.length / 3) * 4);
  const [record] = await history.read();
  regularisers.dispose();
  history.dispose();
  vertexDifference.destroy();
  vertexDifferenceGradient.destroy();
  return { record, gradient: padded.filter((_, index) => index % 4 !== 3) };
}

const operation: DifferentiableOperation<Setting> = {
  name: 'vertex regularisers',
  forward: ({ difference }, { adjacency, weights }) => ({
    total: Float64Array.of(vertexRegularisersReference(difference, adjacency, weights).total),
  }),
  backward: ({ difference }, { total }, { adjacency, weights }) => ({
    difference: vertexRegularisersReference(difference, adjacency, weights).gradient.map((value) => value * total[0]),
  }),
  async runOnGpu(gpu, { difference }, { total }, setting) {
    const { record, gradient } = await run(gpu, difference, setting);
    return {
      outputs: { total: Float32Array.of(record.total) },
      gradients: { difference: gradient.map((value) => value * total[0]) },
    };
  },
};

/** A fan around vertex 0, so that degrees differ; `spare` vertices belong to no triangle. */
function fan(rim: number, spare: number): VertexAdjacency {
  const triangles = Array.from({ length: rim - 1 }, (_, index) => [0, index + 1, index + 2]).flat();
  return vertexAdjacency(Uint32Array.from(triangles), rim + 1 + spare);
}
const normals = (count: number): Float32Array =>
  Float32Array.from({ length: count }, (_, index) => randomNormal(9, 0, index));
const both = { vertexDifference: 0.5, laplacian: 2 };

describeDifferentiable(
  operation,
  [
    { name: 'a fan of 7', inputs: { difference: normals(24) }, setting: { adjacency: fan(7, 0), weights: both } },
    {
      name: 'a fan of 2000',
      inputs: { difference: normals(6003) },
      setting: { adjacency: fan(2000, 0), weights: both },
    },
    {
      name: 'Laplacian alone, with vertices alone',
      inputs: { difference: normals(30) },
      setting: { adjacency: fan(6, 3), weights: { vertexDifference: 0, laplacian: 100 } },
    },
  ],
  {
    hostile: [
      { name: 'one vertex', inputs: { difference: [1, 2, 3] }, setting: { adjacency: fan(0, 0), weights: both } },
    ],
  },
);

describe('vertex regularisers', () => {
  it('do not mind a shift of the whole mesh, but its length', async () => {
    const difference = Float32Array.from({ length: 24 }, (_, index) => [0.01, 0, 0.02][index % 3]);
    const { record } = await run(await testGpu(), difference, { adjacency: fan(7, 0), weights: both });
    expect(record.laplacian).toBeCloseTo(0, 12);
    expect(record.vertexDifference).toBeCloseTo(5e-4, 9);
  });
});
