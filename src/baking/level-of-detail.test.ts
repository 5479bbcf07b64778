import { sampleUvs } from '../binding/sampling.ts';
import { beforeAll, describe, expect, it } from 'vitest';
import { testGpu } from '../../test/gpu.ts';
import { madeMaps } from '../../test/made-maps.ts';
import { sampleAvatar } from '../../test/sample-avatar.ts';
import type { Avatar } from '../avatar/avatar.ts';
import { LOCAL_ATTRIBUTES } from '../gaussians/layout.ts';
import { contentHash } from '../math/content-hash.ts';
import { dilogarithm, inverseDilogarithm } from '../math/dilogarithm.ts';
import { matrixFromQuaternion } from '../math/rotation.ts';
import { symmetricEigen } from '../math/symmetric-eigen.ts';
import { AvatarRenderer } from '../viewer/avatar-renderer.ts';
import { centredCamera, poseForView } from '../viewer/views.ts';
import { attributeMips, sampleAttributes } from './attribute-mips.ts';
import { bakedGaussians, type BakedAvatar } from './baked-avatar.ts';
import { visitTexelAreas } from './chart-mips.ts';
import { localCovariance, mapTangentially, setShape, tangentialRoot } from '../gaussians/gaussian-shape.ts';
import { resample, ResampleError } from './level-of-detail.ts';
import { splitGaussian } from './split-gaussian.ts';

const arraysOf = ({ gaussians }: Pick<Avatar, 'gaussians'>): Float32Array[] =>
  LOCAL_ATTRIBUTES.map((name) => gaussians[name]).concat(gaussians.barycentrics);

let baked: BakedAvatar;
beforeAll(() => {
  const avatar = sampleAvatar(6000);
  baked = { avatar, maps: madeMaps(avatar, 128), mapped: 'all' };
});

describe('the dilogarithm', () => {
  it('has the values that tables give, and is undone', () => {
    expect(dilogarithm(1)).toBeCloseTo(Math.PI ** 2 / 6, 12);
    expect(dilogarithm(0.5)).toBeCloseTo(Math.PI ** 2 / 12 - Math.LN2 ** 2 / 2, 12);
    for (const x of [0, 0.01, 0.3, 0.7, 0.99]) expect(inverseDilogarithm(dilogarithm(x))).toBeCloseTo(x, 9);
    expect(inverseDilogarithm(2)).toBe(1);
  });
});

describe('shapes of Gaussians', () => {
  const covariance = Float64Array.of(4, 0.5, 1, 0.5, 1, 0.2, 1, 0.2, 2).map((value) => value * 1e-6);

  it('survive rotation and scale, and a square root', () => {
    const { values, vectors } = symmetricEigen(covariance);
    const back = covariance.map((_, at) =>
      [0, 1, 2].reduce(
        (sum, k) => sum + vectors[Math.floor(at / 3) * 3 + k] * values[k] * vectors[(at % 3) * 3 + k],
        0,
      ),
    );
    covariance.forEach((value, at) => expect(back[at]).toBeCloseTo(value, 16));
    const set = { ...baked.avatar.gaussians, localRotation: new Float32Array(4), logScale: new Float32Array(3) };
    setShape(set, 0, covariance);
    localCovariance(set, 0).forEach((value, at) => expect(Math.abs(value - covariance[at])).toBeLessThan(1e-11));
    expect(matrixFromQuaternion(set.localRotation)[0]).toBeGreaterThan(-1.01);
    const { root, inverse } = tangentialRoot([4, 1, 2]);
    expect(root[0] ** 2 + root[1] ** 2).toBeCloseTo(4, 12);
    expect(root[1] * (root[0] + root[2])).toBeCloseTo(1, 12);
    expect(root[0] * inverse[0] + root[1] * inverse[1]).toBeCloseTo(1, 12);
  });

  it('in parts add up to the whole in the surface, and leave its thickness', () => {
    for (const count of [1, 2, 3, 7, 12]) {
      const { offsets, covariance: part, areaRatio } = splitGaussian(covariance, count, 0.7, 1);
      expect(offsets.length).toBe(count);
      const spread = (a: 0 | 1, b: 0 | 1): number =>
        offsets.reduce((sum, offset) => sum + offset[a] * offset[b], 0) / count;
      for (const axis of [0, 1] as const)
        expect(offsets.reduce((sum, offset) => sum + offset[axis], 0)).toBeCloseTo(0, 12);
      expect(part[0] + spread(0, 0)).toBeCloseTo(covariance[0], 14);
      expect(part[2] + spread(0, 1)).toBeCloseTo(covariance[2], 14);
      expect(part[8] + spread(1, 1)).toBeCloseTo(covariance[8], 14);
      expect(part[4]).toBeCloseTo(covariance[4], 14);
      expect(areaRatio).toBeLessThanOrEqual(1);
      expect(areaRatio).toBeGreaterThanOrEqual(1 / count);
    }
    expect(mapTangentially(covariance, [1, 0, 0, 1])).toEqual(covariance);
  });
});

describe('mip-maps by chart', () => {
  it('share out the whole surface, and keep the charts’ colours apart', () => {
    const { head } = baked.avatar;
    const size = 64;
    let total = 0;
    const byTexel = new Map<number, Set<number>>();
    const colors = new Float32Array(3 * size * size).fill(0.5);
    const { charts } = attributeMips(head, { ...madeMaps(baked.avatar, size) });
    visitTexelAreas(head, size, (triangle, texel, area) => {
      total += area;
      byTexel.set(texel, (byTexel.get(texel) ?? new Set()).add(charts[triangle]));
      for (let channel = 0; channel < 3; channel++)
        colors[channel * size * size + texel] = (charts[triangle] * (channel + 3)) % 7;
    });
    expect(total).toBeGreaterThan(0.1);
    expect(total).toBeLessThan(1);
    const maps = { ...madeMaps(baked.avatar, size), colorMap: colors };
    const mips = attributeMips(head, maps);
    const uvs = sampleUvs(head, baked.avatar.gaussians);
    // A chart that shares a texel with another cannot be kept apart by maps of this size.
    const isMixed = new Set([...byTexel.values()].filter((set) => set.size > 1).flatMap((set) => [...set]));
    let checked = 0;
    for (let index = 0; index < baked.avatar.gaussians.count; index += 7) {
      const triangle = baked.avatar.gaussians.triangleIndices[index];
      if (isMixed.has(charts[triangle])) continue;
      for (const level of [1, 2.5, 4, 6]) {
        const { rgb } = sampleAttributes(maps, mips, triangle, [uvs[index * 2], uvs[index * 2 + 1]], level);
        rgb.forEach((value, channel) => expect(value).toBeCloseTo((charts[triangle] * (channel + 3)) % 7, 5));
        checked++;
      }
    }
    expect(checked).toBeGreaterThan(50);
  });
});

describe('an avatar at another count', () => {
  it('has exactly that many Gaussians, the same for one seed, others for another', () => {
    for (const count of [1000, 6001, 20_000]) {
      const { gaussians } = resample(baked, count, 3);
      expect(gaussians.count).toBe(count);
      expect(gaussians.triangleIndices.length).toBe(count);
      for (const name of [
        'barycentrics',
        'localRotation',
        'logScale',
        'opacityLogit',
        'color',
        'normalOffset',
      ] as const)
        expect(gaussians[name].every(Number.isFinite), name).toBe(true);
      expect(contentHash(...arraysOf(resample(baked, count, 3)))).toBe(contentHash(...arraysOf({ gaussians })));
      expect(contentHash(...arraysOf(resample(baked, count, 4)))).not.toBe(contentHash(...arraysOf({ gaussians })));
    }
    expect(contentHash(...arraysOf(resample(baked, 6000, 1)))).toBe(contentHash(...arraysOf(bakedGaussians(baked))));
  });

  it('keeps what is important as it is, each once, where there are fewer', () => {
    const read = bakedGaussians(baked).gaussians;
    // Every tenth matters far more than the rest; every seventh not at all.
    const importance = Float32Array.from({ length: 6000 }, (_, i) => (i % 10 === 0 ? 100 : i % 7 === 0 ? 0 : 1));
    const placeOf = ({ triangleIndices, barycentrics }: typeof read, i: number): string =>
      [triangleIndices[i], ...barycentrics.subarray(i * 3, i * 3 + 3)].join();
    for (const seed of [1, 2, 3]) {
      const { gaussians } = resample(baked, 2500, seed, importance);
      expect(gaussians.count).toBe(2500);
      const kept = new Map(Array.from({ length: 2500 }, (_, i) => [placeOf(gaussians, i), i]));
      expect(kept.size).toBe(2500);
      for (let i = 0; i < 6000; i++) {
        const at = kept.get(placeOf(read, i));
        if (i % 10 !== 0) {
          if (i % 7 === 0) expect(at).toBeUndefined();
          continue;
        }
        expect(gaussians.opacityLogit[at!]).toBeCloseTo(read.opacityLogit[i], 5);
        const size = (set: typeof read, k: number): number => set.logScale.subarray(k * 3, k * 3 + 3).reduce((sum, x) => sum + x); // prettier-ignore
        expect(size(gaussians, at!)).toBeCloseTo(size(read, i), 4);
      }
    }
  });

  it('covers the head as before', async () => {
    const gpu = await testGpu();
    const full = bakedGaussians(baked);
    const pose = poseForView(full, { yaw: 25 });
    const draw = async (avatar: typeof full): Promise<Uint8Array> => {
      const renderer = await AvatarRenderer.create(gpu, avatar);
      const image = await renderer.render(pose, centredCamera(full.camera, 128), { transparent: true });
      renderer.dispose();
      return image.data;
    };
    const before = await draw(full);
    const coverage = (data: Uint8Array): number =>
      data.reduce((sum, value, at) => sum + (at % 4 === 3 ? value / 255 : 0), 0);
    for (const count of [2000, 12_000, 40_000]) {
      const data = await draw(resample(baked, count, 1));
      expect(Math.abs(coverage(data) / coverage(before) - 1), String(count)).toBeLessThan(0.03);
      // No holes: where the head was solid, it still nearly is.
      const solid = [...before.keys()].filter((at) => at % 4 === 3 && before[at] > 252);
      const holes = solid.filter((at) => data[at] < 200).length;
      expect(holes / solid.length, String(count)).toBeLessThan(0.01);
    }
  });

  it('is refused where it cannot be', () => {
    for (const count of [999, 500_001, 2.5, Number.NaN])
      expect(() => resample(baked, count, 1)).toThrow(
        /number of Gaussians is .*; give a whole number from 1000 to 500000/,
      );
    expect(() => resample({ ...baked, mapped: 'appearance' }, 5000, 1)).toThrow(ResampleError);
    expect(() => resample({ ...baked, mapped: 'appearance' }, 5000, 1)).toThrow(
      /colour and opacity only; .* Bake with --variant all/,
    );
  });
});
