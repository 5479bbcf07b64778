import { describeDifferentiable, type DifferentiableOperation } from '../../../test/describe-differentiable.ts';
import { createStorageBuffer, createUniformBuffer, readFloats, writeBuffer } from '../../gpu/buffer.ts';
import { Commands } from '../../gpu/commands.ts';
import { randomUniform } from '../../math/random.ts';
import { createKernels, packPreparation } from './perceptual-loss.ts';
import { IMAGENET_NORMALISATION, type PixelNormalisation } from './perceptual-net.ts';
import { prepareBackwardReference, prepareReference, type PreparationScene } from './prepare.reference.ts';

/** The rendered image's part; the frame is black. `perceptual-loss.test.ts` has frames. */
const operation: DifferentiableOperation<PreparationScene> = {
  name: 'perceptual preparation',
  forward: ({ image }, scene) => ({ pixels: prepareReference(image, scene) }),
  backward: ({ image }, { pixels }, scene) => ({ image: prepareBackwardReference(image, pixels, scene) }),
  async runOnGpu(gpu, inputs, gradients, scene) {
    const { width, height, size } = scene;
    const kernels = await createKernels(gpu);
    const buffers = {
      preparation: createUniformBuffer(gpu, 'preparation', 96),
      image: createStorageBuffer(gpu, 'image', inputs.image),
      targetPixels: createStorageBuffer(gpu, 'target', width * height * 4),
      imagePixels: createStorageBuffer(gpu, 'image pixels', 3 * size * size * 4),
      framePixels: createStorageBuffer(gpu, 'frame pixels', 3 * size * size * 4),
      pixelGradient: createStorageBuffer(gpu, 'pixel gradient', gradients.pixels),
      imageGradient: createStorageBuffer(gpu, 'image gradient', width * height * 16),
    };
    const [left, top, right, bottom] = scene.shown ?? [0, 0, width, height];
    const step = { background: [0, 0, 0], weight: 1, shown: { left, top, right, bottom } };
    writeBuffer(gpu, buffers.preparation, packPreparation(scene, scene, step));
    const commands = new Commands(gpu);
    const groups = Math.ceil(Math.max(size, width, height) / 8);
    commands.pass('forward', (pass) => kernels.prepare.dispatch(pass, kernels.prepare.bind(buffers), groups, groups));
    commands.pass('backward', (pass) =>
      kernels.prepareBackward.dispatch(pass, kernels.prepareBackward.bind(buffers), groups, groups),
    );
    commands.submit();
    const result = {
      outputs: { pixels: await readFloats(gpu, buffers.imagePixels, 3 * size * size) },
      gradients: { image: await readFloats(gpu, buffers.imageGradient, width * height * 4) },
    };
    for (const buffer of Object.values(buffers)) buffer.destroy();
    return result;
  },
};

const uniform = (count: number): Float32Array => Float32Array.from({ length: count }, (_, i) => randomUniform(8, 0, i));
const scene = (width: number, height: number, size: number, normalisation = IMAGENET_NORMALISATION) => ({
  name: `${width}×${height} seen as ${size}²`,
  inputs: { image: uniform(width * height * 4) },
  setting: { width, height, size, normalisation },
});
/** Blue, green, red, as nets from Caffe take them. */
const swapped: PixelNormalisation = { channels: [2, 1, 0], scale: [255, 250, 245], offset: [-104, -117, -123] };

describeDifferentiable(
  operation,
  [
    scene(9, 9, 7),
    scene(5, 8, 11, swapped),
    scene(6, 6, 6),
    scene(1, 3, 4),
    scene(33, 17, 8),
    {
      name: 'a frame that shows its middle',
      inputs: { image: uniform(9 * 7 * 4) },
      setting: { width: 9, height: 7, size: 8, normalisation: IMAGENET_NORMALISATION, shown: [2, 1, 8, 5] as const },
    },
  ],
  {
    hostile: [
      {
        name: 'values that are not usable',
        inputs: { image: [NaN, 1, 0.5, 1, Infinity, 2e4, -1, 0, 0.1, 0.2, 0.3, 1, 1e-42, 1, 1, 1] },
        setting: { width: 2, height: 2, size: 3, normalisation: IMAGENET_NORMALISATION },
      },
    ],
  },
);
