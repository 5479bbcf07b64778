import { describe, expect, it } from 'vitest';
import { madeClip, madeFace } from '../../test/made-clip.ts';
import { randomNormal } from '../math/random.ts';
import { matrixFromAxisAngle, multiplyMatrices } from '../math/rotation.ts';
import {
  factorBandedCholesky,
  factorCholesky,
  solveBanded,
  solveLower,
  solveLowerTransposed,
} from './solve-cholesky.ts';
import { FrameEquations, type FrameProblem } from './solve-frame.ts';
import { initializePose } from './solve-initial.ts';
import { landmarkBasis } from './solve-landmarks.ts';
import { prepareFrame } from './solve-observations.ts';
import { createClipState, createFrameState, moveFrame, updateShape } from './solve-state.ts';

const head = madeFace();

function scene() {
  const clip = madeClip(head, { frameCount: 3 });
  const basis = landmarkBasis(head);
  // Landmarks that face the camera: elsewhere the weight changes with the pose, which Gauss–Newton takes as fixed.
  const weights = Float64Array.from({ length: 468 }, (_, l) => (basis.normals[l * 3 + 2] > 0.8 ? 1 + (l % 3) : 0));
  const problem: FrameProblem = {
    basis,
    weights,
    limits: new Float64Array(20).map((_, i) => (i % 2 ? 9 : -9)),
    pixelSigma: 2,
    depthSigma: 4,
    expressionSparsity: 0.7,
  };
  const { data } = prepareFrame(
    head,
    clip.observations[0],
    clip.crops[0],
    { width: 640, height: 480 },
    468,
    { scoredSigma: 0.2, unscoredSigma: 0.4 },
    new Float32Array(52),
  );
  const clipState = createClipState(basis, 750);
  const frame = createFrameState(10);
  expect(initializePose(problem, clipState, data, frame)).toBe(true);
  frame.expression.forEach((_, k) => (frame.expression[k] = 0.1 * (k % 4)));
  return { problem, basis, data, clipState, frame };
}

describe('FrameEquations', () => {
  it('has the gradient of its cost, by central differences, for every unknown', () => {
    const { problem, basis, data, clipState, frame } = scene();
    const equations = new FrameEquations(problem);
    const cost = equations.build(clipState, frame, data, 6, 'shared');
    expect(equations.cost(clipState, frame, data, 6)).toBeCloseTo(cost, 9);
    const gradient = equations.gradient.slice();
    const moved = createFrameState(10);
    const costAt = (unknown: number, delta: number): number => {
      const step = new Float64Array(16);
      const shared = createClipState(basis, 750);
      if (unknown < 16) step[unknown] = delta;
      else if (unknown === 16) shared.logFocal += delta;
      else shared.identity[unknown - 17] += delta;
      updateShape(basis, shared);
      moveFrame(moved, frame, step, 0, problem.limits);
      return equations.cost(shared, moved, data, 6);
    };
    const scale = Math.max(...gradient.map(Math.abs));
    for (let unknown = 0; unknown < gradient.length; unknown++) {
      const measured = (costAt(unknown, 1e-5) - costAt(unknown, -1e-5)) / 2e-5;
      expect(Math.abs(measured - gradient[unknown])).toBeLessThan(1e-6 * scale);
    }
  });

  it('agrees between its extents', () => {
    const { problem, data, clipState, frame } = scene();
    const [local, all] = [new FrameEquations(problem), new FrameEquations(problem)];
    expect(local.build(clipState, frame, data, 6, 'frame')).toBe(all.build(clipState, frame, data, 6, 'shared'));
    const size = all.localCount + all.sharedCount;
    for (let i = 0; i < local.localCount; i++) {
      expect(local.gradient[i]).toBe(all.gradient[i]);
      for (let j = i; j < local.localCount; j++)
        expect(local.hessian[i * local.localCount + j]).toBe(all.hessian[i * size + j]);
    }
  });
});

describe('initializePose', () => {
  it('finds a head turned far aside, upside down or rolled from its points alone', () => {
    const { problem, basis, clipState } = scene();
    for (const turn of [
      [0, 0.8, 0],
      [0.4, -0.7, 0.3],
      [0, 0, 3],
      [-0.5, 0.2, -1.5],
    ]) {
      const rotation = multiplyMatrices([1, 0, 0, 0, -1, 0, 0, 0, -1], matrixFromAxisAngle(turn));
      const points = new Float64Array(468 * 2);
      for (let l = 0; l < 468; l++) {
        const [x, y, z] = [0, 1, 2].map((row) =>
          [0, 1, 2].reduce((sum, k) => sum + rotation[row * 3 + k] * basis.neutral[l * 3 + k], 0),
        );
        points[l * 2] = (750 * (x + 0.1)) / (z + 0.6);
        points[l * 2 + 1] = (750 * y) / (z + 0.6);
        if (l % 10 === 0) points[l * 2] += 60 * randomNormal(1, 2, l);
      }
      const frame = createFrameState(10);
      const data = { ...scene().data, points, present: new Float64Array(468).fill(1) };
      expect(initializePose(problem, clipState, data, frame)).toBe(true);
      const trace = frame.rotation.reduce((sum, value, i) => sum + value * rotation[i], 0);
      expect(Math.acos(Math.min(1, (trace - 1) / 2))).toBeLessThan(0.25);
    }
  });
});

describe('Cholesky', () => {
  it('solves banded systems like dense ones, and says when a matrix is not positive definite', () => {
    const [size, bandwidth] = [17, 4];
    const dense = new Float64Array(size * size);
    const band = new Float64Array(size * (bandwidth + 1));
    for (let i = 0; i < size; i++) {
      for (let j = Math.max(0, i - bandwidth); j <= i; j++) {
        const value = i === j ? 12 : randomNormal(1, i, j);
        dense[i * size + j] = dense[j * size + i] = value;
        band[i * (bandwidth + 1) + bandwidth - (i - j)] = value;
      }
    }
    const right = Float64Array.from({ length: size }, (_, i) => i - 3);
    const [a, b] = [right.slice(), right.slice()];
    const factor = dense.slice();
    expect(factorCholesky(factor, size)).toBe(true);
    solveLower(factor, size, a);
    solveLowerTransposed(factor, size, a);
    expect(factorBandedCholesky(band, size, bandwidth)).toBe(true);
    solveBanded(band, size, bandwidth, b);
    for (let i = 0; i < size; i++) {
      expect(b[i]).toBeCloseTo(a[i], 12);
      expect(
        [...dense.subarray(i * size, (i + 1) * size)].reduce((sum, value, j) => sum + value * a[j], 0),
      ).toBeCloseTo(right[i], 10);
    }
    expect(factorCholesky(Float64Array.of(1, 0, 2, 1), 2)).toBe(false);
    expect(factorBandedCholesky(Float64Array.of(0, 1, 2, 1), 2, 1)).toBe(false);
  });
});
