import { describe, expect, it } from 'vitest';
import { smallHead } from '../../../test/small-head.ts';
import { blendBlocks, BLOCK_SIZE } from './blend-blocks.ts';
import { blendSupport } from './blend-support.ts';
import { orderVertices } from './vertex-order.ts';

describe('orderVertices', () => {
  const head = smallHead({ rings: 12, segments: 17 });
  const support = blendSupport(head, 1e-4);
  const isUsed = (vertex: number): boolean => vertex % 3 !== 1;

  it('has every vertex once, the used ones first', () => {
    const order = [...orderVertices(support, BLOCK_SIZE, isUsed)];
    expect(order.toSorted((a, b) => a - b)).toEqual([...order.keys()]);
    const usedCount = order.filter(isUsed).length;
    expect(order.slice(0, usedCount).every(isUsed)).toBe(true);
  });

  it('leaves fewer fillers than vertices by number', () => {
    const { starts, coefficients } = support;
    let unordered = 0;
    for (let first = 0; first < head.vertexCount; first += BLOCK_SIZE) {
      const end = Math.min(first + BLOCK_SIZE, head.vertexCount);
      unordered += new Set(coefficients.subarray(starts[first], starts[end])).size;
    }
    expect(blendBlocks(support).recordCount / BLOCK_SIZE).toBeLessThan(unordered);
  });
});
