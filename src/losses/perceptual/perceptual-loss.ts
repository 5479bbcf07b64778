import { createStorageBuffer, Ownership } from '../../gpu/buffer.ts';
import type { Commands } from '../../gpu/commands.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import { createKernel } from '../../gpu/kernel.ts';
import { UniformRing } from '../../gpu/uniform-ring.ts';
import type { NetworkRuntime } from '../../network/index.ts';
import type { LossHistory } from '../loss-history.ts';
import { compareByNet, type NetComparison } from './net-comparison.ts';
import type { PerceptualNet } from './perceptual-net.ts';
import prepareText from './prepare.wgsl?raw';
import prepareBackwardText from './prepare.backward.wgsl?raw';
import preparationText from './preparation.wgsl?raw';

/** Edge of the images that the net sees, in pixels (method §3), where the frames are no smaller. */
export const PERCEPTUAL_SIZE = 224;

export interface PerceptualLossOptions {
  readonly net: PerceptualNet;
  readonly runtime: NetworkRuntime;
  /** Of the images, in pixels. */
  readonly width: number;
  readonly height: number;
  readonly history: LossHistory;
  /** Edge of the square images that the net sees. Default 224, or the frames' edge where that is smaller. */
  readonly size?: number;
}

export interface PerceptualStep {
  /** H×W vec4f: the rendered image over `background`; the fourth component is not looked at. */
  readonly image: GPUBuffer;
  /** RGBA8, straight alpha, one uint32 per pixel (red lowest), H×W from pixel `targetOffset`. */
  readonly target: GPUBuffer;
  readonly targetOffset?: number;
  /** Colour that the target is composited onto, sRGB-encoded 0…1. */
  readonly background: ArrayLike<number>;
  /** The pixels that the frame shows: others are not compared. Default all. */
  readonly shown?: { readonly left: number; readonly top: number; readonly right: number; readonly bottom: number };
  /** H×W vec4f: weight · ∂distance/∂rgb is added to it. */
  readonly imageGradient: GPUBuffer;
  readonly weight: number;
  /** Row of the loss history, started by an earlier loss of the step. */
  readonly slot: number;
}

/** Distance between a rendered image and a frame as a fixed net sees them, with its gradient by the image. */
export interface PerceptualLoss {
  readonly net: PerceptualNet;
  /**
   * Adds the term to an image's gradient. Submits what `commands` hold so far, since the net runs outside of them; the
   * way back is recorded into `commands` again. Where the net runs on the processor, two images go there and a gradient
   * comes back.
   */
  add(commands: Commands, step: PerceptualStep): Promise<void>;
  dispose(): void;
}

const PREPARATION_BYTES = 96;

/** Loads the net for one image size. Throws `NetworkError` when the runtime cannot run it. */
export async function createPerceptualLoss(gpu: Gpu, options: PerceptualLossOptions): Promise<PerceptualLoss> {
  const { net, runtime, width, height } = options;
  const size = options.size ?? Math.max(net.minimumSize, Math.min(PERCEPTUAL_SIZE, width, height));
  const [kernels, comparison] = await Promise.all([
    createKernels(gpu),
    compareByNet(runtime, net, { height: size, width: size, withGradient: true }),
  ]);
  return new GpuPerceptualLoss(gpu, options, size, kernels, comparison);
}

type Kernels = Awaited<ReturnType<typeof createKernels>>;

/** The two kernels around the net, compiled for a device. Exported for their test. */
export async function createKernels(gpu: Gpu) {
  const folder = 'src/losses/perceptual/';
  const files = (name: string, text: string) => [
    { name: `${folder}preparation.wgsl`, text: preparationText },
    { name: `${folder}${name}.wgsl`, text },
  ];
  const [prepare, prepareBackward] = await Promise.all([
    createKernel(gpu, {
      label: 'perceptual prepare',
      files: files('prepare', prepareText),
      bindings: {
        preparation: 'uniform',
        image: 'read',
        targetPixels: 'read',
        imagePixels: 'readWrite',
        framePixels: 'readWrite',
      },
    }),
    createKernel(gpu, {
      label: 'perceptual prepare backward',
      files: files('prepare.backward', prepareBackwardText),
      bindings: { preparation: 'uniform', image: 'read', pixelGradient: 'read', imageGradient: 'readWrite' },
    }),
  ]);
  return { prepare, prepareBackward };
}

/** Everything of one use that the kernels read, as `Preparation` in the shaders. */
export function packPreparation(
  net: Pick<PerceptualNet, 'normalisation'>,
  sizes: { readonly width: number; readonly height: number; readonly size: number },
  step: Pick<PerceptualStep, 'background' | 'targetOffset' | 'shown' | 'weight'>,
): Float32Array {
  const { channels, scale, offset } = net.normalisation;
  const floats = new Float32Array(PREPARATION_BYTES / 4);
  const words = new Uint32Array(floats.buffer);
  floats.set([step.background[0], step.background[1], step.background[2]], 0);
  words[3] = step.targetOffset ?? 0;
  floats.set(scale, 4);
  words[7] = sizes.width;
  floats.set(offset, 8);
  words[11] = sizes.height;
  words.set(channels, 12);
  words[15] = sizes.size;
  const { left, top, right, bottom } = step.shown ?? { left: 0, top: 0, right: sizes.width, bottom: sizes.height };
  words.set([left, top, right, bottom], 16);
  floats[20] = step.weight;
  return floats;
}

class GpuPerceptualLoss implements PerceptualLoss {
  readonly net: PerceptualNet;
  readonly #options: PerceptualLossOptions;
  readonly #size: number;
  readonly #kernels: Kernels;
  readonly #comparison: NetComparison;
  readonly #imagePixels: GPUBuffer;
  readonly #framePixels: GPUBuffer;
  readonly #pixelGradient: GPUBuffer;
  /** A vec4f whose first component is the distance: partial sums of the loss history's group. */
  readonly #distance: GPUBuffer;
  readonly #ring: UniformRing;
  readonly #owned = new Ownership();

  constructor(gpu: Gpu, options: PerceptualLossOptions, size: number, kernels: Kernels, comparison: NetComparison) {
    this.net = options.net;
    this.#options = options;
    this.#size = size;
    this.#kernels = kernels;
    this.#comparison = comparison;
    const own = (label: string, bytes: number): GPUBuffer =>
      this.#owned.own(createStorageBuffer(gpu, `perceptual ${label}`, bytes));
    const bytes = 3 * size * size * 4;
    this.#imagePixels = own('image pixels', bytes);
    this.#framePixels = own('frame pixels', bytes);
    this.#pixelGradient = own('pixel gradient', bytes);
    this.#distance = own('distance', 16);
    this.#ring = this.#owned.own(new UniformRing(gpu, 'perceptual preparation', PREPARATION_BYTES, 8));
  }

  async add(commands: Commands, step: PerceptualStep): Promise<void> {
    const { width, height, history } = this.#options;
    const { prepare, prepareBackward } = this.#kernels;
    const size = this.#size;
    const slot = this.#ring.write(commands, packPreparation(this.net, { width, height, size }, step));
    const preparation = this.#ring.binding(slot);
    const [imagePixels, framePixels, pixelGradient] = [this.#imagePixels, this.#framePixels, this.#pixelGradient];
    const forward = prepare.bind({
      preparation,
      image: step.image,
      targetPixels: step.target,
      imagePixels,
      framePixels,
    });
    const backward = prepareBackward.bind({
      preparation,
      image: step.image,
      pixelGradient,
      imageGradient: step.imageGradient,
    });
    const netGroups = Math.ceil(size / 8);
    commands.pass('perceptual', (pass) => prepare.dispatch(pass, forward, netGroups, netGroups));
    commands.submit();
    await this.#comparison.look(framePixels);
    await this.#comparison.compare(imagePixels, { distance: this.#distance, gradient: pixelGradient });
    const enter = history.prepare(commands, {
      slot: step.slot,
      group: 'perceptual',
      partials: this.#distance,
      partialCount: 1,
      weights: [step.weight, 0, 0, 0],
      startsStep: false,
    });
    commands.pass('perceptual', (pass) => {
      prepareBackward.dispatch(pass, backward, Math.ceil(width / 8), Math.ceil(height / 8));
      enter(pass);
    });
  }

  dispose(): void {
    this.#owned.destroy();
    void this.#comparison.dispose();
  }
}
