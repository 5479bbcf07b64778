import { Ownership, createStorageBuffer } from '../../gpu/buffer.ts';
import type { Commands } from '../../gpu/commands.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import { createKernel } from '../../gpu/kernel.ts';
import { UniformRing } from '../../gpu/uniform-ring.ts';
import exposureText from './exposure.wgsl?raw';

/** Floats per frame: logGain of red, green, blue, then bias of red, green, blue. All 0 is no change. */
export const EXPOSURE_STRIDE = 6;

export interface ExposureOptions {
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  readonly frameCount: number;
  /** H×W vec4f: what the rasteriser renders (rgb over the background, transmittance). */
  readonly image: GPUBuffer;
  /** H×W vec4f: ∂loss/∂exposed image, which `backward` turns into ∂loss/∂image in place. */
  readonly imageGradient: GPUBuffer;
  /** Steps that may be recorded between two submits, two uses each. Default 256. */
  readonly slotCount?: number;
}

export interface ExposureStep {
  /** Which frame's exposure, 0…frameCount−1. */
  readonly frame: number;
  /** The colour that the image was rendered over, sRGB-encoded 0…1; it is not exposed. */
  readonly background: ArrayLike<number>;
  /**
   * Weight of |logGain|² + |bias|² of this frame in the objective: without it, all frames could drift together and the
   * colours against them. Default 0.01. Enters the gradient, not the loss history.
   */
  readonly restWeight?: number;
}

/**
 * Gain and bias per frame and channel, learned beside the avatar for cameras that adapt. Goes between the rasteriser
 * and the photometric loss; step `parameters` by Adam with `gradientsOfOneRecord`.
 */
export interface Exposure {
  /** F×6 float32 (EXPOSURE_STRIDE), zeros at first. */
  readonly parameters: GPUBuffer;
  /** 6 float32: the gradient of the frame of the last `backward`. */
  readonly parameterGradient: GPUBuffer;
  /** H×W vec4f: what the photometric loss takes. */
  readonly exposed: GPUBuffer;
  forward(commands: Commands, step: ExposureStep): void;
  backward(commands: Commands, step: ExposureStep): void;
  dispose(): void;
}

const STEP_BYTES = 32;
const GROUP_WIDTH = 64;
const TURNS = { software: 32, hardware: 2 };

/** Prepares exposure for one image size. */
export async function createExposure(gpu: Gpu, options: ExposureOptions): Promise<Exposure> {
  const { width, height, frameCount, image, imageGradient, slotCount = 256 } = options;
  const turns = gpu.adapter.isSoftware ? TURNS.software : TURNS.hardware;
  const kernelOf = (entryPoint: string) =>
    createKernel(gpu, {
      label: `exposure ${entryPoint}`,
      files: [{ name: 'src/losses/exposure/exposure.wgsl', text: exposureText }],
      entryPoint,
      bindings: {
        step: 'uniform',
        parameters: 'read',
        image: 'read',
        exposed: 'readWrite',
        imageGradient: 'readWrite',
        partials: 'readWrite',
        parameterGradient: 'readWrite',
      },
      constants: entryPoint === 'sumPartials' ? {} : { groupWidth: GROUP_WIDTH, turns },
    });
  const [forward, backward, sumPartials] = await Promise.all([
    kernelOf('forward'),
    kernelOf('backward'),
    kernelOf('sumPartials'),
  ]);
  const owned = new Ownership();
  const own = (label: string, bytes: number): GPUBuffer =>
    owned.own(createStorageBuffer(gpu, `exposure ${label}`, bytes));
  const pixelCount = width * height;
  const groupCount = Math.ceil(pixelCount / (GROUP_WIDTH * turns));
  const partialCount = groupCount * GROUP_WIDTH;
  const buffers = {
    parameters: own('parameters', frameCount * EXPOSURE_STRIDE * 4),
    image,
    exposed: own('exposed image', pixelCount * 16),
    imageGradient,
    partials: own('partials', partialCount * 32),
    parameterGradient: own('parameter gradient', EXPOSURE_STRIDE * 4),
  };
  const ring = owned.own(new UniformRing(gpu, 'exposure step', STEP_BYTES, slotCount * 2));
  const groups: Record<'forward' | 'backward' | 'sumPartials', GPUBindGroup>[] = [];
  const bind = (commands: Commands, step: ExposureStep) => {
    const { frame, background, restWeight = 0.01 } = step;
    if (!(frame >= 0 && frame < frameCount)) {
      throw new RangeError(`exposure: frame ${frame} is outside 0…${frameCount - 1}`);
    }
    const words = new Uint32Array(STEP_BYTES / 4);
    const floats = new Float32Array(words.buffer);
    floats.set([background[0], background[1], background[2]]);
    words.set([pixelCount, frame, partialCount], 3);
    floats[6] = restWeight;
    const slot = ring.write(commands, words);
    const bindings = { ...buffers, step: ring.binding(slot) };
    return (groups[slot] ??= {
      forward: forward.bind(bindings),
      backward: backward.bind(bindings),
      sumPartials: sumPartials.bind(bindings),
    });
  };
  return {
    parameters: buffers.parameters,
    parameterGradient: buffers.parameterGradient,
    exposed: buffers.exposed,
    forward(commands, step) {
      const group = bind(commands, step);
      commands.pass('exposure', (pass) => forward.dispatch(pass, group.forward, groupCount));
    },
    backward(commands, step) {
      const group = bind(commands, step);
      commands.pass('exposure backward', (pass) => {
        backward.dispatch(pass, group.backward, groupCount);
        sumPartials.dispatch(pass, group.sumPartials, 1);
      });
    },
    dispose: () => owned.destroy(),
  };
}
