import { describe, expect, it } from 'vitest';
import { FIT_DEFAULTS, type FitOptions } from './fit-options.ts';
import { childrenInAll, childrenPerEvent, eventsAfter, FrameOrder, rateFactor, REFERENCE_STEPS } from './schedule.ts';

const options = (given: Partial<FitOptions>): FitOptions => ({ ...FIT_DEFAULTS, ...given });

function count(given: Partial<FitOptions>): { densify: number; prune: number; resetOpacity: number; last: number } {
  const of = options(given);
  const sums = { densify: 0, prune: 0, resetOpacity: 0, last: 0 };
  for (let step = 1; step <= of.steps; step++) {
    const events = eventsAfter(step, of);
    for (const name of ['densify', 'prune', 'resetOpacity'] as const) {
      if (events[name]) sums[name]++;
      if (events[name]) sums.last = step;
    }
  }
  return sums;
}

describe('eventsAfter', () => {
  it('has the paper’s periods at its length', () => {
    const given = { steps: REFERENCE_STEPS, opacityResetPeriod: 6000, fillUnseen: false };
    const at = (step: number) => eventsAfter(step, options(given));
    expect(at(2000)).toEqual({ densify: false, prune: true, resetOpacity: false });
    expect(at(3000)).toEqual({ densify: true, prune: false, resetOpacity: false });
    expect(at(6000)).toEqual({ densify: true, prune: true, resetOpacity: true });
    expect(at(2999)).toEqual({ densify: false, prune: false, resetOpacity: false });
  });

  it('has as many events in a shorter run, and none at its end', () => {
    const reference = count({ steps: REFERENCE_STEPS });
    expect(reference).toMatchObject({ densify: 5, prune: 3, resetOpacity: 0 });
    expect(count({ steps: 6000 })).toMatchObject({ densify: 5, prune: 3 });
    expect(count({ steps: 6000 }).last).toBeLessThanOrEqual(0.85 * 6000);
    expect(count({ steps: 3 }).densify).toBeGreaterThan(0);
  });

  it('prunes nothing that is yet to be drawn in', () => {
    expect(count({ steps: 6000, fillUnseen: false }).prune).toBe(12);
    expect(eventsAfter(3600, options({ steps: 6000 })).prune).toBe(false);
    expect(eventsAfter(4000, options({ steps: 6000 })).prune).toBe(true);
  });

  it('counts the children of a run', () => {
    expect(childrenPerEvent(options({ gaussians: 16_384 }))).toBe(250);
    for (const steps of [1, 3, 1000, 6000, REFERENCE_STEPS]) {
      expect(childrenInAll(options({ steps }))).toBe(count({ steps }).densify * childrenPerEvent(options({})));
    }
  });

  it('follows the rule of the ablation', () => {
    expect(count({ steps: 6000, densify: 'none' })).toMatchObject({ densify: 0, prune: 0 });
    expect(count({ steps: 6000, densify: 'pruneOnly' })).toMatchObject({ densify: 0, prune: 3 });
    expect(count({ steps: 6000, densify: 'splattingAvatar' })).toMatchObject({ densify: 5, prune: 3 });
  });
});

describe('rateFactor', () => {
  it('is one, then falls to `decayTo` at the last step', () => {
    const of = options({ steps: 100, decayShare: 0.3, decayTo: 0.05 });
    expect([1, 50, 70].map((step) => rateFactor(step, of))).toEqual([1, 1, 1]);
    expect(rateFactor(85, of)).toBeCloseTo(Math.sqrt(0.05), 6);
    expect(rateFactor(100, of)).toBeCloseTo(0.05, 6);
    expect(rateFactor(100, options({ steps: 100, decayShare: 0 }))).toBe(1);
  });
});

describe('FrameOrder', () => {
  it('shows every frame once an epoch, in another order each time', () => {
    const order = new FrameOrder(7, 3);
    const epochs = [0, 1, 2].map((epoch) => Array.from({ length: 7 }, (_, i) => order.at(epoch * 7 + i)));
    for (const epoch of epochs) expect(epoch.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(new Set(epochs.map(String)).size).toBe(3);
  });

  it('knows any step’s frame without those before it', () => {
    const whole = new FrameOrder(5, 9);
    const inOrder = Array.from({ length: 40 }, (_, step) => whole.at(step));
    expect(new FrameOrder(5, 9).at(33)).toBe(inOrder[33]);
    expect([20, 3, 39].map((step) => whole.at(step))).toEqual([20, 3, 39].map((step) => inOrder[step]));
    const other = new FrameOrder(5, 10);
    expect(Array.from({ length: 40 }, (_, step) => other.at(step))).not.toEqual(inOrder);
  });

  it('takes one frame, and refuses none', () => {
    expect(new FrameOrder(1, 1).at(12)).toBe(0);
    expect(() => new FrameOrder(0, 1)).toThrow(/there is no frame to fit/);
  });
});
