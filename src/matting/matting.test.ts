import { describe, expect, it } from 'vitest';
import { sharedPath } from '../../test/shared.ts';
import { loadFaceModels } from '../inference/face-models.ts';
import { createNodeInference } from '../platform/node/litert.ts';
import { openModelFiles } from '../platform/node/model-files.ts';
import { nodeVideoPlatform } from '../platform/node/node-video.ts';
import { landmarksInCrop, planCrop } from '../tracking/crop.ts';
import { observeVideo } from '../tracking/observe-video.ts';
import { cropFrame } from '../video/crop-frame.ts';
import type { Image } from '../video/frame.ts';
import { openVideo } from '../video/open-video.ts';
import { boxFilter, resizeMap } from './box-filter.ts';
import { ColorModel } from './color-model.ts';
import { similarityBetween } from './face-geometry.ts';
import { guidedFilter } from './guided-filter.ts';
import { fillPolygon, floodFill, tidyMask } from './mask-shapes.ts';
import { createMatting, type Matte } from './matting.ts';
import { refineAlpha } from './refine-alpha.ts';

/** Values 0…1 without a pattern, the same every time. */
const noise = (count: number): Float32Array =>
  new Float32Array(count).map((_, i) => ((Math.imul(i + 1, 2654435761) >>> 8) % 1000) / 1000);

describe('filters', () => {
  it('boxFilter takes the mean of each window, clipped at the borders', () => {
    const [width, height] = [13, 9];
    const map = noise(width * height);
    for (const radius of [0, 1, 3, 20]) {
      const filtered = boxFilter(map, width, height, radius);
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          let sum = 0;
          let count = 0;
          for (let v = Math.max(y - radius, 0); v <= Math.min(y + radius, height - 1); v++) {
            for (let u = Math.max(x - radius, 0); u <= Math.min(x + radius, width - 1); u++, count++)
              sum += map[v * width + u];
          }
          expect(Math.abs(filtered[y * width + x] - sum / count)).toBeLessThan(1e-5);
        }
      }
    }
  });

  it('resizeMap keeps a ramp a ramp', () => {
    const ramp = new Float32Array(64).map((_, i) => i % 8);
    const fine = resizeMap(ramp, 8, 8, 16, 16);
    for (let x = 2; x < 14; x++) expect(fine[5 * 16 + x]).toBeCloseTo((x + 0.5) / 2 - 0.5, 5);
  });

  it('guidedFilter moves a rough mask to the edge of the guide', () => {
    const size = 64;
    const edge = 30;
    const guide = [0.2, 0.5, 0.8].map((level) =>
      new Float32Array(size * size).map((_, i) => (i % size < edge ? level : 1 - level)),
    );
    const rough = new Float32Array(size * size).map((_, i) => Math.min(Math.max((edge + 4 - (i % size)) / 8, 0), 1)); // soft and 4 px off
    for (const subsampling of [1, 2]) {
      const snapped = guidedFilter(guide, rough, size, size, { radius: 8, epsilon: 1e-4, subsampling });
      const row = snapped.subarray(32 * size, 33 * size);
      expect(row[edge - 2] - row[edge + 1]).toBeGreaterThan(0.6);
      expect(row[5]).toBeCloseTo(1, 1);
      expect(row[58]).toBeCloseTo(0, 1);
    }
  });

  it('refineAlpha finds how much of each pixel is foreground, and its own colour', () => {
    const size = 256;
    const foreground = [0.8, 0.5, 0.3];
    const background = [0.1, 0.3, 0.6];
    const truth = new Float32Array(size * size).map((_, i) => Math.min(Math.max((130 - (i % size)) / 4, 0), 1));
    const planes = [0, 1, 2].map((channel) =>
      truth.map((alpha) => alpha * foreground[channel] + (1 - alpha) * background[channel]),
    );
    const rough = new Float32Array(size * size).map((_, i) => Math.min(Math.max((134 - (i % size)) / 12, 0), 1));
    const refined = refineAlpha(planes, rough, size);
    const row = [...Array(140).keys()].map((x) => 128 * size + 60 + x);
    const error = (alpha: Float32Array): number => row.reduce((sum, i) => sum + Math.abs(alpha[i] - truth[i]), 0);
    expect(error(refined.alpha)).toBeLessThan(0.35 * error(rough));
    const tint = (colors: readonly Float32Array[]): number =>
      row.reduce((sum, i) => (truth[i] > 0.3 ? sum + Math.abs(colors[2][i] - foreground[2]) : sum), 0);
    expect(tint(refined.foreground)).toBeLessThan(0.5 * tint(planes));
  });
});

describe('shapes', () => {
  it('fillPolygon covers the pixels whose centres lie inside', () => {
    const square = fillPolygon(Float32Array.of(2, 3, 7, 3, 7, 6, 2, 6), 10, 10, 0);
    expect(square.reduce((sum, value) => sum + value, 0)).toBe(15);
    expect(square[3 * 10 + 2]).toBe(1);
    expect(square[6 * 10 + 2]).toBe(0);
    const soft = fillPolygon(Float32Array.of(2, 3, 7, 3, 7, 6, 2, 6), 10, 10, 2);
    expect(soft[4 * 10 + 4]).toBeGreaterThan(soft[4 * 10 + 7]);
  });

  it('floodFill stays where it is allowed, and does not wrap round rows', () => {
    const allowed = [1, 1, 0, 1, 0, 1, 0, 1, 1];
    expect([
      ...floodFill(
        (i) => i === 0,
        (i) => allowed[i] === 1,
        3,
        3,
      ),
    ]).toEqual([1, 1, 0, 1, 0, 0, 0, 0, 0]);
  });

  it('tidyMask drops islands, fills small holes and keeps large ones', () => {
    const size = 24;
    const alpha = new Float32Array(size * size);
    for (let y = 2; y < 20; y++) for (let x = 2; x < 18; x++) alpha[y * size + x] = 1;
    alpha[5 * size + 5] = 0;
    for (let y = 9; y < 15; y++) for (let x = 8; x < 14; x++) alpha[y * size + x] = 0;
    alpha[22 * size + 22] = 1;
    tidyMask(alpha, (i) => i === 3 * size + 3, size, size, 4);
    expect(alpha[5 * size + 5]).toBe(1);
    expect(alpha[11 * size + 10]).toBe(0);
    expect(alpha[22 * size + 22]).toBe(0);
  });

  it('similarityBetween recovers scale, turn and shift', () => {
    const from = Float32Array.of(0, 0, 9, 10, 0, 9, 0, 5, 9, 7, 8, 9);
    const to = from.map((_, i) =>
      i % 3 === 0 ? 2 * from[i] - 0.5 * from[i + 1] + 3 : i % 3 === 1 ? 0.5 * from[i - 1] + 2 * from[i] - 4 : 9,
    );
    const found = similarityBetween(from, to);
    expect(found.a).toBeCloseTo(2, 5);
    expect(found.b).toBeCloseTo(0.5, 5);
    expect(found.x).toBeCloseTo(3, 4);
    expect(found.y).toBeCloseTo(-4, 4);
  });
});

describe('ColorModel', () => {
  it('tells materials apart, also in shadow', () => {
    const colors = new Uint8Array(4 * 400);
    for (let i = 0; i < 400; i++) colors.set([190 + (i % 20), 140 + (i % 15), 110 + (i % 13), 255], 4 * i);
    const skin = new ColorModel(3);
    expect(skin.distance(195, 145, 115, 1)).toBe(Infinity);
    skin.addFrame(colors, 4, [...Array(400).keys()]);
    expect(skin.distance(200, 147, 116, 1)).toBeLessThan(8);
    expect(skin.distance(80, 58, 45, 0.06)).toBeLessThan(12);
    expect(skin.distance(30, 30, 32, 0.06)).toBeGreaterThan(25);
    expect(skin.distance(40, 90, 200, 0.06)).toBeGreaterThan(25);
  });
});

describe('createMatting', () => {
  const SIZE = 256;
  const clips = {
    selfie: sharedPath('data/clips/selfie-glasses.mp4'),
    turns: sharedPath('data/clips/address-turns.mp4'),
    green: sharedPath('data/clips/green-screen.mp4'),
  };
  const withClips = it.skipIf(!clips.selfie || !clips.turns || !clips.green);

  interface Cut {
    readonly crop: Image;
    readonly matte: Matte;
    readonly landmarks: Float32Array;
  }

  async function cutClip(
    path: string,
    maximumFrames: number,
    neck?: (landmarks: Float32Array) => Float32Array[],
  ): Promise<Cut[]> {
    const models = await loadFaceModels(await createNodeInference(), await openModelFiles());
    const video = await openVideo(path, nodeVideoPlatform);
    const { observations } = await observeVideo(video, models, { maximumFrames });
    const squares = planCrop(observations);
    const matting = createMatting(models);
    const cuts: Cut[] = [];
    for await (const frame of video.frames({ indices: observations.map((o) => o.sourceIndex) })) {
      const at = cuts.length;
      const crop = cropFrame(frame.image, squares[at], SIZE);
      const landmarks = landmarksInCrop(observations[at].landmarks, squares[at], SIZE);
      cuts.push({ crop, landmarks, matte: await matting.matte(crop, { landmarks, neck: neck?.(landmarks) }) });
    }
    models.close();
    return cuts;
  }

  const alphaAt = ({ matte }: Cut, x: number, y: number): number => matte.alpha[Math.floor(y) * SIZE + Math.floor(x)];

  withClips(
    'agrees with the green screen above the mouth and drops the jacket (needs ../shared/data/clips)',
    async () => {
      for (const cut of (await cutClip(clips.green!, 12)).slice(2)) {
        const mouthY = cut.landmarks[3 * 13 + 1];
        const chinY = cut.landmarks[3 * 152 + 1];
        let wrong = 0;
        let total = 0;
        let clothes = 0;
        for (let y = 0; y < SIZE; y++) {
          for (let x = 0; x < SIZE; x++) {
            const at = 4 * (y * SIZE + x);
            if (cut.crop.data[at + 3] === 0) continue;
            const [red, green, blue] = cut.crop.data.subarray(at, at + 3);
            const isGreen = green > red + 30 && green > blue + 15;
            const alpha = alphaAt(cut, x, y) / 255;
            if (y < mouthY - 12) {
              total++;
              if (isGreen ? alpha > 0.5 : alpha < 0.5) wrong++;
            }
            if (y > chinY + 8 && (x < SIZE * 0.25 || x > SIZE * 0.75)) clothes += alpha;
          }
        }
        expect(wrong / total).toBeLessThan(0.012);
        expect(clothes).toBeLessThan(20);
      }
    },
  );

  withClips('keeps hair, face and glasses, drops wall, bed and shirt (needs ../shared/data/clips)', async () => {
    const cuts = (await cutClip(clips.selfie!, 12)).slice(2);
    for (const cut of cuts) {
      const at = (index: number): [number, number] => [cut.landmarks[3 * index], cut.landmarks[3 * index + 1]];
      for (const index of [1, 33, 263, 61, 291, 10, 152]) expect(alphaAt(cut, ...at(index))).toBeGreaterThan(240);
      const [foreheadX, foreheadY] = at(10);
      const [chinX, chinY] = at(152);
      const faceHeight = chinY - foreheadY;
      expect(alphaAt(cut, foreheadX, foreheadY - 0.12 * faceHeight)).toBeGreaterThan(240); // hair
      expect(alphaAt(cut, chinX, chinY + 0.1 * faceHeight)).toBeGreaterThan(240); // neck
      for (const side of [-1, 1]) {
        expect(alphaAt(cut, chinX + side * 0.75 * faceHeight, chinY)).toBeLessThan(12); // bed, wall
        expect(alphaAt(cut, chinX + side * 0.5 * faceHeight, chinY + 0.2 * faceHeight)).toBeLessThan(12); // shirt
      }
      for (let i = 0; i < SIZE * SIZE; i++)
        if (cut.crop.data[4 * i + 3] === 0 && cut.matte.alpha[i] !== 0) throw new Error('coverage beyond the frame');
    }
  });

  withClips('keeps long hair from frame to frame (needs ../shared/data/clips)', async () => {
    const areas = (await cutClip(clips.turns!, 14))
      .slice(2)
      .map(({ matte }) => matte.alpha.reduce((sum, value) => sum + value / 255, 0));
    for (const area of areas) {
      expect(area / areas[0]).toBeGreaterThan(0.85);
      expect(area / areas[0]).toBeLessThan(1.15);
    }
  });

  withClips('takes the neck of a head model instead of a guess (needs ../shared/data/clips)', async () => {
    const shortNeck = (landmarks: Float32Array): Float32Array[] => {
      const [x, y] = [landmarks[3 * 152], landmarks[3 * 152 + 1]];
      return [Float32Array.of(x - 30, y - 30, x + 30, y - 30, x + 30, y + 2, x - 30, y + 2)];
    };
    const guessed = (await cutClip(clips.green!, 4)).at(-1)!;
    const given = (await cutClip(clips.green!, 4, shortNeck)).at(-1)!;
    const [x, y] = [given.landmarks[3 * 152], given.landmarks[3 * 152 + 1]];
    expect(alphaAt(guessed, x, y + 15)).toBeGreaterThan(200);
    expect(alphaAt(given, x, y + 15)).toBeLessThan(40);
    expect(alphaAt(given, x, y - 4)).toBeGreaterThan(240);
  });

  it('refuses anything but a square RGBA crop', async () => {
    const models = await loadFaceModels(await createNodeInference(), await openModelFiles());
    const crop: Image = { width: 8, height: 6, channels: 4, data: new Uint8Array(8 * 6 * 4) };
    await expect(createMatting(models).matte(crop, { landmarks: new Float32Array(468 * 3) })).rejects.toThrow(
      /square RGBA crop from cropFrame/,
    );
    models.close();
  });
});
