import { readFileSync } from 'node:fs';
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { sharedPath } from '../../../test/shared.ts';
import { decodeTorchFile, isTorchFile } from './torch-file.ts';

const text = (value: string): number[] => [...new TextEncoder().encode(value)];
const name = (value: string): number[] => [0x58, value.length, 0, 0, 0, ...text(value)];
const global = (module: string, callable: string): number[] => [0x63, ...text(`${module}\n${callable}\n`)];
const int = (value: number): number[] => [0x4b, value];
const tuple = (...entries: number[][]): number[] => [0x28, ...entries.flat(), 0x74];

/** `{entries}` as Python pickles a state dict: one tensor per name, each with a storage of its own. */
function pickledStateDict(tensors: { name: string; type: string; shape: number[]; strides: number[] }[]): number[] {
  const entries = tensors.flatMap(({ name: tensor, type, shape, strides }, key) => [
    ...name(tensor),
    ...global('torch._utils', '_rebuild_tensor_v2'),
    ...tuple(
      [
        ...tuple(name('storage'), global('torch', type), name(String(key)), name('cpu'), int(12)),
        0x51, // a persistent id
      ],
      int(0),
      tuple(...shape.map(int)),
      tuple(...strides.map(int)),
      [0x89],
      [...global('collections', 'OrderedDict'), 0x29, 0x52],
    ),
    0x52, // the call
  ]);
  return [0x80, 2, 0x7d, 0x28, ...entries, 0x75, 0x2e];
}

const bytesOf = (array: ArrayBufferView): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

const TENSORS = [
  { name: 'first.weight', type: 'FloatStorage', shape: [2, 3], strides: [3, 1] },
  { name: 'second.bias', type: 'HalfStorage', shape: [2], strides: [1] },
];
const STORAGES = [bytesOf(Float32Array.of(1, 2, 3, 4, 5, 6)), bytesOf(Uint16Array.of(0x3c00, 0xc100))];

function zipped(tensors = TENSORS, storages: (Uint8Array | null)[] = STORAGES): Uint8Array {
  const files: Record<string, Uint8Array> = { 'archive/data.pkl': Uint8Array.from(pickledStateDict(tensors)) };
  storages.forEach((storage, key) => {
    if (storage) files[`archive/data/${key}`] = storage;
  });
  return zipSync(files, { level: 0 });
}

function legacy(): Uint8Array {
  const magic = [0x80, 2, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e];
  const header = [
    ...magic,
    ...[0x80, 2, 0x4d, 0xe9, 3, 0x2e], // protocol 1001
    ...[0x80, 2, 0x7d, 0x2e], // the system
    ...pickledStateDict(TENSORS),
    ...[0x80, 2, 0x5d, 0x28, ...name('0'), ...name('1'), 0x65, 0x2e],
  ];
  const storages = STORAGES.flatMap((storage, key) => {
    const count = key === 0 ? 6 : 2;
    return [...bytesOf(BigInt64Array.of(BigInt(count))), ...storage];
  });
  return Uint8Array.from([...header, ...storages]);
}

describe('decodeTorchFile', () => {
  it.each([
    ['an archive', zipped],
    ['a file before PyTorch 1.6', legacy],
  ])('reads %s, single and half precision', (_, make) => {
    const file = make();
    expect(isTorchFile(file)).toBe(true);
    const { tensors } = decodeTorchFile(file, 'made.pth');
    expect([...tensors.keys()]).toEqual(['first.weight', 'second.bias']);
    expect(tensors.get('first.weight')).toEqual({ shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) });
    expect(tensors.get('second.bias')!.data).toEqual(Float32Array.of(1, -2.5));
    expect([...decodeTorchFile(file, 'made.pth', (tensor) => tensor.endsWith('bias')).tensors.keys()]).toEqual([
      'second.bias',
    ]);
  });

  it('calls nothing that a file names', () => {
    const file = Uint8Array.from([0x80, 2, ...global('os', 'system'), ...name('id'), 0x85, 0x52, 0x2e]);
    const archive = zipSync({ 'archive/data.pkl': file });
    expect(() => decodeTorchFile(archive, 'evil.pth')).toThrow(
      expect.objectContaining({ name: 'TensorFileError', message: expect.stringContaining('os.system') }),
    );
  });

  it.each([
    ['lacks a storage', () => zipped(TENSORS, [STORAGES[0], null]), /holds no archive\/data\/1/],
    ['has a short storage', () => zipped(TENSORS, [STORAGES[0].subarray(0, 8), STORAGES[1]]), /beyond its storage/],
    ['is cut', () => legacy().subarray(0, -10), /ends in the middle/],
    ['is cut in its dict', () => legacy().subarray(0, 60), /ends in the middle/],
    ['is no state dict', () => zipSync({ 'archive/data.pkl': Uint8Array.of(0x80, 2, 0x4e, 0x2e) }), /no dict/],
    ['is another archive', () => zipSync({ 'a.txt': Uint8Array.of(1) }), /no data\.pkl/],
    [
      'is transposed',
      () => zipped([{ name: 'a', type: 'FloatStorage', shape: [2, 3], strides: [1, 2] }], [STORAGES[0]]),
      /transposed/,
    ],
  ])('says that a file %s', (_, make, message) => {
    expect(() => decodeTorchFile(make(), 'broken.pth')).toThrow(message);
    expect(() => decodeTorchFile(make(), 'broken.pth')).toThrow(/^broken\.pth is not a readable PyTorch state dict/);
  });

  const heads = sharedPath('data/perceptual/lpips-heads/alex.pth');
  it.skipIf(!heads)('reads the linear heads as LPIPS publishes them (needs shared/data/perceptual)', () => {
    const { tensors } = decodeTorchFile(readFileSync(heads!), 'alex.pth');
    const shapes = [...tensors].map(([tensor, { shape }]) => [tensor, shape[1]]);
    expect(shapes).toEqual([64, 192, 384, 256, 256].map((channels, k) => [`lin${k}.model.1.weight`, channels]));
    // Trained to be non-negative.
    for (const { data } of tensors.values()) expect(Math.min(...(data as Float32Array))).toBe(0);
  });
});
