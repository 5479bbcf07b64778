import { median } from '../math/median.ts';
import { axisAngleFromMatrix, multiplyMatrices, transposeMatrix } from '../math/rotation.ts';
import type { SolveFrame } from './solve-shared.ts';
import { RESIDUAL_CROP_SIZE, type ClipState } from './solve-state.ts';

/** Between neighbours 1/30 s apart a head turns or moves at most this far; more is a cut or a wrong detection. */
const LARGEST_TURN = 0.35;
/** Share of the crop's width. */
const LARGEST_SHIFT = 0.12;
/** Difference of log depth. */
const LARGEST_ZOOM = 0.15;
/** A stretch between two jumps of fewer frames than this is a wrong detection. */
const SHORTEST_STRETCH = 4;
/** Never call a frame unexplained below this residual, in pixels at 512². */
const RESIDUAL_FLOOR = 6;

/** 1 or more where the head cannot have moved so far between two frames. */
export function jumpBetween(clip: ClipState, before: SolveFrame, after: SolveFrame): number {
  const steps = Math.max(1, (after.data.timestamp - before.data.timestamp) * 30);
  // A pause says little about where the head may be afterwards.
  const room = Math.min(4, steps);
  const turned = multiplyMatrices(after.state.rotation, transposeMatrix(before.state.rotation));
  const turn = Math.hypot(...axisAngleFromMatrix(turned)) / LARGEST_TURN;
  const pixels = Math.exp(clip.logFocal) * after.data.pixelScale;
  const shift =
    (pixels *
      Math.hypot(
        after.state.position[0] - before.state.position[0],
        after.state.position[1] - before.state.position[1],
      )) /
    (LARGEST_SHIFT * RESIDUAL_CROP_SIZE);
  const zoom = Math.abs(after.state.position[2] - before.state.position[2]) / LARGEST_ZOOM;
  return Math.max(turn, shift, zoom) / room;
}

/**
 * Splits frames (in order of time) into stretches of continuous motion. Short stretches between two jumps come back as
 * `strays`: detections of something else.
 */
export function findStretches(
  clip: ClipState,
  frames: readonly SolveFrame[],
): { stretches: number[][]; strays: number[] } {
  let stretches: number[][] = [];
  frames.forEach((frame, i) => {
    const last = stretches.at(-1);
    if (last && jumpBetween(clip, frames[i - 1], frame) < 1) last.push(i);
    else stretches.push([i]);
  });
  const strays: number[] = [];
  if (stretches.length > 1) {
    const kept = stretches.filter((stretch) => stretch.length >= SHORTEST_STRETCH);
    if (kept.length > 0) {
      for (const stretch of stretches) if (stretch.length < SHORTEST_STRETCH) strays.push(...stretch);
      stretches = joinAcrossStrays(clip, frames, kept);
    }
  }
  return { stretches, strays };
}

/** After a stray's removal its neighbours may continue each other. */
function joinAcrossStrays(clip: ClipState, frames: readonly SolveFrame[], stretches: number[][]): number[][] {
  const joined: number[][] = [];
  for (const stretch of stretches) {
    const last = joined.at(-1);
    const end = last?.at(-1);
    const adjacent = end !== undefined && stretch[0] > end + 1;
    if (last && adjacent && jumpBetween(clip, frames[end], frames[stretch[0]]) < 1) last.push(...stretch);
    else joined.push([...stretch]);
  }
  return joined;
}

/** Pixels at 512² beyond which a residual is out of line with the clip's. */
export function residualThreshold(residuals: ArrayLike<number>): number {
  const middle = median(residuals);
  const spread = 1.4826 * median(Array.from(residuals, (value) => Math.abs(value - middle)));
  return Math.max(RESIDUAL_FLOOR, 1.6 * middle, middle + 6 * spread);
}
