import { createStorageBuffer, Ownership, writeBuffer } from '../../gpu/buffer.ts';
import type { Commands } from '../../gpu/commands.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import { createKernel } from '../../gpu/kernel.ts';
import type { HeadModel } from '../head-model.ts';
import identityBackwardWgsl from './identity-blend.backward.wgsl?raw';
import identityWgsl from './identity-blend.wgsl?raw';
import jointPositionsWgsl from './joint-positions.wgsl?raw';
import { padVertices, WORKGROUP_SIZE } from './layout.ts';

const PARTS = 64;

/** Identity → vertices and joints at rest, forward and backward. It runs once per clip, not per step. */
export interface IdentityBlend {
  /** I float32 each; the gradient is overwritten by `backward`. */
  readonly coefficients: GPUBuffer;
  readonly coefficientGradient: GPUBuffer;
  /** Uploads coefficients; those that are missing count as zero. */
  setCoefficients(coefficients: ArrayLike<number>): void;
  /** Writes `identityVertices` (V×4) and `jointPositions` (J×4). */
  forward(commands: Commands, output: { identityVertices: GPUBuffer; jointPositions: GPUBuffer }): void;
  /** From ∂loss/∂identity vertices (V×4; the deformation's blended gradient of one slot) and ∂loss/∂joint positions (J×4). */
  backward(
    commands: Commands,
    gradients: { vertexGradient: GPUBuffer | GPUBufferBinding; jointPositionGradient: GPUBuffer },
  ): void;
  dispose(): void;
}

/** Uploads the identity basis (I×V×3 floats) and compiles its kernels. */
export async function createIdentityBlend(gpu: Gpu, head: HeadModel): Promise<IdentityBlend> {
  const { vertexCount } = head;
  const coefficientCount = head.identityNames.length;
  const jointCount = head.joints.length;
  const ownership = new Ownership();
  const create = (label: string, content: Parameters<typeof createStorageBuffer>[2]): GPUBuffer =>
    ownership.own(createStorageBuffer(gpu, label, content));
  const buffers = {
    templateVertices: create('template vertices', padVertices(head.templateVertices)),
    basis: create('identity basis', head.identityBasis),
    coefficients: create('identity coefficients', coefficientCount * 4),
    coefficientGradient: create('identity coefficient gradient', coefficientCount * 4),
    partials: create('identity partial sums', coefficientCount * PARTS * 4),
    ...regressorBuffers(head, create),
  };
  const kernels = await createIdentityKernels(gpu, { vertexCount, coefficientCount, jointCount });
  return {
    coefficients: buffers.coefficients,
    coefficientGradient: buffers.coefficientGradient,
    setCoefficients(coefficients) {
      if (coefficients.length > coefficientCount) {
        throw new RangeError(
          `identityCoefficients has ${coefficients.length} values, but head "${head.name}" has ${coefficientCount}. ` +
            'Were they made for another head model?',
        );
      }
      const values = new Float32Array(coefficientCount);
      values.set(Array.from(coefficients));
      if (coefficientCount > 0) writeBuffer(gpu, buffers.coefficients, values);
    },
    forward(commands, output) {
      const blend = kernels.blend.bind({ ...buffers, ...output });
      const joints = kernels.joints.bind({ ...buffers, ...output });
      commands.pass('identity', (pass) => kernels.blend.dispatch(pass, blend, Math.ceil(vertexCount / WORKGROUP_SIZE)));
      commands.pass('joint positions', (pass) => kernels.joints.dispatch(pass, joints, 1));
    },
    backward(commands, gradients) {
      if (coefficientCount === 0) return;
      const sum = kernels.sumVertices.bind({ ...buffers, ...gradients });
      const finish = kernels.finish.bind({ ...buffers, ...gradients });
      commands.pass('identity backward', (pass) => {
        kernels.sumVertices.dispatch(pass, sum, Math.ceil((coefficientCount * PARTS) / WORKGROUP_SIZE));
        kernels.finish.dispatch(pass, finish, Math.ceil(coefficientCount / WORKGROUP_SIZE));
      });
    },
    dispose: () => ownership.destroy(),
  };
}

function regressorBuffers(head: HeadModel, create: (label: string, content: Float32Array | Uint32Array) => GPUBuffer) {
  const starts = [0];
  for (const row of head.jointRegressor) starts.push(starts[starts.length - 1] + row.indices.length);
  return {
    regressorStarts: create('regressor starts', Uint32Array.from(starts)),
    regressorVertices: create(
      'regressor vertices',
      Uint32Array.from(head.jointRegressor.flatMap((row) => Array.from(row.indices))),
    ),
    regressorWeights: create(
      'regressor weights',
      Float32Array.from(head.jointRegressor.flatMap((row) => Array.from(row.weights))),
    ),
  };
}

async function createIdentityKernels(
  gpu: Gpu,
  counts: { vertexCount: number; coefficientCount: number; jointCount: number },
) {
  const { vertexCount, coefficientCount, jointCount } = counts;
  const backward = (entryPoint: string) =>
    createKernel(gpu, {
      label: `identity backward ${entryPoint}`,
      files: [{ name: 'src/head/deformation/identity-blend.backward.wgsl', text: identityBackwardWgsl }],
      entryPoint,
      bindings: {
        basis: 'read',
        vertexGradient: 'read',
        regressorStarts: 'read',
        regressorVertices: 'read',
        regressorWeights: 'read',
        jointPositionGradient: 'read',
        partials: 'readWrite',
        coefficientGradient: 'readWrite',
      },
      constants: { ...counts, partCount: PARTS },
    });
  const [blend, joints, sumVertices, finish] = await Promise.all([
    createKernel(gpu, {
      label: 'identity',
      files: [{ name: 'src/head/deformation/identity-blend.wgsl', text: identityWgsl }],
      bindings: { templateVertices: 'read', basis: 'read', coefficients: 'read', identityVertices: 'readWrite' },
      constants: { vertexCount, coefficientCount },
    }),
    createKernel(gpu, {
      label: 'joint positions',
      files: [{ name: 'src/head/deformation/joint-positions.wgsl', text: jointPositionsWgsl }],
      bindings: {
        regressorStarts: 'read',
        regressorVertices: 'read',
        regressorWeights: 'read',
        identityVertices: 'read',
        jointPositions: 'readWrite',
      },
      constants: { jointCount },
    }),
    backward('sumVertices'),
    backward('finish'),
  ]);
  return { blend, joints, sumVertices, finish };
}
