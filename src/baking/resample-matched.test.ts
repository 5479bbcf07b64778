import { beforeAll, describe, expect, it } from 'vitest';
import { testGpu } from '../../test/gpu.ts';
import { madeMaps } from '../../test/made-maps.ts';
import { sampleAvatar } from '../../test/sample-avatar.ts';
import type { Avatar } from '../avatar/avatar.ts';
import { LOCAL_ATTRIBUTES } from '../gaussians/layout.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { psnr } from '../losses/metrics.ts';
import { contentHash } from '../math/content-hash.ts';
import { AvatarRenderer } from '../viewer/avatar-renderer.ts';
import { centredCamera, poseForView } from '../viewer/views.ts';
import { bakedGaussians, type BakedAvatar } from './baked-avatar.ts';
import { resample, ResampleError } from './level-of-detail.ts';
import { resampleMatched } from './resample-matched.ts';

const hashOf = ({ gaussians }: Avatar): string => contentHash(...LOCAL_ATTRIBUTES.map((name) => gaussians[name]));

describe('matching an avatar', () => {
  let gpu: Gpu;
  let original: Avatar;
  let baked: BakedAvatar;
  beforeAll(async () => {
    gpu = await testGpu();
    const fitted = sampleAvatar(3000);
    const avatar = { ...fitted, camera: centredCamera(fitted.camera, 64) };
    baked = { avatar, maps: madeMaps(avatar, 128), mapped: 'all' };
    original = bakedGaussians(baked);
  });

  it('makes fewer Gaussians, and more, look like the original in views and expressions that it was not shown', async () => {
    for (const [count, least] of [
      [1200, 3],
      [5000, 1],
    ] as const) {
      const sampled = resample(baked, count, 1);
      const matched = await resampleMatched(gpu, baked, count, { steps: 80, views: 24 });
      expect(matched.gaussians.count).toBe(count);
      for (const [view, expression] of [
        [{ yaw: 17, pitch: 4 }, {}],
        [{ yaw: -40 }, { jawOpen: 0.5, smile: 0.4 }],
        [{ yaw: 170 }, {}],
      ] as const) {
        const pose = poseForView(original, view, expression);
        const draw = async (avatar: Avatar) => {
          const renderer = await AvatarRenderer.create(gpu, avatar);
          const image = await renderer.renderFloat(pose, original.camera);
          renderer.dispose();
          return image;
        };
        const truth = await draw(original);
        const [before, after] = [psnr(truth, await draw(sampled)), psnr(truth, await draw(matched))];
        expect(after - before, `${count}, yaw ${view.yaw}: ${before} dB before`).toBeGreaterThan(least);
      }
    }
  });

  it('gives the same bytes for the same seed, and others for another', async () => {
    const match = async (seed: number): Promise<string> =>
      hashOf(await resampleMatched(gpu, baked, 1500, { steps: 9, views: 3, seed }));
    const once = await match(5);
    expect(await match(5)).toBe(once);
    expect(await match(6)).not.toBe(once);
  });

  it('leaves what it need not teach, stops when told to, and refuses what cannot be', async () => {
    expect(hashOf(await resampleMatched(gpu, baked, 1200, { steps: 0 }))).toBe(hashOf(resample(baked, 1200, 1)));
    expect(hashOf(await resampleMatched(gpu, baked, 3000))).toBe(hashOf(original));
    const stop = new AbortController();
    const stopped = resampleMatched(gpu, baked, 1200, { steps: 64, views: 2 }, () => stop.abort(), stop.signal);
    await expect(stopped).rejects.toThrow(/abort/i);
    await expect(resampleMatched(gpu, baked, 1200, { steps: 1.5 })).rejects.toThrow(/"steps" is 1.5; give a whole/);
    await expect(resampleMatched(gpu, baked, 1200, { views: 0 })).rejects.toThrow(/"views" is 0; .* at least 1/);
    await expect(resampleMatched(gpu, { ...baked, mapped: 'appearance' }, 1200)).rejects.toThrow(ResampleError);
  });
});
