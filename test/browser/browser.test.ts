import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { randomUniform } from '../../src/math/random.ts';
import { openTestPage, skipBrowser, type TestPage } from './chromium.ts';

describe.skipIf(skipBrowser)('in Chromium (skipped where it is not installed)', () => {
  let test: TestPage;
  beforeAll(async () => {
    test = await openTestPage('kernel-page.ts');
  });
  afterAll(() => test?.close());

  it('a kernel computes the same numbers as in Node, bit for bit', async () => {
    const count = 1000;
    const numbers = await test.page.evaluate(
      (n) => (globalThis as unknown as { drawRandomNumbers(n: number): Promise<number[]> }).drawRandomNumbers(n),
      count,
    );
    expect(test.errors).toEqual([]);
    expect(numbers).toEqual(Array.from({ length: count }, (_, index) => randomUniform(7, 3, index)));
  });
});
