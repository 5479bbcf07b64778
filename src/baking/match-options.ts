/** How Gaussians learn to look like others. */
export interface MatchOptions {
  /** Steps of one picture each; 0: they stay as they are. */
  readonly steps: number;
  /** Pictures of the original, each in its own pose and expression. */
  readonly views: number;
  readonly seed: number;
  /** Over the fit's learning rates. */
  readonly rate: number;
}

export const MATCH_DEFAULTS: MatchOptions = { steps: 600, views: 160, seed: 1, rate: 2 };
