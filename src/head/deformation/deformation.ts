import { createStorageBuffer, Ownership } from '../../gpu/buffer.ts';
import { Commands } from '../../gpu/commands.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import { createIdentityBlend } from './identity-blend.ts';
import { JOINT_NAMES, type HeadModel } from '../head-model.ts';
import { blendSupport, type BlendSupport } from './blend-support.ts';
import { createDeformationKernels } from './deformation-kernels.ts';
import {
  frameStateStride,
  posePartCount,
  TRANSFORM_FLOATS,
  VERTEX_STRIDE,
  vertexSlotStride,
  WORKGROUP_SIZE,
} from './layout.ts';

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
}

export const DEFORMATION_DEFAULTS = { slotCount: 1, supportThreshold: 5e-5 } as const;

export interface DeformationForwardOptions {
  /** Frame slot that keeps this pose's transforms and coefficients. Default 0. */
  readonly slot?: number;
  /** Also writes `vertexDifference`; costs as much again. Once per update is enough (see `backward`). Default false. */
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
  readonly slotCount: number;
  /** Bytes between slots of `blendedGradient` and of `frameStates`. */
  readonly gradientSlotStride: number;
  readonly stateSlotStride: number;

  /** Template + identity, and the joints' rest positions (J×4). Fixed for a clip. */
  readonly identityVertices: GPUBuffer;
  readonly jointPositions: GPUBuffer;
  /** Learned: Δvertex (V×4, zero at first), and E+ΔE, P+ΔP (M×3, by `support`; the model's at first). */
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

  /** Poses the head by one `packPose` record (offset: a multiple of 256, see `poseRecordStride`). */
  forward(commands: Commands, pose: GPUBufferBinding, options?: DeformationForwardOptions): void;
  /** Must follow the `forward` of the same pose, before another one overwrites the vertices. */
  backward(commands: Commands, pose: GPUBufferBinding, options?: DeformationBackwardOptions): void;
  dispose(): void;
}

/** Uploads a head and compiles its deformation. Throws `RangeError` on options that do not fit the head. */
export async function createDeformation(gpu: Gpu, head: HeadModel, options: DeformationOptions): Promise<Deformation> {
  const { slotCount, supportThreshold } = { ...DEFORMATION_DEFAULTS, ...options };
  check(head, slotCount);
  const buffers = createBuffers(gpu, head, blendSupport(head, supportThreshold), slotCount);
  await fillIdentity(gpu, head, buffers, options.identityCoefficients);
  return assemble(gpu, head, slotCount, buffers);
}

type Buffers = ReturnType<typeof createBuffers>;

async function assemble(gpu: Gpu, head: HeadModel, slotCount: number, buffers: Buffers): Promise<Deformation> {
  const { vertexCount } = head;
  const { support, ownership } = buffers;
  const kernels = await createDeformationKernels(gpu, head, support);
  const stateSlotStride = frameStateStride(head.expressionNames.length, head.joints.length);
  const gradientSlotStride = vertexSlotStride(vertexCount);
  const vertexGroups = Math.ceil(vertexCount / WORKGROUP_SIZE);
  const slots = Array.from({ length: slotCount }, (_, slot) => {
    const frameState = { buffer: buffers.frameStates, offset: slot * stateSlotStride, size: stateSlotStride };
    const gradient = {
      buffer: buffers.blendedGradient,
      offset: slot * gradientSlotStride,
      size: vertexCount * VERTEX_STRIDE * 4,
    };
    const all = { ...buffers, frameState, support: buffers.supportIndex };
    return {
      frameState,
      deformOnly: kernels.deformOnly.bind(all),
      deformWithDifference: kernels.deformWithDifference.bind(all),
      deformBackward: kernels.deformBackward.bind({ ...all, blendedGradient: gradient }),
      sumCoefficients: kernels.coefficientSums.bind({ ...all, blendedGradient: gradient }),
      addDifference: kernels.addDifference.bind({
        differenceGradient: buffers.vertexDifferenceGradient,
        blendedGradient: gradient,
      }),
    };
  });
  const transformSums = kernels.transformSums.bind(buffers);
  const partCount = posePartCount(gpu);
  const transformGroups = Math.ceil((partCount * head.joints.length) / WORKGROUP_SIZE);
  const prepareGroups = new BindGroupCache();
  const prepareBackwardGroups = new BindGroupCache();
  const slotAt = (slot: number): (typeof slots)[number] => {
    const found = slots[slot];
    if (!found)
      throw new RangeError(`slot ${slot} does not exist: this deformation was made with slotCount ${slotCount}.`);
    return found;
  };

  return {
    head,
    slotCount,
    gradientSlotStride,
    stateSlotStride,
    ...buffers,
    forward(commands, pose, { slot = 0, withDifference = false } = {}) {
      const { frameState, ...groups } = slotAt(slot);
      const variant = withDifference ? 'deformWithDifference' : 'deformOnly';
      const prepare = prepareGroups.get([pose], slot, () => kernels.prepare.bind({ ...buffers, pose, frameState }));
      commands.pass('prepare pose', (pass) => kernels.prepare.dispatch(pass, prepare, 1));
      commands.pass('deform vertices', (pass) => kernels[variant].dispatch(pass, groups[variant], vertexGroups));
    },
    backward(commands, pose, { slot = 0, poseGradient, withDifferenceGradient = false } = {}) {
      const groups = slotAt(slot);
      commands.pass('deform vertices backward', (pass) =>
        kernels.deformBackward.dispatch(pass, groups.deformBackward, vertexGroups),
      );
      if (poseGradient) {
        const prepareBackward = prepareBackwardGroups.get([pose, poseGradient], slot, () =>
          kernels.prepareBackward.bind({ ...buffers, pose, poseGradient, frameState: groups.frameState }),
        );
        commands.pass('pose sums', (pass) => {
          kernels.transformSums.dispatch(pass, transformSums, transformGroups);
          kernels.coefficientSums.dispatch(pass, groups.sumCoefficients, Math.ceil(partCount / 32));
        });
        commands.pass('prepare pose backward', (pass) => kernels.prepareBackward.dispatch(pass, prepareBackward, 1));
      }
      if (withDifferenceGradient) {
        commands.pass('add difference gradient', (pass) =>
          kernels.addDifference.dispatch(pass, groups.addDifference, vertexGroups),
        );
      }
    },
    dispose: () => ownership.destroy(),
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

function createBuffers(gpu: Gpu, head: HeadModel, support: BlendSupport, slotCount: number) {
  const ownership = new Ownership();
  const jointCount = head.joints.length;
  const create = (label: string, content: Parameters<typeof createStorageBuffer>[2]): GPUBuffer =>
    ownership.own(createStorageBuffer(gpu, label, content));
  const vertexField = (label: string): GPUBuffer => create(label, head.vertexCount * VERTEX_STRIDE * 4);
  const jointTable = head.joints.flatMap(({ name, parent }) => [parent, JOINT_NAMES.indexOf(name)]);
  const supportIndex = new Uint32Array(support.starts.length + support.entryCount);
  supportIndex.set(support.starts);
  supportIndex.set(support.coefficients, support.starts.length);
  const partCount = posePartCount(gpu);
  const stateStride = frameStateStride(head.expressionNames.length, jointCount);
  return {
    ownership,
    support,
    identityVertices: vertexField('identity vertices'),
    jointPositions: create('joint positions', jointCount * VERTEX_STRIDE * 4),
    joints: create('joints', Int32Array.from(jointTable)),
    supportIndex: create('blend support', supportIndex),
    displacements: create('blend displacements', support.displacements),
    modelDisplacements: create('model blend displacements', support.displacements),
    skinningWeights: create('skinning weights', head.skinningWeights),
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

function check(head: HeadModel, slotCount: number): void {
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
