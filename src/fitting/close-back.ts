import type { GaussianSet } from '../gaussians/layout.ts';
import { EMPTY, NOTHING, OPAQUE } from './draw-in.ts';
import type { FlattenInputs } from './flatten-frontal.ts';

/** Cosine between normal and line of sight, in the frame that sees a place best, below which it lies behind the head. */
const BEHIND = -0.2;

/**
 * Makes solid again what is faint on the far side of the head in every frame. Light that comes through lids and lips,
 * where the front is thin, makes it so, and from behind there would be a hole; the pictures say nothing against it.
 */
export function closeBack({ gaussians, facing, groups }: Omit<FlattenInputs, 'spacing'>): GaussianSet {
  const opacityLogit = gaussians.opacityLogit.map((logit, i) => {
    const isEmpty = 1 / (1 + Math.exp(-logit)) < EMPTY && logit > NOTHING + 1;
    return groups[i] !== null && facing[i]! < BEHIND && isEmpty ? OPAQUE : logit;
  });
  return { ...gaussians, opacityLogit };
}
