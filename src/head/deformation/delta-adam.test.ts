import { describe, expect, it } from 'vitest';
import { testGpu } from '../../../test/gpu.ts';
import { smallHead } from '../../../test/small-head.ts';
import { createStorageBuffer, readFloats, writeBuffer } from '../../gpu/buffer.ts';
import { Commands } from '../../gpu/commands.ts';
import { randomNormal } from '../../math/random.ts';
import { POSE_JOINT_FLOATS } from '../pose.ts';
import { createDeformation } from './deformation.ts';
import { createDeltaAdam, DELTA_ADAM_DEFAULTS } from './delta-adam.ts';
import { deformReferenceBackward } from './deformation.reference.ts';
import { padVertices, poseRecordStride, unpadVertices } from './layout.ts';

const head = smallHead();
const expressionCount = head.expressionNames.length;
const poseOf = (frame: number): Float32Array =>
  Float32Array.from({ length: POSE_JOINT_FLOATS + expressionCount }, (_, i) => 0.4 * randomNormal(21, frame, i));
const gradientOf = (frame: number): Float32Array =>
  Float32Array.from({ length: head.vertexCount * 3 }, (_, i) => randomNormal(22, frame, i));

/** Plain Adam in float64 on one array. */
function adamSteps(gradients: readonly Float64Array[], rate: number): Float64Array {
  const { beta1, beta2, epsilon } = DELTA_ADAM_DEFAULTS;
  const first = new Float64Array(gradients[0].length);
  const second = new Float64Array(first.length);
  const value = new Float64Array(first.length);
  gradients.forEach((gradient, index) => {
    gradient.forEach((g, i) => {
      first[i] = beta1 * first[i] + (1 - beta1) * g;
      second[i] = beta2 * second[i] + (1 - beta2) * g * g;
      const [m, v] = [first[i] / (1 - beta1 ** (index + 1)), second[i] / (1 - beta2 ** (index + 1))];
      value[i] -= (rate * m) / (Math.sqrt(v) + epsilon);
    });
  });
  return value;
}

/** Runs batches of `slotCount` frames on the GPU and the same sums through the float64 references. */
async function fit(slotCount: number, batches: number) {
  const gpu = await testGpu();
  const deformation = await createDeformation(gpu, head, { identityCoefficients: [], slotCount });
  const adam = await createDeltaAdam(gpu, deformation);
  const stride = poseRecordStride(expressionCount);
  const poses = createStorageBuffer(gpu, 'poses', stride * slotCount * batches);
  const { support } = deformation;
  const identityVertices = Float64Array.from(
    unpadVertices(await readFloats(gpu, deformation.identityVertices), head.vertexCount),
  );
  const jointPositions = Float64Array.from(
    unpadVertices(await readFloats(gpu, deformation.jointPositions), head.joints.length),
  );
  const batchGradients: { deltas: Float64Array; vertexOffset: Float64Array }[] = [];
  for (let batch = 0; batch < batches; batch++) {
    const sums = {
      deltas: new Float64Array(support.entryCount * 3),
      vertexOffset: new Float64Array(head.vertexCount * 3),
    };
    for (let slot = 0; slot < slotCount; slot++) {
      const frame = batch * slotCount + slot;
      const pose = { buffer: poses, offset: frame * stride, size: stride };
      writeBuffer(gpu, poses, poseOf(frame), pose.offset);
      writeBuffer(gpu, deformation.posedGradient, padVertices(gradientOf(frame)));
      const commands = new Commands(gpu);
      deformation.forward(commands, pose, { slot });
      deformation.backward(commands, pose, { slot });
      commands.submit();
      const gradient = deformReferenceBackward(
        head,
        support,
        {
          pose: Float64Array.from(poseOf(frame)),
          vertexOffset: new Float64Array(head.vertexCount * 3),
          deltas: new Float64Array(support.entryCount * 3),
          identityVertices,
          jointPositions,
        },
        {
          posedVertices: Float64Array.from(gradientOf(frame)),
          vertexDifference: new Float64Array(head.vertexCount * 3),
        },
      );
      for (const name of ['deltas', 'vertexOffset'] as const) {
        gradient[name].forEach((value, i) => (sums[name][i] += value / slotCount));
      }
    }
    batchGradients.push(sums);
    const commands = new Commands(gpu);
    adam.step(commands, { step: batch + 1 });
    commands.submit();
  }
  const result = {
    deltas: (await deformation.readDisplacements()).map((value, i) => value - support.displacements[i]),
    vertexOffset: unpadVertices(await readFloats(gpu, deformation.vertexOffset), head.vertexCount),
    expected: {
      deltas: adamSteps(
        batchGradients.map(({ deltas }) => deltas),
        DELTA_ADAM_DEFAULTS.deltaRate,
      ),
      vertexOffset: adamSteps(
        batchGradients.map(({ vertexOffset }) => vertexOffset),
        DELTA_ADAM_DEFAULTS.vertexOffsetRate,
      ),
    },
  };
  adam.dispose();
  deformation.dispose();
  poses.destroy();
  return result;
}

describe('delta Adam', () => {
  // The deltas' gradient does not depend on the deltas, so the reference needs no state of its own.
  it.each([
    [1, 3],
    [3, 2],
  ])('with batches of %i frames equals plain Adam on the summed gradient', async (slotCount, batches) => {
    const { deltas, vertexOffset, expected } = await fit(slotCount, batches);
    const worst = (actual: Float32Array, reference: Float64Array, rate: number): number =>
      actual.reduce((most, value, i) => Math.max(most, Math.abs(value - reference[i]) / rate), 0);
    expect(worst(deltas, expected.deltas, DELTA_ADAM_DEFAULTS.deltaRate)).toBeLessThan(5e-3);
    expect(worst(vertexOffset, expected.vertexOffset, DELTA_ADAM_DEFAULTS.vertexOffsetRate)).toBeLessThan(5e-3);
    expect(deltas.some((value) => value !== 0)).toBe(true);
  });

  it('gives identical bytes twice', async () => {
    const [first, second] = [await fit(2, 2), await fit(2, 2)];
    expect(Buffer.from(first.deltas.buffer).equals(Buffer.from(second.deltas.buffer))).toBe(true);
    expect(Buffer.from(first.vertexOffset.buffer).equals(Buffer.from(second.vertexOffset.buffer))).toBe(true);
  });
});
