import { describe, expect, it } from 'vitest';
import { madeClip, madeFace, projectLandmarks, type MadeClip } from '../../../test/made-clip.ts';
import { madePictures } from '../../../test/made-pictures.ts';
import { randomNormal, randomUniform } from '../../math/random.ts';
import { axisAngleFromMatrix, matrixFromAxisAngle, multiplyMatrices, transposeMatrix } from '../../math/rotation.ts';
import type { Image } from '../../video/frame.ts';
import { FrameEquations, type FrameProblem } from '../solve-frame.ts';
import { initializePose } from '../solve-initial.ts';
import { landmarkBasis } from '../solve-landmarks.ts';
import { prepareFrame } from '../solve-observations.ts';
import { createClipState, createFrameState, moveFrame } from '../solve-state.ts';
import { TrackSolver } from '../solve-track.ts';
import { serializeTrack } from '../track-json.ts';
import type { Track } from '../track.ts';
import { averageAppearance } from './appearance.ts';
import { featurePyramid, type FeaturePyramid } from './feature-image.ts';
import { PICTURE_LEVELS } from './refine-poses.ts';
import { sampleSurface } from './surface-samples.ts';
import { findVisible } from './visibility.ts';

const SIZE = 128;
const head = madeFace();
const pyramidOf = (picture: Image): FeaturePyramid => featurePyramid(picture, SIZE, PICTURE_LEVELS);
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** A take whose landmarks are thrown about as a whole, frame by frame: what a face net's unrest does to a pose. */
function unsteadyClip(): MadeClip {
  const clip = madeClip(head, { frameCount: 40, yaw: 0.35, noise: 1, identityScale: 0.3 });
  clip.observations.forEach(({ landmarks }, frame) => {
    const [shift, turn] = [[0, 1].map((k) => 2 * randomNormal(41, frame, k)), 0.02 * randomNormal(42, frame, 0)];
    const slant = 0.04 * randomNormal(43, frame, 0);
    for (let l = 0; l < landmarks.length; l += 3) {
      const [x, y] = [landmarks[l]! - 320, landmarks[l + 1]! - 240];
      landmarks[l] = 320 + x - turn * y + slant * landmarks[l + 2]! + shift[0]!;
      landmarks[l + 1] = 240 + y + turn * x + shift[1]!;
    }
  });
  return clip;
}

const clip = unsteadyClip();
const pictures = madePictures(head, clip, SIZE);

async function track(images: readonly Image[], learned = 32): Promise<{ before: Track; after: Track }> {
  const { videoWidth, videoHeight, crops, observations } = clip;
  const solver = new TrackSolver(head, observations, { videoWidth, videoHeight, crops, size: SIZE });
  const before = await solver.solve();
  const after = await solver.refine(
    images.map(pyramidOf),
    images.map((_, i) => i < learned),
  );
  return { before, after };
}

let steady: ReturnType<typeof track> | null = null;
/** The pass over all pictures as they are, once for several tests. */
function trackAsDrawn(): ReturnType<typeof track> {
  return (steady ??= track(pictures));
}

/** The head's orientations, neck and root together. */
function orientations({ frames }: Track): Float64Array[] {
  return frames.map(({ pose }) =>
    multiplyMatrices(matrixFromAxisAngle(pose.headRotation), matrixFromAxisAngle(pose.neckPose)),
  );
}

function degreesBetween(a: Float64Array, b: Float64Array): number {
  return (Math.hypot(...axisAngleFromMatrix(multiplyMatrices(a, transposeMatrix(b)))) * 180) / Math.PI;
}

/** Degrees to the exact head. */
function turnErrors(found: Track): number[] {
  return orientations(found).map((rotation, i) =>
    degreesBetween(rotation, matrixFromAxisAngle(clip.poses[i]!.headRotation)),
  );
}

/**
 * Degrees to the exact head less what is wrong in all frames alike: a person who is not quite known is turned by a
 * constant, and the pass is not about that.
 */
function turnUnrest(found: Track): number[] {
  const errors = orientations(found).map((rotation, i) =>
    axisAngleFromMatrix(multiplyMatrices(rotation, transposeMatrix(matrixFromAxisAngle(clip.poses[i]!.headRotation)))),
  );
  const middle = [0, 1, 2].map((k) => mean(errors.map((error) => error[k]!)));
  return errors.map((error) => (Math.hypot(...error.map((value, k) => value - middle[k]!)) * 180) / Math.PI);
}

/** Mean distance of the landmarks to the exact ones, in source pixels. */
function pixelErrors({ frames, identityCoefficients }: Track): number[] {
  return frames.map(({ pose, camera }, i) => {
    const scale = camera.width / clip.crops[i]!.size;
    const { focalX, principalX, principalY } = camera;
    const found = projectLandmarks(head, identityCoefficients, pose, focalX / scale, principalX / scale, principalY / scale);
    const { x, y } = clip.crops[i]!;
    const exact = projectLandmarks(head, clip.identity, clip.poses[i]!, clip.focal, 320 - x, 240 - y);
    return mean(Array.from({ length: 468 }, (_, l) => Math.hypot(found[l * 2]! - exact[l * 2]!, found[l * 2 + 1]! - exact[l * 2 + 1]!)));
  });
} // prettier-ignore

describe('the photometric pass', () => {
  it('brings back poses that landmarks throw about, on frames that teach and on frames that do not', async () => {
    const { before, after } = await trackAsDrawn();
    const [turnsBefore, turnsAfter, pixelsBefore, pixelsAfter] = [
      turnUnrest(before),
      turnUnrest(after),
      pixelErrors(before),
      pixelErrors(after),
    ];
    for (const part of [(v: number[]) => v.slice(0, 32), (v: number[]) => v.slice(32)]) {
      expect(mean(part(turnsAfter))).toBeLessThan(0.8 * mean(part(turnsBefore)));
      expect(mean(part(pixelsAfter))).toBeLessThan(0.7 * mean(part(pixelsBefore)));
    }
  });

  it('gives the same track twice', async () => {
    const [first, second] = [await trackAsDrawn(), await track(pictures)];
    expect(serializeTrack(first.after)).toBe(serializeTrack(second.after));
  });

  it('keeps the landmarks’ track where pictures are flat, empty or too few to learn from', async () => {
    const flat = pictures.map(({ data, ...rest }) => ({ ...rest, data: data.map((v, i) => (i % 4 === 3 ? v : 99)) }));
    const empty = pictures.map(({ data, ...rest }) => ({ ...rest, data: data.map((v, i) => (i % 4 === 3 ? 0 : v)) }));
    for (const [images, learned] of [[flat, 32], [empty, 32], [pictures, 5]] as const) {
      const { before, after } = await track(images, learned);
      expect(serializeTrack(after)).toBe(serializeTrack(before));
    } // prettier-ignore
  });

  it('is not led astray by frames of noise or of half a face', async () => {
    const broken = pictures.map((picture, i) => {
      const data = picture.data.slice();
      for (let k = 0; k < data.length; k++) {
        if (i === 10 && k % 4 < 3) data[k] = 255 * randomUniform(9, 0, k);
        if (i === 20 && k % 4 === 3 && (k >> 2) % SIZE < SIZE / 2) data[k] = 0;
      }
      return { ...picture, data };
    });
    const { before, after } = await track(broken);
    const [turnsBefore, turnsAfter] = [turnErrors(before), turnErrors(after)];
    // Noise does not look like the head: that frame stays where landmarks have it.
    expect(turnsAfter[10]).toBeCloseTo(turnsBefore[10]!, 2);
    expect(turnsAfter[20]).toBeLessThan(turnsBefore[20]! + 1);
    expect(mean(turnsAfter)).toBeLessThan(0.8 * mean(turnsBefore));
  });

  it('learns nothing from frames that are held out', async () => {
    const changed = pictures.map((picture, i) =>
      i < 36 ? picture : { ...picture, data: picture.data.map((v, k) => (k % 4 === 3 ? v : 255 - v)) },
    );
    const [a, b] = [orientations((await trackAsDrawn()).after), orientations((await track(changed)).after)];
    const moved = a.map((rotation, i) => degreesBetween(rotation, b[i]!));
    // Smoothness alone ties frames: a little reaches those beside them, and by the appearance these teach, the others.
    expect(Math.max(...moved.slice(36))).toBeGreaterThan(0.1);
    expect(Math.max(...moved.slice(0, 24))).toBeLessThan(0.01);
  });
});

describe('PhotometricEquations', () => {
  it('have the gradient of their cost, by central differences, for every unknown of a frame', () => {
    const basis = landmarkBasis(head);
    const video = { width: clip.videoWidth, height: clip.videoHeight };
    const prior = { scoredSigma: 0.2, unscoredSigma: 0.4 };
    const crop = clip.crops[0]!;
    const { data } = prepareFrame(head, clip.observations[0]!, crop, video, 468, prior, new Float32Array(52));
    const clipState = createClipState(basis, 750);
    const state = createFrameState(10);
    const landmarks: FrameProblem = {
      basis,
      weights: new Float64Array(468).fill(1),
      limits: new Float64Array(20).map((_, i) => (i % 2 ? 9 : -9)),
      pixelSigma: 2,
      depthSigma: 4,
      expressionSparsity: 0,
    };
    expect(initializePose(landmarks, clipState, data, state)).toBe(true);
    const scale = SIZE / crop.size;
    const picture = {
      pyramid: pyramidOf(pictures[0]!),
      scale,
      x: (320 - crop.x) * scale,
      y: (240 - crop.y) * scale,
      visible: new Uint32Array(0),
      weights: new Float32Array(0),
    };
    const samples = sampleSurface(head, clipState.identity, 600);
    findVisible(samples, clipState, state, picture);
    expect(picture.visible.length).toBeGreaterThan(250);
    const appearance = averageAppearance(samples, clipState, [{ state, picture }], 0);
    appearance.reference.forEach((value, i) => (appearance.reference[i] = value + 0.3 * randomNormal(5, 0, i)));
    appearance.precision.fill(1);
    const photometric = { samples, appearance, weight: 3, stride: 2, robustScale: 2.5 };
    const equations = new FrameEquations({ ...landmarks, weights: new Float64Array(468), depthSigma: Infinity, photometric }); // prettier-ignore
    const pictured = { ...data, picture };
    const cost = equations.build(clipState, state, pictured, 6, 'frame');
    expect(equations.cost(clipState, state, pictured, 6)).toBeCloseTo(cost, 9);
    // Every second sample stands for two: about what all of them cost.
    const all = new FrameEquations({ ...landmarks, weights: new Float64Array(468), depthSigma: Infinity, photometric: { ...photometric, stride: 1 } }); // prettier-ignore
    expect(Math.abs(Math.log(all.cost(clipState, state, pictured, 6) / cost))).toBeLessThan(0.15);
    const gradient = equations.gradient.slice(0, 16);
    const moved = createFrameState(10);
    const costAt = (unknown: number, delta: number): number => {
      const step = new Float64Array(16);
      step[unknown] = delta;
      moveFrame(moved, state, step, 0, landmarks.limits);
      return equations.cost(clipState, moved, pictured, 6);
    };
    for (let unknown = 0; unknown < 16; unknown++) {
      const measured = (costAt(unknown, 1e-6) - costAt(unknown, -1e-6)) / 2e-6;
      expect(Math.abs(measured - gradient[unknown]!)).toBeLessThan(1e-4 * Math.max(...gradient.map(Math.abs)));
    }
  });
});

describe('featurePyramid', () => {
  it('does not see gain, offset or what the matte hides', () => {
    const brighter = { ...pictures[0]!, data: pictures[0]!.data.map((v, i) => (i % 4 === 3 ? v : 0.8 * v + 30)) };
    const shown = { ...pictures[0]!, data: pictures[0]!.data.slice() };
    for (let i = 0; i < shown.data.length; i += 4) if (shown.data[i + 3] === 0) shown.data.fill(200, i, i + 3);
    const [plain, gained, other] = [pyramidOf(pictures[0]!), pyramidOf(brighter), pyramidOf(shown)];
    const level = plain.levels[0]!.values;
    const off = gained.levels[0]!.values.map((value, i) => Math.abs(value - level[i]!));
    expect(Math.max(...off)).toBeLessThan(0.15 * Math.max(...level));
    expect(other).toEqual(plain);
  });

  it('refuses pictures that are not square or too small', () => {
    const picture = (width: number, height: number): Image => ({ width, height, channels: 4, data: new Uint8Array(width * height * 4) }); // prettier-ignore
    expect(() => featurePyramid(picture(64, 32), 64, 3)).toThrow(/64×32; give a square crop/);
    expect(() => featurePyramid(picture(16, 16), 64, 3)).toThrow(/at least 32²/);
  });
});
