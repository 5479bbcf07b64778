import { Ownership, createStorageBuffer } from '../../gpu/buffer.ts';
import type { Commands } from '../../gpu/commands.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import { createKernel, type Kernel } from '../../gpu/kernel.ts';
import { createScan, type BoundScan } from '../../gpu/scan.ts';
import frameText from '../../binding/triangle-frame.wgsl?raw';
import randomText from '../../math/random.wgsl?raw';
import rotationText from '../../math/rotation.wgsl?raw';
import columnsText from './columns.wgsl?raw';
import drawText from './draw-parents.wgsl?raw';
import markText from './mark.wgsl?raw';
import type { SurfacePatches } from './patches.ts';
import placeText from './place.wgsl?raw';
import turnText from './turn-children.wgsl?raw';

/** An array with one record per Gaussian; all of them move together when the set changes. */
export interface Column {
  readonly name: string;
  readonly buffer: GPUBuffer;
  /** 32-bit words per Gaussian. */
  readonly stride: number;
  /** What a child gets: the parent's record, zeros, or the parent's with the event's smaller scale or lower opacity. */
  readonly inherit: 'copy' | 'zero' | 'shrink' | 'fade';
}

/** The surface that children are placed on. */
export interface DensifySurface {
  /** T×3 vertex indices. */
  readonly triangles: Uint32Array;
  readonly patches: SurfacePatches;
  /** V×4 metres: the vertices in the pose of the step. */
  readonly posedVertices: GPUBuffer;
}

/** The buffers of a set of Gaussians that densification reads or changes. */
export interface DensifyInputs {
  readonly capacity: number;
  readonly count: GPUBuffer;
  readonly opacityLogit: GPUBuffer;
  readonly logScale: GPUBuffer;
  readonly barycentrics: GPUBuffer;
  readonly triangleIndices: GPUBuffer;
  readonly localRotation: GPUBuffer;
  readonly surface: DensifySurface;
  /** N f32: sum of positional-gradient norms, and of visits, since the last event. */
  readonly importance: GPUBuffer;
  readonly visits: GPUBuffer;
  /** Every per-Gaussian array, those above included. */
  readonly columns: readonly Column[];
}

/** Of one event by `sample`. */
export interface SampleEvent {
  readonly seed: number;
  readonly stream: number;
  readonly draws: number;
  /** A child's scale over its parent's. */
  readonly scaleFactor: number;
  /** Highest opacity of a child, 0…1. */
  readonly opacity: number;
}

/** Changes to the set of Gaussians, on the GPU alone: nothing is read back, the count lives in `inputs.count`. */
export interface Densify {
  /** FATE's sampling-based densification (eqs 6–8): `draws` children of parents drawn by importance. */
  sample(commands: Commands, event: SampleEvent): void;
  /** The 3DGS rule, for the baselines: clone small and split large Gaussians with a high mean gradient. */
  cloneAndSplit(
    commands: Commands,
    event: { seed: number; stream: number; threshold: number; splitScale: number; nearness: number },
  ): void;
  /** Removes Gaussians with an opacity below `limit` (0…1); the order of the others stays. */
  prune(commands: Commands, limit: number): void;
  /** Caps every opacity at `limit` (0…1) and clears its moments. */
  resetOpacity(commands: Commands, limit: number, moments: readonly GPUBuffer[]): void;
  dispose(): void;
}

const logit = (probability: number): number => Math.log(probability / (1 - probability));
/** A child's log-scale less its parent's, and the highest logit of its opacity. */
interface ChildChange {
  readonly shrink: number;
  readonly fade: number;
}
const UNCHANGED: ChildChange = { shrink: 0, fade: 1e9 };
const groups = (count: number): number => Math.ceil(count / 64);

/** Prepares densification for one set of Gaussians. */
export async function createDensify(gpu: Gpu, inputs: DensifyInputs): Promise<Densify> {
  const { capacity } = inputs;
  const owned = new Ownership();
  const words = (label: string, count: number): GPUBuffer =>
    owned.own(createStorageBuffer(gpu, `densify ${label}`, count * 4));
  const buffers: Scratch = {
    marks: words('marks', capacity),
    places: words('places', capacity + 1),
    parents: words('parents', capacity),
    draws: words('draws', 1),
    chunkSums: words('chunk sums', 256),
    triangles: owned.own(createStorageBuffer(gpu, 'densify triangles', inputs.surface.triangles)),
    patches: owned.own(createStorageBuffer(gpu, 'densify patches', packPatches(inputs.surface.patches))),
    compacted: words('compacted', capacity * Math.max(...inputs.columns.map((column) => column.stride))),
  };
  const kernels = await createKernels(gpu);
  const scan = (await createScan(gpu, 'densify scan')).over(buffers.places, inputs.count);
  return new GpuDensify(gpu, inputs, buffers, kernels, scan, owned);
}

/** As place.wgsl reads them. */
function packPatches({ starts, members, shares }: SurfacePatches): Uint32Array {
  const firstPair = Math.ceil(starts.length / 2);
  const packed = new Uint32Array((firstPair + members.length) * 2);
  packed.set(starts.map((start) => firstPair + start));
  const bits = new Uint32Array(shares.buffer, shares.byteOffset, shares.length);
  members.forEach((member, at) => packed.set([member, bits[at]!], (firstPair + at) * 2));
  return packed;
}

interface Scratch {
  readonly triangles: GPUBuffer;
  readonly patches: GPUBuffer;
  readonly marks: GPUBuffer;
  readonly places: GPUBuffer;
  readonly parents: GPUBuffer;
  readonly draws: GPUBuffer;
  readonly chunkSums: GPUBuffer;
  readonly compacted: GPUBuffer;
}

type Kernels = Awaited<ReturnType<typeof createKernels>>;

async function createKernels(gpu: Gpu) {
  const random = { name: 'src/math/random.wgsl', text: randomText };
  const folder = 'src/fitting/densify/';
  const draw = (entryPoint: string) =>
    createKernel(gpu, {
      label: `densify ${entryPoint}`,
      files: [random, { name: `${folder}draw-parents.wgsl`, text: drawText }],
      entryPoint,
      bindings: {
        settings: 'uniform',
        importance: 'read',
        count: 'read',
        chunkSums: 'readWrite',
        parents: 'readWrite',
      },
    });
  const mark = (entryPoint: string) =>
    createKernel(gpu, {
      label: `densify ${entryPoint}`,
      files: [{ name: `${folder}mark.wgsl`, text: markText }],
      entryPoint,
      bindings: {
        settings: 'uniform', count: 'read', marks: 'readWrite', opacityLogit: 'readWrite', importance: 'read',
        visits: 'read', logScale: 'readWrite', places: 'read',
      }, // prettier-ignore
    });
  const columns = (entryPoint: string) =>
    createKernel(gpu, {
      label: `densify ${entryPoint}`,
      files: [{ name: `${folder}columns.wgsl`, text: columnsText }],
      entryPoint,
      bindings: {
        settings: 'uniform', count: 'read', marks: 'read', places: 'read', column: 'readWrite', compacted: 'readWrite',
        parents: 'read', draws: 'read',
      }, // prettier-ignore
    });
  const place = (entryPoint: string) =>
    createKernel(gpu, {
      label: `densify ${entryPoint}`,
      files: [random, { name: `${folder}place.wgsl`, text: placeText }],
      entryPoint,
      bindings: {
        settings: 'uniform', count: 'readWrite', marks: 'read', places: 'read', parents: 'readWrite', draws: 'readWrite',
        barycentrics: 'readWrite', triangleIndices: 'readWrite', patches: 'read',
      }, // prettier-ignore
    });
  const turnChildren = await createKernel(gpu, {
    label: 'densify turnChildren',
    files: [
      { name: 'src/binding/triangle-frame.wgsl', text: frameText },
      { name: 'src/math/rotation.wgsl', text: rotationText },
      { name: `${folder}turn-children.wgsl`, text: turnText },
    ],
    bindings: {
      count: 'read', parents: 'read', draws: 'read', triangleIndices: 'read', triangles: 'read', posedVertices: 'read',
      localRotation: 'readWrite',
    }, // prettier-ignore
  });
  const [sumChunks, drawParents, markKept, markHighGradient, splitMarked, resetOpacity, compact, append, listMarked, placeChildren, growCount, keepCount] =
    await Promise.all([
      draw('sumChunks'), draw('draw'), mark('markKept'), mark('markHighGradient'), mark('splitMarked'), mark('resetOpacity'),
      columns('compact'), columns('append'), place('listMarked'), place('placeChildren'), place('growCount'), place('keepCount'),
    ]); // prettier-ignore
  return {
    sumChunks, drawParents, markKept, markHighGradient, splitMarked, resetOpacity, compact, append, listMarked, placeChildren, turnChildren, growCount,
    keepCount,
  }; // prettier-ignore
}

class GpuDensify implements Densify {
  readonly #gpu: Gpu;
  readonly #inputs: DensifyInputs;
  readonly #scratch: Scratch;
  readonly #kernels: Kernels;
  readonly #scan: BoundScan;
  readonly #owned: Ownership;

  constructor(gpu: Gpu, inputs: DensifyInputs, scratch: Scratch, kernels: Kernels, scan: BoundScan, owned: Ownership) {
    this.#gpu = gpu;
    this.#inputs = inputs;
    this.#scratch = scratch;
    this.#kernels = kernels;
    this.#scan = scan;
    this.#owned = owned;
  }

  sample(commands: Commands, event: SampleEvent): void {
    const { capacity } = this.#inputs;
    const draws = Math.min(event.draws, capacity);
    const settings = this.#settings([event.seed, event.stream, draws, 0], []);
    const { importance, count } = this.#inputs;
    const { chunkSums, parents } = this.#scratch;
    const bindings = { settings, importance, count, chunkSums, parents };
    const drawCount = this.#constant(draws);
    commands.copy(drawCount, 0, this.#scratch.draws, 0, 4);
    commands.pass('densify', (pass) => {
      this.#dispatch(pass, this.#kernels.sumChunks, bindings, 8);
      this.#dispatch(pass, this.#kernels.drawParents, bindings, Math.ceil(draws / 32));
    });
    const change = { shrink: Math.log(event.scaleFactor), fade: logit(event.opacity) };
    this.#appendChildren(commands, event, change, 0, draws);
  }

  cloneAndSplit(
    commands: Commands,
    event: { seed: number; stream: number; threshold: number; splitScale: number; nearness: number },
  ): void {
    const { capacity } = this.#inputs;
    // 3DGS shrinks both halves of a split by 1.6: the parent first, so that its child is copied small.
    const settings = this.#settings([], [event.threshold, Math.log(event.splitScale), -Math.log(1.6), 0]);
    commands.pass('densify', (pass) => this.#mark(pass, this.#kernels.markHighGradient, settings, groups(capacity)));
    this.#scanMarks(commands);
    commands.pass('densify', (pass) => {
      this.#mark(pass, this.#kernels.splitMarked, settings, groups(capacity));
      this.#place(pass, this.#kernels.listMarked, this.#settings([], []), groups(capacity));
    });
    this.#appendChildren(commands, event, UNCHANGED, event.nearness, capacity);
  }

  prune(commands: Commands, limit: number): void {
    const { capacity, columns } = this.#inputs;
    const { compacted } = this.#scratch;
    const settings = this.#settings([], [logit(limit), 0, 0, 0]);
    commands.pass('prune', (pass) => this.#mark(pass, this.#kernels.markKept, settings, groups(capacity)));
    this.#scanMarks(commands);
    for (const column of columns) {
      commands.pass('prune', (pass) => this.#column(pass, this.#kernels.compact, column, 0, 0, groups(capacity)));
      commands.copy(compacted, 0, column.buffer, 0, capacity * column.stride * 4);
    }
    commands.pass('prune', (pass) => this.#place(pass, this.#kernels.keepCount, this.#settings([], []), 1));
  }

  resetOpacity(commands: Commands, limit: number, moments: readonly GPUBuffer[]): void {
    const settings = this.#settings([], [logit(limit), 0, 0, 0]);
    commands.pass('reset opacity', (pass) =>
      this.#mark(pass, this.#kernels.resetOpacity, settings, groups(this.#inputs.capacity)),
    );
    for (const buffer of moments) commands.clear(buffer);
  }

  dispose(): void {
    this.#owned.destroy();
    this.#scan.destroy();
  }

  #appendChildren(
    commands: Commands,
    event: { seed: number; stream: number },
    change: ChildChange,
    nearness: number,
    mostDraws: number,
  ): void {
    const { capacity, columns, importance, visits } = this.#inputs;
    commands.pass('densify', (pass) => {
      for (const column of columns) {
        const mode = { copy: 0, zero: 1, shrink: 2, fade: 3 }[column.inherit];
        const value = { copy: 0, zero: 0, ...change }[column.inherit];
        this.#column(pass, this.#kernels.append, column, mode, value, groups(mostDraws));
      }
      const settings = this.#settings([event.seed, event.stream, capacity], [0, 0, 0, nearness]);
      this.#place(pass, this.#kernels.placeChildren, settings, groups(mostDraws));
      this.#turn(pass, groups(mostDraws));
      this.#place(pass, this.#kernels.growCount, settings, 1);
    });
    commands.clear(importance);
    commands.clear(visits);
  }

  /** places[i] = how many marks stand before i; places[count] = how many there are. */
  #scanMarks(commands: Commands): void {
    const { marks, places } = this.#scratch;
    commands.copy(marks, 0, places, 0, this.#inputs.capacity * 4);
    commands.pass('densify scan', (pass) => this.#scan.record(pass));
  }

  #mark(pass: GPUComputePassEncoder, kernel: Kernels['markKept'], settings: GPUBuffer, x: number): void {
    const { count, opacityLogit, importance, visits, logScale } = this.#inputs;
    const { marks, places } = this.#scratch;
    this.#dispatch(pass, kernel, { settings, count, marks, opacityLogit, importance, visits, logScale, places }, x);
  }

  #column(
    pass: GPUComputePassEncoder,
    kernel: Kernels['compact'],
    column: Column,
    mode: number,
    value: number,
    x: number,
  ): void {
    const { count, capacity } = this.#inputs;
    const { marks, places, compacted, parents, draws } = this.#scratch;
    const settings = this.#settings([column.stride, capacity, mode], [0, 0, 0, value]);
    this.#dispatch(
      pass,
      kernel,
      { settings, count, marks, places, column: column.buffer, compacted, parents, draws },
      x,
    );
  }

  #place(pass: GPUComputePassEncoder, kernel: Kernels['placeChildren'], settings: GPUBuffer, x: number): void {
    const { count, barycentrics, triangleIndices } = this.#inputs;
    const { marks, places, parents, draws, patches } = this.#scratch;
    const buffers = { settings, count, marks, places, parents, draws, barycentrics, triangleIndices, patches };
    this.#dispatch(pass, kernel, buffers, x);
  }

  #turn(pass: GPUComputePassEncoder, x: number): void {
    const { count, triangleIndices, localRotation, surface } = this.#inputs;
    const { parents, draws, triangles } = this.#scratch;
    const { posedVertices } = surface;
    const buffers = { count, parents, draws, triangleIndices, triangles, posedVertices, localRotation };
    this.#dispatch(pass, this.#kernels.turnChildren, buffers, x);
  }

  #dispatch<Name extends string>(
    pass: GPUComputePassEncoder,
    kernel: Kernel<Name>,
    buffers: Record<Name, GPUBuffer>,
    x: number,
  ): void {
    kernel.dispatch(pass, kernel.bind(buffers), x);
  }

  /** Four words: unsigned ones first, floats where a float is given. Events are rare, so each has its own buffer. */
  #settings(unsigned: readonly number[], floats: readonly number[]): GPUBuffer {
    const words = new Uint32Array(4);
    new Float32Array(words.buffer).set(floats);
    words.set(unsigned);
    return this.#constantBuffer(words, GPUBufferUsage.UNIFORM);
  }

  #constant(value: number): GPUBuffer {
    return this.#constantBuffer(new Uint32Array([value, 0, 0, 0]), GPUBufferUsage.COPY_SRC);
  }

  #constantBuffer(words: Uint32Array<ArrayBuffer>, usage: number): GPUBuffer {
    const buffer = this.#owned.own(
      this.#gpu.device.createBuffer({ label: 'densify settings', size: 16, usage, mappedAtCreation: true }),
    );
    new Uint32Array(buffer.getMappedRange()).set(words);
    buffer.unmap();
    return buffer;
  }
}
