import type { Gpu } from '../../gpu/gpu.ts';
import { createKernel, type KernelOptions, type WgslFile } from '../../gpu/kernel.ts';
import rotationWgsl from '../../math/rotation.wgsl?raw';
import type { HeadModel } from '../head-model.ts';
import addDifferenceWgsl from './add-difference.backward.wgsl?raw';
import { BLOCK_LANES, type BlendBlocks } from './blend-blocks.ts';
import blendBlocksWgsl from './blend-blocks.wgsl?raw';
import deformBackwardWgsl from './deform-vertices.backward.wgsl?raw';
import deformWgsl from './deform-vertices.wgsl?raw';
import { blendCoefficientCount } from './layout.ts';
import poseRecordWgsl from './pose-record.wgsl?raw';
import prepareBackwardWgsl from './prepare-pose.backward.wgsl?raw';
import prepareWgsl from './prepare-pose.wgsl?raw';
import skinBlocksWgsl from './skin-blocks.wgsl?raw';

const file = (name: string, text: string): WgslFile => ({ name: `src/head/deformation/${name}`, text });
const ROTATION: WgslFile = { name: 'src/math/rotation.wgsl', text: rotationWgsl };
const POSE_RECORD = file('pose-record.wgsl', poseRecordWgsl);
const BLEND_BLOCKS = file('blend-blocks.wgsl', blendBlocksWgsl);
const SKIN_BLOCKS = file('skin-blocks.wgsl', skinBlocksWgsl);

/**
 * How many walkers share the blocks (blend-blocks.wgsl), and how many invocations make a workgroup: a software driver
 * wants few, long ones, a GPU many.
 */
export interface WalkShape {
  readonly groupWidth: number;
  readonly blocksPerWalker: number;
}

export type DeformationVariant = 'software' | 'hardware';
export const DEFORMATION_VARIANTS: readonly DeformationVariant[] = ['software', 'hardware'];

/** Walkers of the backward pass: each lane's row of sums is added up by one workgroup afterwards. */
const SOFTWARE_WALKERS = { forward: 64, backward: 16 };

function walkShape(variant: DeformationVariant, direction: 'forward' | 'backward', blocks: number): WalkShape {
  if (variant === 'hardware') return { groupWidth: 64, blocksPerWalker: direction === 'forward' ? 1 : 2 };
  return { groupWidth: BLOCK_LANES, blocksPerWalker: Math.ceil(blocks / SOFTWARE_WALKERS[direction]) || 1 };
}

/** A kernel that walks `blocks` blocks, and how many workgroups and lanes that takes. */
async function createWalk<Name extends string>(
  gpu: Gpu,
  options: KernelOptions<Name>,
  { blocks, variant, direction }: { blocks: number; variant: DeformationVariant; direction: 'forward' | 'backward' },
) {
  const shape = walkShape(variant, direction, blocks);
  const walkers = Math.ceil(blocks / shape.blocksPerWalker);
  const kernel = await createKernel(gpu, {
    ...options,
    constants: { ...options.constants, ...shape, walkedBlocks: blocks },
  });
  const groups = Math.ceil((walkers * BLOCK_LANES) / shape.groupWidth);
  return { kernel, groups, lanes: groups * shape.groupWidth };
}

const FORWARD_BINDINGS = {
  frameState: 'read',
  identityVertices: 'read',
  vertexOffset: 'read',
  blockTable: 'read',
  displacements: 'read',
  modelDisplacements: 'read',
  skinningWeights: 'read',
  posedVertices: 'readWrite',
  blendedVertices: 'readWrite',
  vertexDifference: 'readWrite',
} as const;

const BACKWARD_BINDINGS = {
  frameState: 'read',
  blockTable: 'read',
  displacements: 'read',
  skinningWeights: 'read',
  posedGradient: 'read',
  blendedVertices: 'read',
  blendedGradient: 'readWrite',
  transformSums: 'readWrite',
  coefficientSums: 'readWrite',
} as const;

/** The kernels that walk blocks of vertices. Of the backward ones, `sums` says how many lanes leave rows of sums. */
export async function createWalks(gpu: Gpu, head: HeadModel, blocks: BlendBlocks, variant: DeformationVariant) {
  const jointCount = head.joints.length;
  const { blockCount, table } = blocks;
  const constants = { vertexCount: head.vertexCount, jointCount, blockCount, skinBase: table.length };
  const coefficientCount = blendCoefficientCount(head.expressionNames.length, jointCount);
  const deform = (withDifference: boolean) => {
    const options = {
      label: 'deform vertices',
      files: [file('deform-vertices.wgsl', deformWgsl), BLEND_BLOCKS, SKIN_BLOCKS],
      bindings: FORWARD_BINDINGS,
      constants: { ...constants, withDifference: Number(withDifference) },
    };
    const walked = withDifference ? blocks.blockCount : blocks.usedBlockCount;
    return createWalk(gpu, options, { blocks: walked, variant, direction: 'forward' });
  };
  const backward = (withSums: boolean) => {
    const options = {
      label: 'deform vertices backward',
      files: [file('deform-vertices.backward.wgsl', deformBackwardWgsl), BLEND_BLOCKS, SKIN_BLOCKS],
      bindings: BACKWARD_BINDINGS,
      constants: { ...constants, coefficientCount, withSums: Number(withSums) },
    };
    return createWalk(gpu, options, { blocks: blocks.usedBlockCount, variant, direction: 'backward' });
  };
  const [used, all, alone, sums] = await Promise.all([deform(false), deform(true), backward(false), backward(true)]);
  return { forward: { used, all }, backward: { alone, sums } };
}

/** Compiles the other kernels: they are the same for every device. `partCount`: rows of the pose's sums. */
export async function createDeformationKernels(gpu: Gpu, head: HeadModel, blocks: BlendBlocks, partCount: number) {
  const { vertexCount } = head;
  const jointCount = head.joints.length;
  const expressionCount = head.expressionNames.length;
  const [prepare, addDifference, prepareBackward] = await Promise.all([
    createKernel(gpu, {
      label: 'prepare pose',
      files: [file('prepare-pose.wgsl', prepareWgsl), POSE_RECORD, ROTATION],
      bindings: { pose: 'read', joints: 'read', jointPositions: 'read', frameState: 'readWrite' },
      constants: { jointCount, expressionCount },
    }),
    createKernel(gpu, {
      label: 'add difference gradient',
      files: [file('add-difference.backward.wgsl', addDifferenceWgsl)],
      bindings: { blockTable: 'read', differenceGradient: 'read', blendedGradient: 'readWrite' },
      constants: { vertexCount, usedCount: blocks.usedCount },
    }),
    createKernel(gpu, {
      label: 'prepare pose backward',
      files: [file('prepare-pose.backward.wgsl', prepareBackwardWgsl), POSE_RECORD, ROTATION],
      bindings: {
        pose: 'read',
        joints: 'read',
        jointPositions: 'read',
        frameState: 'read',
        transformSums: 'read',
        coefficientSums: 'read',
        sums: 'readWrite',
        poseGradient: 'readWrite',
        jointPositionGradient: 'readWrite',
      },
      constants: { jointCount, expressionCount, partCount },
    }),
  ]);
  return { prepare, addDifference, prepareBackward };
}
