import { describe, expect, it } from 'vitest';
import { decodeTensors, encodeTensors, takeTensor, TensorFileError } from './safetensors.ts';

const file = (): Uint8Array =>
  encodeTensors(
    [
      ['bytes', { shape: [3], data: new Uint8Array([1, 2, 3]) }],
      ['floats', { shape: [2, 2], data: new Float32Array([1, -2.5, 3, 4]) }],
      ['empty', { shape: [0, 3], data: new Float32Array() }],
      ['short', { shape: [1], data: new Uint16Array([65535]) }],
    ],
    { note: 'a "quoted" word' },
  );

describe('safetensors', () => {
  it('returns what was put in', () => {
    const read = decodeTensors(file(), 'test');
    expect(read.metadata).toEqual({ note: 'a "quoted" word' });
    expect([...takeTensor(read, 'floats', Float32Array)]).toEqual([1, -2.5, 3, 4]);
    expect([...takeTensor(read, 'bytes', Uint8Array)]).toEqual([1, 2, 3]);
    expect(takeTensor(read, 'short', Uint16Array)[0]).toBe(65535);
    expect(read.tensors.get('empty')!.shape).toEqual([0, 3]);
  });

  it('reads from a Buffer, whose slice does not copy', () => {
    const read = decodeTensors(Buffer.from(file()), 'test');
    expect([...takeTensor(read, 'floats', Float32Array)]).toEqual([1, -2.5, 3, 4]);
  });

  it('is the same bytes each time', () => {
    expect(file()).toEqual(file());
  });

  it.each([0, 4, 20, 100])('says that a file cut to %i bytes is broken', (length) => {
    expect(() => decodeTensors(file().slice(0, length), 'avatar.safetensors')).toThrow(TensorFileError);
  });

  it('says that a file without its last byte is broken', () => {
    expect(() => decodeTensors(file().slice(0, -1), 'x')).toThrow(/ends inside tensor/);
  });

  it('reads half, brain and double precision as float32, and only what is wanted', () => {
    const header = JSON.stringify({
      half: { dtype: 'F16', shape: [5], data_offsets: [0, 10] },
      brain: { dtype: 'BF16', shape: [1], data_offsets: [10, 12] },
      double: { dtype: 'F64', shape: [1], data_offsets: [12, 20] },
      steps: { dtype: 'I64', shape: [1], data_offsets: [20, 28] },
    });
    const bytes = new Uint8Array(8 + header.length + 28);
    const view = new DataView(bytes.buffer);
    view.setBigUint64(0, BigInt(header.length), true);
    bytes.set(new TextEncoder().encode(header), 8);
    const start = 8 + header.length;
    // 1, −2.5, the smallest subnormal, infinity, NaN
    [0x3c00, 0xc100, 0x0001, 0x7c00, 0x7e00].forEach((bits, k) => view.setUint16(start + 2 * k, bits, true));
    view.setUint16(start + 10, 0xc020, true);
    view.setFloat64(start + 12, Math.PI, true);
    const read = decodeTensors(bytes, 'test', (name) => name !== 'steps');
    expect([...takeTensor(read, 'half', Float32Array)]).toEqual([1, -2.5, 2 ** -24, Infinity, NaN]);
    expect([...takeTensor(read, 'brain', Float32Array)]).toEqual([-2.5]);
    expect([...takeTensor(read, 'double', Float32Array)]).toEqual([Math.fround(Math.PI)]);
    expect([...read.tensors.keys()]).toEqual(['half', 'brain', 'double']);
    expect(() => decodeTensors(bytes, 'test')).toThrow(/"steps" has the unsupported type I64/);
  });

  it('names a missing tensor, a wrong type, a wrong shape', () => {
    const read = decodeTensors(file(), 'test');
    expect(() => takeTensor(read, 'colour', Float32Array)).toThrow(/"colour" is missing/);
    expect(() => takeTensor(read, 'bytes', Float32Array)).toThrow(/expected Float32Array/);
    expect(() => encodeTensors([['a', { shape: [2], data: new Float32Array(3) }]])).toThrow(/holds 2 values/);
  });
});
