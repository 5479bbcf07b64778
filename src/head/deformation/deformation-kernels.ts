import type { Gpu } from '../../gpu/gpu.ts';
import { createKernel, type WgslFile } from '../../gpu/kernel.ts';
import rotationWgsl from '../../math/rotation.wgsl?raw';
import type { HeadModel } from '../head-model.ts';
import addDifferenceWgsl from './add-difference.backward.wgsl?raw';
import blendTransformsWgsl from './blend-transforms.wgsl?raw';
import type { BlendSupport } from './blend-support.ts';
import coefficientSumsWgsl from './coefficient-sums.backward.wgsl?raw';
import deformBackwardWgsl from './deform-vertices.backward.wgsl?raw';
import deformWgsl from './deform-vertices.wgsl?raw';
import { posePartCount } from './layout.ts';
import poseRecordWgsl from './pose-record.wgsl?raw';
import prepareBackwardWgsl from './prepare-pose.backward.wgsl?raw';
import prepareWgsl from './prepare-pose.wgsl?raw';
import transformSumsWgsl from './transform-sums.backward.wgsl?raw';

const file = (name: string, text: string): WgslFile => ({ name: `src/head/deformation/${name}`, text });
const ROTATION: WgslFile = { name: 'src/math/rotation.wgsl', text: rotationWgsl };
const POSE_RECORD = file('pose-record.wgsl', poseRecordWgsl);
const BLEND_TRANSFORMS = file('blend-transforms.wgsl', blendTransformsWgsl);

/** Compiles the deformation's kernels for one head: its sizes are override constants. */
export async function createDeformationKernels(gpu: Gpu, head: HeadModel, support: BlendSupport) {
  const { vertexCount } = head;
  const jointCount = head.joints.length;
  const partCount = posePartCount(gpu);
  const expressionCount = head.expressionNames.length;
  const deform = (withDifference: boolean) =>
    createKernel(gpu, {
      label: 'deform vertices',
      files: [file('deform-vertices.wgsl', deformWgsl), BLEND_TRANSFORMS],
      bindings: {
        frameState: 'read',
        identityVertices: 'read',
        vertexOffset: 'read',
        support: 'read',
        displacements: 'read',
        modelDisplacements: 'read',
        skinningWeights: 'read',
        posedVertices: 'readWrite',
        blendedVertices: 'readWrite',
        vertexDifference: 'readWrite',
      },
      constants: { vertexCount, jointCount, withDifference: Number(withDifference) },
    });
  const [
    prepare,
    deformOnly,
    deformWithDifference,
    deformBackward,
    addDifference,
    transformSums,
    coefficientSums,
    prepareBackward,
  ] = await Promise.all([
    createKernel(gpu, {
      label: 'prepare pose',
      files: [file('prepare-pose.wgsl', prepareWgsl), POSE_RECORD, ROTATION],
      bindings: { pose: 'read', joints: 'read', jointPositions: 'read', frameState: 'readWrite' },
      constants: { jointCount, expressionCount },
    }),
    deform(false),
    deform(true),
    createKernel(gpu, {
      label: 'deform vertices backward',
      files: [file('deform-vertices.backward.wgsl', deformBackwardWgsl), BLEND_TRANSFORMS],
      bindings: { frameState: 'read', skinningWeights: 'read', posedGradient: 'read', blendedGradient: 'readWrite' },
      constants: { vertexCount, jointCount },
    }),
    createKernel(gpu, {
      label: 'add difference gradient',
      files: [file('add-difference.backward.wgsl', addDifferenceWgsl)],
      bindings: { differenceGradient: 'read', blendedGradient: 'readWrite' },
      constants: { vertexCount },
    }),
    createKernel(gpu, {
      label: 'transform sums',
      files: [file('transform-sums.backward.wgsl', transformSumsWgsl)],
      bindings: {
        skinningWeights: 'read',
        posedGradient: 'read',
        blendedVertices: 'read',
        transformSums: 'readWrite',
      },
      constants: { vertexCount, jointCount, partCount },
    }),
    createKernel(gpu, {
      label: 'coefficient sums',
      files: [file('coefficient-sums.backward.wgsl', coefficientSumsWgsl)],
      bindings: {
        support: 'read',
        displacements: 'read',
        blendedGradient: 'read',
        coefficientSums: 'readWrite',
      },
      constants: { vertexCount, coefficientCount: support.coefficientCount, partCount },
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
  return {
    prepare,
    deformOnly,
    deformWithDifference,
    deformBackward,
    addDifference,
    transformSums,
    coefficientSums,
    prepareBackward,
  };
}
