import { meanScores, type Scores } from './score-frames.ts';

/** One held-out frame's scores. */
export interface FrameScores {
  /** Index in the video. */
  readonly sourceIndex: number;
  /** By the track alone, with the correction that the fit learned from its training frames (`trackCorrection`). */
  readonly asTracked: Scores;
  /** By the track as it was. */
  readonly uncorrected: Scores;
  /** After 50 steps of pose, expression and translation with the avatar frozen. */
  readonly fitted: Scores;
}

/** `metrics.json`: what a run reached, with what it took. */
export interface Metrics {
  /** Means over the held-out frames: as tracked, `fitted`, and by the `uncorrected` track; null when nothing was held out. */
  readonly heldOut:
    | (Omit<Scores, 'lpips'> & {
        /** As tracked; null without weights. */
        readonly lpips: number | null;
        readonly frames: number;
        readonly fitted: Scores;
        readonly uncorrected: Scores;
      })
    | null;
  readonly gaussianCount: number;
  readonly stepsPerSecond: number;
  readonly seconds: { readonly track: number; readonly fit: number; readonly total: number };
  readonly peakMemoryMB: number;
  readonly seed: number;
  /** SHA-256 of the fitted avatar's file, hexadecimal. */
  readonly avatarSha256: string;
  readonly adapter: string;
  /** Frames of the video, of the track, left out of it, and learned from. */
  readonly frames: {
    readonly video: number;
    readonly tracked: number;
    readonly excluded: number;
    readonly trained: number;
  };
  readonly warnings: readonly string[];
  readonly perFrame: readonly FrameScores[];
}

/** The metrics of a run from its per-frame scores and facts. */
export function collectMetrics(
  perFrame: readonly FrameScores[],
  facts: Omit<Metrics, 'heldOut' | 'perFrame'>,
): Metrics {
  const asTracked = meanScores(perFrame.map((frame) => frame.asTracked));
  const fitted = meanScores(perFrame.map((frame) => frame.fitted));
  const uncorrected = meanScores(perFrame.map((frame) => frame.uncorrected));
  const heldOut =
    asTracked && fitted && uncorrected
      ? {
          ...asTracked,
          lpips: asTracked.lpips ?? null,
          frames: perFrame.length,
          fitted,
          uncorrected,
        }
      : null;
  return { heldOut, ...facts, perFrame };
}
