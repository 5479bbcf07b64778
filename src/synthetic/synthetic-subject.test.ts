import { mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { testGpu } from '../../test/gpu.ts';
import { createBuiltinHead } from '../head/builtin/builtin-head.ts';
import type { HeadModel } from '../head/head-model.ts';
import { loadFaceModels } from '../inference/face-models.ts';
import { matrixFromAxisAngle, transformVector } from '../math/rotation.ts';
import { readCanonicalFace } from '../platform/node/canonical-face.ts';
import { createNodeInference } from '../platform/node/litert.ts';
import { openModelFiles } from '../platform/node/model-files.ts';
import { createSyntheticFolder } from '../platform/node/synthetic-folder.ts';
import { detectFaces } from '../tracking/face-detector.ts';
import { parseTrack } from '../tracking/track-json.ts';
import type { Image } from '../video/frame.ts';
import { createMotionTake } from './motion-take.ts';
import { renderSyntheticSubject, type SyntheticOptions, type SyntheticSubject } from './synthetic-subject.ts';

interface Recording {
  readonly subject: SyntheticSubject;
  readonly frames: Image[];
  readonly mattes: Uint8Array[];
  readonly views: Image[];
}

async function record(head: HeadModel, options: Partial<SyntheticOptions>): Promise<Recording> {
  const [frames, mattes, views]: [Image[], Uint8Array[], Image[]] = [[], [], []];
  const output = {
    frame: (_: number, image: Image) => Promise.resolve(void frames.push(image)),
    matte: (_: number, coverage: Uint8Array) => Promise.resolve(void mattes.push(coverage)),
    view: (_: number, image: Image) => Promise.resolve(void views.push(image)),
  };
  return { subject: await renderSyntheticSubject(await testGpu(), head, output, options), frames, mattes, views };
}

const SMALL = { size: 192, seconds: 12, framesPerSecond: 0.5, orbitViews: 4, textureSize: 512 };

describe('renderSyntheticSubject', () => {
  let head: HeadModel;
  let recording: Recording;
  beforeAll(async () => {
    head = createBuiltinHead(readCanonicalFace());
    recording = await record(head, SMALL);
  });

  it('gives frames, mattes, views and a track that belong together', () => {
    const { subject, frames, mattes, views } = recording;
    expect([frames.length, mattes.length, views.length, subject.track.frames.length]).toEqual([6, 6, 4, 6]);
    expect(subject.track.expressionNames).toEqual(head.expressionNames);
    expect(subject.track.frames.map(({ timestamp }) => timestamp)).toEqual([0, 2, 4, 6, 8, 10]);
    for (const matte of mattes) {
      const share = matte.reduce((sum, value) => sum + value, 0) / 255 / 192 ** 2;
      expect(share).toBeGreaterThan(0.12);
      expect(share).toBeLessThan(0.4);
    }
  });

  it('draws the head where the track says', () => {
    const { subject, mattes } = recording;
    subject.track.frames.forEach(({ camera, pose }, index) => {
      const neck = matrixFromAxisAngle(pose.neckPose);
      const root = matrixFromAxisAngle(pose.headRotation);
      // The forehead's middle follows the neck joint closely enough for a pixel test.
      const turned = transformVector(neck, 0, 0.03, 0.06);
      const [x, y, z] = transformVector(root, turned[0], turned[1], turned[2]).map(
        (value, axis) => value + pose.headTranslation[axis],
      );
      const column = Math.floor((camera.focalX * x) / z + camera.principalX);
      const row = Math.floor((camera.focalY * y) / z + camera.principalY);
      expect(mattes[index][row * camera.width + column]).toBe(255);
    });
  });

  it('leaves clothing and room out of the matte, and shows hair at the back', () => {
    const { frames, mattes, views } = recording;
    // The shoulders fill the lower corners; the matte stops at the collar.
    const last = 191 * 192;
    expect(mattes[0].subarray(last, last + 192).every((value) => value === 0)).toBe(true);
    expect(frames[0].data[(last + 96) * 3 + 2]).toBeGreaterThan(frames[0].data[(last + 96) * 3]); // blue pullover
    const brightness = (view: Image): number => {
      let [sum, count] = [0, 0];
      for (let i = 0; i < view.data.length; i += 4)
        if (view.data[i + 3] === 255 && i / 4 / 192 < 80) [sum, count] = [sum + view.data[i], count + 1];
      return sum / count;
    };
    expect(brightness(views[2])).toBeLessThan(0.75 * brightness(views[0]));
  });

  it('is the same for the same seed and another for another', async () => {
    const short = { ...SMALL, seconds: 1, framesPerSecond: 1, orbitViews: 0 };
    const again = await record(head, short);
    const other = await record(head, { ...short, seed: 2 });
    expect(again.frames[0].data).toEqual((await record(head, short)).frames[0].data);
    expect(other.frames[0].data).not.toEqual(again.frames[0].data);
    expect(other.subject.track.identityCoefficients).not.toEqual(again.subject.track.identityCoefficients);
    await expect(record(head, { ...SMALL, seconds: 0 })).rejects.toThrow(/make no clip/);
  });

  it('looks like a person to the face detector, in every frame', async () => {
    const models = await loadFaceModels(await createNodeInference(), await openModelFiles());
    for (const frame of recording.frames) expect((await detectFaces(models.detector, frame)).length).toBe(1);
    models.close();
  });

  it('is kept in a folder once, and made anew when unfinished', async () => {
    const folder = join(mkdtempSync(join(tmpdir(), 'fate-subject-')), 'subject');
    const options = { ...SMALL, framesPerSecond: 5, seconds: 0.4, orbitViews: 1, textureSize: 128 };
    const paths = await createSyntheticFolder(await testGpu(), head, folder, options);
    expect(readdirSync(paths.mattesPath)).toEqual(['00000.png', '00001.png']);
    expect(readdirSync(paths.viewsPath)).toEqual(['00.png', 'views.json']);
    expect(parseTrack(readFileSync(paths.trackPath, 'utf8')).frames.length).toBe(2);
    const made = statSync(paths.clipPath).mtimeMs;
    await createSyntheticFolder(await testGpu(), head, folder, options);
    expect(statSync(paths.clipPath).mtimeMs).toBe(made);
    writeFileSync(join(folder, 'subject.json'), 'half');
    await createSyntheticFolder(await testGpu(), head, folder, options);
    expect(statSync(paths.clipPath).mtimeMs).toBeGreaterThan(made);
  });
});

describe('createMotionTake', () => {
  const names = ['jawOpen', 'eyeBlinkLeft', 'mouthSmileLeft', 'browInnerUp', 'mouthPucker', 'eyeLookDownLeft'];
  it('moves smoothly, turns far to both sides and uses every expression', () => {
    const take = createMotionTake(12, 1, 0.8, 0);
    const peaks = new Float32Array(names.length);
    let [left, right] = [0, 0];
    let before = take.poseAt(0, names);
    for (let i = 1; i < 300; i++) {
      const pose = take.poseAt(i / 25, names);
      const yaw = pose.neckPose[1] / 0.6;
      [left, right] = [Math.max(left, yaw), Math.min(right, yaw)];
      for (let k = 0; k < 3; k++) {
        expect(Math.abs(pose.neckPose[k] - before.neckPose[k])).toBeLessThan(0.03);
        expect(Math.abs(pose.headTranslation[k] - before.headTranslation[k])).toBeLessThan(0.001);
      }
      pose.expressionCoefficients.forEach((value, k) => {
        peaks[k] = Math.max(peaks[k], value);
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThanOrEqual(1);
        expect(Math.abs(value - before.expressionCoefficients[k])).toBeLessThan(0.5);
      });
      before = pose;
    }
    expect(left).toBeGreaterThan(0.4);
    expect(right).toBeLessThan(-0.4);
    expect(Math.min(...peaks)).toBeGreaterThan(0.2);
  });
});
