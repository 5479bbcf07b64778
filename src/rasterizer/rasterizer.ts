import type { Gpu } from '../gpu/gpu.ts';
import type { Commands } from '../gpu/commands.ts';
import type { WorldGaussians } from '../gaussians/layout.ts';
import { WORLD_ATTRIBUTES, WORLD_STRIDE } from '../gaussians/layout.ts';
import { createStorageBuffer, Ownership, readUints } from '../gpu/buffer.ts';
import { createScan } from '../gpu/scan.ts';
import { createSort } from '../gpu/sort.ts';
import { createRasterizerKernels, type RasterizerKernels } from './kernels.ts';
import {
  ALPHA_MIN,
  DEPTH_KEY_BITS,
  MOMENT_STRIDE,
  PROJECTED_STRIDE,
  TILE_SIZES,
  type RasterizerShape,
  type RasterizerVariant,
} from './layout.ts';

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
 * gives the same bytes: no float atomics, and every sum has a fixed order.
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
  const buffers = createBuffers(gpu, shape, owned);
  const [kernels, scan] = await Promise.all([createRasterizerKernels(gpu, shape), createScan(gpu, 'rasterise: scan')]);
  const groups = new BindGroups();

  // The number of Gaussians differs from call to call, and so may the buffer that holds it; what the sort and the scans
  // bind is a copy.
  const count = owned.own(createStorageBuffer(gpu, 'Gaussians to draw', 4));
  const tileCounterCount = (tileCountOf(shape) + 1) * shape.chunkCount;
  const counterTotal = owned.own(createStorageBuffer(gpu, 'tile counters in use', new Uint32Array([tileCounterCount])));
  const sort = owned.own(
    await createSort(gpu, { capacity: shape.gaussianCapacity, count, bits: DEPTH_KEY_BITS, label: 'rasterise: depth' }),
  );
  const slotScan = owned.own(scan.over(buffers.slotOffsets, count));
  const counterScan = owned.own(scan.over(buffers.counters, counterTotal));
  const all = { ...buffers, depthKeys: sort.keys, gaussianIndices: sort.values, depthOrder: sort.sortedValues, count };
  const run = new Run(kernels, groups, shape, all);

  return {
    variant: shape.variant,
    gaussianCapacity: shape.gaussianCapacity,
    intersectionCapacity: shape.intersectionCapacity,
    image: buffers.image,
    gradients: buffers.gradients,
    mean2dGradient: buffers.mean2dGradient,
    cameraGradient: buffers.cameraGradient,
    status: buffers.status,
    forward(commands, input) {
      commands.copy(input.count, 0, count, 0, 4);
      run.project(commands, input);
      commands.pass('rasterise: bin', (pass) => slotScan.record(pass));
      run.bin(commands);
      sort.record(commands);
      commands.clear(buffers.counters);
      run.order(commands, (pass) => counterScan.record(pass));
      run.compositeForward(commands, input);
    },
    backward(commands, input) {
      run.compositeBackward(commands, input);
      run.gather(commands);
      run.projectBackward(commands, input, options.cameraGradient ?? false);
    },
    async neededIntersections() {
      return (await readUints(gpu, buffers.status, 1))[0]!;
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
  const [tileWidth, tileHeight] = TILE_SIZES[variant];
  const tileCount = Math.ceil(width / tileWidth) * Math.ceil(height / tileHeight);
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

function tileCountOf({ width, height, variant }: RasterizerShape): number {
  const [tileWidth, tileHeight] = TILE_SIZES[variant];
  return Math.ceil(width / tileWidth) * Math.ceil(height / tileHeight);
}

type Buffers = ReturnType<typeof createBuffers>;

/** Shapes and units: layout.ts. */
function createBuffers(gpu: Gpu, shape: RasterizerShape, owned: Ownership) {
  const { gaussianCapacity, intersectionCapacity, width, height, chunkCount } = shape;
  const buffer = (label: string, words: number): GPUBuffer => owned.own(createStorageBuffer(gpu, label, words * 4));
  const gradients = Object.fromEntries(
    WORLD_ATTRIBUTES.map((name) => [name, buffer(`${name}Gradient`, gaussianCapacity * WORLD_STRIDE)]),
  ) as unknown as WorldGaussians;
  return {
    image: buffer('image', width * height * 4),
    gradients,
    mean2dGradient: buffer('mean2dGradient', gaussianCapacity * 2),
    cameraGradient: buffer('cameraGradient', 12),
    cameraGradientParts: buffer('cameraGradient parts', 256 * 12),
    status: buffer('rasteriser status', 1),
    projected: buffer('projected', gaussianCapacity * PROJECTED_STRIDE),
    slotOffsets: buffer('slotOffsets', gaussianCapacity + 1),
    slots: buffer('slots', intersectionCapacity),
    counters: buffer('tile counters', (tileCountOf(shape) + 1) * chunkCount + 1),
    intersections: buffer('intersections', intersectionCapacity * 2),
    intersectionGradients: buffer('intersectionGradients', intersectionCapacity * MOMENT_STRIDE),
    covarianceOpacityGradient: buffer('covarianceOpacityGradient', gaussianCapacity * 4),
  };
}

/** Bind groups by what was given from outside, so that a training loop makes none. */
class BindGroups {
  readonly #ids = new WeakMap<GPUBuffer, number>();
  readonly #groups = new Map<string, GPUBindGroup>();
  #nextId = 0;

  /** The group made of `outside` resources, by `make` the first time. */
  get(name: string, outside: readonly (GPUBuffer | GPUBufferBinding)[], make: () => GPUBindGroup): GPUBindGroup {
    const key = `${name} ${outside.map((resource) => this.#idOf(resource)).join(' ')}`;
    let group = this.#groups.get(key);
    if (!group) {
      if (this.#groups.size > 4096) this.#groups.clear();
      group = make();
      this.#groups.set(key, group);
    }
    return group;
  }

  #idOf(resource: GPUBuffer | GPUBufferBinding): string {
    const binding = 'buffer' in resource ? resource : { buffer: resource };
    let id = this.#ids.get(binding.buffer);
    if (id === undefined) {
      id = this.#nextId++;
      this.#ids.set(binding.buffer, id);
    }
    return `${id}+${binding.offset ?? 0}`;
  }
}

type RunBuffers = Buffers & Record<'depthKeys' | 'gaussianIndices' | 'depthOrder' | 'count', GPUBuffer>;

/** Records the passes; each method is one step of the method. */
class Run {
  readonly #kernels: RasterizerKernels;
  readonly #groups: BindGroups;
  readonly #shape: RasterizerShape;
  readonly #buffers: RunBuffers;

  constructor(kernels: RasterizerKernels, groups: BindGroups, shape: RasterizerShape, buffers: RunBuffers) {
    this.#kernels = kernels;
    this.#groups = groups;
    this.#shape = shape;
    this.#buffers = buffers;
  }

  get #gaussianWorkgroups(): number {
    return Math.ceil(this.#shape.gaussianCapacity / 64);
  }

  project(commands: Commands, { gaussians, camera }: RasterizerInput): void {
    const { project } = this.#kernels;
    const group = this.#groups.get('project', [camera, ...WORLD_ATTRIBUTES.map((name) => gaussians[name])], () =>
      project.bind({ ...this.#buffers, ...gaussians, camera }),
    );
    commands.pass('rasterise: project', (pass) => project.dispatch(pass, group, this.#gaussianWorkgroups));
  }

  bin(commands: Commands): void {
    const { bin } = this.#kernels;
    const group = this.#groups.get('bin', [], () => bin.bind(this.#buffers));
    commands.pass('rasterise: bin', (pass) => bin.dispatch(pass, group, this.#gaussianWorkgroups));
  }

  order(commands: Commands, scanCounters: (pass: GPUComputePassEncoder) => void): void {
    const { countTiles, scatter } = this.#kernels;
    const countGroup = this.#groups.get('count', [], () => countTiles.bind(this.#buffers));
    const scatterGroup = this.#groups.get('scatter', [], () => scatter.bind(this.#buffers));
    commands.pass('rasterise: order', (pass) => {
      countTiles.dispatch(pass, countGroup, this.#shape.chunkCount / 16);
      scanCounters(pass);
      scatter.dispatch(pass, scatterGroup, this.#shape.chunkCount / 16);
    });
  }

  compositeForward(commands: Commands, { camera }: RasterizerInput): void {
    const { compositeForward } = this.#kernels;
    const group = this.#groups.get('forward', [camera], () => compositeForward.bind({ ...this.#buffers, camera }));
    commands.pass('rasterise: forward', (pass) => compositeForward.dispatch(pass, group, tileCountOf(this.#shape)));
  }

  compositeBackward(commands: Commands, { imageGradient }: RasterizerBackwardInput): void {
    const { compositeBackward } = this.#kernels;
    const group = this.#groups.get('backward', [imageGradient], () =>
      compositeBackward.bind({ ...this.#buffers, imageGradient }),
    );
    commands.pass('rasterise: backward', (pass) => compositeBackward.dispatch(pass, group, tileCountOf(this.#shape)));
  }

  gather(commands: Commands): void {
    const { gather } = this.#kernels;
    const group = this.#groups.get('gather', [], () =>
      gather.bind({ ...this.#buffers, rgbGradient: this.#buffers.gradients.rgb }),
    );
    commands.pass('rasterise: gather', (pass) => gather.dispatch(pass, group, this.#gaussianWorkgroups));
  }

  projectBackward(commands: Commands, { gaussians, camera }: RasterizerInput, withCamera: boolean): void {
    const { projectBackward, sumCameraParts, sumCamera } = this.#kernels;
    const buffers = this.#buffers;
    const outside = [camera, gaussians.meanOpacity, gaussians.rotation, gaussians.scale];
    const given = { ...buffers, ...gaussians, camera, parts: buffers.cameraGradientParts };
    const group = this.#groups.get('project backward', outside, () =>
      projectBackward.bind({
        ...given,
        meanOpacityGradient: buffers.gradients.meanOpacity,
        rotationGradient: buffers.gradients.rotation,
        scaleGradient: buffers.gradients.scale,
      }),
    );
    commands.pass('rasterise: project backward', (pass) => {
      projectBackward.dispatch(pass, group, this.#gaussianWorkgroups);
      if (!withCamera) return;
      const partsGroup = this.#groups.get('camera parts', outside, () => sumCameraParts.bind(given));
      sumCameraParts.dispatch(pass, partsGroup, 4);
      sumCamera.dispatch(
        pass,
        this.#groups.get('camera', outside, () => sumCamera.bind(given)),
        1,
      );
    });
  }
}
