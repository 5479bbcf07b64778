import { describe, expect, it } from 'vitest';
import { arkitFromEyePose, eyePoseFromArkit, MAX_HORIZONTAL_GAZE, MAX_VERTICAL_GAZE } from './eye-pose.ts';

describe('eyePoseFromArkit', () => {
  it('turns both eyes to the subject’s left, and down', () => {
    const { leftEyePose, rightEyePose } = eyePoseFromArkit({
      eyeLookOutLeft: 1,
      eyeLookInRight: 1,
      eyeLookDownLeft: 0.5,
    });
    expect(leftEyePose[1]).toBeCloseTo(MAX_HORIZONTAL_GAZE, 6);
    expect(rightEyePose[1]).toBeCloseTo(MAX_HORIZONTAL_GAZE, 6);
    expect(leftEyePose[0]).toBeCloseTo(MAX_VERTICAL_GAZE / 2, 6);
    expect(rightEyePose[0]).toBe(0);
  });

  it('is undone by arkitFromEyePose', () => {
    const weights = { eyeLookUpLeft: 0.3, eyeLookInLeft: 0.6, eyeLookDownRight: 0.2, eyeLookOutRight: 0.4 };
    const back = arkitFromEyePose(eyePoseFromArkit(weights));
    for (const [name, value] of Object.entries(back)) {
      expect(value).toBeCloseTo(weights[name as keyof typeof weights] ?? 0, 5);
    }
  });
});
