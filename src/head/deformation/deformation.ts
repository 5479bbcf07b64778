import { createStorageBuffer, Ownership, readFloats, writeBuffer } from '../../gpu/buffer.ts';
import { Commands } from '../../gpu/commands.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import { createIdentityBlend } from './identity-blend.ts';
import { JOINT_NAMES, type HeadModel } from '../head-model.ts';
import { blendBlocks, fromRecords, toRecords, type BlendBlocks } from './blend-blocks.ts';
import { blendSupport, type BlendSupport } from './blend-support.ts';
import { createDeformationKernels, createWalks, type DeformationVariant } from './deformation-kernels.ts';
import { skinBlocks } from './skin-blocks.ts';
import { frameStateStride, TRANSFORM_FLOATS, VERTEX_STRIDE, vertexSlotStride, WORKGROUP_SIZE } from './layout.ts';

/**
 * The head on the GPU, deformed by FATE's eq 5 with learned deltas, forward and backward:
 * posed = LBS(identity + Δvertex + (P+ΔP)·(R−I) + (E+ΔE)·expression).
 */
export interface DeformationOptions {
  /** Of the head's identity basis; may be shorter than it. */
  readonly identityCoefficients: ArrayLike<number>;
  /** Frames whose gradients are held at once, for updates over a batch. Default 1. */
  readonly slotCount?: number;
  /** Displacements up to this many metres per unit coefficient are left out of the basis. Default 5e-5. */
  readonly supportThreshold?: number;
  /**
   * V: not 0 for the vertices that anything is bound to. The others are posed only when `forward` is asked for all, and
   * take no gradient but that of `vertexDifference`. Default: all are used.
   */
  readonly usedVertices?: ArrayLike<number>;
  /** How the kernels share the work. Default: by the device. */
  readonly variant?: DeformationVariant;
}

export const DEFORMATION_DEFAULTS = { slotCount: 1, supportThreshold: 5e-5 } as const;

export interface DeformationForwardOptions {
  /** Frame slot that keeps this pose's transforms and coefficients. Default 0. */
  readonly slot?: number;
  /**
   * Poses the vertices that are not used as well, and writes `vertexDifference`; costs as much again. Once per update is
   * enough (see `backward`). Default false.
   */
  readonly withDifference?: boolean;
}

/** What `backward` writes beside the gradient by blended vertices. */
export interface DeformationBackwardOptions {
  /** Frame slot of the forward pass this belongs to. Default 0. */
  readonly slot?: number;
  /** Where ∂loss/∂pose record goes, laid out like the record, overwritten. Left out: not computed. */
  readonly poseGradient?: GPUBufferBinding;
  /**
   * Adds `vertexDifferenceGradient` to the gradient of the deltas (not of the pose). In a batch of K frames, do it on
   * one of them with K times the weight: the penalty changes little between frames. Default false.
   */
  readonly withDifferenceGradient?: boolean;
}

/** Vertex fields are V×4 float32 (x, y, z, 0). Slots follow each other at `gradientSlotStride` and `stateSlotStride`. */
export interface Deformation {
  readonly head: HeadModel;
  readonly support: BlendSupport;
  /** How `displacements` and `modelDisplacements` lie in memory. */
  readonly blocks: BlendBlocks;
  readonly variant: DeformationVariant;
  readonly slotCount: number;
  /** Bytes between slots of `blendedGradient` and of `frameStates`. */
  readonly gradientSlotStride: number;
  readonly stateSlotStride: number;

  /** Template + identity, and the joints' rest positions (J×4). Fixed for a clip. */
  readonly identityVertices: GPUBuffer;
  readonly jointPositions: GPUBuffer;
  /** Learned: Δvertex (V×4, zero at first), and E+ΔE, P+ΔP (three floats per record of `blocks`; the model's at first). */
  readonly vertexOffset: GPUBuffer;
  readonly displacements: GPUBuffer;
  /** E and P as the model has them, for the difference and for export. */
  readonly modelDisplacements: GPUBuffer;

  /** Outputs of `forward`: world vertices; rest-frame vertices before skinning; what the deltas add to these. */
  readonly posedVertices: GPUBuffer;
  readonly blendedVertices: GPUBuffer;
  readonly vertexDifference: GPUBuffer;
  /** Joint transforms and blend coefficients of each slot (layout.ts). */
  readonly frameStates: GPUBuffer;

  /** Inputs of `backward`: ∂loss/∂posedVertices; ∂loss/∂vertexDifference when asked for. */
  readonly posedGradient: GPUBuffer;
  readonly vertexDifferenceGradient: GPUBuffer;
  /** Outputs of `backward`: ∂loss/∂blended vertex per slot, which is ∂loss/∂Δvertex, and times c_k ∂loss/∂D_k. */
  readonly blendedGradient: GPUBuffer;
  /** J×4: ∂loss/∂ rest positions of the joints; with the blended gradient, what the identity's backward takes. */
  readonly jointPositionGradient: GPUBuffer;

  /** M×3 by `support`: E+ΔE and P+ΔP. Reads back. */
  readDisplacements(): Promise<Float32Array>;
  /** Replaces them. */
  writeDisplacements(values: ArrayLike<number>): void;
  /** Poses the head by one `packPose` record (offset: a multiple of 256, see `poseRecordStride`). */
  forward(commands: Commands, pose: GPUBufferBinding, options?: DeformationForwardOptions): void;
  /** Must follow the `forward` of the same pose, before another one overwrites the vertices. */
  backward(commands: Commands, pose: GPUBufferBinding, options?: DeformationBackwardOptions): void;
  dispose(): void;
}

/** Uploads a head and compiles its deformation. Throws `RangeError` on options that do not fit the head. */
export async function createDeformation(gpu: Gpu, head: HeadModel, options: DeformationOptions): Promise<Deformation> {
  const { slotCount, supportThreshold } = { ...DEFORMATION_DEFAULTS, ...options };
  const { usedVertices, variant = gpu.adapter.isSoftware ? 'software' : 'hardware' } = options;
  check(head, slotCount, usedVertices);
  const support = blendSupport(head, supportThreshold);
  const blocks = blendBlocks(support, usedVertices);
  const walks = await createWalks(gpu, head, blocks, variant);
  const buffers = createBuffers(gpu, head, { support, blocks, slotCount, partCount: walks.backward.sums.lanes });
  await fillIdentity(gpu, head, buffers, options.identityCoefficients);
  return assemble(gpu, head, { slotCount, variant, walks }, buffers);
}

type Buffers = ReturnType<typeof createBuffers>;
type Walks = Awaited<ReturnType<typeof createWalks>>;

async function assemble(
  gpu: Gpu,
  head: HeadModel,
  { slotCount, variant, walks }: { slotCount: number; variant: DeformationVariant; walks: Walks },
  buffers: Buffers,
): Promise<Deformation> {
  const { support, blocks, ownership, displacements } = buffers;
  const kernels = await createDeformationKernels(gpu, head, blocks, walks.backward.sums.lanes);
  const stateSlotStride = frameStateStride(head.expressionNames.length, head.joints.length);
  const gradientSlotStride = vertexSlotStride(head.vertexCount);
  const slots = Array.from({ length: slotCount }, (_, slot) =>
    bindSlot(buffers, walks, kernels, {
      frameState: { buffer: buffers.frameStates, offset: slot * stateSlotStride, size: stateSlotStride },
      blendedGradient: {
        buffer: buffers.blendedGradient,
        offset: slot * gradientSlotStride,
        size: head.vertexCount * VERTEX_STRIDE * 4,
      },
    }),
  );
  const prepareGroups = new BindGroupCache();
  const prepareBackwardGroups = new BindGroupCache();
  const slotAt = (slot: number): (typeof slots)[number] => {
    const found = slots[slot];
    if (!found)
      throw new RangeError(`slot ${slot} does not exist: this deformation was made with slotCount ${slotCount}.`);
    return found;
  };

  return {
    slotCount,
    variant,
    gradientSlotStride,
    stateSlotStride,
    ...buffers,
    forward(commands, pose, { slot = 0, withDifference = false } = {}) {
      const { frameState, forward } = slotAt(slot);
      const prepare = prepareGroups.get([pose], slot, () => kernels.prepare.bind({ ...buffers, pose, frameState }));
      commands.pass('prepare pose', (pass) => kernels.prepare.dispatch(pass, prepare, 1));
      commands.pass('deform vertices', withDifference ? forward.all : forward.used);
    },
    backward(commands, pose, { slot = 0, poseGradient, withDifferenceGradient = false } = {}) {
      const { frameState, backward, addDifference } = slotAt(slot);
      commands.pass('deform vertices backward', poseGradient ? backward.sums : backward.alone);
      if (poseGradient) {
        const prepareBackward = prepareBackwardGroups.get([pose, poseGradient], slot, () =>
          kernels.prepareBackward.bind({ ...buffers, pose, poseGradient, frameState }),
        );
        commands.pass('prepare pose backward', (pass) => kernels.prepareBackward.dispatch(pass, prepareBackward, 1));
      }
      if (withDifferenceGradient) commands.pass('add difference gradient', addDifference);
    },
    async readDisplacements() {
      return fromRecords(blocks, await readFloats(gpu, displacements), 3);
    },
    writeDisplacements(values) {
      if (values.length !== support.entryCount * 3) {
        throw new RangeError(
          `values has ${values.length} floats, but the support's entries need ${support.entryCount * 3}.`,
        );
      }
      writeBuffer(gpu, displacements, toRecords(blocks, values, 3));
    },
    dispose: () => ownership.destroy(),
  };
}

/** What the passes of one slot run. */
function bindSlot(
  buffers: Buffers,
  { forward, backward }: Walks,
  kernels: Awaited<ReturnType<typeof createDeformationKernels>>,
  slot: { frameState: GPUBufferBinding; blendedGradient: GPUBufferBinding },
) {
  const all = { ...buffers, ...slot };
  type Recorder = (pass: GPUComputePassEncoder) => void;
  const record = ({ kernel, groups }: Walks['forward']['used'] | Walks['backward']['sums']): Recorder => {
    const group = kernel.bind(all);
    return (pass) => kernel.dispatch(pass, group, groups);
  };
  const difference = kernels.addDifference.bind({ ...all, differenceGradient: buffers.vertexDifferenceGradient });
  const vertexGroups = Math.ceil(buffers.head.vertexCount / WORKGROUP_SIZE);
  return {
    frameState: slot.frameState,
    forward: { used: record(forward.used), all: record(forward.all) },
    backward: { alone: record(backward.alone), sums: record(backward.sums) },
    addDifference: ((pass) => kernels.addDifference.dispatch(pass, difference, vertexGroups)) satisfies Recorder,
  };
}

/** Bind groups by the pose bindings they were made for: a clip has a few hundred poses, each used many times. */
class BindGroupCache {
  readonly #byBuffer = new WeakMap<GPUBuffer, Map<string, GPUBindGroup>>();

  get(bindings: readonly GPUBufferBinding[], slot: number, create: () => GPUBindGroup): GPUBindGroup {
    const buffers = bindings.map((binding) => binding.buffer);
    const key = [
      slot,
      ...bindings.map(({ offset, size }) => `${offset ?? 0}+${size ?? ''}`),
      ...buffers.map(idOf),
    ].join(' ');
    const groups = this.#byBuffer.get(buffers[0]) ?? new Map<string, GPUBindGroup>();
    this.#byBuffer.set(buffers[0], groups);
    const group = groups.get(key) ?? create();
    groups.set(key, group);
    return group;
  }
}

const bufferIds = new WeakMap<GPUBuffer, number>();
let nextBufferId = 0;
function idOf(buffer: GPUBuffer): number {
  const id = bufferIds.get(buffer) ?? nextBufferId++;
  bufferIds.set(buffer, id);
  return id;
}

function createBuffers(
  gpu: Gpu,
  head: HeadModel,
  given: { support: BlendSupport; blocks: BlendBlocks; slotCount: number; partCount: number },
) {
  const { support, blocks, slotCount, partCount } = given;
  const ownership = new Ownership();
  const jointCount = head.joints.length;
  const create = (label: string, content: Parameters<typeof createStorageBuffer>[2]): GPUBuffer =>
    ownership.own(createStorageBuffer(gpu, label, content));
  const vertexField = (label: string): GPUBuffer => create(label, head.vertexCount * VERTEX_STRIDE * 4);
  const jointTable = head.joints.flatMap(({ name, parent }) => [parent, JOINT_NAMES.indexOf(name)]);
  const model = toRecords(blocks, support.displacements, 3);
  const skin = skinBlocks(blocks, head.skinningWeights, jointCount);
  const stateStride = frameStateStride(head.expressionNames.length, jointCount);
  return {
    ownership,
    head,
    support,
    blocks,
    identityVertices: vertexField('identity vertices'),
    jointPositions: create('joint positions', jointCount * VERTEX_STRIDE * 4),
    joints: create('joints', Int32Array.from(jointTable)),
    blockTable: create('blend blocks', Uint32Array.from([...blocks.table, ...skin.table])),
    displacements: create('blend displacements', model),
    modelDisplacements: create('model blend displacements', model),
    skinningWeights: create('skinning weights', skin.weights),
    vertexOffset: vertexField('vertex offset'),
    posedVertices: vertexField('posed vertices'),
    blendedVertices: vertexField('blended vertices'),
    vertexDifference: vertexField('vertex difference'),
    frameStates: create('frame states', slotCount * stateStride),
    posedGradient: vertexField('posed gradient'),
    vertexDifferenceGradient: vertexField('vertex difference gradient'),
    blendedGradient: create('blended gradient', slotCount * vertexSlotStride(head.vertexCount)),
    jointPositionGradient: create('joint position gradient', jointCount * VERTEX_STRIDE * 4),
    transformSums: create('transform sums', partCount * jointCount * TRANSFORM_FLOATS * 4),
    coefficientSums: create('coefficient sums', partCount * support.coefficientCount * 4),
    sums: create('pose sums', (jointCount * TRANSFORM_FLOATS + support.coefficientCount) * 4),
  };
}

async function fillIdentity(
  gpu: Gpu,
  head: HeadModel,
  buffers: Buffers,
  identityCoefficients: ArrayLike<number>,
): Promise<void> {
  const identity = await createIdentityBlend(gpu, head);
  identity.setCoefficients(identityCoefficients);
  const commands = new Commands(gpu);
  identity.forward(commands, buffers);
  commands.submit();
  await commands.done();
  identity.dispose();
}

function check(head: HeadModel, slotCount: number, usedVertices?: ArrayLike<number>): void {
  if (usedVertices && usedVertices.length !== head.vertexCount) {
    throw new RangeError(
      `usedVertices has ${usedVertices.length} values, but the head has ${head.vertexCount} vertices.`,
    );
  }
  if (!(slotCount >= 1))
    throw new RangeError(`slotCount is ${slotCount}: give the number of frames per update, 1 or more.`);
  if (head.joints.length > JOINT_NAMES.length || head.joints[0]?.parent !== -1) {
    throw new RangeError(`head "${head.name}": joints must start with the root and be at most ${JOINT_NAMES.length}.`);
  }
  const expected = head.expressionNames.length * head.vertexCount * 3;
  if (head.expressionBasis.length !== expected) {
    throw new RangeError(
      `head "${head.name}": expressionBasis has ${head.expressionBasis.length} values, but ` +
        `${head.expressionNames.length} expressions of ${head.vertexCount} vertices need ${expected}.`,
    );
  }
}
