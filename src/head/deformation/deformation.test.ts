import { describe, expect, it } from 'vitest';
import {
  describeDifferentiable,
  type Arrays,
  type DifferentiableOperation,
} from '../../../test/describe-differentiable.ts';
import { testGpu } from '../../../test/gpu.ts';
import { smallHead } from '../../../test/small-head.ts';
import { createStorageBuffer, readFloats, writeBuffer } from '../../gpu/buffer.ts';
import { Commands } from '../../gpu/commands.ts';
import { randomNormal } from '../../math/random.ts';
import type { HeadModel } from '../head-model.ts';
import { poseVertices } from '../pose-vertices.ts';
import { POSE_JOINT_FLOATS, unpackPose } from '../pose.ts';
import { blendSupport } from './blend-support.ts';
import {
  blendIdentityReference,
  blendIdentityReferenceBackward,
  deformReference,
  deformReferenceBackward,
  type DeformationInputs,
} from './deformation.reference.ts';
import { DEFORMATION_VARIANTS, type DeformationVariant } from './deformation-kernels.ts';
import { createDeformation } from './deformation.ts';
import { createIdentityBlend } from './identity-blend.ts';
import { padVertices, poseRecordStride, unpadVertices } from './layout.ts';

interface Setting {
  readonly head: HeadModel;
  /** Which outputs the loss looks at: the pose takes no gradient from `vertexDifference`, so never both. */
  readonly of: 'posedVertices' | 'vertexDifference';
}

const THRESHOLD = 1e-4;

function inputsOf(setting: Setting, arrays: Record<string, Float64Array>): DeformationInputs {
  return { ...blendIdentityReference(setting.head, arrays.identity), ...(arrays as unknown as DeformationInputs) };
}

/** The whole stage, identity coefficients to posed vertices. */
const operation = (variant: DeformationVariant): DifferentiableOperation<Setting> => ({
  name: `deformation, variant ${variant}`,
  forward(arrays, setting) {
    const outputs = deformReference(setting.head, blendSupport(setting.head, THRESHOLD), inputsOf(setting, arrays));
    return { [setting.of]: outputs[setting.of] };
  },
  backward(arrays, gradients, setting): Arrays {
    const { head, of } = setting;
    const zero = new Float64Array(head.vertexCount * 3);
    const { pose, vertexOffset, deltas, identityVertices, jointPositions } = deformReferenceBackward(
      head,
      blendSupport(head, THRESHOLD),
      inputsOf(setting, arrays),
      { posedVertices: zero, vertexDifference: zero, ...gradients },
    );
    if (of === 'vertexDifference') return { vertexOffset, deltas };
    return {
      pose,
      vertexOffset,
      deltas,
      identity: blendIdentityReferenceBackward(head, { identityVertices, jointPositions }),
    };
  },
  async runOnGpu(gpu, arrays, gradients, { head, of }) {
    const deformed = await createDeformation(gpu, head, {
      identityCoefficients: arrays.identity,
      supportThreshold: THRESHOLD,
      slotCount: 2,
      variant,
    });
    const identity = await createIdentityBlend(gpu, head);
    const expressionCount = head.expressionNames.length;
    // The second record and slot, so that offsets are put to the test.
    const stride = poseRecordStride(expressionCount);
    const poses = createStorageBuffer(gpu, 'poses', stride * 2);
    const poseGradients = createStorageBuffer(gpu, 'pose gradients', stride * 2);
    writeBuffer(gpu, poses, arrays.pose, stride);
    writeBuffer(gpu, deformed.vertexOffset, padVertices(arrays.vertexOffset));
    const { support } = deformed;
    deformed.writeDisplacements(arrays.deltas.map((delta, i) => delta + support.displacements[i]));
    const gradientBuffer = of === 'posedVertices' ? deformed.posedGradient : deformed.vertexDifferenceGradient;
    writeBuffer(gpu, gradientBuffer, padVertices(gradients[of]));
    const record = (buffer: GPUBuffer): GPUBufferBinding => ({ buffer, offset: stride, size: stride });
    const commands = new Commands(gpu);
    deformed.forward(commands, record(poses), { slot: 1, withDifference: of === 'vertexDifference' });
    deformed.backward(commands, record(poses), {
      slot: 1,
      poseGradient: record(poseGradients),
      withDifferenceGradient: of === 'vertexDifference',
    });
    identity.backward(commands, {
      vertexGradient: {
        buffer: deformed.blendedGradient,
        offset: deformed.gradientSlotStride,
        size: head.vertexCount * 16,
      },
      jointPositionGradient: deformed.jointPositionGradient,
    });
    commands.submit();
    const output = unpadVertices(await readFloats(gpu, deformed[of]), head.vertexCount);
    const blendedGradient = await readFloats(gpu, deformed.blendedGradient);
    const vertexOffset = unpadVertices(blendedGradient.subarray(deformed.gradientSlotStride / 4), head.vertexCount);
    const state = (await readFloats(gpu, deformed.frameStates)).subarray(deformed.stateSlotStride / 4);
    const deltas = Float32Array.from({ length: support.entryCount * 3 }, (_, i) => {
      const entry = Math.floor(i / 3);
      const coefficient = state[head.joints.length * 12 + support.coefficients[entry]];
      return coefficient * vertexOffset[support.vertices[entry] * 3 + (i % 3)];
    });
    const poseGradient = (await readFloats(gpu, poseGradients)).subarray(stride / 4);
    const shared = { vertexOffset, deltas };
    const result = {
      outputs: { [of]: output },
      gradients:
        of === 'vertexDifference'
          ? shared
          : {
              ...shared,
              pose: poseGradient.slice(0, POSE_JOINT_FLOATS + expressionCount),
              identity: await readFloats(gpu, identity.coefficientGradient, head.identityNames.length),
            },
    };
    deformed.dispose();
    identity.dispose();
    poses.destroy();
    poseGradients.destroy();
    return result;
  },
});

function scene(name: string, head: HeadModel, angle: number, of: Setting['of'] = 'posedVertices') {
  const support = blendSupport(head, THRESHOLD);
  const normals = (seed: number, length: number, size: number): number[] =>
    Array.from({ length }, (_, i) => size * randomNormal(seed, 3, i));
  return {
    name,
    setting: { head, of },
    inputs: {
      pose: [
        0.02,
        -0.01,
        0.9,
        ...normals(11, 15, angle),
        ...normals(12, head.expressionNames.length, 0.5).map(Math.abs),
      ],
      vertexOffset: normals(13, head.vertexCount * 3, 0.002),
      deltas: normals(14, support.entryCount * 3, 0.001),
      identity: normals(15, head.identityNames.length, 1),
    },
  };
}

for (const variant of DEFORMATION_VARIANTS) {
  describeDifferentiable(
    operation(variant),
    [
      scene('ordinary pose', smallHead(), 0.3),
      scene('large turns, no correctives of the model', smallHead({ hasCorrectives: false, expressionCount: 7 }), 1.4),
      scene('tiny turns', smallHead({ rings: 5, segments: 9 }), 1e-4),
      scene('what the deltas add', smallHead(), 0.3, 'vertexDifference'),
    ],
    {
      hostile: [
        scene('no rotation at all', smallHead(), 0),
        scene('no expressions, no identity', smallHead({ expressionCount: 0, identityCount: 0 }), 0.3),
      ],
    },
  );
}

describe.each(DEFORMATION_VARIANTS)('deformation, variant %s', (variant) => {
  it('without deltas poses as the host does', async () => {
    const gpu = await testGpu();
    const head = smallHead();
    const pose = Float32Array.from(scene('', head, 0.5).inputs.pose);
    const identityCoefficients = [0.5, -1];
    const poses = createStorageBuffer(gpu, 'poses', pose);
    const deformed = await createDeformation(gpu, head, { identityCoefficients, supportThreshold: 0, variant });
    const commands = new Commands(gpu);
    deformed.forward(commands, { buffer: poses }, { withDifference: true });
    commands.submit();
    const posed = unpadVertices(await readFloats(gpu, deformed.posedVertices), head.vertexCount);
    const expected = poseVertices(head, identityCoefficients, unpackPose(pose));
    const worst = posed.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i])), 0);
    expect(worst).toBeLessThan(2e-7);
    expect((await readFloats(gpu, deformed.vertexDifference)).every((value) => value === 0)).toBe(true);
    deformed.dispose();
  });

  it('poses the used vertices as it does all of them, forward and backward', async () => {
    const gpu = await testGpu();
    const head = smallHead({ rings: 9, segments: 11 });
    const expressionCount = head.expressionNames.length;
    const used = Uint8Array.from({ length: head.vertexCount }, (_, vertex) => (vertex % 3 === 1 ? 0 : 1));
    const gradient = padVertices(
      Float32Array.from({ length: head.vertexCount * 3 }, (_, i) => used[Math.floor(i / 3)]! * randomNormal(21, 0, i)),
    );
    const stride = poseRecordStride(expressionCount);
    const pose = createStorageBuffer(gpu, 'pose', stride);
    writeBuffer(gpu, pose, Float32Array.from(scene('', head, 0.5).inputs.pose));
    const poseGradient = createStorageBuffer(gpu, 'pose gradient', stride);
    const run = async (usedVertices?: Uint8Array, withDifference = false) => {
      const options = { identityCoefficients: [1], variant, ...(usedVertices ? { usedVertices } : {}) };
      const deformed = await createDeformation(gpu, head, options);
      writeBuffer(gpu, deformed.posedGradient, gradient);
      const commands = new Commands(gpu);
      deformed.forward(commands, { buffer: pose }, { withDifference });
      deformed.backward(commands, { buffer: pose }, { poseGradient: { buffer: poseGradient } });
      commands.submit();
      const posed = await readFloats(gpu, deformed.posedVertices);
      const result = {
        posed,
        blendedGradient: await readFloats(gpu, deformed.blendedGradient),
        poseGradient: await readFloats(gpu, poseGradient),
        usedPosed: posed.filter((_, i) => used[Math.floor(i / 4)] === 1),
      };
      deformed.dispose();
      return result;
    };
    const [all, some, asked] = [await run(), await run(used), await run(used, true)];
    expect(some.usedPosed).toEqual(all.usedPosed);
    expect(some.blendedGradient).toEqual(all.blendedGradient);
    for (const [i, value] of all.poseGradient.entries()) expect(some.poseGradient[i]).toBeCloseTo(value, 4);
    for (const [i, value] of all.posed.entries()) expect(asked.posed[i]).toBeCloseTo(value, 6);
    pose.destroy();
    poseGradient.destroy();
  });
});

describe('deformation', () => {
  it('keeps the support sparse, sorted and complete', () => {
    const head = smallHead();
    const support = blendSupport(head, THRESHOLD);
    expect(support.entryCount).toBeLessThan(0.6 * head.vertexCount * support.coefficientCount);
    expect(support.starts[head.vertexCount]).toBe(support.entryCount);
    const places = Array.from(support.vertices, (vertex, i) => vertex * 1000 + support.coefficients[i]);
    expect(places).toEqual([...new Set(places)].sort((a, b) => a - b));
    const moved = head.expressionBasis.filter((value, i) => i % 3 === 0 && value !== 0).length;
    const expressions = support.coefficients.filter((coefficient) => coefficient < head.expressionNames.length);
    expect(expressions.length).toBe(moved);
  });

  it('names what does not fit', async () => {
    const gpu = await testGpu();
    const options = { identityCoefficients: new Float32Array(99) };
    await expect(createDeformation(gpu, smallHead(), options)).rejects.toThrow(/identityCoefficients has 99 values/);
    await expect(createDeformation(gpu, smallHead(), { identityCoefficients: [], slotCount: 0 })).rejects.toThrow(
      /slotCount is 0/,
    );
    const short = createDeformation(gpu, smallHead(), { identityCoefficients: [], usedVertices: [1] });
    await expect(short).rejects.toThrow(/usedVertices has 1 values/);
  });
});
