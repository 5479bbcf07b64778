import { beforeAll, describe, expect, it } from 'vitest';
import { testGpu } from '../../test/gpu.ts';
import { sampleAvatar } from '../../test/sample-avatar.ts';
import type { Avatar } from '../avatar/avatar.ts';
import type { Clip } from '../fitting/clip.ts';
import { packPixels } from '../fitting/frame-pixels.ts';
import type { NetworkRuntime } from '../network/index.ts';
import { createNodeNetworkRuntime } from '../platform/node/network-runtime.ts';
import { AvatarRenderer } from '../viewer/avatar-renderer.ts';
import { centredCamera, poseForView } from '../viewer/views.ts';
import { MAP_NAMES, type AttributeMaps } from './attribute-maps.ts';
import { bakeAvatar, bakeInOneStage, type BakeContext, type BakeResult } from './bake-avatar.ts';
import { BAKE_DEFAULTS, BAKE_VARIANTS, type BakeOptions } from './bake-options.ts';
import { bakedGaussians } from './baked-avatar.ts';

const SIZE = 48;
const SMALL = { mapSize: 32, width: 4, depth: 2, hold: 2, steps: 12, polish: 4, polishHold: 2, warmUp: 6 } as const;
const TINY: BakeOptions = { ...BAKE_DEFAULTS, ...SMALL };

let avatar: Avatar;
let clip: Clip;
let runtime: NetworkRuntime;

beforeAll(async () => {
  const gpu = await testGpu();
  avatar = sampleAvatar(800);
  const camera = centredCamera(avatar.camera, SIZE);
  const renderer = await AvatarRenderer.create(gpu, avatar);
  const poses = [-20, 0, 20].map((yaw) => poseForView(avatar, { yaw }));
  const pixels: Uint32Array[] = [];
  for (const pose of poses) pixels.push(packPixels(await renderer.render(pose, camera, { transparent: true })));
  renderer.dispose();
  clip = {
    size: SIZE,
    frames: poses.map((pose, index) => ({ index, camera, pose })),
    pixels: (frame) => pixels[frame]!,
  };
  runtime = await createNodeNetworkRuntime({ gpu, threads: 1 });
});

const bake = async (options: Partial<BakeOptions> = {}, context?: BakeContext): Promise<BakeResult> =>
  bakeAvatar(await testGpu(), runtime, { avatar, clip }, { ...TINY, ...options }, context);

/** Mean absolute difference of the clip's frames drawn from the baked avatar. */
async function frameError(result: BakeResult): Promise<number> {
  const renderer = await AvatarRenderer.create(await testGpu(), bakedGaussians(result.baked));
  let sum = 0;
  for (const [index, { pose, camera }] of clip.frames.entries()) {
    const drawn = packPixels(await renderer.render(pose, camera, { transparent: true }));
    const [given, wanted] = [new Uint8Array(drawn.buffer), new Uint8Array(clip.pixels(index).slice().buffer)];
    given.forEach((value, byte) => (sum += Math.abs(value - wanted[byte]!) / given.length / clip.frames.length));
  }
  renderer.dispose();
  return sum;
}

const sameMaps = (a: AttributeMaps, b: AttributeMaps): boolean =>
  MAP_NAMES.every((name) => Buffer.from(a[name].buffer).equals(Buffer.from(b[name].buffer)));

describe('baking', () => {
  it.each(BAKE_VARIANTS.filter((variant) => variant !== 'oneStage'))('learns the frames: %s', async (variant) => {
    const [short, long] = [
      await bake({ variant, warmUp: 0, steps: 2, polish: 0 }),
      await bake({ variant, warmUp: 20, steps: 24, polish: 0 }),
    ];
    expect(await frameError(long)).toBeLessThan(0.8 * (await frameError(short)));
    const first = long.losses[0]!;
    expect(Number.isFinite(first.total) && first.l1 > 0).toBe(true);
    expect(long.baked.maps.size).toBe(32);
    expect(long.contribution.length).toBe(avatar.gaussians.count);
  });

  it('in one stage learns an avatar of its own', async () => {
    const { head } = avatar;
    const fit = { head, identityCoefficients: new Float32Array(0), clip };
    const options = { ...TINY, variant: 'oneStage', gaussians: 500, steps: 16 } as const;
    const { baked } = await bakeInOneStage(await testGpu(), runtime, fit, options);
    expect(baked.avatar.gaussians.count).toBe(500);
    // What the maps say at each place is what the avatar holds.
    const read = bakedGaussians(baked).gaussians;
    baked.avatar.gaussians.logScale.forEach((value, index) => expect(read.logScale[index]).toBeCloseTo(value, 4));
  });

  it('keeps geometry where only appearance is baked', async () => {
    const { baked } = await bake({ variant: 'appearance' });
    const { gaussians } = bakedGaussians(baked);
    expect(baked.mapped).toBe('appearance');
    expect(gaussians.logScale).toEqual(avatar.gaussians.logScale);
    expect(gaussians.localRotation).toEqual(avatar.gaussians.localRotation);
    expect(gaussians.color).not.toEqual(avatar.gaussians.color);
  });

  it('gives the same bytes for the same seed, others for another', async () => {
    const [once, again, other] = [await bake(), await bake(), await bake({ seed: 2 })];
    expect(sameMaps(once.baked.maps, again.baked.maps)).toBe(true);
    expect(sameMaps(once.baked.maps, other.baked.maps)).toBe(false);
  });

  it.each(['all', 'freeMap'] as const)('stopped anywhere, goes on to the same bytes: %s', async (variant) => {
    const whole = await bake({ variant }, { checkpointSteps: 4 });
    for (const stopAfter of variant === 'all' ? [3, 9, 12, 13] : [3, 9]) {
      let stored: Uint8Array | null = null;
      const checkpoints = {
        read: () => Promise.resolve(stored),
        write: (bytes: Uint8Array) => Promise.resolve(void (stored = bytes)),
      };
      const context = { checkpoints, key: 'k', checkpointSteps: 4 };
      const controller = new AbortController();
      let calls = 0;
      const onProgress = (): void => void (++calls === stopAfter && controller.abort());
      await expect(bake({ variant }, { ...context, onProgress, signal: controller.signal })).rejects.toThrow(/abort/i);
      const lines: string[] = [];
      const resumed = await bake({ variant }, { ...context, log: (line) => lines.push(line) });
      expect(sameMaps(whole.baked.maps, resumed.baked.maps)).toBe(true);
      expect(resumed.losses).toEqual(whole.losses);
      if (stopAfter > 6)
        expect(lines.join()).toMatch(
          variant === 'all' ? /goes on after \d+ of 16 frames/ : /goes on after \d+ of 12 frames/,
        );
    }
  });

  it('does the same with too little room for an image at first', async () => {
    const [roomy, tight] = [await bake(), await bake({}, { intersectionCapacity: 300 })];
    expect(sameMaps(roomy.baked.maps, tight.baked.maps)).toBe(true);
  });

  it('holds the maps still for K frames: fewer steps of the network, the same frames', async () => {
    const stages: string[] = [];
    const onProgress = ({ stage, done }: { stage: string; done: number }): void => void stages.push(`${stage} ${done}`);
    await bake({ hold: 5, steps: 12, polish: 6, warmUp: 1 }, { onProgress });
    expect(stages).toEqual([
      'bake: learn attributes 1',
      'bake 5',
      'bake 10',
      'bake 12',
      'bake 14',
      'bake 16',
      'bake 18',
    ]);
  });

  it('polishes the finished maps texel by texel: closer to the frames', async () => {
    const [plain, polished] = [await bake({ polish: 0 }), await bake({ polish: 60 })];
    expect(await frameError(polished)).toBeLessThan(await frameError(plain));
    const [before, after] = [plain.baked.maps.colorMap, polished.baked.maps.colorMap];
    expect(after.some((value, texel) => value !== before[texel])).toBe(true);
  });

  it('with the network enlarged or not makes maps of the size asked for', async () => {
    const [enlarged, plain] = [await bake({ enlargement: 4, depth: 1 }), await bake({ enlargement: 1 })];
    expect([enlarged.baked.maps.size, plain.baked.maps.size]).toEqual([32, 32]);
  });
});

describe('baking refuses', () => {
  it.each([
    [{ mapSize: 36 }, /"mapSize" is 36; a net of depth 2 whose maps are enlarged 2 times needs a multiple of 8/],
    [{ hold: 0 }, /"hold" is 0/],
    [{ steps: 1.5 }, /"steps" is 1.5/],
    [{ variant: 'other' as never }, /"variant" is "other"; give one of all, appearance/],
    [{ variant: 'oneStage' as const }, /use bakeInOneStage/],
  ])('options %o', async (options, message) => {
    await expect(bake(options)).rejects.toThrow(message);
  });

  it('an avatar that is not one', async () => {
    const gaussians = { ...avatar.gaussians, opacityLogit: avatar.gaussians.opacityLogit.slice() };
    gaussians.opacityLogit[7] = NaN;
    const broken = { ...avatar, gaussians };
    await expect(bakeAvatar(await testGpu(), runtime, { avatar: broken, clip }, TINY)).rejects.toThrow(
      /NaN in "opacityLogit" \(element 7\)/,
    );
  });

  it('to train a network without a runtime', async () => {
    await expect(bakeAvatar(await testGpu(), null, { avatar, clip }, TINY)).rejects.toThrow(/give a network runtime/);
  });
});
