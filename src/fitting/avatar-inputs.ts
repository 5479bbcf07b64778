import type { Avatar } from '../avatar/avatar.ts';
import type { Clip } from './clip.ts';
import { FIT_DEFAULTS, type FitOptions } from './fit-options.ts';
import type { TrainingInputs } from './training-parts.ts';

/** What a training that starts from a finished avatar takes: the head's shape, deltas and canonical sizes stand. */
export function avatarInputs(avatar: Avatar, clip: Clip, options: Partial<FitOptions>): TrainingInputs {
  return {
    head: avatar.head,
    identityCoefficients: new Float32Array(0),
    initial: avatar.gaussians,
    canonical: avatar.canonicalSizes,
    vertexOffset: avatar.vertexOffset,
    supportThreshold: 0,
    clip,
    options: { ...FIT_DEFAULTS, deltas: false, deltaFrames: 1, ...options },
    capacity: Math.max(1, avatar.gaussians.count),
  };
}
