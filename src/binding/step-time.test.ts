import { describe, expect, it } from 'vitest';
import { testGpu } from '../../test/gpu.ts';
import { sharedPath } from '../../test/shared.ts';
import { createStorageBuffer, writeBuffer } from '../gpu/buffer.ts';
import { Commands, Profiler } from '../gpu/commands.ts';
import { createDeformation } from '../head/deformation/deformation.ts';
import { createDeltaAdam } from '../head/deformation/delta-adam.ts';
import { poseRecordStride } from '../head/deformation/layout.ts';
import { readIctTemplate } from '../head/ict/ict-head.ts';
import { POSE_JOINT_FLOATS } from '../head/pose.ts';
import { randomNormal, randomUniform } from '../math/random.ts';
import { openFolder } from '../platform/node/folder.ts';
import { createLocalGaussians, createPlacement, createWorldGaussians } from './placement.ts';

const path = sharedPath('data/heads/ict-facekit');
const FRAMES_PER_UPDATE = 4;
const STEPS = 8;
/**
 * The least of several rounds, and the process's CPU time (a software driver runs inside it): what other processes on
 * the machine disturb least. On n free cores a step takes an n-th of it.
 */
const ROUNDS = 12;

describe('a training step without rasteriser and losses', () => {
  it.skipIf(!path)('on ICT-FaceKit: time per pass, printed (needs ../shared/data/heads/ict-facekit)', async () => {
    const gpu = await testGpu();
    const { template } = await readIctTemplate(await openFolder(path!));
    const head = { ...template, landmarks: { triangleIndices: new Uint32Array(0), barycentrics: new Float32Array(0) } };
    const expressionCount = head.expressionNames.length;
    const deformation = await createDeformation(gpu, head, { identityCoefficients: [], slotCount: FRAMES_PER_UPDATE });
    const adam = await createDeltaAdam(gpu, deformation);
    for (const gaussianCount of [10_000, 20_000]) {
      const local = createLocalGaussians(gpu, 'local', gaussianCount);
      const worldGradients = createWorldGaussians(gpu, 'world gradient', gaussianCount);
      const triangleIndices = Uint32Array.from({ length: gaussianCount }, (_, i) =>
        Math.floor(randomUniform(41, 0, i) * head.triangleCount),
      );
      const placement = await createPlacement(gpu, {
        triangles: head.triangles,
        vertexCount: head.vertexCount,
        posedVertices: deformation.posedVertices,
        gaussianCapacity: gaussianCount,
        count: createStorageBuffer(gpu, 'count', Uint32Array.of(gaussianCount)),
        triangleIndices: createStorageBuffer(gpu, 'triangle indices', triangleIndices),
        barycentrics: createStorageBuffer(gpu, 'barycentrics', new Float32Array(gaussianCount * 3).fill(1 / 3)),
        local,
        gradients: {
          local: createLocalGaussians(gpu, 'local gradient', gaussianCount),
          posed: deformation.posedGradient,
        },
      });
      for (const buffer of Object.values(worldGradients)) {
        writeBuffer(
          gpu,
          buffer,
          Float32Array.from({ length: gaussianCount * 4 }, (_, i) => randomNormal(42, 0, i)),
        );
      }
      const stride = poseRecordStride(expressionCount);
      const poses = createStorageBuffer(gpu, 'poses', stride * STEPS);
      const poseGradient = { buffer: createStorageBuffer(gpu, 'pose gradient', stride) };
      for (let frame = 0; frame < STEPS; frame++) {
        const record = Float32Array.from({ length: POSE_JOINT_FLOATS + expressionCount }, (_, i) =>
          // Tracked frames leave about half of the expressions at exactly zero.
          i < POSE_JOINT_FLOATS ? 0.1 * randomNormal(43, frame, i) : Math.max(0, 0.3 * randomNormal(43, frame, i)),
        );
        writeBuffer(gpu, poses, record, frame * stride);
      }
      const profiler = gpu.adapter.hasTimestamps ? new Profiler(gpu) : null;
      const run = async (): Promise<number> => {
        const commands = new Commands(gpu, profiler);
        placement.rebuildIndex(commands);
        for (let step = 0; step < STEPS; step++) {
          const pose = { buffer: poses, offset: step * stride, size: stride };
          const slot = step % FRAMES_PER_UPDATE;
          deformation.forward(commands, pose, { slot, withDifference: slot === FRAMES_PER_UPDATE - 1 });
          placement.forward(commands);
          placement.backward(commands, worldGradients);
          deformation.backward(commands, pose, {
            slot,
            poseGradient,
            withDifferenceGradient: slot === FRAMES_PER_UPDATE - 1,
          });
          if (slot === FRAMES_PER_UPDATE - 1) adam.step(commands, { step: (step + 1) / FRAMES_PER_UPDATE });
        }
        const before = process.cpuUsage();
        commands.submit();
        await commands.done();
        const { user, system } = process.cpuUsage(before);
        return (user + system) / 1000 / STEPS;
      };
      let perStep = Infinity;
      const least = new Map<string, number>();
      for (let round = 0; round < ROUNDS; round++) {
        perStep = Math.min(perStep, await run());
        for (const [label, { milliseconds }] of (await profiler?.milliseconds()) ?? []) {
          least.set(label, Math.min(least.get(label) ?? Infinity, milliseconds / STEPS));
        }
      }
      const lines = [...least].map(([label, milliseconds]) => `  ${label}: ${milliseconds.toFixed(3)} ms per step`);
      console.log(
        [
          `${gaussianCount} Gaussians, ${head.vertexCount} vertices, ${deformation.support.entryCount} entries: ` +
            `${perStep.toFixed(2)} CPU ms per step on ${gpu.adapter.description}`,
          ...lines,
        ].join('\n'),
      );
      expect(perStep).toBeGreaterThan(0);
      profiler?.dispose();
      placement.dispose();
    }
    adam.dispose();
    deformation.dispose();
  });
});
