import { describe, expect, it } from 'vitest';
import { testGpu } from '../../test/gpu.ts';
import { sampleAvatar } from '../../test/sample-avatar.ts';
import { randomNormal } from '../math/random.ts';
import { matrixFromAxisAngle, transformVector } from '../math/rotation.ts';
import { AvatarRenderer } from '../viewer/avatar-renderer.ts';
import { centredCamera, poseForView } from '../viewer/views.ts';
import { overlay, scoreExactViews, type ExactView } from './exact-views.ts';

/** L×3: landmarks spread as a face's are, metres. */
const points = Float32Array.from({ length: 468 * 3 }, (_, i) => 0.05 * randomNormal(7, 0, i));

function placed(scale: number, rotation: readonly number[], translation: readonly number[]): Float32Array {
  const matrix = matrixFromAxisAngle(rotation);
  const moved = points.slice();
  for (let i = 0; i < points.length; i += 3) {
    const turned = transformVector(matrix, points[i], points[i + 1], points[i + 2]);
    for (let axis = 0; axis < 3; axis++) moved[i + axis] = scale * (turned[axis] + translation[axis]);
  }
  return moved;
}

describe('overlay', () => {
  it.each([
    { name: 'a frontal head', rotation: [Math.PI - 0.01, 0, 0], translation: [0.01, -0.02, 0.7], scale: 1 },
    { name: 'one half as large', rotation: [2.2, 0, 2.2], translation: [0, 0.02, 0.68], scale: 0.5 },
    { name: 'one seen from behind', rotation: [0, 0, 3.1], translation: [0, 0, 1], scale: 1.3 },
  ])('finds $name', ({ rotation, translation, scale }) => {
    const pose = overlay(points, placed(scale, rotation, translation));
    for (let axis = 0; axis < 3; axis++) {
      expect(pose.headRotation[axis]).toBeCloseTo(rotation[axis], 4);
      expect(pose.headTranslation[axis]).toBeCloseTo(translation[axis], 5);
    }
  });

  it('finds the middle of noise', () => {
    const seen = placed(1, [3, 0.2, 0.1], [0, 0, 0.8]).map((value, i) => value + 2e-3 * randomNormal(7, 1, i));
    const { headRotation, headTranslation } = overlay(points, seen);
    [3, 0.2, 0.1].forEach((value, axis) => expect(Math.abs(headRotation[axis] - value)).toBeLessThan(0.01));
    expect(Math.abs(headTranslation[2] - 0.8)).toBeLessThan(0.01);
  });
});

describe('scoreExactViews', () => {
  it('lays an avatar over a subject of another size, and tells a wrong one from it', async () => {
    const gpu = await testGpu();
    const avatar = sampleAvatar(800);
    const camera = centredCamera(avatar.camera, 64);
    const renderer = await AvatarRenderer.create(gpu, avatar);
    const views: ExactView[] = [];
    for (const yaw of [0, 45, -90, 180]) {
      const pose = poseForView(avatar, { yaw }); // at rest, as the sample avatar's neutral pose is
      const { width, height, data } = await renderer.render(pose, camera);
      // A matte that covers all of the frame: the picture is on white already.
      const rgba = Uint8Array.from({ length: width * height * 4 }, (_, i) =>
        i % 4 === 3 ? 255 : data[Math.floor(i / 4) * 3 + (i % 4)],
      );
      const large = { ...pose, headTranslation: pose.headTranslation.map((value) => 1.7 * value) };
      views.push({ image: { width, height, channels: 4, data: rgba }, camera, pose: large });
    }
    renderer.dispose();
    // The subject is the same head, 1.7 times as large and as far away: it looks the same.
    const { templateVertices } = avatar.head;
    const subject = {
      head: { ...avatar.head, templateVertices: templateVertices.map((value) => 1.7 * value) },
      identityCoefficients: new Float32Array(0),
    };
    const scores = await scoreExactViews(gpu, avatar, subject, views);
    expect(scores.map(({ yaw }) => Math.abs(Math.round(yaw)))).toEqual([0, 45, 90, 180]);
    expect(Math.sign(scores[1].yaw)).toBe(1);
    expect(Math.sign(scores[2].yaw)).toBe(-1);
    for (const { psnr } of scores) expect(psnr).toBeGreaterThan(40);
    const pale = { ...avatar, gaussians: { ...avatar.gaussians, color: avatar.gaussians.color.map((c) => c + 0.5) } };
    for (const { psnr } of await scoreExactViews(gpu, pale, subject, views)) expect(psnr).toBeLessThan(30);
  });
});
