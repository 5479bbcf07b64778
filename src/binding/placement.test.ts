import { describe, expect, it } from 'vitest';
import {
  describeDifferentiable,
  type Arrays,
  type DifferentiableOperation,
} from '../../test/describe-differentiable.ts';
import { testGpu } from '../../test/gpu.ts';
import { smallHead } from '../../test/small-head.ts';
import { createStorageBuffer, Ownership, readFloats, writeBuffer } from '../gpu/buffer.ts';
import { Commands } from '../gpu/commands.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { LOCAL_ATTRIBUTES, LOCAL_STRIDES, WORLD_ATTRIBUTES, type LocalAttribute } from '../gaussians/layout.ts';
import { padVertices, unpadVertices } from '../head/deformation/layout.ts';
import { randomNormal, randomUniform } from '../math/random.ts';
import { PLACEMENT_VARIANTS, type PlacementVariant } from './placement-kernels.ts';
import { createLocalGaussians, createPlacement, createWorldGaussians } from './placement.ts';
import {
  placeReference,
  placeReferenceBackward,
  triangleSizesReference,
  type PlacementInputs,
  type PlacementOutputs,
  type PlacementSurface,
} from './placement.reference.ts';

const { triangles, templateVertices, vertexCount } = smallHead();

interface Setting {
  readonly surface: PlacementSurface;
}

/** Buffers for one surface and set, with more room than Gaussians and every gradient full of rubbish beforehand. */
async function setUp(
  gpu: Gpu,
  surface: PlacementSurface,
  arrays: Readonly<Record<string, Float32Array>>,
  variant: PlacementVariant = 'direct',
) {
  const owned = new Ownership();
  const create = (label: string, content: Parameters<typeof createStorageBuffer>[2]): GPUBuffer =>
    owned.own(createStorageBuffer(gpu, label, content));
  const gaussianCount = surface.triangleIndices.length;
  const gaussianCapacity = gaussianCount + 70;
  const ownAll = <Set extends object>(buffers: Set): Set => {
    Object.values(buffers).forEach((buffer: GPUBuffer) => owned.own(buffer));
    return buffers;
  };
  const local = ownAll(createLocalGaussians(gpu, 'local', gaussianCapacity));
  for (const name of LOCAL_ATTRIBUTES) writeBuffer(gpu, local[name], arrays[name]);
  const rubbish = (count: number): Float32Array => new Float32Array(count).fill(7);
  const worldGradients = ownAll(createWorldGaussians(gpu, 'world gradient', gaussianCapacity));
  const gradients = {
    local: ownAll(createLocalGaussians(gpu, 'local gradient', gaussianCapacity)),
    posed: create('posed gradient', rubbish(arrays.posedVertices.length + arrays.posedVertices.length / 3)),
  };
  const options = {
    triangles: surface.triangles,
    vertexCount: arrays.posedVertices.length / 3,
    posedVertices: create('posed vertices', padVertices(arrays.posedVertices)),
    gaussianCapacity,
    count: create('count', Uint32Array.of(gaussianCount)),
    triangleIndices: create('triangle indices', gaussianCapacity * 4),
    barycentrics: create('barycentrics', gaussianCapacity * 12),
    local,
    gradients,
    canonicalSizes: surface.canonicalSizes,
    variant,
  };
  if (gaussianCount > 0) {
    writeBuffer(gpu, options.triangleIndices, surface.triangleIndices);
    writeBuffer(gpu, options.barycentrics, Float32Array.from(surface.barycentrics));
  }
  const placement = await createPlacement(gpu, options);
  return { options, gradients, worldGradients, placement, dispose: () => (placement.dispose(), owned.destroy()) };
}

const placementOperation = (variant: PlacementVariant): DifferentiableOperation<Setting> => ({
  name: `placement, variant ${variant}`,
  forward: (arrays, { surface }) => ({ ...placeReference(surface, arrays as unknown as PlacementInputs) }),
  backward: (arrays, gradients, { surface }): Arrays => ({
    ...placeReferenceBackward(surface, arrays as unknown as PlacementInputs, gradients as unknown as PlacementOutputs),
  }),
  async runOnGpu(gpu, arrays, outputGradients, { surface }) {
    const { options, gradients, worldGradients, placement, dispose } = await setUp(gpu, surface, arrays, variant);
    for (const name of WORLD_ATTRIBUTES) writeBuffer(gpu, worldGradients[name], outputGradients[name]);
    const commands = new Commands(gpu);
    placement.rebuildIndex(commands);
    placement.forward(commands);
    placement.backward(commands, worldGradients);
    commands.submit();
    const count = surface.triangleIndices.length;
    const outputs: Record<string, Float32Array> = {};
    for (const name of WORLD_ATTRIBUTES)
      outputs[name] = (await readFloats(gpu, placement.world[name])).slice(0, count * 4);
    const localGradients: Record<string, Float32Array> = {};
    for (const name of LOCAL_ATTRIBUTES) {
      localGradients[name] = (await readFloats(gpu, gradients.local[name])).slice(0, count * LOCAL_STRIDES[name]);
    }
    const posedVertices = unpadVertices(await readFloats(gpu, gradients.posed), options.vertexCount);
    dispose();
    return { outputs, gradients: { ...localGradients, posedVertices } };
  },
});

interface SceneOptions {
  readonly gaussianCount: number;
  readonly values?: Partial<Record<LocalAttribute, number>>;
  /** Metres in front of the camera. Default 0.9. */
  readonly distance?: number;
}

function scene(name: string, { gaussianCount, values = {}, distance = 0.9 }: SceneOptions) {
  const posedVertices = Array.from(
    templateVertices,
    (value, i) => value + (i % 3 === 2 ? distance : 0) + 0.004 * randomNormal(31, 0, i),
  );
  const weights = Array.from({ length: gaussianCount }, (_, i) => {
    const row = [0, 1, 2].map((k) => 0.05 + randomUniform(32, k, i));
    const sum = row.reduce((a, b) => a + b);
    return row.map((value) => Math.fround(value / sum));
  });
  const normals = (stream: number, length: number, size: number, mean = 0): number[] =>
    Array.from({ length }, (_, i) => mean + size * randomNormal(33, stream, i));
  const attribute = (attributeName: LocalAttribute, stream: number, size: number, mean = 0): number[] => {
    const length = gaussianCount * LOCAL_STRIDES[attributeName];
    const fixed = values[attributeName];
    return fixed === undefined ? normals(stream, length, size, mean) : new Array<number>(length).fill(fixed);
  };
  const surface: PlacementSurface = {
    triangles,
    canonicalSizes: Float32Array.from(triangleSizesReference(triangles, templateVertices)),
    triangleIndices: Uint32Array.from({ length: gaussianCount }, (_, i) =>
      Math.floor(randomUniform(34, 0, i) * (triangles.length / 3)),
    ),
    barycentrics: Float32Array.from(weights.flat()),
  };
  return {
    name,
    setting: { surface },
    inputs: {
      posedVertices,
      localRotation: attribute('localRotation', 1, 1),
      logScale: attribute('logScale', 2, 0.5, -6),
      opacityLogit: attribute('opacityLogit', 3, 1.5),
      color: attribute('color', 4, 0.6),
      normalOffset: attribute('normalOffset', 5, 0.5),
    },
  };
}

const collapsed = Float32Array.from(templateVertices).fill(0, 0, vertexCount);

for (const variant of PLACEMENT_VARIANTS) {
  describeDifferentiable(
    placementOperation(variant),
    [
      scene('one Gaussian', { gaussianCount: 1 }),
      // Near the origin, where rung 4's step is small: a frame's quaternion flips its sign where w passes zero.
      scene('many on each triangle', { gaussianCount: 300, distance: 0 }),
    ],
    {
      hostile: [
        scene('no Gaussians', { gaussianCount: 0 }),
        scene('a zero rotation, saturated offset, opacity and black', {
          gaussianCount: 20,
          values: { localRotation: 0, normalOffset: 40, opacityLogit: -75, color: -9 },
        }),
      ],
    },
  );
}

describe('placement', () => {
  it('stays finite on collapsed triangles and lets only the barycentric part of the gradient through', async () => {
    const gpu = await testGpu();
    const { inputs, setting } = scene('', { gaussianCount: 40 });
    const gaussians = Object.fromEntries(
      Object.entries(inputs).map(([name, values]) => [name, Float32Array.from(values)]),
    );
    const { options, gradients, worldGradients, placement, dispose } = await setUp(gpu, setting.surface, {
      ...gaussians,
      posedVertices: collapsed.fill(0.5),
    });
    for (const name of WORLD_ATTRIBUTES) writeBuffer(gpu, worldGradients[name], new Float32Array(160).fill(1));
    const commands = new Commands(gpu);
    placement.rebuildIndex(commands);
    placement.forward(commands);
    placement.backward(commands, worldGradients);
    commands.submit();
    for (const buffer of [...Object.values(placement.world), ...Object.values(gradients.local), gradients.posed]) {
      expect((await readFloats(gpu, buffer)).every(Number.isFinite), buffer.label).toBe(true);
    }
    const posed = unpadVertices(await readFloats(gpu, gradients.posed), options.vertexCount);
    expect(posed.reduce((sum, value) => sum + value, 0)).toBeCloseTo(40 * 3, 3); // weights sum to one
    dispose();
  });

  it('takes canonical sizes from the vertices at hand', async () => {
    const gpu = await testGpu();
    const { inputs, setting } = scene('', { gaussianCount: 5 });
    const gaussians = Object.fromEntries(
      Object.entries(inputs).map(([name, values]) => [name, Float32Array.from(values)]),
    );
    const { placement, dispose } = await setUp(gpu, setting.surface, gaussians);
    const commands = new Commands(gpu);
    placement.takeCanonicalSizes(commands);
    placement.rebuildIndex(commands);
    placement.forward(commands);
    commands.submit();
    const expected = triangleSizesReference(triangles, gaussians.posedVertices);
    const sizes = await placement.readCanonicalSizes();
    expect(sizes.every((size, i) => Math.abs(size - expected[i]) < 1e-6)).toBe(true);
    // In its canonical pose, a Gaussian has its stored scale.
    const scale = await readFloats(gpu, placement.world.scale, 4);
    expect(scale[0]).toBeCloseTo(Math.exp(gaussians.logScale[0]), 7);
    dispose();
  });

  it('follows a changed set after rebuildIndex', async () => {
    const gpu = await testGpu();
    const small = scene('', { gaussianCount: 30 });
    const { options, gradients, worldGradients, placement, dispose } = await setUp(
      gpu,
      small.setting.surface,
      Object.fromEntries(Object.entries(small.inputs).map(([name, values]) => [name, Float32Array.from(values)])),
    );
    const run = async (): Promise<Float32Array> => {
      for (const name of WORLD_ATTRIBUTES) writeBuffer(gpu, worldGradients[name], new Float32Array(400).fill(1));
      const commands = new Commands(gpu);
      placement.rebuildIndex(commands);
      placement.forward(commands);
      placement.backward(commands, worldGradients);
      commands.submit();
      return unpadVertices(await readFloats(gpu, gradients.posed), vertexCount);
    };
    const sum = (values: Float32Array): number => values.reduce((total, value) => total + value, 0);
    await run();
    writeBuffer(gpu, options.count, Uint32Array.of(7));
    const few = await run();
    const expected = placeReferenceBackward(
      { ...small.setting.surface, triangleIndices: small.setting.surface.triangleIndices.slice(0, 7) },
      Object.fromEntries(
        Object.entries(small.inputs).map(([name, values]) => [name, Float64Array.from(values, Math.fround)]),
      ) as unknown as PlacementInputs,
      { meanOpacity: ones(28), rotation: ones(28), scale: ones(28), rgb: ones(28) },
    );
    expect(Math.abs(sum(few) - sum(Float32Array.from(expected.posedVertices)))).toBeLessThan(1e-2);
    expect(few.filter((value) => value !== 0).length).toBeLessThanOrEqual(7 * 9);
    dispose();
  });
});

const ones = (count: number): Float64Array => new Float64Array(count).fill(1);
