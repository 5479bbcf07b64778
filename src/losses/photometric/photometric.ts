import { Ownership, createStorageBuffer } from '../../gpu/buffer.ts';
import type { Commands } from '../../gpu/commands.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import { UniformRing } from '../../gpu/uniform-ring.ts';
import type { PixelRectangle } from '../../video/crop-frame.ts';
import type { LossHistory } from '../loss-history.ts';
import { groupWidthOf, photometricKernels, type PhotometricKernels } from './kernels.ts';

/** Weights of L1 + 0.2·(1 − SSIM): the objective without perceptual weights (method, §3). No unit. */
export const PHOTOMETRIC_DEFAULTS = { l1: 1, ssim: 0.2, matte: 0, mask: 0 } as const;

export interface PhotometricOptions {
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  readonly history: LossHistory;
  /** Prepare the matte term (it costs a dispatch per step). Default false. */
  readonly matte?: boolean;
  /** Prepare the mask. Default false. */
  readonly mask?: boolean;
  /** Steps that may be recorded between two submits. Default 256. */
  readonly slotCount?: number;
  /** Pixels that one invocation slides over; by default all of a row on a software driver, 32 on a GPU. */
  readonly stripLength?: number;
}

export interface PhotometricStep {
  /** H×W vec4f: the rendered image over `background`, and what is left of the light (transmittance). */
  readonly image: GPUBuffer;
  /** RGBA8, straight alpha, one uint32 per pixel (red in the lowest byte), H×W from pixel `targetOffset`. */
  readonly target: GPUBuffer;
  readonly targetOffset?: number;
  /** H×W bytes from byte `maskOffset`: where the loss counts more. */
  readonly mask?: GPUBuffer;
  readonly maskOffset?: number;
  /** Colour that the target is composited onto, sRGB-encoded 0…1; the same that the image was rendered over. */
  readonly background: ArrayLike<number>;
  /**
   * l1: of the mean absolute difference over pixels and channels; ssim: of 1 − SSIM; matte: of the mean
   * |(1 − transmittance) − alpha|; mask: a pixel counts 1 + mask·(mask byte / 255) times in each of them.
   */
  readonly weights?: Partial<Record<keyof typeof PHOTOMETRIC_DEFAULTS, number>>;
  /** What the frame shows; pixels outside are unknown and take no part. Default: all of it. */
  readonly shown?: PixelRectangle;
  /** Row of the loss history that this step fills: its number modulo `history.slotCount`. */
  readonly slot: number;
}

/** Colour and matte loss between a rendered image and a frame, with the gradient by the image. */
export interface PhotometricLoss {
  /** H×W vec4f: ∂loss/∂rgb, and ∂loss/∂transmittance by the matte term (0 without it). Overwritten by every step. */
  readonly imageGradient: GPUBuffer;
  /** Records the loss and its gradient. Starts the step's row in the loss history. */
  record(commands: Commands, step: PhotometricStep): void;
  dispose(): void;
}

const STEP_BYTES = 80;
const STRIP_LENGTH = 32;

/** Tiles are 8 pixels wide (pixels.wgsl). */
const tiled = (pixels: number): number => Math.ceil(pixels / 8) * 8;

interface Shape {
  readonly width: number;
  readonly height: number;
  readonly stripLength: number;
  readonly groupWidth: number;
  readonly columnStrips: number;
  readonly rowStrips: number;
  readonly momentPartials: number;
  readonly similarityPartials: number;
  readonly mattePartials: number;
}

function shapeOf(gpu: Gpu, options: PhotometricOptions): Shape {
  const { width, height } = options;
  if (!(Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0)) {
    throw new RangeError(`photometric loss: size is ${width}×${height}; give whole pixels, 1 or more`);
  }
  const { isSoftware } = gpu.adapter;
  const stripLength = options.stripLength ?? (isSoftware ? Math.max(width, height) : STRIP_LENGTH);
  const columnStrips = Math.ceil(height / stripLength);
  const rowStrips = Math.ceil(width / stripLength);
  return {
    width,
    height,
    stripLength,
    groupWidth: groupWidthOf(gpu),
    columnStrips,
    rowStrips,
    momentPartials: width * columnStrips,
    similarityPartials: 3 * height * rowStrips,
    mattePartials: options.matte ? width * columnStrips : 0,
  };
}

/** Prepares the photometric loss for one image size. */
export async function createPhotometricLoss(gpu: Gpu, options: PhotometricOptions): Promise<PhotometricLoss> {
  const shape = shapeOf(gpu, options);
  return new GpuPhotometricLoss(gpu, options, shape, await photometricKernels(gpu, options.mask ?? false));
}

interface BoundStep {
  readonly image: GPUBuffer;
  readonly target: GPUBuffer;
  readonly mask: GPUBuffer;
  readonly moments: GPUBindGroup;
  readonly similarity: GPUBindGroup;
  readonly gradient: GPUBindGroup;
  readonly matte: GPUBindGroup;
}

class GpuPhotometricLoss implements PhotometricLoss {
  readonly imageGradient: GPUBuffer;
  readonly #options: PhotometricOptions;
  readonly #shape: Shape;
  readonly #kernels: PhotometricKernels;
  readonly #columnMoments: GPUBuffer;
  readonly #rowDerivatives: GPUBuffer;
  readonly #partials: GPUBuffer;
  readonly #noMask: GPUBuffer;
  readonly #ring: UniformRing;
  readonly #bound: BoundStep[] = [];
  readonly #owned = new Ownership();

  constructor(gpu: Gpu, options: PhotometricOptions, shape: Shape, kernels: PhotometricKernels) {
    const pixels = shape.width * shape.height;
    const own = (label: string, bytes: number): GPUBuffer =>
      this.#owned.own(createStorageBuffer(gpu, `photometric ${label}`, bytes));
    this.#options = options;
    this.#shape = shape;
    this.#kernels = kernels;
    this.imageGradient = own('image gradient', pixels * 16);
    this.#columnMoments = own('column moments', shape.width * tiled(shape.height) * 48);
    this.#rowDerivatives = own('row derivatives', tiled(shape.width) * shape.height * 36);
    this.#partials = own('partials', (shape.momentPartials + shape.similarityPartials + shape.mattePartials) * 16);
    this.#noMask = own('no mask', 16);
    this.#ring = this.#owned.own(new UniformRing(gpu, 'photometric step', STEP_BYTES, options.slotCount));
  }

  record(commands: Commands, step: PhotometricStep): void {
    const { width, height, groupWidth, columnStrips, rowStrips } = this.#shape;
    const { history, matte } = this.#options;
    const weights = { ...PHOTOMETRIC_DEFAULTS, ...step.weights };
    if (weights.matte !== 0 && !matte)
      throw new TypeError('photometric loss: weights.matte is set; create the loss with matte: true');
    const ringSlot = this.#ring.write(commands, packStep(step, weights, this.#shape));
    const bound = this.#bind(ringSlot, step);
    const { momentPartials, similarityPartials, mattePartials } = this.#shape;
    const enter = history.prepare(commands, {
      slot: step.slot,
      group: 'photometric',
      partials: this.#partials,
      partialCount: momentPartials + similarityPartials + mattePartials,
      weights: [weights.l1, weights.ssim, weights.matte, 0],
      startsStep: true,
    });
    const kernels = this.#kernels;
    const across = Math.ceil(width / groupWidth);
    commands.pass('photometric moments', (pass) => kernels.moments.dispatch(pass, bound.moments, across, columnStrips));
    commands.pass('photometric similarity', (pass) =>
      kernels.similarity.dispatch(pass, bound.similarity, 3, Math.ceil(height / groupWidth), rowStrips),
    );
    commands.pass('photometric gradient', (pass) => {
      kernels.gradient.dispatch(pass, bound.gradient, across, columnStrips);
      if (matte) kernels.matte.dispatch(pass, bound.matte, across, columnStrips);
      enter(pass);
    });
  }

  dispose(): void {
    this.#owned.destroy();
  }

  #bind(ringSlot: number, step: PhotometricStep): BoundStep {
    if (step.mask && !this.#options.mask)
      throw new TypeError('photometric loss: a mask is given; create the loss with mask: true');
    if (!step.mask && this.#options.mask)
      throw new TypeError('photometric loss: created with mask: true; give a mask at every step');
    const { image, target, mask = this.#noMask } = step;
    const kept = this.#bound[ringSlot];
    if (kept && kept.image === image && kept.target === target && kept.mask === mask) return kept;
    const inputs = { step: this.#ring.binding(ringSlot), image, targetPixels: target, mask };
    const partials = this.#partials;
    const columnMoments = this.#columnMoments;
    const rowDerivatives = this.#rowDerivatives;
    const { imageGradient } = this;
    const bound: BoundStep = {
      image,
      target,
      mask,
      moments: this.#kernels.moments.bind({ ...inputs, columnMoments, partials }),
      similarity: this.#kernels.similarity.bind({ step: inputs.step, columnMoments, mask, rowDerivatives, partials }),
      gradient: this.#kernels.gradient.bind({ ...inputs, rowDerivatives, imageGradient }),
      matte: this.#kernels.matte.bind({ ...inputs, imageGradient, partials }),
    };
    this.#bound[ringSlot] = bound;
    return bound;
  }
}

function packStep(
  step: PhotometricStep,
  weights: Record<keyof typeof PHOTOMETRIC_DEFAULTS, number>,
  { width, height, stripLength, momentPartials, similarityPartials }: Shape,
): Float32Array {
  const floats = new Float32Array(STEP_BYTES / 4);
  floats.set([step.background[0], step.background[1], step.background[2]]);
  floats.set([weights.l1, weights.ssim, weights.matte, weights.mask], 3);
  const words = new Uint32Array(floats.buffer);
  words.set([step.targetOffset ?? 0, step.maskOffset ?? 0, width, height, stripLength], 7);
  words.set([momentPartials, momentPartials + similarityPartials], 12);
  const { left, top, right, bottom } = step.shown ?? { left: 0, top: 0, right: width, bottom: height };
  words.set([left, top, right, bottom], 16);
  return floats;
}
