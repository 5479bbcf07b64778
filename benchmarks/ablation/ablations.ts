import type { FitCommandOptions } from '../../src/command-options.ts';

/** A fit with one part left out or exchanged. */
export interface Ablation {
  readonly name: string;
  readonly options: Partial<FitCommandOptions>;
}

/** The paper's Table 7, as far as it concerns the first stage, and the track's refinement, which is on by default here. */
export const ABLATIONS: readonly Ablation[] = [
  { name: 'full', options: {} },
  { name: 'without densification', options: { densify: 'none' } },
  { name: 'prune only', options: { densify: 'pruneOnly' } },
  { name: 'without deltas', options: { withoutDeltas: true } },
  { name: "GaussianAvatars' densification", options: { densify: 'gaussianAvatars' } },
  { name: "SplattingAvatar's densification", options: { densify: 'splattingAvatar' } },
  { name: 'track kept as it is', options: { keepTrack: true } },
];
