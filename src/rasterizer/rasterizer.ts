import type { Gpu } from '../gpu/gpu.ts';
import type { Commands } from '../gpu/commands.ts';
import type { WorldGaussians } from '../gaussians/layout.ts';
import { Ownership, readUints } from '../gpu/buffer.ts';
import { BackwardPasses } from './backward.ts';
import { ForwardPasses } from './forward.ts';
import { ALPHA_MIN, tileCountOf, type RasterizerShape, type RasterizerVariant } from './layout.ts';

export interface RasterizerOptions {
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** Most Gaussians ever drawn; every buffer of `gaussians` holds at least as many. */
  readonly gaussianCapacity: number;
  /**
   * Most (Gaussian, tile) pairs of one image; default 8 per Gaussian and 64 per tile. An image that needs more leaves
   * out the Gaussians of highest index, and `neededIntersections` says how many it would have taken: make a new
   * rasteriser with more when it exceeds the capacity.
   */
  readonly intersectionCapacity?: number;
  /** Shape of the compositing kernels; by default what suits the device. */
  readonly variant?: RasterizerVariant;
  /** Prepare `backward`: its kernels and buffers. Default true; drawing alone starts faster and takes less memory. */
  readonly differentiable?: boolean;
  /** Compute `cameraGradient` in `backward`. Default false. */
  readonly cameraGradient?: boolean;
  /** Contributions below this alpha are skipped. Default 1/255; tests lower it to smooth the function. */
  readonly alphaMin?: number;
}

export interface RasterizerInput {
  /** World-space Gaussians (`gaussians/layout.ts`); rotations must be unit quaternions. */
  readonly gaussians: WorldGaussians;
  /** uint32 in element 0: how many of them to draw. */
  readonly count: GPUBuffer;
  /** One camera record (`cameraBinding`), of this rasteriser's width and height. */
  readonly camera: GPUBufferBinding;
}

export interface RasterizerBackwardInput extends RasterizerInput {
  /** H×W vec4f, row-major: ∂loss/∂(red, green, blue, transmittance). */
  readonly imageGradient: GPUBuffer;
}

/**
 * Differentiable 3D Gaussian splatting (Kerbl et al. 2023) of one image size.
 *
 * `forward` writes `image`; `backward`, recorded after a `forward` of the same input and before the next, writes the
 * gradients. Calls may be recorded one after the other into one submit: all buffers are used in order. The same input
 * gives the same bytes: no float atomics, and every sum has a fixed order. Without `differentiable`, `backward` throws
 * and so do the gradients.
 */
export interface Rasterizer {
  readonly variant: RasterizerVariant;
  readonly gaussianCapacity: number;
  readonly intersectionCapacity: number;
  /** H×W vec4f, row-major: red, green, blue over the camera's background; transmittance left (1 = nothing drawn). */
  readonly image: GPUBuffer;
  /** ∂loss/∂ world attributes, laid out like them; overwritten below the count, zeros where culled. */
  readonly gradients: WorldGaussians;
  /** N vec2f: ∂loss/∂mean on the image, in pixels; what densification takes as importance. */
  readonly mean2dGradient: GPUBuffer;
  /** 12 floats: ∂loss/∂cameraFromWorld, row-major 3×4. Zeros unless asked for. */
  readonly cameraGradient: GPUBuffer;
  /** uint32 in element 0: the most intersections that any image needed so far. Stays until cleared. */
  readonly status: GPUBuffer;
  forward(commands: Commands, input: RasterizerInput): void;
  backward(commands: Commands, input: RasterizerBackwardInput): void;
  /** Reads `status` back: at checkpoints, not in the loop. More than `intersectionCapacity` means images were cut. */
  neededIntersections(): Promise<number>;
  destroy(): void;
}

/** Compiles the kernels and allocates every buffer for one image size and number of Gaussians. */
export async function createRasterizer(gpu: Gpu, options: RasterizerOptions): Promise<Rasterizer> {
  const shape = shapeOf(gpu, options);
  const owned = new Ownership();
  try {
    const forward = await ForwardPasses.create(gpu, shape, owned);
    const differentiable = options.differentiable ?? true;
    const backward = differentiable ? await BackwardPasses.create(gpu, shape, forward.buffers, owned) : null;
    return assemble(gpu, shape, options, owned, forward, backward);
  } catch (error) {
    owned.destroy();
    throw error;
  }
}

function assemble(
  gpu: Gpu,
  shape: RasterizerShape,
  options: RasterizerOptions,
  owned: Ownership,
  forward: ForwardPasses,
  prepared: BackwardPasses | null,
): Rasterizer {
  const { image, status } = forward.buffers;
  const backward = (): BackwardPasses => {
    if (!prepared) throw new Error('This rasteriser only draws; create it with `differentiable: true`.');
    return prepared;
  };
  return {
    variant: shape.variant,
    gaussianCapacity: shape.gaussianCapacity,
    intersectionCapacity: shape.intersectionCapacity,
    image,
    status,
    get gradients() {
      return backward().buffers.gradients;
    },
    get mean2dGradient() {
      return backward().buffers.mean2dGradient;
    },
    get cameraGradient() {
      return backward().buffers.cameraGradient;
    },
    forward(commands, input) {
      forward.record(commands, input);
    },
    backward(commands, input) {
      backward().record(commands, input, options.cameraGradient ?? false);
    },
    async neededIntersections() {
      return (await readUints(gpu, status, 1))[0]!;
    },
    destroy: () => owned.destroy(),
  };
}

function shapeOf(gpu: Gpu, options: RasterizerOptions): RasterizerShape {
  const { width, height, gaussianCapacity } = options;
  for (const [name, value] of Object.entries({ width, height, gaussianCapacity })) {
    if (!Number.isInteger(value) || value < 1) throw new RangeError(`${name} is ${value}; give a whole number above 0`);
  }
  const columnsRun = gpu.adapter.hasSubgroups && gpu.adapter.subgroupSize.every((size) => size === 8);
  const variant = options.variant ?? (gpu.adapter.isSoftware && columnsRun ? 'columns' : 'pixels');
  if (variant === 'columns' && !columnsRun) {
    throw new RangeError('variant "columns" needs a device with subgroups of 8; use "pixels" or leave it out');
  }
  const tileCount = tileCountOf({ width, height, variant });
  const workgroupLimit = gpu.device.limits.maxComputeWorkgroupsPerDimension;
  if (tileCount > workgroupLimit) {
    throw new RangeError(`${width}×${height} pixels are ${tileCount} tiles; this device takes ${workgroupLimit}`);
  }
  return {
    width,
    height,
    variant,
    gaussianCapacity,
    intersectionCapacity: options.intersectionCapacity ?? gaussianCapacity * 8 + tileCount * 64,
    chunkCount: gpu.adapter.isSoftware ? 64 : 512,
    alphaMin: options.alphaMin ?? ALPHA_MIN,
  };
}
