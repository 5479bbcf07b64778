import { describe, expect, it } from 'vitest';
import { createStorageBuffer, readUints, writeBuffer } from './buffer.ts';
import { Commands } from './commands.ts';
import { createScan } from './scan.ts';
import { createSort } from './sort.ts';
import { randomBits } from '../math/random.ts';
import { testGpu } from '../../test/gpu.ts';

const SIZES = [0, 1, 63, 1001, 200_000];

describe('scan', () => {
  it.each(SIZES)('sums what comes before, over %i values', async (size) => {
    const gpu = await testGpu();
    const values = Uint32Array.from({ length: size + 1 }, (_, index) =>
      index < size ? randomBits(1, 2, index) >>> 16 : 77,
    );
    const buffer = createStorageBuffer(gpu, 'values', values);
    const count = createStorageBuffer(gpu, 'count', new Uint32Array([size]));
    const scan = (await createScan(gpu)).over(buffer, count);
    const commands = new Commands(gpu);
    commands.pass('scan', (pass) => scan.record(pass));
    commands.submit();
    const expected = new Uint32Array(size + 1);
    for (let i = 0; i < size; i++) expected[i + 1] = expected[i]! + values[i]!;
    expect(Buffer.from((await readUints(gpu, buffer, size + 1)).buffer).equals(Buffer.from(expected.buffer))).toBe(
      true,
    );
    for (const owned of [buffer, count, scan]) owned.destroy();
  });

  it('leaves what lies beyond the count alone', async () => {
    const gpu = await testGpu();
    const buffer = createStorageBuffer(gpu, 'values', new Uint32Array([5, 6, 7, 8, 9]));
    const scan = (await createScan(gpu)).over(buffer, createStorageBuffer(gpu, 'count', new Uint32Array([2])));
    const commands = new Commands(gpu);
    commands.pass('scan', (pass) => scan.record(pass));
    commands.submit();
    expect([...(await readUints(gpu, buffer, 5))]).toEqual([0, 5, 11, 8, 9]);
  });
});

describe('sort', () => {
  const cases = [...SIZES.map((size) => ({ size, bits: 32 })), { size: 5000, bits: 27 }, { size: 5000, bits: 1 }];
  it.each(cases)('orders $size pairs by $bits bits, equal keys as they came', async ({ size, bits }) => {
    const gpu = await testGpu();
    const count = createStorageBuffer(gpu, 'count', new Uint32Array([size]));
    const sort = await createSort(gpu, { capacity: size + 3, count, bits });
    // Few different keys in the first quarter, so that stability is put to the test.
    const keys = Uint32Array.from({ length: size }, (_, index) => {
      const key = randomBits(3, 4, index) >>> (32 - bits);
      return index < size / 4 ? (key & 3) >>> 0 : key;
    });
    const values = Uint32Array.from(keys, (_, index) => index);
    writeBuffer(gpu, sort.keys, keys);
    writeBuffer(gpu, sort.values, values);
    const commands = new Commands(gpu);
    sort.record(commands);
    commands.submit();
    const expected = values.slice().sort((a, b) => keys[a]! - keys[b]! || a - b);
    const sortedValues = await readUints(gpu, sort.sortedValues, size + 1);
    expect(Buffer.from(sortedValues.slice(0, size).buffer).equals(Buffer.from(expected.buffer))).toBe(true);
    const sortedKeys = (await readUints(gpu, sort.sortedKeys, size + 1)).slice(0, size);
    expect(sortedKeys.every((key, index) => key === keys[expected[index]!])).toBe(true);
    sort.destroy();
    count.destroy();
  });

  it('rejects a number of bits that no key has', async () => {
    const gpu = await testGpu();
    const count = createStorageBuffer(gpu, 'count', 4);
    await expect(createSort(gpu, { capacity: 1, count, bits: 33 })).rejects.toThrow(/bits is 33/);
  });
});
