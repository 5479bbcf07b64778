import { describe, expect, it } from 'vitest';
import {
  MARGIN,
  missedThresholds,
  QUALITY_THRESHOLDS,
  qualityScores,
  type QualityScores,
} from './quality-thresholds.ts';

describe('quality thresholds', () => {
  const floor: QualityScores = { fittedPsnr: 26, trackedPsnr: 24, fittedForeground: 22, ssim: 0.9 };
  const good: QualityScores = { fittedPsnr: 30, trackedPsnr: 28, fittedForeground: 25, ssim: 0.95 };

  it('say which score is below the floor, below what was measured, or missing', () => {
    expect(missedThresholds(good, { floor, measured: null })).toEqual([]);
    expect(missedThresholds({ ...good, ssim: 0.89 }, { floor, measured: null })).toEqual([
      'ssim is 0.890, below 0.900, the floor',
    ]);
    expect(missedThresholds({ ...good, fittedPsnr: 29.5 }, { floor, measured: good })).toEqual([
      'fittedPsnr is 29.500, below 29.600, the measured 30 less the margin',
    ]);
    expect(missedThresholds({ ...good, fittedPsnr: 30 - MARGIN.fittedPsnr }, { floor, measured: good })).toEqual([]);
    expect(missedThresholds(qualityScores({ heldOut: null }), { floor, measured: null })).toHaveLength(4);
  });

  it('promise what was measured: no floor lies above it', () => {
    for (const [name, { floor: promised, measured }] of Object.entries(QUALITY_THRESHOLDS)) {
      if (measured) expect([name, missedThresholds(measured, { floor: promised, measured })]).toEqual([name, []]);
    }
  });
});
