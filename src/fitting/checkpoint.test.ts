import { beforeAll, describe, expect, it } from 'vitest';
import { testGpu } from '../../test/gpu.ts';
import { createStorageBuffer, readUints, writeBuffer } from '../gpu/buffer.ts';
import type { Gpu } from '../gpu/gpu.ts';
import {
  captureCheckpoint,
  decodeCheckpoint,
  encodeCheckpoint,
  restoreCheckpoint,
  type PersistentBuffer,
} from './checkpoint.ts';

/** Bits of every kind: NaN with a payload, −0, infinities, denormals, integers. */
const BITS = Uint32Array.of(0x7fc12345, 0x80000000, 0x7f800000, 0xff800000, 1, 0xffffffff, 42, 0);

describe('a checkpoint', () => {
  let gpu: Gpu;
  let buffers: PersistentBuffer[];
  beforeAll(async () => {
    gpu = await testGpu();
    buffers = [
      { name: 'a', buffer: createStorageBuffer(gpu, 'a', BITS) },
      { name: 'gaussians.count', buffer: createStorageBuffer(gpu, 'count', Uint32Array.of(7, 8, 9, 10)) },
    ];
  });

  it('brings every bit back', async () => {
    const notes = { losses: '[1,2]', text: 'ä "quoted"' };
    const bytes = encodeCheckpoint(await captureCheckpoint(gpu, buffers, { step: 12, key: 'k', notes }));
    const decoded = decodeCheckpoint(bytes, 'k')!;
    expect([decoded.step, decoded.key, decoded.notes]).toEqual([12, 'k', notes]);
    for (const { buffer } of buffers) writeBuffer(gpu, buffer, new Uint32Array(buffer.size / 4));
    restoreCheckpoint(gpu, buffers, decoded);
    expect(await readUints(gpu, buffers[0].buffer)).toEqual(BITS);
    expect([...(await readUints(gpu, buffers[1].buffer))]).toEqual([7, 8, 9, 10]);
  });

  it('of another key, torn anywhere, or no checkpoint at all is null', async () => {
    const bytes = encodeCheckpoint(await captureCheckpoint(gpu, buffers, { step: 1, key: 'k' }));
    expect(decodeCheckpoint(bytes, 'other')).toBeNull();
    for (let length = 0; length < bytes.length; length += 7)
      expect(decodeCheckpoint(bytes.slice(0, length), 'k')).toBeNull();
    expect(decodeCheckpoint(new TextEncoder().encode('{"format":"fate-checkpoint"}'), 'k')).toBeNull();
    expect(decodeCheckpoint(crypto.getRandomValues(new Uint8Array(200)), 'k')).toBeNull();
  });

  it('of buffers of another size is refused by name', async () => {
    const checkpoint = await captureCheckpoint(gpu, buffers, { step: 1, key: 'k' });
    const larger = [{ name: 'a', buffer: createStorageBuffer(gpu, 'larger', 64) }];
    expect(() => restoreCheckpoint(gpu, larger, checkpoint)).toThrow(/"a" has 32 bytes, the fit needs 64/);
    expect(() => restoreCheckpoint(gpu, [{ name: 'b', buffer: larger[0].buffer }], checkpoint)).toThrow(/"?b"?/);
  });
});
