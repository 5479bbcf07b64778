import { describe, expect, it } from 'vitest';
import { smallHead } from '../../../test/small-head.ts';
import { blendSupport } from './blend-support.ts';
import { deltaEntryRates } from './delta-rates.ts';

describe('deltaEntryRates', () => {
  const support = blendSupport(smallHead({ expressionCount: 3, hasCorrectives: true }), 1e-5);
  const activity = new Float64Array(support.coefficientCount).fill(1);

  it('are full for what the clip uses and the coefficient moves', () => {
    const rates = deltaEntryRates(support, activity);
    expect(Math.max(...rates)).toBe(1);
    expect(Math.min(...rates)).toBeGreaterThanOrEqual(0.1 - 1e-6);
  });

  it('are nothing for a coefficient that the clip never uses, and small for one it hardly uses', () => {
    const used = activity.slice();
    used[0] = 0;
    used[1] = 0.015;
    const rates = deltaEntryRates(support, used);
    rates.forEach((rate, entry) => {
      if (support.coefficients[entry] === 0) expect(rate).toBe(0);
      if (support.coefficients[entry] === 1) expect(rate).toBeLessThanOrEqual(0.1 + 1e-6);
    });
  });
});
