import { describe, expect, it } from 'vitest';
import { packPose, unpackPose, type HeadPose } from '../head/pose.ts';
import { randomNormal } from '../math/random.ts';
import { correctPose, learnTrackCorrection } from './track-correction.ts';

const SIZE = 24;
const pose = (seed: number): HeadPose =>
  unpackPose(Float32Array.from({ length: SIZE }, (_, k) => (k === 9 ? 0 : 0.1 * randomNormal(seed, 0, k))));
/** A tracker that is off by a constant, and moves sideways with the yaw. */
const refine = (tracked: HeadPose): HeadPose => {
  const values = packPose(tracked);
  values[0] += 0.01 + 0.3 * values[4]!;
  values[20] *= 1.5;
  return unpackPose(values);
};

describe('track correction', () => {
  const tracked = Array.from({ length: 300 }, (_, frame) => pose(frame));
  const correction = learnTrackCorrection(tracked, tracked.map(refine));

  it('carries a rule over to poses that it was not learned on', () => {
    for (let seed = 1000; seed < 1010; seed++) {
      const [wanted, given] = [packPose(refine(pose(seed))), packPose(correctPose(pose(seed), correction))];
      wanted.forEach((value, k) => expect(Math.abs(value - given[k]!)).toBeLessThan(0.012));
      expect(Math.abs(wanted[0]! - given[0]!)).toBeLessThan(Math.abs(wanted[0]! - packPose(pose(seed))[0]!));
    }
  });

  it('leaves values that never moved, and needs enough frames', () => {
    expect(packPose(correctPose(pose(5), correction))[9]).toBe(0);
    expect(learnTrackCorrection(tracked.slice(0, 19), tracked.slice(0, 19))).toBeNull();
    expect(correctPose(pose(5), null)).toEqual(pose(5));
  });

  it('refuses a pose of another head', () => {
    expect(() => correctPose(unpackPose(new Float32Array(30)), correction)).toThrow(/another head model/);
  });
});
