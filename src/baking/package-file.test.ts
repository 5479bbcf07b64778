import { unzipSync, zipSync } from 'fflate';
import { beforeAll, describe, expect, it } from 'vitest';
import { madeMaps } from '../../test/made-maps.ts';
import { sampleAvatar } from '../../test/sample-avatar.ts';
import { encodeAvatar, type Avatar } from '../avatar/avatar.ts';
import { decodeCompactAvatar, encodeCompactAvatar } from '../avatar/compact-avatar.ts';
import { packFloats, packIntegers, unpackFloats, unpackIntegers } from '../avatar/packed-numbers.ts';
import { decodeTensors, encodeTensors } from '../avatar/safetensors.ts';
import { randomNormal } from '../math/random.ts';
import type { BakedAvatar } from './baked-avatar.ts';
import { decodePackage, encodePackage } from './package-file.ts';

const SIZE = 64;
let avatar: Avatar;
let baked: BakedAvatar;
let bytes: Uint8Array;
beforeAll(() => {
  const sample = sampleAvatar(2000);
  const noise = (values: Float32Array, scale: number): Float32Array =>
    values.map((value, index) => value + (value === 0 ? 0 : scale * randomNormal(5, 1, index)));
  const { head, gaussians } = sample;
  const size = 4;
  const poseCorrectives = new Float32Array((head.joints.length - 1) * 9 * head.vertexCount * 3);
  for (let index = 3000; index < 6000; index++) poseCorrectives[index] = 1e-3 * randomNormal(9, 1, index);
  avatar = {
    ...sample,
    head: { ...head, expressionBasis: noise(head.expressionBasis, 1e-4), poseCorrectives },
    vertexOffset: Float32Array.from({ length: head.vertexCount * 3 }, (_, i) => 1e-3 * randomNormal(6, 1, i)),
    gaussians: { ...gaussians, normalOffset: gaussians.normalOffset.map((_, i) => 0.1 * randomNormal(7, 1, i)) },
    trackCorrection: {
      mean: new Float32Array(size).fill(0.5),
      deviation: Float32Array.of(1, Infinity, 2, 3),
      offset: new Float32Array(size),
      matrix: Float32Array.from({ length: size * size }, (_, i) => randomNormal(8, 1, i)),
    },
  };
  baked = { avatar, maps: madeMaps(avatar, SIZE), mapped: 'all' };
  bytes = encodePackage(baked);
});

function farthest(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length);
  return a.reduce((most, value, index) => Math.max(most, Math.abs(value - b[index])), 0);
}

describe('packed numbers', () => {
  it('come back: integers exactly, floats within half a step', () => {
    for (const values of [[], [0], [5, -3, 2 ** 29 - 1, -(2 ** 28), 0, 7], [255, 256, 65_535, 65_536, 1]]) {
      for (const stride of [1, 2, 3]) expect([...unpackIntegers(packIntegers(values, stride))]).toEqual(values);
    }
    const floats = Float32Array.from({ length: 300 }, (_, i) => randomNormal(1, 2, i));
    expect(farthest(unpackFloats(packFloats(floats, 3, 0.01)), floats)).toBeLessThanOrEqual(0.005 + 1e-6);
  });

  it('that are too large, or of a wrong count, are told', () => {
    expect(() => packFloats([1, Infinity], 1, 0.1)).toThrow(/value 1 is Infinity, which cannot be packed/);
    expect(() => unpackIntegers({ bytes: new Uint8Array(7), count: 3, stride: 1, step: null })).toThrow(/7 bytes/);
  });
});

describe('a compact avatar', () => {
  it('is the avatar within the steps that it states', () => {
    const compact = decodeCompactAvatar(encodeCompactAvatar(avatar, 'geometry'), 'x');
    const [a, b] = [avatar.head, compact.head];
    for (const name of [
      'triangles',
      'uvTriangles',
      'triangleRegions',
      'expressionNames',
      'regionNames',
      'joints',
      'jointRegressor',
      'expressionLimits',
      'name',
    ] as const)
      expect(b[name], name).toEqual(a[name]);
    for (const name of ['neutralPose', 'camera', 'trackCorrection', 'identityCoefficients'] as const)
      expect(compact[name], name).toEqual(avatar[name]);
    expect(farthest(b.templateVertices, a.templateVertices)).toBeLessThan(1.1e-6);
    expect(farthest(compact.vertexOffset, avatar.vertexOffset)).toBeLessThan(1.1e-6);
    expect(farthest(b.expressionBasis, a.expressionBasis)).toBeLessThan(2.1e-6);
    expect(farthest(b.poseCorrectives!, a.poseCorrectives!)).toBeLessThan(2.1e-6);
    expect(farthest(b.uvs, a.uvs)).toBeLessThan(2 ** -17);
    expect(farthest(b.skinningWeights, a.skinningWeights)).toBeLessThan(1e-3);
    expect(farthest(compact.canonicalSizes.map(Math.log), avatar.canonicalSizes.map(Math.log))).toBeLessThan(3e-4);
    expect(compact.gaussians.triangleIndices).toEqual(avatar.gaussians.triangleIndices);
    expect(farthest(compact.gaussians.barycentrics, avatar.gaussians.barycentrics)).toBeLessThan(3e-4);
    expect(farthest(compact.gaussians.logScale, avatar.gaussians.logScale)).toBeLessThan(0.0021);
    expect(farthest(compact.gaussians.normalOffset, avatar.gaussians.normalOffset)).toBeLessThan(1.1e-4);
  });

  it('does without pose correctives and a track correction', () => {
    const bare = { ...avatar, trackCorrection: null, head: { ...avatar.head, poseCorrectives: null } };
    const read = decodeCompactAvatar(encodeCompactAvatar(bare, 'places'), 'x');
    expect([read.trackCorrection, read.head.poseCorrectives]).toEqual([null, null]);
  });
});

describe('a packaged avatar', () => {
  it('is small, the same bytes each time, and reads back within its steps', () => {
    expect(Buffer.from(encodePackage(baked)).equals(bytes)).toBe(true);
    expect(bytes.length).toBeLessThan(0.35 * encodeAvatar(avatar).length);
    const { maps, mapped, avatar: read } = decodePackage(bytes, 'a.fate');
    expect([maps.size, mapped]).toEqual([SIZE, 'all']);
    const whole = { ...baked.avatar.gaussians };
    expect(read.gaussians.triangleIndices).toEqual(whole.triangleIndices);
    const again = decodePackage(encodePackage({ avatar: read, maps, mapped }), 'b.fate');
    expect(farthest(again.maps.scaleMap, maps.scaleMap)).toBeLessThan(2 ** -9 + 1e-6);
  });

  it('of the appearance alone keeps each Gaussian’s geometry', () => {
    const { avatar: read, mapped } = decodePackage(encodePackage({ ...baked, mapped: 'appearance' }), 'a.fate');
    expect(mapped).toBe('appearance');
    expect(farthest(read.gaussians.logScale, avatar.gaussians.logScale)).toBeLessThan(0.0021);
  });

  it('that is cut, of another kind, incomplete or older is told', () => {
    const read = (file: Uint8Array) => () => decodePackage(file, 'a.fate');
    for (const length of [0, 10, bytes.length - 30])
      expect(read(bytes.subarray(0, length))).toThrow(/^a\.fate is no readable package/);
    const entries = unzipSync(bytes);
    const changed = (name: string, content: string | Uint8Array | null): Uint8Array => {
      const { [name]: _, ...others } = entries;
      const own =
        content === null ? {} : { [name]: typeof content === 'string' ? new TextEncoder().encode(content) : content };
      return zipSync({ ...others, ...own });
    };
    expect(read(zipSync({ 'a.txt': new Uint8Array(3) }))).toThrow(
      /is an archive but no packaged avatar\. Export it again/,
    );
    expect(read(changed('package.json', '{"format":"fate-avatar package","version":0}'))).toThrow(
      /a\.fate has package version 0, this program reads 1/,
    );
    expect(read(changed('head.safetensors', null))).toThrow(/a\.fate lacks head\.safetensors/);
    expect(read(changed('rotation.png', null))).toThrow(/a\.fate\/rotation\.png is missing/);
    const { tensors, metadata } = decodeTensors(entries['head.safetensors'], 'x');
    expect(read(changed('head.safetensors', encodeTensors(tensors, { ...metadata, version: '7' })))).toThrow(
      /head\.safetensors has compact avatar version 7/,
    );
    expect(read(changed('head.safetensors', encodeAvatar(avatar)))).toThrow(/no compact avatar/);
  });
});
