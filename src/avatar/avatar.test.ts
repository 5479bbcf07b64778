import { beforeAll, describe, expect, it } from 'vitest';
import { testGpu } from '../../test/gpu.ts';
import { madeSubject } from '../../test/made-subject.ts';
import { decodeAvatar, encodeAvatar, type Avatar } from './avatar.ts';
import { decodeTensors, encodeTensors } from './safetensors.ts';

describe('an avatar as a file', () => {
  let avatar: Avatar;
  beforeAll(async () => {
    avatar = (await madeSubject(await testGpu(), { frameCount: 1, gaussians: 50 })).avatar;
  });

  it('comes back as it was, and again as the same bytes', () => {
    const bytes = encodeAvatar(avatar);
    const decoded = decodeAvatar(bytes, 'a.safetensors');
    expect(decoded).toEqual(avatar);
    expect(Buffer.from(encodeAvatar(decoded)).equals(Buffer.from(bytes))).toBe(true);
  });

  it('keeps a head without pose correctives, and a set without Gaussians', () => {
    const { gaussians } = avatar;
    const empty = Object.fromEntries(
      Object.entries(gaussians).map(([name, values]) => [
        name,
        name === 'count' ? 0 : (values as Float32Array).slice(0, 0),
      ]),
    );
    const bare = {
      ...avatar,
      head: { ...avatar.head, poseCorrectives: null },
      gaussians: empty as unknown as Avatar['gaussians'],
    };
    expect(decodeAvatar(encodeAvatar(bare), 'bare')).toEqual(bare);
  });

  it('says what a file is instead', () => {
    const other = encodeTensors([['x', { shape: [1], data: new Float32Array(1) }]], { format: 'something' });
    expect(() => decodeAvatar(other, 'x.safetensors')).toThrow(
      /x.safetensors is a tensor file but not a fate-avatar: make one with/,
    );
    const { tensors, metadata } = decodeTensors(encodeAvatar(avatar), 'a');
    const newer = encodeTensors(tensors, { ...metadata, version: '99' });
    expect(() => decodeAvatar(newer, 'new.safetensors')).toThrow(
      /new.safetensors has avatar version 99, this program reads 1: fit it again/,
    );
    const bytes = encodeAvatar(avatar);
    for (const broken of [
      bytes.slice(0, bytes.length - 100),
      bytes.slice(0, 4),
      new Uint8Array(0),
      new TextEncoder().encode('not an avatar at all'),
    ]) {
      expect(() => decodeAvatar(broken, 'broken.safetensors')).toThrow(
        expect.objectContaining({ name: 'TensorFileError', message: expect.stringContaining('broken.safetensors') }),
      );
    }
    const missing = new Map(tensors);
    missing.delete('gaussians.color');
    expect(() => decodeAvatar(encodeTensors(missing, metadata), 'part.safetensors')).toThrow(/gaussians.color/);
  });
});
