import { shownOf, type Clip } from './clip.ts';
import { matteDepth } from './matte-depth.ts';

/** Depths in the matte, pixels at 256², up to which a pixel belongs to its edge, and from which on to its inside. */
const EDGE_PIXELS = [2.5, 5.5] as const;

/** N each: Σ alpha · transmittance of each Gaussian over the pixels of a frame. */
export interface FrameContribution {
  /** Over all that the frame shows. */
  readonly shown: Float32Array;
  /** Over what lies inside of the matte, its edge left out. */
  readonly inner: Float32Array;
}

/** H×W×4: 1 in red where the frame shows something; in green how far that is inside of the matte. */
export function contributionWeights(clip: Clip, frame: number): Float32Array {
  const { size, frames } = clip;
  const { left, top, right, bottom } = shownOf(frames[frame]!);
  const depth = matteDepth(clip, frame);
  const weights = new Float32Array(size * size * 4);
  for (let row = top; row < bottom; row++) {
    for (let column = left; column < right; column++) {
      const at = row * size + column;
      weights[at * 4] = 1;
      weights[at * 4 + 1] = innerShare((depth[at]! * 256) / size);
    }
  }
  return weights;
}

/** 0 at the matte's edge, where colours are partly the background's or the collar's, 1 well inside; pixels at 256². */
function innerShare(depth: number): number {
  const [edge, inside] = EDGE_PIXELS;
  return Math.max(0, Math.min(1, (depth - edge) / (inside - edge)));
}
