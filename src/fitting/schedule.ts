import { randomBits } from '../math/random.ts';
import type { FitOptions } from './fit-options.ts';

/**
 * Length, in iterations of batch one, that the paper's intervals are meant for: 10 epochs of its INSTA clips, about
 * 3,000 frames each. A shorter run shortens every interval in proportion, so that it has as many events.
 */
export const REFERENCE_STEPS = 30_000;

/** What happens after a step's update; at most one of each. */
export interface StepEvents {
  readonly densify: boolean;
  readonly prune: boolean;
  readonly resetOpacity: boolean;
}

const PERIODS = { densify: 3000, prune: 2000 } as const;

/**
 * Shares of the run after which nothing is added, and nothing changes the set any more. Paper: 1. Children fade in, and find
 * their place before the rates decay (docs/decisions/densification.md).
 */
const LAST_DENSIFY = 0.5;
const LAST_EVENT = 0.85;

/** Decides what happens after `step` (from 1). Depends on the options alone, so a resumed run does the same. */
export function eventsAfter(step: number, options: FitOptions): StepEvents {
  const due = (period: number, last = LAST_EVENT): boolean =>
    step <= options.steps * last && step % intervalOf(period, options) === 0;
  return {
    densify: due(PERIODS.densify, LAST_DENSIFY) && options.densify !== 'none' && options.densify !== 'pruneOnly',
    // What sticks out of the mattes is faint until `drawIn` puts it inside: pruned before, it would leave a hole from the side.
    prune: due(PERIODS.prune) && options.densify !== 'none' && step > fillStep(options),
    resetOpacity: options.opacityResetPeriod > 0 && due(options.opacityResetPeriod),
  };
}

function intervalOf(period: number, { steps }: FitOptions): number {
  return Math.max(1, Math.round((period * steps) / REFERENCE_STEPS));
}

/** Children that `sampling` adds at each of its events. */
export function childrenPerEvent({ sampleCount, gaussians }: FitOptions): number {
  return Math.max(1, Math.round((sampleCount * gaussians) / 65_536));
}

/** Children that `sampling` adds in all. */
export function childrenInAll(options: FitOptions): number {
  return Math.floor((options.steps * LAST_DENSIFY) / intervalOf(PERIODS.densify, options)) * childrenPerEvent(options);
}

/** Share of the run after which the unseen is filled; the rest of it settles the outlines against what was added. */
const FILL_AFTER = 0.6;

/** The step after which what no frame shows is filled; 0 when it never is. */
export function fillStep(options: FitOptions): number {
  return options.fillUnseen ? Math.max(1, Math.floor(options.steps * FILL_AFTER)) : 0;
}

/** Shares of the run after which what is seen badly takes the colour of its surroundings; the last is its end. */
const RECOLOR_AFTER = [0.86, 0.93, 1];

/** The steps after which `recolorUnseen` runs; none when nothing is filled. After the last event, so the set stays. */
export function recolorSteps(options: FitOptions): number[] {
  return options.fillUnseen ? RECOLOR_AFTER.map((share) => Math.max(1, Math.floor(options.steps * share))) : [];
}

/** Learning-rate factor of `step`: constant, as in the paper, with a short decay at the end that removes the noise of batch one. */
export function rateFactor(step: number, options: FitOptions): number {
  const start = options.steps * (1 - options.decayShare);
  if (step <= start || options.decayShare === 0) return 1;
  const through = Math.min(1, (step - start) / (options.steps - start));
  return Math.pow(options.decayTo, through);
}

/**
 * The frame of each step: every epoch is a fresh permutation by (seed, epoch), so that any step's frame is known
 * without running those before it.
 */
export class FrameOrder {
  readonly #frameCount: number;
  readonly #seed: number;
  #epoch = -1;
  #permutation: number[] = [];

  constructor(frameCount: number, seed: number) {
    if (frameCount < 1) throw new RangeError('there is no frame to fit: every frame was left out or held out');
    this.#frameCount = frameCount;
    this.#seed = seed;
  }

  /** Index of the training frame of `step` (from 0). */
  at(step: number): number {
    const epoch = Math.floor(step / this.#frameCount);
    if (epoch !== this.#epoch) {
      this.#epoch = epoch;
      this.#permutation = permutation(this.#frameCount, this.#seed, epoch);
    }
    return this.#permutation[step % this.#frameCount]!;
  }
}

function permutation(count: number, seed: number, stream: number): number[] {
  const order = Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last--) {
    const other = randomBits(seed, stream, last) % (last + 1);
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
}
