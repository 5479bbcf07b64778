import { describe, expect, it } from 'vitest';
import {
  describeDifferentiable,
  type Arrays,
  type DifferentiableOperation,
} from '../../../test/describe-differentiable.ts';
import { testGpu } from '../../../test/gpu.ts';
import { createStorageBuffer, readFloats, writeBuffer } from '../../gpu/buffer.ts';
import { Commands } from '../../gpu/commands.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import { randomUniform } from '../../math/random.ts';
import { createExposure, EXPOSURE_STRIDE } from './exposure.ts';
import { exposureBackwardReference, exposureReference, type ExposureScene } from './exposure.reference.ts';

interface Setting extends ExposureScene {
  readonly width: number;
  readonly height: number;
}

const FRAME = 2;

async function run(gpu: Gpu, rendered: Float32Array, parameters: Float32Array, given: Float32Array, setting: Setting) {
  const { width, height, background, restWeight } = setting;
  const image = createStorageBuffer(gpu, 'image', rendered);
  const imageGradient = createStorageBuffer(gpu, 'image gradient', given);
  const exposure = await createExposure(gpu, { width, height, frameCount: 4, image, imageGradient });
  writeBuffer(gpu, exposure.parameters, parameters, FRAME * EXPOSURE_STRIDE * 4);
  const commands = new Commands(gpu);
  exposure.forward(commands, { frame: FRAME, background });
  exposure.backward(commands, { frame: FRAME, background, restWeight });
  commands.submit();
  const result = {
    exposed: await readFloats(gpu, exposure.exposed, rendered.length),
    image: await readFloats(gpu, imageGradient, rendered.length),
    parameters: await readFloats(gpu, exposure.parameterGradient, EXPOSURE_STRIDE),
  };
  exposure.dispose();
  image.destroy();
  imageGradient.destroy();
  return result;
}

const operation: DifferentiableOperation<Setting> = {
  name: 'exposure',
  forward: ({ image, parameters }, setting) => ({ exposed: exposureReference(image, parameters, setting) }),
  backward: ({ image, parameters }, { exposed }, setting): Arrays => ({
    ...exposureBackwardReference(image, parameters, exposed, setting),
  }),
  async runOnGpu(gpu, { image, parameters }, { exposed }, setting) {
    const result = await run(gpu, image, parameters, exposed, setting);
    return { outputs: { exposed: result.exposed }, gradients: { image: result.image, parameters: result.parameters } };
  },
};

const parameters = [0.1, -0.2, 0.05, 0.02, -0.03, 0.01];
const uniform = (count: number): Float32Array => Float32Array.from({ length: count }, (_, i) => randomUniform(4, 0, i));
const scene = (width: number, height: number) => ({
  name: `${width}×${height}`,
  inputs: { image: uniform(width * height * 4), parameters },
  setting: { width, height, background: [1, 0.5, 0], restWeight: 0 },
});

describeDifferentiable(operation, [scene(1, 1), scene(3, 4), scene(71, 33)]);

describe('exposure', () => {
  it('changes nothing at zero, and passes the gradient through', async () => {
    const { inputs, setting } = scene(5, 5);
    const given = uniform(100);
    const result = await run(await testGpu(), inputs.image, new Float32Array(6), given, setting);
    result.exposed.forEach((value, index) => expect(value).toBeCloseTo(inputs.image[index], 6));
    expect(result.image).toEqual(given);
  });

  it('leaves the background as it is', async () => {
    const setting = { width: 1, height: 1, background: [0.2, 0.4, 0.6], restWeight: 0 };
    const empty = Float32Array.of(0.2, 0.4, 0.6, 1);
    const result = await run(
      await testGpu(),
      empty,
      Float32Array.from(parameters),
      new Float32Array(4).fill(1),
      setting,
    );
    result.exposed.forEach((value, index) => expect(value).toBeCloseTo(empty[index], 6));
    result.parameters.forEach((value) => expect(value).toBeCloseTo(0, 6));
  });

  it('pulls to identity by the rest weight', async () => {
    const setting = { width: 2, height: 1, background: [0, 0, 0], restWeight: 0.5 };
    const result = await run(await testGpu(), uniform(8), Float32Array.from(parameters), new Float32Array(8), setting);
    result.parameters.forEach((value, index) => expect(value).toBeCloseTo(parameters[index], 6));
  });

  it('keeps a broken pixel out of the sums', async () => {
    const setting = { width: 2, height: 1, background: [0, 0, 0], restWeight: 0 };
    const image = Float32Array.of(NaN, 0, Infinity, 0.5, 0.5, 0.5, 0.5, 0);
    const result = await run(await testGpu(), image, new Float32Array(6), new Float32Array(8).fill(1), setting);
    expect(result.parameters).toEqual(Float32Array.of(0.5, 0.5, 0.5, 1, 1, 1));
    expect(result.image.every(Number.isFinite)).toBe(true);
  });

  it('names a frame that is not there', async () => {
    const gpu = await testGpu();
    const buffer = createStorageBuffer(gpu, 'one', 16);
    const exposure = await createExposure(gpu, {
      width: 1,
      height: 1,
      frameCount: 2,
      image: buffer,
      imageGradient: buffer,
    });
    expect(() => exposure.forward(new Commands(gpu), { frame: 2, background: [0, 0, 0] })).toThrow(
      'frame 2 is outside 0…1',
    );
    exposure.dispose();
  });
});
