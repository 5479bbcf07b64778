import { expect, it } from 'vitest';
import { madeClip, madeFace } from '../../test/made-clip.ts';
import type { FrameProblem } from './solve-frame.ts';
import { FrameSolver } from './solve-frame.ts';
import { initializePose } from './solve-initial.ts';
import { landmarkBasis } from './solve-landmarks.ts';
import { prepareFrame } from './solve-observations.ts';
import { solveOffsets } from './solve-offsets.ts';
import { createClipState, createFrameState } from './solve-state.ts';

const head = madeFace();
const basis = landmarkBasis(head);
const problem: FrameProblem = {
  basis,
  weights: new Float64Array(468).map((_, landmark) => 1 + (landmark % 3)),
  limits: new Float64Array(2 * basis.expressionCount),
  pixelSigma: 2,
  depthSigma: Number.POSITIVE_INFINITY,
  expressionSparsity: 0,
};

it('finds the landmark that lies off, and leaves a shift of all of them to the pose', () => {
  const clip = madeClip(head, { frameCount: 8, noise: 0, identityScale: 0 });
  const [crop, video] = [clip.crops[0]!, { width: clip.videoWidth, height: clip.videoHeight }];
  const state = createClipState(basis, clip.focal);
  const prior = { scoredSigma: 0.2, unscoredSigma: 0.4 };
  const frames = clip.observations.map((observation) => {
    const { data } = prepareFrame(head, observation, crop, video, 468, prior, new Float32Array(52));
    const frame = createFrameState(basis.expressionCount);
    expect(initializePose(problem, state, data, frame)).toBe(true);
    new FrameSolver(problem).solve(state, frame, data, 9, 20);
    // Everything lies 4 px too far right for the poses found; one landmark another 8 px.
    for (let landmark = 0; landmark < 468; landmark++) data.points[landmark * 2]! += 4 / data.pixelScale;
    data.points[2 * 100]! += 8 / data.pixelScale;
    return { state: frame, data };
  });
  solveOffsets(problem, state, frames, 50, new Float64Array(468).fill(0.01), 100);
  const { offsets } = state;
  for (let axis = 0; axis < 3; axis++) {
    let shift = 0;
    for (let landmark = 0; landmark < 468; landmark++)
      shift += problem.weights[landmark]! * offsets[landmark * 3 + axis]!;
    expect(Math.abs(shift / 936)).toBeLessThan(1e-12);
  }
  const sideways = Array.from({ length: 468 }, (_, landmark) => offsets[landmark * 3]!);
  expect(sideways.indexOf(Math.max(...sideways))).toBe(100);
  expect(sideways[100]).toBeGreaterThan(0.004);
});
