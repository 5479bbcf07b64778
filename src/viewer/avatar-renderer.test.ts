import { beforeAll, describe, expect, it } from 'vitest';
import { testGpu } from '../../test/gpu.ts';
import { madeSubject, type MadeSubject } from '../../test/made-subject.ts';
import { decodeAvatar, encodeAvatar, type Avatar } from '../avatar/avatar.ts';
import { FIT_DEFAULTS } from '../fitting/fit-options.ts';
import { personalHead } from '../fitting/personal-head.ts';
import { Training } from '../fitting/training.ts';
import { readFloats } from '../gpu/buffer.ts';
import { Commands } from '../gpu/commands.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { unpadVertices } from '../head/deformation/layout.ts';
import { randomNormal } from '../math/random.ts';
import { AvatarRenderer } from './avatar-renderer.ts';

let gpu: Gpu;
let subject: MadeSubject;
beforeAll(async () => {
  gpu = await testGpu();
  subject = await madeSubject(gpu, { frameCount: 2 });
});

/** What training renders of both frames with learned deltas, and the avatar that the fit would write then. */
async function trained(): Promise<{ avatar: Avatar; images: Float32Array[] }> {
  const { head, identityCoefficients, clip } = subject;
  const training = await Training.create(gpu, {
    head,
    identityCoefficients,
    initial: subject.avatar.gaussians,
    canonical: subject.poses[0],
    vertexOffset: subject.avatar.vertexOffset,
    clip,
    options: { ...FIT_DEFAULTS, background: 'white' },
    capacity: 700,
  });
  const { support, vertexOffset } = training.deformation;
  const model = await training.deformation.readDisplacements();
  const learned = model.map((value, i) => value + 0.002 * randomNormal(61, 0, i));
  training.deformation.writeDisplacements(learned);
  const images: Float32Array[] = [];
  for (const frame of clip.frames.keys()) {
    const commands = training.commands();
    training.recordPoseStep(commands, frame, 0);
    commands.submit();
    images.push(await readFloats(gpu, training.rasterizer.image, clip.size * clip.size * 4));
  }
  const avatar: Avatar = {
    ...subject.avatar,
    head: personalHead(head, identityCoefficients, support, learned),
    vertexOffset: unpadVertices(await readFloats(gpu, vertexOffset), head.vertexCount),
    gaussians: await training.gaussians.read(),
    canonicalSizes: await training.placement.readCanonicalSizes(),
  };
  training.dispose();
  return { avatar, images };
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i] - b[i]));
  return largest;
}

describe('AvatarRenderer', () => {
  it('draws what training drew, also from the stored file', async () => {
    const { avatar, images } = await trained();
    const stored = decodeAvatar(encodeAvatar(avatar), 'the test');
    for (const version of [avatar, stored]) {
      const renderer = await AvatarRenderer.create(gpu, version);
      for (const [frame, image] of images.entries()) {
        const drawn = await renderer.renderFloat(subject.poses[frame], subject.camera);
        const expected = drawn.data.map((_, i) => Math.min(1, Math.max(0, image[Math.floor(i / 3) * 4 + (i % 3)])));
        expect(expected.some((value) => value < 0.5)).toBe(true);
        expect(largestDifference(drawn.data, expected)).toBeLessThan(2e-3);
      }
      renderer.dispose();
    }
  });

  it('draws other sizes and backgrounds, with coverage when asked, the same twice', async () => {
    const renderer = await AvatarRenderer.create(gpu, subject.avatar);
    const large = { width: 97, height: 61, focalX: 90, focalY: 90, principalX: 50, principalY: 30 };
    const image = await renderer.render(subject.poses[0], large, { background: [1, 0, 0] });
    expect([image.width, image.height, image.channels]).toEqual([97, 61, 3]);
    expect([...image.data.subarray(0, 3)]).toEqual([255, 0, 0]);
    const transparent = await renderer.render(subject.poses[0], subject.camera, { transparent: true });
    const centre = (32 * 64 + 32) * 4;
    expect(transparent.data[3]).toBe(0);
    expect(transparent.data[centre + 3]).toBeGreaterThan(240);
    expect((await renderer.render(subject.poses[0], subject.camera, { transparent: true })).data).toEqual(
      transparent.data,
    );
    renderer.dispose();
  });

  it('makes room when a picture needs more intersections than it began with', async () => {
    const camera = { width: 320, height: 320, focalX: 3000, focalY: 3000, principalX: 160, principalY: 160 };
    const renderer = await AvatarRenderer.create(gpu, subject.avatar);
    const close = await renderer.renderFloat(subject.poses[0], camera); // every Gaussian covers most of the picture
    const again = await renderer.renderFloat(subject.poses[0], camera);
    expect(again.data).toEqual(close.data);
    expect(close.data.every(Number.isFinite)).toBe(true);
    expect(await renderer.makeRoom()).toBe(false);
    renderer.dispose();
  });

  it('says of a recorded picture whether it lacked room, and has it the next time', async () => {
    const closer = { width: 512, height: 512, focalX: 9000, focalY: 9000, principalX: 256, principalY: 256 };
    const renderer = await AvatarRenderer.create(gpu, subject.avatar);
    expect(await renderer.makeRoom()).toBe(false);
    const draw = async (): Promise<Float32Array> => {
      const commands = new Commands(gpu);
      const image = await renderer.record(commands, subject.poses[0], closer);
      commands.submit();
      return readFloats(gpu, image, closer.width * closer.height * 4);
    };
    const cut = await draw();
    expect(await renderer.makeRoom()).toBe(true);
    expect(largestDifference(await draw(), cut)).toBeGreaterThan(0.01);
    expect(await renderer.makeRoom()).toBe(false);
    renderer.dispose();
  });

  it('reads world Gaussians back for exports', async () => {
    const renderer = await AvatarRenderer.create(gpu, subject.avatar);
    const world = await renderer.worldGaussians(subject.poses[0]);
    expect(world.count).toBe(subject.avatar.gaussians.count);
    for (let index = 0; index < world.count; index++) {
      expect(Math.hypot(...world.rotation.subarray(index * 4, index * 4 + 4))).toBeCloseTo(1, 4);
      expect(world.meanOpacity[index * 4 + 2]).toBeGreaterThan(0.35);
      expect(world.meanOpacity[index * 4 + 3]).toBeCloseTo(1 / (1 + Math.exp(-2.5)), 4);
    }
    renderer.dispose();
  });
});
