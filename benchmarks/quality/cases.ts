import type { CreateOptions } from '../../src/command-options.ts';
import type { Metrics } from '../../src/evaluation/metrics-file.ts';

/** What the held-out scores of a case must reach; PSNR in dB. */
export interface Floors {
  readonly fittedPsnr: number;
  readonly trackedPsnr: number;
  readonly fittedForeground: number;
  readonly ssim: number;
}

/** One clip with one head model. */
export interface QualityCase {
  readonly name: string;
  /** Below the folder of test data. */
  readonly clip: string;
  /** `builtin`, or a folder of ICT-FaceKit below the folder of test data. */
  readonly head: string;
  readonly floors: Floors;
}

const ICT_FLOORS: Floors = { fittedPsnr: 26, trackedPsnr: 24, fittedForeground: 22, ssim: 0.9 };
const BUILTIN_FLOORS: Floors = { fittedPsnr: 25, trackedPsnr: 23, fittedForeground: 21, ssim: 0.9 };

export const QUALITY_CASES: readonly QualityCase[] = ['selfie-glasses', 'address-turns'].flatMap((clip) => [
  { name: `${clip}, ict`, clip: `data/clips/${clip}.mp4`, head: 'data/heads/ict-facekit', floors: ICT_FLOORS },
  { name: `${clip}, builtin`, clip: `data/clips/${clip}.mp4`, head: 'builtin', floors: BUILTIN_FLOORS },
]);

/** The paper's Table 7, as far as it concerns the first stage. */
export const ABLATIONS: readonly { readonly name: string; readonly options: Partial<CreateOptions> }[] = [
  { name: 'full', options: {} },
  { name: 'without densification', options: { densify: 'none' } },
  { name: 'prune only', options: { densify: 'pruneOnly' } },
  { name: 'without deltas', options: { withoutDeltas: true } },
  { name: "GaussianAvatars' densification", options: { densify: 'gaussianAvatars' } },
  { name: "SplattingAvatar's densification", options: { densify: 'splattingAvatar' } },
];

/** The floors that the metrics miss, each as one sentence. */
export function missedFloors({ heldOut }: Metrics, floors: Floors): string[] {
  if (!heldOut) return ['no frame was held out'];
  const checks: [string, number | null, number][] = [
    ['fitted PSNR', heldOut.fitted.psnr, floors.fittedPsnr],
    ['PSNR as tracked', heldOut.psnr, floors.trackedPsnr],
    ['fitted PSNR of the foreground', heldOut.fitted.psnrForeground, floors.fittedForeground],
    ['fitted SSIM', heldOut.fitted.ssim, floors.ssim],
  ];
  return checks.flatMap(([name, value, floor]) =>
    value === null || value < floor ? [`${name} is ${value?.toFixed(3) ?? 'missing'}, below ${floor}`] : [],
  );
}
