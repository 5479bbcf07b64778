import { createStorageBuffer, createUniformBuffer, Ownership, readFloats, writeBuffer } from '../gpu/buffer.ts';
import type { Commands } from '../gpu/commands.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { createSort } from '../gpu/sort.ts';
import {
  LOCAL_ATTRIBUTES,
  LOCAL_STRIDES,
  WORLD_ATTRIBUTES,
  WORLD_STRIDE,
  type LocalGaussians,
  type WorldGaussians,
} from '../gaussians/layout.ts';
import {
  createPlacementBackwardKernels,
  createPlacementKernels,
  GRADIENT_RECORDS,
  placementVariant,
  type PlacementVariant,
} from './placement-kernels.ts';

const WORKGROUP_SIZE = 64;
/** Vertices that an invocation of the gather takes. */
const GATHER_TURNS = { software: 8, hardware: 1 };

/** The surface and the Gaussians bound to it. All buffers are the caller's and are bound once: change them in place. */
export interface PlacementOptions {
  /** T×3 vertex indices. */
  readonly triangles: Uint32Array;
  readonly vertexCount: number;
  /** V×4 metres, world: the deformation's output. */
  readonly posedVertices: GPUBuffer;
  /** Most Gaussians there will ever be. */
  readonly gaussianCapacity: number;
  /** uint32 in element 0: Gaussians in use. */
  readonly count: GPUBuffer;
  /** N uint32, and N×3 float32 weights that sum to 1. */
  readonly triangleIndices: GPUBuffer;
  readonly barycentrics: GPUBuffer;
  readonly local: LocalGaussians;
  /** Where `backward` writes. Left out: no backward pass (a viewer needs none). */
  readonly gradients?: PlacementGradients;
  /** T metres, of a stored avatar; otherwise `takeCanonicalSizes` or `setCanonicalSizes` must come before `forward`. */
  readonly canonicalSizes?: ArrayLike<number>;
  /** Default: by what the device has room for. */
  readonly variant?: PlacementVariant;
}

/** Outputs of `backward`, overwritten. */
export interface PlacementGradients {
  readonly local: LocalGaussians;
  /** V×4: the deformation's `posedGradient`. */
  readonly posed: GPUBuffer;
}

/** Places Gaussians from their triangles into the world (FATE eqs 2–4), forward and backward. */
export interface Placement {
  /** Output of `forward`, for `gaussianCapacity`. */
  readonly world: WorldGaussians;
  /** Must follow every change of the set (at first, densify, prune); nothing is read back. */
  rebuildIndex(commands: Commands): void;
  /** Takes the vertices at hand as the canonical pose that sizes are relative to. Before the first `forward`. */
  takeCanonicalSizes(commands: Commands): void;
  /** T metres. */
  setCanonicalSizes(sizes: ArrayLike<number>): void;
  readCanonicalSizes(): Promise<Float32Array>;
  /** Writes the world Gaussians. */
  forward(commands: Commands): void;
  /** From ∂loss/∂world Gaussians (the rasteriser's). Must follow the `forward` of the same vertices. */
  backward(commands: Commands, worldGradients: WorldGaussians): void;
  dispose(): void;
}

/** Local Gaussians (or their gradients) for `capacity`, zero-filled; the owner destroys them. */
export function createLocalGaussians(gpu: Gpu, label: string, capacity: number): LocalGaussians {
  return fromEntries(LOCAL_ATTRIBUTES, (name) =>
    createStorageBuffer(gpu, `${label} ${name}`, capacity * LOCAL_STRIDES[name] * 4),
  );
}

/** World Gaussians (or their gradients) for `capacity`, zero-filled; the owner destroys them. */
export function createWorldGaussians(gpu: Gpu, label: string, capacity: number): WorldGaussians {
  return fromEntries(WORLD_ATTRIBUTES, (name) =>
    createStorageBuffer(gpu, `${label} ${name}`, capacity * WORLD_STRIDE * 4),
  );
}

function fromEntries<Name extends string>(
  names: readonly Name[],
  create: (name: Name) => GPUBuffer,
): Record<Name, GPUBuffer> {
  return Object.fromEntries(names.map((name) => [name, create(name)])) as Record<Name, GPUBuffer>;
}

export async function createPlacement(gpu: Gpu, options: PlacementOptions): Promise<Placement> {
  check(options);
  const { gaussianCapacity, posedVertices, local, canonicalSizes, variant = placementVariant(gpu) } = options;
  const triangleCount = options.triangles.length / 3;
  const owned = new Ownership();
  const create = (label: string, content: Parameters<typeof createStorageBuffer>[2]): GPUBuffer =>
    owned.own(createStorageBuffer(gpu, `placement ${label}`, content));
  const triangles = create('triangles', triangleRecords(options.triangles, canonicalSizes));
  const anchors = create('anchors', gaussianCapacity * 16);
  const control = create('control', 32);
  const world = createWorldGaussians(gpu, 'world', gaussianCapacity);
  for (const buffer of Object.values(world)) owned.own(buffer);
  const uniformCount = owned.own(createUniformBuffer(gpu, 'placement count', 16));
  const kernels = await createPlacementKernels(gpu, triangleCount, variant);
  const shared = { count: uniformCount, anchors, triangles, posedVertices, ...local };
  const backward = options.gradients
    ? await createBackward(gpu, { ...options, variant }, options.gradients, { shared, control, owned, create })
    : null;
  const pairs = backward?.sort ?? {
    keys: create('keys', gaussianCapacity * 12),
    values: create('values', gaussianCapacity * 12),
  };
  const { count, triangleIndices, barycentrics } = options;
  const indexGroup = kernels.index.bind({
    count,
    triangleIndices,
    barycentrics,
    triangles,
    anchors,
    control,
    keys: pairs.keys,
    values: pairs.values,
  });
  const placeGroup = kernels.place.bind({ ...shared, ...world });
  const colorGroup = kernels.placeColor?.bind({ ...shared, ...world });
  const canonicalGroup = kernels.canonicalSizes.bind({ posedVertices, triangles });

  return {
    world,
    rebuildIndex(commands) {
      commands.copy(count, 0, uniformCount, 0, 4);
      commands.pass('placement index', (pass) =>
        kernels.index.dispatch(pass, indexGroup, Math.ceil(gaussianCapacity / WORKGROUP_SIZE)),
      );
      backward?.recordIndex(commands);
    },
    takeCanonicalSizes(commands) {
      commands.pass('canonical sizes', (pass) =>
        kernels.canonicalSizes.dispatch(pass, canonicalGroup, Math.ceil(triangleCount / WORKGROUP_SIZE)),
      );
    },
    setCanonicalSizes(sizes) {
      if (sizes.length !== triangleCount) {
        throw new RangeError(`sizes has ${sizes.length} values, but the surface has ${triangleCount} triangles.`);
      }
      writeBuffer(gpu, triangles, triangleRecords(options.triangles, sizes));
    },
    async readCanonicalSizes() {
      const words = await readFloats(gpu, triangles, triangleCount * 4);
      return Float32Array.from({ length: triangleCount }, (_, triangle) => words[triangle * 4 + 3]);
    },
    forward(commands) {
      commands.pass('place', (pass) => {
        kernels.place.dispatchIndirect(pass, placeGroup, control, 16);
        if (colorGroup) kernels.placeColor?.dispatchIndirect(pass, colorGroup, control, 16);
      });
    },
    backward(commands, worldGradients) {
      if (!backward)
        throw new Error('placement: this one was made without gradients. Give `gradients` to createPlacement.');
      backward.record(commands, worldGradients);
    },
    dispose: () => owned.destroy(),
  };
}

async function createBackward(
  gpu: Gpu,
  options: PlacementOptions & { readonly variant: PlacementVariant },
  gradients: PlacementGradients,
  given: {
    shared: Record<'count' | 'anchors' | 'triangles' | 'posedVertices', GPUBuffer> & LocalGaussians;
    control: GPUBuffer;
    owned: Ownership;
    create: (label: string, bytes: number) => GPUBuffer;
  },
) {
  const { vertexCount, gaussianCapacity, variant } = options;
  const { shared, control, owned, create } = given;
  const gatherTurns = gpu.adapter.isSoftware ? GATHER_TURNS.software : GATHER_TURNS.hardware;
  const kernels = await createPlacementBackwardKernels(gpu, vertexCount, variant);
  const sort = owned.own(
    await createSort(gpu, {
      capacity: gaussianCapacity * 3,
      count: control,
      bits: Math.max(1, Math.ceil(Math.log2(vertexCount))),
      label: 'placement corners',
    }),
  );
  const placementGradient = create('gradient', gaussianCapacity * GRADIENT_RECORDS[variant] * 16);
  const cornerStarts = create('corner starts', (vertexCount + 1) * 4);
  const groupsByGradients = new WeakMap<WorldGaussians, { place: GPUBindGroup; local: GPUBindGroup }>();
  const groupsOf = (worldGradients: WorldGaussians): { place: GPUBindGroup; local: GPUBindGroup } => {
    const bindings = { ...shared, ...suffixed(worldGradients), ...suffixed(gradients.local), placementGradient };
    const groups = groupsByGradients.get(worldGradients) ?? {
      place: kernels.placeBackward.bind(bindings),
      local: kernels.localBackward.bind(bindings),
    };
    groupsByGradients.set(worldGradients, groups);
    return groups;
  };
  const startsGroup = kernels.cornerStarts.bind({ control, sortedKeys: sort.sortedKeys, cornerStarts });
  const gatherGroup = kernels.gather.bind({
    cornerStarts,
    corners: sort.sortedValues,
    placementGradient,
    posedGradient: gradients.posed,
  });
  return {
    sort,
    recordIndex(commands: Commands): void {
      sort.record(commands);
      commands.pass('placement corner starts', (pass) =>
        kernels.cornerStarts.dispatch(pass, startsGroup, Math.ceil((vertexCount + 1) / WORKGROUP_SIZE)),
      );
    },
    record(commands: Commands, worldGradients: WorldGaussians): void {
      const groups = groupsOf(worldGradients);
      commands.pass('place backward', (pass) => {
        kernels.placeBackward.dispatchIndirect(pass, groups.place, control, 16);
        kernels.localBackward.dispatchIndirect(pass, groups.local, control, 16);
        kernels.gather.dispatch(pass, gatherGroup, Math.ceil(vertexCount / (WORKGROUP_SIZE * gatherTurns)));
      });
    },
  };
}

/** `{ color: b }` to `{ colorGradient: b }`. */
function suffixed<Name extends string>(
  buffers: Readonly<Record<Name, GPUBuffer>>,
): Record<`${Name}Gradient`, GPUBuffer> {
  return Object.fromEntries(Object.entries(buffers).map(([name, buffer]) => [`${name}Gradient`, buffer])) as Record<
    `${Name}Gradient`,
    GPUBuffer
  >;
}

/** T×4: three vertices and the canonical size's float bits. */
function triangleRecords(triangles: Uint32Array, sizes?: ArrayLike<number>): Uint32Array {
  const records = new Uint32Array((triangles.length / 3) * 4);
  const floats = new Float32Array(records.buffer);
  for (let triangle = 0; triangle * 3 < triangles.length; triangle++) {
    records.set(triangles.subarray(triangle * 3, triangle * 3 + 3), triangle * 4);
    floats[triangle * 4 + 3] = sizes ? sizes[triangle] : 1;
  }
  return records;
}

function check({ triangles, vertexCount, gaussianCapacity }: PlacementOptions): void {
  if (!(gaussianCapacity >= 1)) {
    throw new RangeError(`gaussianCapacity is ${gaussianCapacity}: give the most Gaussians there will be, 1 or more.`);
  }
  const outside = triangles.findIndex((vertex) => vertex >= vertexCount);
  if (outside >= 0) {
    throw new RangeError(
      `triangles[${outside}] is vertex ${triangles[outside]}, but there are ${vertexCount} vertices.`,
    );
  }
}
