import { describe, expect, it } from 'vitest';
import { projectLandmarks } from '../../test/made-clip.ts';
import { createBuiltinHead } from '../head/builtin/builtin-head.ts';
import { embedIrisCentres } from '../head/landmarks/embed-landmarks.ts';
import { neutralPose } from '../head/pose.ts';
import { readCanonicalFace } from '../platform/node/canonical-face.ts';
import { solveGaze, type GazeFrame } from './solve-gaze.ts';
import { landmarkBasis } from './solve-landmarks.ts';
import { createClipState, createFrameState } from './solve-state.ts';

const head = createBuiltinHead(readCanonicalFace());
const basis = landmarkBasis(head);
const irises = { ...head, landmarks: embedIrisCentres(head) };
const FOCAL = 900;
const FACING = Float32Array.of(Math.PI, 0, 0);

/** A frame of a head that looks along pitch and yaw; `open` false: the lids hide the eyes and the irises are nonsense. */
function look(index: number, pitch: number, yaw: number, open = true): GazeFrame {
  const pose = {
    ...neutralPose(head.expressionNames.length),
    headRotation: FACING,
    headTranslation: Float32Array.of(0, 0, 0.6),
  };
  const lids = projectLandmarks(head, [], pose, FOCAL, 0, 0);
  const eyes = { ...pose, leftEyePose: Float32Array.of(pitch, yaw, 0), rightEyePose: Float32Array.of(pitch, yaw, 0) };
  const [rightX, rightY, leftX, leftY] = projectLandmarks(irises, [], eyes, FOCAL, 0, 0);
  const landmarks = new Float32Array(478 * 3);
  for (let l = 0; l < 468; l++) landmarks.set([lids[l * 2], lids[l * 2 + 1], 0], l * 3);
  if (!open)
    for (const [upper, lower] of [
      [386, 374],
      [159, 145],
    ])
      landmarks.copyWithin(upper * 3, lower * 3, lower * 3 + 3);
  for (let k = 0; k < 5; k++) {
    landmarks.set(open ? [rightX, rightY, 0] : [300, 300, 0], (468 + k) * 3);
    landmarks.set(open ? [leftX, leftY, 0] : [-300, 300, 0], (473 + k) * 3);
  }
  const state = createFrameState(basis.expressionCount);
  state.position[2] = Math.log(0.6 / FOCAL);
  return { state, timestamp: index / 30, landmarks, principal: [0, 0] };
}

describe('solveGaze', () => {
  const clip = createClipState(basis, FOCAL);

  it('turns the eyes to where the irises are, through a saccade', () => {
    const frames = Array.from({ length: 30 }, (_, i) => look(i, 0.1, i < 15 ? -0.25 : 0.3));
    const { left, right, observed } = solveGaze(head, clip, frames);
    expect(observed).toBe(true);
    for (const i of [0, 7, 13, 16, 22, 29]) {
      for (const eye of [left, right]) {
        expect(Math.abs(eye[i * 2] - 0.1)).toBeLessThan(0.02);
        expect(Math.abs(eye[i * 2 + 1] - (i < 15 ? -0.25 : 0.3))).toBeLessThan(0.05);
      }
    }
  });

  it('bridges blinks, whose irises are guesses', () => {
    const frames = Array.from({ length: 20 }, (_, i) => look(i, 0, 0.2, i < 8 || i > 11));
    const { left } = solveGaze(head, clip, frames);
    for (let i = 0; i < 20; i++) expect(Math.abs(left[i * 2 + 1] - 0.2)).toBeLessThan(0.03);
  });

  it('looks straight ahead without irises', () => {
    const frames = Array.from({ length: 3 }, (_, i) => ({ ...look(i, 0.2, 0.2), landmarks: null }));
    const gaze = solveGaze(head, clip, frames);
    expect(gaze.observed).toBe(false);
    expect([...gaze.left, ...gaze.right].every((value) => value === 0)).toBe(true);
  });
});
