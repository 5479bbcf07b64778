import type { Gpu } from '../../gpu/gpu.ts';
import { createKernel } from '../../gpu/kernel.ts';
import gradientText from './gradient.wgsl?raw';
import matteText from './matte.wgsl?raw';
import momentsText from './moments.wgsl?raw';
import pixelsText from './pixels.wgsl?raw';
import similarityText from './similarity.wgsl?raw';

/** Invocations per workgroup: a software driver's subgroup; a warp. */
const GROUP_WIDTH = { software: 8, hardware: 32 };

export const groupWidthOf = (gpu: Gpu): number =>
  gpu.adapter.isSoftware ? GROUP_WIDTH.software : GROUP_WIDTH.hardware;

export type PhotometricKernels = Awaited<ReturnType<typeof compile>>;

const compiled = new WeakMap<Gpu, Map<boolean, Promise<PhotometricKernels>>>();

/**
 * The kernels of the photometric loss, compiled once per device: sizes are uniforms and not constants, since the
 * windows take a software driver a second or two.
 */
export function photometricKernels(gpu: Gpu, hasMask: boolean): Promise<PhotometricKernels> {
  const ofGpu = compiled.get(gpu) ?? new Map<boolean, Promise<PhotometricKernels>>();
  compiled.set(gpu, ofGpu);
  const kernels = ofGpu.get(hasMask) ?? compile(gpu, hasMask);
  ofGpu.set(hasMask, kernels);
  return kernels;
}

async function compile(gpu: Gpu, hasMask: boolean) {
  const folder = 'src/losses/photometric/';
  const options = (name: string, text: string) => ({
    label: `photometric ${name}`,
    files: [
      { name: `${folder}pixels.wgsl`, text: pixelsText },
      { name: `${folder}${name}.wgsl`, text },
    ],
    constants: { groupWidth: groupWidthOf(gpu), hasMask: hasMask ? 1 : 0 },
  });
  const inputs = { step: 'uniform', image: 'read', targetPixels: 'read', mask: 'read' } as const;
  const [moments, similarity, gradient, matte] = await Promise.all([
    createKernel(gpu, {
      ...options('moments', momentsText),
      bindings: { ...inputs, columnMoments: 'readWrite', partials: 'readWrite' },
    }),
    createKernel(gpu, {
      ...options('similarity', similarityText),
      bindings: {
        step: 'uniform',
        columnMoments: 'read',
        mask: 'read',
        rowDerivatives: 'readWrite',
        partials: 'readWrite',
      },
    }),
    createKernel(gpu, {
      ...options('gradient', gradientText),
      bindings: { ...inputs, rowDerivatives: 'read', imageGradient: 'readWrite' },
    }),
    createKernel(gpu, {
      ...options('matte', matteText),
      bindings: { ...inputs, imageGradient: 'readWrite', partials: 'readWrite' },
    }),
  ]);
  return { moments, similarity, gradient, matte };
}
