import type { Gpu } from '../gpu/gpu.ts';
import type { Commands } from '../gpu/commands.ts';
import { WORLD_ATTRIBUTES } from '../gaussians/layout.ts';
import { createStorageBuffer, Ownership } from '../gpu/buffer.ts';
import { createScan } from '../gpu/scan.ts';
import { createSort } from '../gpu/sort.ts';
import { BindGroups } from './bind-groups.ts';
import { createForwardKernels, type ForwardKernels } from './kernels.ts';
import { DEPTH_KEY_BITS, PROJECTED_STRIDE, tileCountOf, type RasterizerShape } from './layout.ts';
import type { RasterizerInput } from './rasterizer.ts';

/** Buffers that drawing fills and the backward reads; shapes and units: layout.ts. */
export type ForwardBuffers = Readonly<
  Record<'image' | 'status' | 'count' | 'projected' | 'slotOffsets' | 'slots' | 'counters' | 'intersections', GPUBuffer>
>;

type Scans = Readonly<Record<'slots' | 'counters', { record(pass: GPUComputePassEncoder): void }>>;
type Depth = Awaited<ReturnType<typeof createSort>>;

/** Drawing: project, bin, order, composite. Each method is one step. */
export class ForwardPasses {
  readonly buffers: ForwardBuffers;
  readonly #kernels: ForwardKernels;
  readonly #shape: RasterizerShape;
  readonly #scans: Scans;
  readonly #depth: Depth;
  readonly #groups = new BindGroups();

  private constructor(
    kernels: ForwardKernels,
    shape: RasterizerShape,
    buffers: ForwardBuffers,
    scans: Scans,
    depth: Depth,
  ) {
    this.#kernels = kernels;
    this.#shape = shape;
    this.buffers = buffers;
    this.#scans = scans;
    this.#depth = depth;
  }

  static async create(gpu: Gpu, shape: RasterizerShape, owned: Ownership): Promise<ForwardPasses> {
    const { gaussianCapacity, intersectionCapacity, width, height, chunkCount } = shape;
    const buffer = (label: string, content: number | Uint32Array): GPUBuffer =>
      owned.own(createStorageBuffer(gpu, label, typeof content === 'number' ? content * 4 : content));
    // One tile more than the image has, for slots left over (bin.wgsl).
    const counterCount = (tileCountOf(shape) + 1) * chunkCount;
    const buffers = {
      image: buffer('image', width * height * 4),
      status: buffer('rasteriser status', 1),
      // What the sort and the scans bind is a copy: each call may bring its own count.
      count: buffer('Gaussians to draw', 1),
      projected: buffer('projected', gaussianCapacity * PROJECTED_STRIDE),
      slotOffsets: buffer('slotOffsets', gaussianCapacity + 1),
      slots: buffer('slots', intersectionCapacity),
      counters: buffer('tile counters', counterCount + 1),
      intersections: buffer('intersections', intersectionCapacity * 2),
    };
    const { count } = buffers;
    const [kernels, scan, depth] = await Promise.all([
      createForwardKernels(gpu, shape),
      createScan(gpu, 'rasterise: scan'),
      createSort(gpu, { capacity: gaussianCapacity, count, bits: DEPTH_KEY_BITS, label: 'rasterise: depth' }),
    ]);
    owned.own(depth);
    const counterTotal = buffer('tile counters in use', new Uint32Array([counterCount]));
    const scans = {
      slots: owned.own(scan.over(buffers.slotOffsets, count)),
      counters: owned.own(scan.over(buffers.counters, counterTotal)),
    };
    return new ForwardPasses(kernels, shape, buffers, scans, depth);
  }

  record(commands: Commands, input: RasterizerInput): void {
    commands.copy(input.count, 0, this.buffers.count, 0, 4);
    this.#project(commands, input);
    this.#bin(commands);
    this.#depth.record(commands);
    this.#order(commands);
    this.#composite(commands, input);
  }

  #project(commands: Commands, { gaussians, camera }: RasterizerInput): void {
    const { project } = this.#kernels;
    const group = this.#groups.get('project', [camera, ...WORLD_ATTRIBUTES.map((name) => gaussians[name])], () =>
      project.bind({
        ...this.buffers,
        ...gaussians,
        camera,
        depthKeys: this.#depth.keys,
        gaussianIndices: this.#depth.values,
      }),
    );
    const workgroups = Math.ceil(this.#shape.gaussianCapacity / 64);
    commands.pass('rasterise: project', (pass) => project.dispatch(pass, group, workgroups));
  }

  #bin(commands: Commands): void {
    const { bin } = this.#kernels;
    const group = this.#groups.get('bin', [], () => bin.bind(this.buffers));
    const workgroups = Math.ceil(this.#shape.gaussianCapacity / 64);
    commands.pass('rasterise: bin', (pass) => {
      this.#scans.slots.record(pass);
      bin.dispatch(pass, group, workgroups);
    });
  }

  #order(commands: Commands): void {
    const { countTiles, scatter } = this.#kernels;
    const given = { ...this.buffers, depthOrder: this.#depth.sortedValues };
    const countGroup = this.#groups.get('count', [], () => countTiles.bind(given));
    const scatterGroup = this.#groups.get('scatter', [], () => scatter.bind(given));
    const workgroups = this.#shape.chunkCount / 16;
    commands.clear(this.buffers.counters);
    commands.pass('rasterise: order', (pass) => {
      countTiles.dispatch(pass, countGroup, workgroups);
      this.#scans.counters.record(pass);
      scatter.dispatch(pass, scatterGroup, workgroups);
    });
  }

  #composite(commands: Commands, { camera }: RasterizerInput): void {
    const { compositeForward } = this.#kernels;
    const group = this.#groups.get('composite', [camera], () => compositeForward.bind({ ...this.buffers, camera }));
    const workgroups = tileCountOf(this.#shape);
    commands.pass('rasterise: forward', (pass) => compositeForward.dispatch(pass, group, workgroups));
  }
}
