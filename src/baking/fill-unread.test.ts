import { beforeAll, describe, expect, it } from 'vitest';
import { madeMaps } from '../../test/made-maps.ts';
import { sampleAvatar } from '../../test/sample-avatar.ts';
import type { Avatar } from '../avatar/avatar.ts';
import { sampleUvs } from '../binding/sampling.ts';
import { atlasCoverage } from './atlas-coverage.ts';
import { sampleMaps, type AttributeMaps } from './attribute-maps.ts';
import { fillUnread } from './fill-unread.ts';
import { mapTaps } from './sample/taps.ts';

const SIZE = 128;

let avatar: Avatar;
let isRead: Uint8Array;
/** Smooth maps whose unread texels are all wrong. */
let specked: AttributeMaps;
let filled: AttributeMaps;

beforeAll(() => {
  avatar = sampleAvatar(1500);
  const { starts } = mapTaps(sampleUvs(avatar.head, avatar.gaussians), SIZE);
  isRead = Uint8Array.from({ length: SIZE * SIZE }, (_, texel) => (starts[texel + 1]! > starts[texel]! ? 1 : 0));
  const maps = madeMaps(avatar, SIZE);
  const opacityMap = maps.opacityMap.map((_, texel) => (isRead[texel] ? 3 : -3));
  specked = { ...maps, opacityMap };
  filled = fillUnread(specked, avatar.head, avatar.gaussians);
});

describe('filling what no Gaussian reads', () => {
  it('keeps what the Gaussians read', () => {
    const read = (maps: AttributeMaps) => sampleMaps(maps, avatar.head, avatar.gaussians);
    const [before, after] = [read(specked), read(filled)];
    after.opacityLogit.forEach((value, gaussian) =>
      expect(Math.abs(value - before.opacityLogit[gaussian]!)).toBeLessThan(6 * 2 * 0.02),
    );
  });

  it('takes texels beside read ones from them, and leaves what lies outside the atlas', () => {
    const { isUsed } = atlasCoverage(avatar.head, SIZE);
    let beside = 0;
    for (let texel = SIZE; texel < SIZE * (SIZE - 1); texel++) {
      if (!isUsed[texel]) expect(filled.opacityMap[texel]).toBe(specked.opacityMap[texel]);
      const around = [texel - 1, texel + 1, texel - SIZE, texel + SIZE];
      if (!isUsed[texel] || isRead[texel] || !around.every((other) => isRead[other])) continue;
      beside++;
      // The mean of four 3s, and −3 for a tenth of one.
      expect(filled.opacityMap[texel]).toBeGreaterThan(2.5);
    }
    expect(beside).toBeGreaterThan(0);
  });
});
