import { describe, expect, it } from 'vitest';
import {
  describeDifferentiable,
  type Arrays,
  type DifferentiableOperation,
  type GpuArrays,
} from '../../../test/describe-differentiable.ts';
import { testGpu } from '../../../test/gpu.ts';
import { LOCAL_ATTRIBUTES, LOCAL_STRIDES, type LocalGaussians } from '../../gaussians/layout.ts';
import { createStorageBuffer, readFloats } from '../../gpu/buffer.ts';
import { Commands } from '../../gpu/commands.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import { randomNormal, randomUniform } from '../../math/random.ts';
import { MAP_CHANNEL_COUNT, type MappedAttributes } from '../attribute-maps.ts';
import { sampleBackwardReference, sampleReference, type LocalArrays } from './sample.reference.ts';
import { createMapSampling } from './sample.ts';
import { mapTaps, type MapTaps } from './taps.ts';

interface Setting {
  readonly taps: MapTaps;
  readonly mapped: MappedAttributes;
}

/** Runs forward, `frames` times backward, and gather. */
async function run(gpu: Gpu, maps: Float32Array, gradients: GpuArrays, { taps, mapped }: Setting, frames = 1) {
  const buffers = (contents?: GpuArrays): LocalGaussians =>
    Object.fromEntries(
      LOCAL_ATTRIBUTES.map((name) => [
        name,
        createStorageBuffer(gpu, name, contents?.[name] ?? taps.gaussianCount * LOCAL_STRIDES[name] * 4),
      ]),
    ) as unknown as LocalGaussians;
  const [local, localGradients] = [buffers(), buffers(gradients)];
  const mapBuffer = createStorageBuffer(gpu, 'maps', maps);
  const mapGradient = createStorageBuffer(gpu, 'map gradient', new Float32Array(maps.length).fill(7));
  const sampling = await createMapSampling(gpu, { taps, mapped, maps: mapBuffer, mapGradient, local, localGradients });
  const commands = new Commands(gpu);
  sampling.forward(commands);
  for (let frame = 0; frame < frames; frame++) sampling.backward(commands);
  sampling.gather(commands);
  commands.submit();
  const outputs: GpuArrays = {};
  for (const name of LOCAL_ATTRIBUTES)
    outputs[name] = await readFloats(gpu, local[name], taps.gaussianCount * LOCAL_STRIDES[name]);
  const result = {
    outputs,
    maps: await readFloats(gpu, mapGradient, maps.length),
    left: await readFloats(gpu, sampling.sampleGradient, taps.gaussianCount * 12),
  };
  sampling.dispose();
  for (const buffer of [...Object.values(local), ...Object.values(localGradients), mapBuffer, mapGradient])
    buffer.destroy();
  return result;
}

const operation: DifferentiableOperation<Setting> = {
  name: 'sample maps',
  forward: ({ maps }, { taps, mapped }) => ({ ...sampleReference(maps!, taps, mapped) }) as Arrays,
  backward: ({ maps }, gradients, { taps, mapped }) => ({
    maps: sampleBackwardReference(maps!, gradients as unknown as LocalArrays, taps, mapped),
  }),
  async runOnGpu(gpu, { maps }, gradients, setting) {
    const { outputs, maps: gradient } = await run(gpu, maps!, gradients, setting);
    return { outputs, gradients: { maps: gradient } };
  },
};

const randomMaps = (size: number, factor = 0.5): Float32Array =>
  Float32Array.from({ length: MAP_CHANNEL_COUNT * size * size }, (_, index) => factor * randomNormal(5, 0, index));
const places = (count: number): Float32Array =>
  Float32Array.from({ length: count * 2 }, (_, index) => randomUniform(5, 1, index));
const scene = (count: number, size: number, mapped: MappedAttributes = 'all', factor = 0.5) => ({
  name: `${count} Gaussians, ${size}², ${mapped}, rotations of about ${factor}`,
  inputs: { maps: randomMaps(size, factor) },
  setting: { taps: mapTaps(places(count), size), mapped },
});

describeDifferentiable(
  operation,
  [
    scene(3, 2),
    scene(500, 16),
    scene(301, 37),
    scene(200, 8, 'appearance'),
    // Angles on both sides of where the series takes over.
    scene(200, 8, 'all', 0.1),
    // The quaternion's w is 1 to the last bit there: differences of float32 see nothing of it.
    { ...scene(100, 8, 'all', 1e-4), skip: [4] as const },
  ],
  {
    hostile: [
      { ...scene(5, 4), name: 'no rotation at all', inputs: { maps: new Float32Array(MAP_CHANNEL_COUNT * 16) } },
      { ...scene(0, 4), name: 'no Gaussian' },
      {
        ...scene(4, 4),
        name: 'corners of the atlas and beyond',
        setting: { taps: mapTaps(Float32Array.of(0, 0, 1, 1, -3, 0.5, 0.5, 7), 4), mapped: 'all' },
      },
      { ...scene(1, 1), name: 'a map of one texel' },
    ],
  },
);

describe('sampling of maps', () => {
  it('sums the frames that share the maps, and leaves nothing for the next ones', async () => {
    const { inputs, setting } = scene(50, 8);
    const gradients = Object.fromEntries(
      LOCAL_ATTRIBUTES.map((name, stream) => [
        name,
        Float32Array.from({ length: 50 * LOCAL_STRIDES[name] }, (_, index) => randomNormal(6, stream, index)),
      ]),
    );
    const once = await run(await testGpu(), inputs.maps, gradients, setting);
    const thrice = await run(await testGpu(), inputs.maps, gradients, setting, 3);
    once.maps.forEach((value, index) => expect(thrice.maps[index]).toBeCloseTo(3 * value, 4));
    expect(thrice.left.every((value) => value === 0)).toBe(true);
  });

  it('keeps one Gaussian’s NaN out of the maps', async () => {
    const { inputs, setting } = scene(4, 4);
    const gradients = Object.fromEntries(
      LOCAL_ATTRIBUTES.map((name) => [name, new Float32Array(4 * LOCAL_STRIDES[name]).fill(1)]),
    );
    for (const name of LOCAL_ATTRIBUTES) gradients[name]![0] = name === 'color' ? Infinity : NaN;
    const { maps } = await run(await testGpu(), inputs.maps, gradients, setting);
    expect(maps.every(Number.isFinite)).toBe(true);
    expect(maps.some((value) => value !== 0)).toBe(true);
  });
});
