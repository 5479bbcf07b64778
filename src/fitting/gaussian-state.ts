import { Ownership, createStorageBuffer, readBytes, readUints, writeBuffer } from '../gpu/buffer.ts';
import type { Commands } from '../gpu/commands.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { createKernel } from '../gpu/kernel.ts';
import {
  LOCAL_ATTRIBUTES,
  LOCAL_STRIDES,
  type GaussianSet,
  type LocalAttribute,
  type LocalGaussians,
} from '../gaussians/layout.ts';
import { createAdam, type Adam, type AdamStepOptions } from './adam.ts';
import type { PersistentBuffer } from './checkpoint.ts';
import { createDensify, type Column, type Densify, type DensifySurface } from './densify/densify.ts';
import type { LearningRates } from './fit-options.ts';
import statisticsText from './statistics.wgsl?raw';

/** The Gaussians being learned: attributes, where they are bound, their optimiser, and how the set changes. */
export interface GaussianState {
  readonly capacity: number;
  /** u32: how many are in use; the GPU alone knows during the fit. */
  readonly count: GPUBuffer;
  readonly local: LocalGaussians;
  readonly localGradients: LocalGaussians;
  readonly triangleIndices: GPUBuffer;
  readonly barycentrics: GPUBuffer;
  readonly densify: Densify;
  readonly persistent: readonly PersistentBuffer[];
  readonly opacityMoments: GPUBuffer;
  /** Updates of all attributes for `step` (from 1), to be run in one pass. */
  updates(step: number, rateFactor: number): (readonly [Adam, AdamStepOptions])[];
  /** Adds the step's positional gradients to the densification statistics. */
  gather(commands: Commands, mean2dGradient: GPUBuffer): void;
  /** Reads the set back. For checkpoints and the end of the fit. */
  read(): Promise<GaussianSet>;
  /** Replaces the attributes of the Gaussians in use; their number, places and moments stay. */
  write(set: GaussianSet): void;
  dispose(): void;
}

/** What a child gets of its parent's. */
const INHERIT: Partial<Record<LocalAttribute, Column['inherit']>> = { logScale: 'shrink', opacityLogit: 'fade' };

const RATE_OF: Record<LocalAttribute, keyof LearningRates> = {
  localRotation: 'rotation',
  logScale: 'scale',
  opacityLogit: 'opacity',
  color: 'color',
  normalOffset: 'offset',
};

export async function createGaussianState(
  gpu: Gpu,
  initial: GaussianSet,
  capacity: number,
  rates: LearningRates,
  imageSize: number,
  surface: DensifySurface,
): Promise<GaussianState> {
  const owned = new Ownership();
  const create = (name: string, stride: number, content?: Float32Array | Uint32Array): GPUBuffer => {
    const words = new Uint32Array(capacity * stride);
    if (content) words.set(new Uint32Array(content.buffer, content.byteOffset, content.length));
    return owned.own(createStorageBuffer(gpu, name, words));
  };
  const perAttribute = <T>(make: (name: LocalAttribute) => T): Record<LocalAttribute, T> =>
    Object.fromEntries(LOCAL_ATTRIBUTES.map((name) => [name, make(name)])) as Record<LocalAttribute, T>;

  const count = owned.own(createStorageBuffer(gpu, 'gaussian count', Uint32Array.of(initial.count)));
  const local = perAttribute((name) => create(name, LOCAL_STRIDES[name], initial[name]));
  const localGradients = perAttribute((name) => create(`${name} gradient`, LOCAL_STRIDES[name]));
  const triangleIndices = create('triangle indices', 1, initial.triangleIndices);
  const barycentrics = create('barycentrics', 3, initial.barycentrics);
  const importance = create('importance', 1);
  const visits = create('visits', 1);
  const adams = {} as Record<LocalAttribute, Adam>;
  for (const name of LOCAL_ATTRIBUTES) {
    adams[name] = await createAdam(gpu, {
      label: name,
      parameters: local[name],
      gradients: localGradients[name],
      stride: LOCAL_STRIDES[name],
      count,
      learningRate: rates[RATE_OF[name]],
    });
  }
  const columns: Column[] = [
    ...LOCAL_ATTRIBUTES.map((name): Column => ({
      name, buffer: local[name], stride: LOCAL_STRIDES[name], inherit: INHERIT[name] ?? 'copy',
    })), // prettier-ignore
    ...LOCAL_ATTRIBUTES.map((name): Column => ({
      name: `${name} moments`, buffer: adams[name].moments, stride: LOCAL_STRIDES[name] * 2, inherit: 'zero',
    })), // prettier-ignore
    { name: 'triangleIndices', buffer: triangleIndices, stride: 1, inherit: 'copy' },
    { name: 'barycentrics', buffer: barycentrics, stride: 3, inherit: 'copy' },
    { name: 'importance', buffer: importance, stride: 1, inherit: 'zero' },
    { name: 'visits', buffer: visits, stride: 1, inherit: 'zero' },
  ];
  const densify = await createDensify(gpu, {
    capacity, count, ...local, barycentrics, triangleIndices, surface, importance, visits, columns,
  }); // prettier-ignore
  const statistics = await createKernel(gpu, {
    label: 'gather statistics',
    files: [{ name: 'src/fitting/statistics.wgsl', text: statisticsText }],
    bindings: { count: 'read', mean2dGradient: 'read', importance: 'readWrite', visits: 'readWrite' },
    constants: { halfEdge: imageSize / 2 },
  });
  let statisticsGroup: { input: GPUBuffer; group: GPUBindGroup } | null = null;

  return {
    capacity,
    count,
    local,
    localGradients,
    triangleIndices,
    barycentrics,
    densify,
    opacityMoments: adams.opacityLogit.moments,
    persistent: [
      { name: 'gaussians.count', buffer: count },
      ...columns.map(({ name, buffer }) => ({ name: `gaussians.${name}`, buffer })),
    ],
    updates: (step, rateFactor) =>
      LOCAL_ATTRIBUTES.map((name) => [adams[name], { step, learningRate: rates[RATE_OF[name]] * rateFactor }] as const),
    gather(commands, mean2dGradient) {
      if (statisticsGroup?.input !== mean2dGradient) {
        statisticsGroup = {
          input: mean2dGradient,
          group: statistics.bind({ count, mean2dGradient, importance, visits }),
        };
      }
      const { group } = statisticsGroup;
      commands.pass('gather statistics', (pass) => statistics.dispatch(pass, group, Math.ceil(capacity / 64)));
    },
    async read() {
      const used = (await readUints(gpu, count, 1))[0]!;
      const floats = async (buffer: GPUBuffer, stride: number): Promise<Float32Array> =>
        new Float32Array(used === 0 ? new ArrayBuffer(0) : await readBytes(gpu, buffer, 0, used * stride * 4));
      return {
        count: used,
        triangleIndices: new Uint32Array((await floats(triangleIndices, 1)).buffer),
        barycentrics: await floats(barycentrics, 3),
        localRotation: await floats(local.localRotation, 4),
        logScale: await floats(local.logScale, 3),
        opacityLogit: await floats(local.opacityLogit, 1),
        color: await floats(local.color, 3),
        normalOffset: await floats(local.normalOffset, 1),
      };
    },
    write(set) {
      for (const name of LOCAL_ATTRIBUTES) writeBuffer(gpu, local[name], set[name]);
    },
    dispose() {
      densify.dispose();
      for (const adam of Object.values(adams)) adam.dispose();
      owned.destroy();
    },
  };
}
