import type { Metrics } from '../src/evaluation/metrics-file.ts';

/** Scores of held-out frames that a case must reach: means, PSNR in dB on white (0…1). */
export interface QualityScores {
  /** After test-time fitting of each frame's pose. */
  readonly fittedPsnr: number;
  /** With the pose as tracked. */
  readonly trackedPsnr: number;
  /** Fitted, over the matte dilated by 8 px at 512². */
  readonly fittedForeground: number;
  /** Fitted. */
  readonly ssim: number;
}

export interface QualityThreshold {
  /** What the project promises. */
  readonly floor: QualityScores;
  /** What was measured last (`npm run quality`, default options); null until then. */
  readonly measured: QualityScores | null;
}

/** How far below the measured value a score may fall before it counts as a regression. */
export const MARGIN: QualityScores = { fittedPsnr: 0.4, trackedPsnr: 0.4, fittedForeground: 0.4, ssim: 0.005 };

const ICT_FLOOR: QualityScores = { fittedPsnr: 26, trackedPsnr: 24, fittedForeground: 22, ssim: 0.9 };
const BUILTIN_FLOOR: QualityScores = { fittedPsnr: 25, trackedPsnr: 23, fittedForeground: 21, ssim: 0.9 };
const DEMO_FLOOR: QualityScores = { fittedPsnr: 28, trackedPsnr: 28, fittedForeground: 24, ssim: 0.9 };

/** By the name of the case in `benchmarks/quality/cases.ts`. */
export const QUALITY_THRESHOLDS: Readonly<Record<string, QualityThreshold>> = {
  'selfie-glasses, ict': {
    floor: ICT_FLOOR,
    measured: { fittedPsnr: 34.04, trackedPsnr: 29.98, fittedForeground: 29.44, ssim: 0.9756 },
  },
  'selfie-glasses, builtin': {
    floor: BUILTIN_FLOOR,
    measured: { fittedPsnr: 32.11, trackedPsnr: 28.76, fittedForeground: 27.5, ssim: 0.9693 },
  },
  'address-turns, ict': {
    floor: ICT_FLOOR,
    measured: { fittedPsnr: 26.66, trackedPsnr: 24.28, fittedForeground: 23.25, ssim: 0.914 },
  },
  'address-turns, builtin': {
    floor: BUILTIN_FLOOR,
    measured: { fittedPsnr: 25.89, trackedPsnr: 23.32, fittedForeground: 22.45, ssim: 0.9016 },
  },
  demo: {
    floor: DEMO_FLOOR,
    measured: { fittedPsnr: 35.94, trackedPsnr: 33.93, fittedForeground: 30.83, ssim: 0.9913 },
  },
};

/** The scores of a run that thresholds are about; a missing one is NaN. */
export function qualityScores({ heldOut }: Pick<Metrics, 'heldOut'>): QualityScores {
  return {
    fittedPsnr: heldOut?.fitted.psnr ?? Number.NaN,
    trackedPsnr: heldOut?.psnr ?? Number.NaN,
    fittedForeground: heldOut?.fitted.psnrForeground ?? Number.NaN,
    ssim: heldOut?.fitted.ssim ?? Number.NaN,
  };
}

/** The scores that are below the floor, or below the measured value by more than the margin: one sentence each. */
export function missedThresholds(scores: QualityScores, { floor, measured }: QualityThreshold): string[] {
  return (Object.keys(floor) as (keyof QualityScores)[]).flatMap((name) => {
    const regression = measured ? measured[name] - MARGIN[name] : -Infinity;
    const limit = Math.max(floor[name], regression);
    if (scores[name] >= limit) return [];
    const reason = limit === floor[name] ? 'the floor' : `the measured ${measured![name]} less the margin`;
    return [`${name} is ${scores[name].toFixed(3)}, below ${limit.toFixed(3)}, ${reason}`];
  });
}
