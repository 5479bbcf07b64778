import { describe, expect, it } from 'vitest';
import { createStorageBuffer, Ownership, readFloats } from '../gpu/buffer.ts';
import { Commands } from '../gpu/commands.ts';
import type { Gpu } from '../gpu/gpu.ts';
import type { WorldGaussians } from '../gaussians/layout.ts';
import { cameraBinding, createCameraBuffer, IDENTITY_VIEW, packCamera, type CameraView } from './camera.ts';
import type { RasterizerVariant } from './layout.ts';
import { createRasterizer, type Rasterizer, type RasterizerOptions } from './rasterizer.ts';
import { rasterizeReference, rasterizeReferenceBackward, type ReferenceGaussians } from './rasterizer.reference.ts';
import { testScene, type TestScene } from './test-scene.ts';
import { testGpu } from '../../test/gpu.ts';
import {
  describeDifferentiable,
  type Arrays,
  type DifferentiableOperation,
  type DifferentiableScene,
  type GpuArrays,
} from '../../test/describe-differentiable.ts';

const VARIANTS: readonly RasterizerVariant[] = ['columns', 'pixels'];

interface Setting {
  readonly view: CameraView;
  readonly alphaMin?: number;
  readonly options?: Partial<RasterizerOptions>;
}

function operation(variant: RasterizerVariant): DifferentiableOperation<Setting> {
  return {
    name: `rasteriser, variant ${variant}`,
    forward: (inputs, setting) => ({
      image: rasterizeReference(
        inputs as never as ReferenceGaussians,
        viewAt(setting, inputs.cameraFromWorld!),
        setting,
      ),
    }),
    backward(inputs, { image }, setting) {
      const gaussians = inputs as never as ReferenceGaussians;
      const view = viewAt(setting, inputs.cameraFromWorld!);
      const { mean2d: _, ...gradients } = rasterizeReferenceBackward(gaussians, view, image!, setting);
      return gradients as never as Arrays;
    },
    runOnGpu: (gpu, inputs, outputGradients, setting) => runOnGpu(gpu, variant, inputs, outputGradients, setting),
  };
}

function viewAt({ view }: Setting, cameraFromWorld: ArrayLike<number>): CameraView {
  return { ...view, cameraFromWorld };
}

async function runOnGpu(
  gpu: Gpu,
  variant: RasterizerVariant,
  inputs: GpuArrays,
  outputGradients: GpuArrays,
  setting: Setting,
): Promise<{ outputs: GpuArrays; gradients: GpuArrays }> {
  const { width, height } = setting.view.camera;
  const gaussianCount = inputs.meanOpacity!.length / 4;
  using owned = new Ownership();
  const rasterizer = await rasterizerFor(gpu, {
    width,
    height,
    gaussianCapacity: gaussianCount + 3,
    variant,
    cameraGradient: true,
    alphaMin: setting.alphaMin,
    ...setting.options,
  });
  const gaussians = uploadGaussians(gpu, owned, inputs, gaussianCount + 3);
  const count = owned.own(createStorageBuffer(gpu, 'count', new Uint32Array([gaussianCount])));
  const cameras = owned.own(createCameraBuffer(gpu, [viewAt(setting, inputs.cameraFromWorld!)]));
  const imageGradient = owned.own(createStorageBuffer(gpu, 'imageGradient', outputGradients.image!));
  const input = { gaussians, count, camera: cameraBinding(cameras), imageGradient };
  const commands = new Commands(gpu);
  rasterizer.forward(commands, input);
  rasterizer.backward(commands, input);
  commands.submit();
  const gradients: GpuArrays = {};
  for (const [name, buffer] of Object.entries(rasterizer.gradients)) {
    gradients[name] = (await readFloats(gpu, buffer)).slice(0, gaussianCount * 4);
  }
  gradients.cameraFromWorld = await readFloats(gpu, rasterizer.cameraGradient, 12);
  return { outputs: { image: await readFloats(gpu, rasterizer.image, width * height * 4) }, gradients };
}

/** Kept from rung to rung: compiling takes longer than running. */
const rasterizers = new Map<string, Promise<Rasterizer>>();
function rasterizerFor(gpu: Gpu, options: RasterizerOptions): Promise<Rasterizer> {
  const key = JSON.stringify(options);
  if (!rasterizers.has(key)) rasterizers.set(key, createRasterizer(gpu, options));
  return rasterizers.get(key)!;
}

function uploadGaussians(gpu: Gpu, owned: Ownership, inputs: GpuArrays, capacity: number): WorldGaussians {
  const buffer = (name: string): GPUBuffer => {
    // Beyond the count lies rubbish, which nobody may read.
    const content = new Float32Array(capacity * 4).fill(NaN);
    content.set(inputs[name]!);
    return owned.own(createStorageBuffer(gpu, name, content));
  };
  return {
    meanOpacity: buffer('meanOpacity'),
    rotation: buffer('rotation'),
    scale: buffer('scale'),
    rgb: buffer('rgb'),
  };
}

function ladderScene(
  name: string,
  scene: TestScene,
  rest: Partial<DifferentiableScene<Setting>> = {},
  alphaMin?: number,
): DifferentiableScene<Setting> {
  const inputs = { ...scene.gaussians, cameraFromWorld: Float64Array.from(scene.view.cameraFromWorld) };
  const setting = { view: scene.view, alphaMin, options: { intersectionCapacity: 10_000 } };
  // Steps small enough that no two Gaussians change places in depth.
  const tolerances = { differenceStep: 2e-6, directionalStep: 2e-4 };
  return { name, inputs: inputs as never, setting, tolerances, ...rest };
}

// A lowered cut-off makes the function smooth enough for the differences of rung 4; with the real one they jump.
const SMOOTH = 1e-9;

function scenes(): DifferentiableScene<Setting>[] {
  const turned = [0.8, 0, -0.6, 0.54, 0, 1, 0, -0.01, 0.6, 0, 0.8, 0.17];
  return [
    ladderScene('few Gaussians, each element', testScene({ count: 3, width: 12, height: 10, seed: 1 }), {}, SMOOTH),
    ladderScene(
      'odd size, off-centre principal point',
      testScene({ count: 40, width: 37, height: 21, seed: 2 }),
      {},
      SMOOTH,
    ),
    ladderScene(
      'turned camera, several tiles',
      testScene({ count: 120, width: 50, height: 44, seed: 3, cameraFromWorld: turned }),
      {},
      SMOOTH,
    ),
    ladderScene('the real cut-off', testScene({ count: 300, width: 64, height: 48, seed: 4 }), { skip: [1, 4] }),
    ladderScene(
      'opaque layers, where pixels stop early',
      testScene({ count: 400, width: 40, height: 40, seed: 5, opacity: [0.9, 0.985], pixelDeviation: [4, 9] }),
      { skip: [1, 4] },
    ),
    ladderScene(
      'equal depths, ordered by index',
      equalDepths(testScene({ count: 90, width: 34, height: 30, seed: 13 })),
      {
        skip: [1, 4],
      },
    ),
    ladderScene(
      'large Gaussians at the edges, where the linearisation is held',
      testScene({ count: 30, width: 40, height: 24, seed: 6, spread: 2.2, pixelDeviation: [4, 8] }),
      {},
      SMOOTH,
    ),
  ];
}

function equalDepths(scene: TestScene): TestScene {
  for (let i = 2; i < scene.gaussians.meanOpacity.length; i += 4) scene.gaussians.meanOpacity[i] = Math.fround(0.7);
  return scene;
}

/** Scene 7 with one attribute of Gaussian 5 replaced. */
function hostile(
  name: string,
  attribute: keyof ReferenceGaussians,
  values: readonly number[],
): DifferentiableScene<Setting> {
  const scene = testScene({ count: 20, width: 24, height: 20, seed: 7 });
  scene.gaussians[attribute].set(values, 5 * 4);
  return ladderScene(name, scene);
}

const hostileScenes: readonly DifferentiableScene<Setting>[] = [
  ladderScene('no Gaussians', testScene({ count: 0, width: 9, height: 7, seed: 8 })),
  ladderScene('one pixel', testScene({ count: 4, width: 1, height: 1, seed: 9 })),
  hostile('NaN mean', 'meanOpacity', [NaN, 0, 0, 0.5]),
  hostile('NaN opacity', 'meanOpacity', [0, 0, 0.7, NaN]),
  hostile('infinite scale', 'scale', [Infinity, 0.01, 0.01, 0]),
  hostile('huge scale', 'scale', [1e30, 0.01, 0.01, 0]),
  hostile('zero scale', 'scale', [0, 0, 0, 0]),
  hostile('denormal scale', 'scale', [1e-40, 1e-40, 1e-40, 0]),
  hostile('NaN rotation', 'rotation', [NaN, 0, 0, 0]),
  hostile('NaN colour', 'rgb', [NaN, 0, 0, 0]),
  hostile('behind the camera', 'meanOpacity', [0, 0, -1, 0.9]),
  hostile('far away', 'meanOpacity', [0, 0, 1e20, 0.9]),
  hostile('opacity just below the cut-off', 'meanOpacity', [0, 0, 0.7, 0.0039]),
  hostile('opacity 1', 'meanOpacity', [0.001, 0.002, 0.7, 1]),
];

for (const variant of VARIANTS) describeDifferentiable(operation(variant), scenes(), { hostile: hostileScenes });

describe.each(VARIANTS)('rasteriser, variant %s', (variant) => {
  it('draws several images in one submit, each with its own camera and gradient', async () => {
    const gpu = await testGpu();
    using owned = new Ownership();
    const { gaussians, view } = testScene({ count: 50, width: 32, height: 32, seed: 10 });
    const inputs = gpuArrays(gaussians);
    const views = [view, { ...view, background: [0, 0.5, 0] }, { ...view, cameraFromWorld: moveX(0.02) }];
    const rasterizer = owned.own(await createRasterizer(gpu, { width: 32, height: 32, gaussianCapacity: 50, variant }));
    const world = uploadGaussians(gpu, owned, inputs, 50);
    const count = owned.own(createStorageBuffer(gpu, 'count', new Uint32Array([50])));
    const cameras = owned.own(createCameraBuffer(gpu, views));
    const ones = new Float32Array(32 * 32 * 4).fill(0.25);
    const imageGradient = owned.own(createStorageBuffer(gpu, 'imageGradient', ones));
    const copies = views.map(() => ({
      image: createStorageBuffer(gpu, 'image', 32 * 32 * 16),
      gradient: createStorageBuffer(gpu, 'gradient', 800),
    }));
    const commands = new Commands(gpu);
    views.forEach((_, index) => {
      const input = { gaussians: world, count, camera: cameraBinding(cameras, index), imageGradient };
      rasterizer.forward(commands, input);
      rasterizer.backward(commands, input);
      commands.copy(rasterizer.image, 0, copies[index]!.image, 0, 32 * 32 * 16);
      commands.copy(rasterizer.gradients.meanOpacity, 0, copies[index]!.gradient, 0, 800);
    });
    commands.submit();
    for (const [index, each] of views.entries()) {
      const image = await readFloats(gpu, owned.own(copies[index]!.image));
      const gradient = await readFloats(gpu, owned.own(copies[index]!.gradient));
      const expected = rasterizeReference(gaussians, each);
      const expectedGradient = rasterizeReferenceBackward(gaussians, each, Float64Array.from(ones)).meanOpacity;
      expect(largestDifference(image, expected)).toBeLessThan(1e-4);
      expect(largestDifference(gradient, expectedGradient)).toBeLessThan(1e-3 * largest(expectedGradient));
    }
  });

  it('gives mean2dGradient in pixels', async () => {
    const gpu = await testGpu();
    using owned = new Ownership();
    const { gaussians, view } = testScene({ count: 30, width: 30, height: 26, seed: 11 });
    const rasterizer = owned.own(await createRasterizer(gpu, { width: 30, height: 26, gaussianCapacity: 30, variant }));
    const imageGradient = Float32Array.from({ length: 30 * 26 * 4 }, (_, i) => Math.sin(i));
    const input = {
      gaussians: uploadGaussians(gpu, owned, gpuArrays(gaussians), 30),
      count: owned.own(createStorageBuffer(gpu, 'count', new Uint32Array([30]))),
      camera: cameraBinding(owned.own(createCameraBuffer(gpu, [view]))),
      imageGradient: owned.own(createStorageBuffer(gpu, 'imageGradient', imageGradient)),
    };
    const commands = new Commands(gpu);
    rasterizer.forward(commands, input);
    rasterizer.backward(commands, input);
    commands.submit();
    const expected = rasterizeReferenceBackward(gaussians, view, Float64Array.from(imageGradient)).mean2d;
    const actual = await readFloats(gpu, rasterizer.mean2dGradient, 60);
    expect(largestDifference(actual, expected)).toBeLessThan(1e-3 * largest(expected));
  });

  it('leaves out Gaussians when the intersections do not fit, and says how many there were', async () => {
    const gpu = await testGpu();
    using owned = new Ownership();
    const { gaussians, view } = testScene({ count: 200, width: 64, height: 64, seed: 12 });
    const options = { width: 64, height: 64, gaussianCapacity: 200, variant };
    const [tight, ample] = [
      owned.own(await createRasterizer(gpu, { ...options, intersectionCapacity: 100 })),
      owned.own(await createRasterizer(gpu, options)),
    ];
    const input = {
      gaussians: uploadGaussians(gpu, owned, gpuArrays(gaussians), 200),
      count: owned.own(createStorageBuffer(gpu, 'count', new Uint32Array([200]))),
      camera: cameraBinding(owned.own(createCameraBuffer(gpu, [view]))),
      imageGradient: owned.own(createStorageBuffer(gpu, 'imageGradient', new Float32Array(64 * 64 * 4).fill(1))),
    };
    const commands = new Commands(gpu);
    for (const rasterizer of [tight, ample]) {
      rasterizer.forward(commands, input);
      rasterizer.backward(commands, input);
    }
    // Fewer Gaussians afterwards: the need stays recorded.
    commands.clear(input.count);
    tight.forward(commands, input);
    commands.submit();
    const needed = await ample.neededIntersections();
    expect(needed).toBeGreaterThan(200);
    expect(needed).toBeLessThanOrEqual(ample.intersectionCapacity);
    expect(await tight.neededIntersections()).toBe(needed);
    const gradient = await readFloats(gpu, tight.gradients.meanOpacity);
    expect(gradient.every(Number.isFinite)).toBe(true);
    expect(gradient.slice(-4).every((value) => value === 0)).toBe(true);
    expect(gradient.slice(0, 40).some((value) => value !== 0)).toBe(true);
  });
});

describe('rasteriser', () => {
  it('only draws when asked to, and draws the same', async () => {
    const gpu = await testGpu();
    using owned = new Ownership();
    const { gaussians, view } = testScene({ count: 60, width: 40, height: 33, seed: 14 });
    const options = { width: 40, height: 33, gaussianCapacity: 60, differentiable: false };
    const rasterizer = owned.own(await createRasterizer(gpu, options));
    const input = {
      gaussians: uploadGaussians(gpu, owned, gpuArrays(gaussians), 60),
      count: owned.own(createStorageBuffer(gpu, 'count', new Uint32Array([60]))),
      camera: cameraBinding(owned.own(createCameraBuffer(gpu, [view]))),
    };
    const commands = new Commands(gpu);
    rasterizer.forward(commands, input);
    commands.submit();
    const image = await readFloats(gpu, rasterizer.image, 40 * 33 * 4);
    expect(largestDifference(image, rasterizeReference(gaussians, view))).toBeLessThan(1e-4);
    expect(() => rasterizer.gradients).toThrow(/differentiable: true/);
  });

  it('gives identical bytes twice with thousands of Gaussians', async () => {
    const gpu = await testGpu();
    using owned = new Ownership();
    const { gaussians, view } = testScene({ count: 6000, width: 150, height: 131, seed: 15 });
    const input = {
      gaussians: uploadGaussians(gpu, owned, gpuArrays(gaussians), 6000),
      count: owned.own(createStorageBuffer(gpu, 'count', new Uint32Array([6000]))),
      camera: cameraBinding(owned.own(createCameraBuffer(gpu, [view]))),
      imageGradient: owned.own(createStorageBuffer(gpu, 'imageGradient', new Float32Array(150 * 131 * 4).fill(0.1))),
    };
    const runs: string[] = [];
    for (let run = 0; run < 2; run++) {
      const rasterizer = owned.own(await createRasterizer(gpu, { width: 150, height: 131, gaussianCapacity: 6000 }));
      const commands = new Commands(gpu);
      for (let repeat = 0; repeat <= run; repeat++) {
        rasterizer.forward(commands, input);
        rasterizer.backward(commands, input);
      }
      commands.submit();
      const buffers = [rasterizer.image, rasterizer.mean2dGradient, ...Object.values(rasterizer.gradients)];
      const bytes = await Promise.all(buffers.map((buffer) => readFloats(gpu, buffer)));
      runs.push(bytes.map(({ buffer }) => Buffer.from(buffer).toString('latin1')).join());
    }
    expect(runs[0] === runs[1]).toBe(true);
  });

  it('says what is wrong with its arguments', async () => {
    const gpu = await testGpu();
    await expect(createRasterizer(gpu, { width: 0, height: 4, gaussianCapacity: 1 })).rejects.toThrow(/width is 0/);
    const { view } = testScene({ count: 1, width: 4, height: 4, seed: 1 });
    expect(() => packCamera({ ...view, cameraFromWorld: [1] })).toThrow(/3×4/);
    expect(() => packCamera({ ...view, near: 0 })).toThrow(/near is 0/);
  });

  it('chooses the variant by the device', async () => {
    const gpu = await testGpu();
    const rasterizer = await createRasterizer(gpu, { width: 8, height: 8, gaussianCapacity: 1 });
    const columnsRun = gpu.adapter.isSoftware && gpu.adapter.subgroupSize.every((size) => size === 8);
    expect(rasterizer.variant).toBe(columnsRun ? 'columns' : 'pixels');
    rasterizer.destroy();
  });
});

function gpuArrays(gaussians: ReferenceGaussians): GpuArrays {
  return Object.fromEntries(Object.entries(gaussians).map(([name, values]) => [name, Float32Array.from(values)]));
}

function moveX(distance: number): number[] {
  const view: number[] = [...IDENTITY_VIEW];
  view[3] = distance;
  return view;
}

function largest(values: ArrayLike<number>): number {
  return Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return largest(Array.from(a, (value, index) => value - b[index]!));
}
