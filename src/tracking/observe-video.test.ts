import { afterAll, describe, expect, it } from 'vitest';
import { makeVideo, videoFolder } from '../../test/make-video.ts';
import { sharedPath } from '../../test/shared.ts';
import { loadFaceModels } from '../inference/face-models.ts';
import { createNodeInference } from '../platform/node/litert.ts';
import { openModelFiles } from '../platform/node/model-files.ts';
import { nodeVideoPlatform } from '../platform/node/node-video.ts';
import { openVideo } from '../video/open-video.ts';
import { NoFaceFoundError, type ClipObservation, type FaceObservation } from './observation.ts';
import { observeVideo, type ObserveOptions } from './observe-video.ts';

const folder = videoFolder();
afterAll(folder.remove);

const models = await loadFaceModels(await createNodeInference(), await openModelFiles());
const H264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-an'];

async function observe(path: string, options?: Partial<ObserveOptions>): Promise<ClipObservation> {
  const video = await openVideo(path, nodeVideoPlatform);
  try {
    return await observeVideo(video, models, options);
  } finally {
    video.close();
  }
}

const point = ({ landmarks }: FaceObservation, index: number): [number, number] => [
  landmarks[3 * index],
  landmarks[3 * index + 1],
];
const usable = ({ observations }: ClipObservation): FaceObservation[] =>
  observations.filter((o) => o.excluded === null);
const CHIN = 152;
const FOREHEAD = 10;
const RIGHT_EYE = 33;
const LEFT_EYE = 263;

/** Eyes level and apart, chin below, all inside: a face and not some other texture. */
function expectUprightFace(observation: FaceObservation, size: { width: number; height: number }): void {
  const [rightX, rightY] = point(observation, RIGHT_EYE);
  const [leftX, leftY] = point(observation, LEFT_EYE);
  const [, foreheadY] = point(observation, FOREHEAD);
  const [, chinY] = point(observation, CHIN);
  const faceHeight = chinY - foreheadY;
  expect(faceHeight).toBeGreaterThan(size.height * 0.1);
  expect(leftX - rightX).toBeGreaterThan(faceHeight * 0.25);
  expect(Math.abs(leftY - rightY)).toBeLessThan(faceHeight * 0.25);
  expect((rightY + leftY) / 2).toBeGreaterThan(foreheadY);
  expect((rightY + leftY) / 2).toBeLessThan(chinY);
}

describe('observeVideo', () => {
  it('says when there is no face, and from which frame on it looked', async () => {
    const path = makeVideo('-f', 'lavfi', '-i', 'testsrc2=s=320x240:r=10:d=1', ...H264, folder.path('no-face.mp4'));
    const failure = await observe(path).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(NoFaceFoundError);
    expect((failure as NoFaceFoundError).frameIndex).toBe(0);
    expect((failure as NoFaceFoundError).message).toMatch(/No face was found in any of 10 frames .*Use a video/);
  });

  const clip = sharedPath('data/clips/selfie-glasses.mp4') ?? '';
  const other = sharedPath('data/clips/address-turns.mp4') ?? '';
  const withClips = it.skipIf(!clip || !other);
  const NEEDS = '(needs ../shared/data/clips)';

  withClips(`follows a real face smoothly ${NEEDS}`, async () => {
    const found = await observe(makeVideo('-i', clip, '-t', '1.5', ...H264, folder.path('plain.mp4')));
    expect(found.warnings).toEqual([]);
    expect(found.observations).toHaveLength(45);
    found.observations.forEach((observation, i) => {
      expectUprightFace(observation, { width: 512, height: 512 });
      expect(observation).toMatchObject({ sourceIndex: i, excluded: null, blendshapes: null });
      if (i === 0) return;
      const [x, y] = point(observation, 1);
      const [lastX, lastY] = point(found.observations[i - 1], 1);
      expect(Math.hypot(x - lastX, y - lastY)).toBeLessThan(12);
    });
  });

  withClips(`gives the same landmarks twice ${NEEDS}`, async () => {
    const first = await observe(folder.path('plain.mp4'), { maximumFrames: 10 });
    const second = await observe(folder.path('plain.mp4'), { maximumFrames: 10 });
    expect(first.observations.map((o) => o.sourceIndex)).toEqual([0, 4, 9, 13, 18, 22, 27, 31, 36, 40]);
    first.observations.forEach((observation, i) =>
      expect(observation.landmarks).toEqual(second.observations[i].landmarks),
    );
  });

  withClips(`works on a video of one frame, with a warning ${NEEDS}`, async () => {
    const found = await observe(makeVideo('-i', clip, '-frames:v', '1', ...H264, folder.path('one.mp4')));
    expectUprightFace(found.observations[0], { width: 512, height: 512 });
    expect(found.warnings).toEqual([expect.stringContaining('Only 1 frame can be used')]);
  });

  withClips(`finds the face of a phone video that is stored on its side ${NEEDS}`, async () => {
    const sideways = makeVideo('-i', clip, '-t', '0.5', '-vf', 'transpose=1', ...H264, folder.path('sideways.mp4'));
    const path = folder.path('phone.mp4');
    makeVideo('-i', sideways, '-metadata:s:v', 'rotate=90', '-c', 'copy', path);
    if ((await openVideo(path, nodeVideoPlatform)).info.rotation === 0)
      makeVideo('-display_rotation', '90', '-i', sideways, '-c', 'copy', path);
    const found = await observe(path);
    for (const observation of usable(found)) expectUprightFace(observation, { width: 512, height: 512 });
    expect(usable(found)).toHaveLength(15);
  });

  withClips(`follows the larger of two faces and says so ${NEEDS}`, async () => {
    const filter =
      '[1:v]scale=256:256,pad=256:512:0:200[small];[0:v]scale=512:512,setsar=1,fps=25[large];[small]setsar=1[s];[s][large]hstack';
    const found = await observe(
      makeVideo(
        '-t',
        '1',
        '-i',
        clip,
        '-t',
        '1',
        '-i',
        other,
        '-filter_complex',
        filter,
        '-t',
        '1',
        ...H264,
        folder.path('two.mp4'),
      ),
    );
    expect(usable(found).length).toBeGreaterThan(20);
    for (const observation of usable(found)) expect(point(observation, 1)[0]).toBeGreaterThan(256);
    expect(found.warnings[0]).toContain('2 faces are in the video; the largest and steadiest');
  });

  withClips(`keeps to the longest shot of a video with a cut ${NEEDS}`, async () => {
    const filter = '[0:v]scale=512:512,setsar=1,fps=25[a];[1:v]setsar=1[b];[a][b]concat';
    const found = await observe(
      makeVideo(
        '-t',
        '1',
        '-i',
        clip,
        '-t',
        '2',
        '-i',
        other,
        '-filter_complex',
        filter,
        ...H264,
        folder.path('cut.mp4'),
      ),
    );
    expect(found.warnings[0]).toMatch(/cuts to another shot at frame 25; only frames 25–7\d are used/);
    expect(found.observations.slice(0, 25).every((o) => o.excluded === 'another shot of the video')).toBe(true);
    expect(usable(found).length).toBeGreaterThanOrEqual(45);
  });

  withClips(`leaves out frames that the face is leaving or has left ${NEEDS}`, async () => {
    const filter =
      "[0:v]scale=512:512,setsar=1,split[a][b];[a]drawbox=c=gray:t=fill[back];[back][b]overlay=x='if(between(n,15,55),280*(1-cos((n-15)/20*PI)),0)'";
    const found = await observe(
      makeVideo('-t', '2', '-i', clip, '-filter_complex', filter, ...H264, folder.path('leaves.mp4')),
    );
    const reasons = new Set(found.observations.map((o) => o.excluded));
    expect(reasons).toContain('the face leaves the picture');
    expect(reasons).toContain('no face');
    expect(found.warnings.some((warning) => warning.startsWith('Left out because no face is seen: frames '))).toBe(
      true,
    );
    // The face comes back and is taken up again.
    expect(found.observations.slice(57).every((o) => o.excluded === null)).toBe(true);
    for (const observation of usable(found)) expectUprightFace(observation, { width: 512, height: 512 });
  });

  withClips(`leaves out frames in which something covers the face ${NEEDS}`, async () => {
    // A palm's colour over the lower half of the face, for 12 frames.
    const hand = "drawbox=x=150:y=260:w=220:h=190:c=0xB07860:t=fill:enable='between(n,20,31)'";
    const found = await observe(
      makeVideo('-t', '2', '-i', clip, '-vf', `scale=512:512,setsar=1,${hand}`, ...H264, folder.path('hand.mp4')),
    );
    const covered = found.observations.filter((o) => o.excluded !== null).map((o) => o.sourceIndex);
    expect(covered).toEqual([20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31]);
    expect(found.warnings[0]).toMatch(/something covers the face: frames 20–31/);
  });

  withClips(`finds a small face in a large picture ${NEEDS}`, async () => {
    const filter = 'scale=240:240,setsar=1,pad=1920:1080:1500:700:gray';
    const found = await observe(makeVideo('-t', '0.3', '-i', clip, '-vf', filter, ...H264, folder.path('small.mp4')));
    expect(usable(found)).toHaveLength(9);
    expect(point(found.observations[0], 1)[0]).toBeGreaterThan(1500);
  });

  withClips(`works in grayscale ${NEEDS}`, async () => {
    const found = await observe(
      makeVideo('-t', '0.5', '-i', clip, '-vf', 'format=gray', '-c:v', 'libx264', '-an', folder.path('gray.mp4')),
    );
    expect(usable(found)).toHaveLength(15);
  });

  withClips(`stops when cancelled ${NEEDS}`, async () => {
    const cancel = new AbortController();
    const video = await openVideo(folder.path('plain.mp4'), nodeVideoPlatform);
    const watching = observeVideo(video, models, {}, ({ done }) => void (done === 3 && cancel.abort()), cancel.signal);
    await expect(watching).rejects.toThrow(/abort/i);
  });

  const given = sharedPath('data/models');
  it.skipIf(!given || !clip)(
    'gives 478 points and expression scores with face_landmarker.task (needs ../shared/data)',
    async () => {
      const better = await loadFaceModels(await createNodeInference(), await openModelFiles(given!));
      const found = await observeVideo(await openVideo(clip, nodeVideoPlatform), better, { maximumFrames: 60 });
      expect(found.landmarkCount).toBe(478);
      // The two models agree where both have points.
      const plain = await observe(clip, { maximumFrames: 60 });
      let distance = 0;
      for (let i = 0; i < 468; i++) {
        const [x, y] = point(found.observations[30], i);
        const [plainX, plainY] = point(plain.observations[30], i);
        distance += Math.hypot(x - plainX, y - plainY) / 468;
      }
      expect(distance).toBeLessThan(8);
      // Irises lie between the corners of their eyes.
      for (const [iris, inner, outer] of [
        [468, 133, 33],
        [473, 362, 263],
      ]) {
        const xs = found.observations.map((o) => [point(o, iris)[0], point(o, inner)[0], point(o, outer)[0]]);
        for (const [x, a, b] of xs) expect((x - a) * (x - b)).toBeLessThan(0);
      }
      for (const { blendshapes } of found.observations) {
        expect(blendshapes).toHaveLength(52);
        for (const score of blendshapes!) expect(score >= 0 && score <= 1).toBe(true);
      }
      better.close();
    },
  );
});
