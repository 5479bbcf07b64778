import { beforeAll, describe, expect, it } from 'vitest';
import { testGpu } from '../../test/gpu.ts';
import { drawClip, madeSubject, type MadeSubject } from '../../test/made-subject.ts';
import { encodeAvatar } from '../avatar/avatar.ts';
import type { Gpu } from '../gpu/gpu.ts';
import type { CheckpointStore } from './checkpoint.ts';
import type { Clip } from './clip.ts';
import { fitAvatar, type FitContext, type FitResult } from './fit-avatar.ts';
import { FIT_DEFAULTS, type DensifyRule, type FitOptions } from './fit-options.ts';

let gpu: Gpu;
let subject: MadeSubject;
beforeAll(async () => {
  gpu = await testGpu();
  subject = await madeSubject(gpu);
});

/** Small, and with everything that a fit can have. */
const OPTIONS: FitOptions = { ...FIT_DEFAULTS, steps: 10, gaussians: 400, exposure: true, opacityResetPeriod: 6000 };

function fit(options: Partial<FitOptions> = {}, context: FitContext = {}, clip = subject.clip): Promise<FitResult> {
  const { head, identityCoefficients } = subject;
  return fitAvatar(gpu, { head, identityCoefficients, clip }, { ...OPTIONS, ...options }, context);
}

const bytesOf = (result: FitResult): Buffer => Buffer.from(encodeAvatar(result.avatar));
const lossesOf = (result: FitResult): number[] => result.losses.map((point) => point.total);

/** A store in memory, which keeps every checkpoint that was ever written. */
function memoryStore(): CheckpointStore & { written: Uint8Array[] } {
  const written: Uint8Array[] = [];
  return {
    written,
    read: async () => written.at(-1) ?? null,
    write: async (bytes) => void written.push(bytes.slice()),
  };
}

describe('ten steps', () => {
  it('lower the loss; the same seed gives the same bytes, another seed others', async () => {
    const [early, late] = lossesOf(await fit({ opacityResetPeriod: 0 }, { checkpointSteps: 5 }));
    expect(late).toBeLessThan(0.95 * early);
    const first = await fit({}, { checkpointSteps: 5 });
    const second = await fit({}, { checkpointSteps: 5 });
    expect(bytesOf(second).equals(bytesOf(first))).toBe(true);
    expect(second.refinedPoses).toEqual(first.refinedPoses);
    expect(bytesOf(await fit({ seed: 2 })).equals(bytesOf(first))).toBe(false);
  });

  it('do not depend on where the checkpoints lie', async () => {
    expect(bytesOf(await fit({}, { checkpointSteps: 3 })).equals(bytesOf(await fit()))).toBe(true);
  });

  it('and more reach a good likeness', async () => {
    const result = await fit({ steps: 300, exposure: false, opacityResetPeriod: 0 }, { checkpointSteps: 100 });
    const losses = lossesOf(result);
    expect(losses.at(-1)).toBeLessThan(0.35 * losses[0]);
    expect(result.avatar.gaussians.count).toBeGreaterThan(400);
  });
});

describe('a stopped fit', () => {
  const steps = 26;

  it('goes on from every checkpoint to the bytes of an unbroken one', async () => {
    const store = memoryStore();
    // Checkpoints every 5 steps fall between the updates of the deltas, which gather 8 frames.
    const unbroken = await fit({ steps }, { checkpointSteps: 5, checkpoints: store, key: 'a' });
    // And one where the unseen is filled (15) and each where it is recoloured (22, 24, 26).
    expect(store.written).toHaveLength(7);
    for (const checkpoint of [store.written[0], store.written[3], store.written[5]]) {
      const lines: string[] = [];
      const resumed = await fit(
        { steps },
        {
          checkpointSteps: 7,
          key: 'a',
          checkpoints: { read: async () => checkpoint, write: async () => {} },
          log: (line) => lines.push(line),
        },
      );
      expect(lines.join()).toMatch(/goes on from step (5|20|24)/);
      expect(bytesOf(resumed).equals(bytesOf(unbroken))).toBe(true);
      expect(resumed.refinedPoses).toEqual(unbroken.refinedPoses);
    }
  });

  it('by a signal between checkpoints, resumes', async () => {
    const store = memoryStore();
    const controller = new AbortController();
    const stopped = fit(
      { steps },
      {
        checkpointSteps: 9,
        checkpoints: store,
        key: 'a',
        signal: controller.signal,
        onProgress: ({ done }) => done >= 17 && controller.abort(),
      },
    );
    await expect(stopped).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
    expect(store.written.length).toBeGreaterThan(0);
    const resumed = await fit({ steps }, { checkpointSteps: 9, checkpoints: store, key: 'a' });
    expect(bytesOf(resumed).equals(bytesOf(await fit({ steps })))).toBe(true);
    const again = await fit({ steps }, { checkpoints: store, key: 'a' });
    expect(bytesOf(again).equals(bytesOf(resumed))).toBe(true); // a finished one is only read
  });

  it('starts afresh, and says so, from a checkpoint of other options or a torn one', async () => {
    const store = memoryStore();
    await fit({}, { checkpointSteps: 5, checkpoints: store, key: 'a' });
    const [half] = store.written;
    for (const [key, stored] of [
      ['b', half],
      ['a', half.slice(0, half.length >> 1)],
      ['a', new Uint8Array(3)],
    ] as const) {
      const lines: string[] = [];
      const afresh = await fit(
        {},
        { key, checkpoints: { read: async () => stored, write: async () => {} }, log: (line) => lines.push(line) },
      );
      expect(lines).toEqual(['The checkpoint in the folder is of another run or damaged; the fit starts afresh.']);
      expect(bytesOf(afresh).equals(bytesOf(await fit()))).toBe(true);
    }
  });
});

describe('room for intersections', () => {
  it('grows when an image needs more, and the avatar is that of a run with enough', async () => {
    const progress: number[] = [];
    const grown = await fit(
      { steps: 20 },
      { checkpointSteps: 10, intersectionCapacity: 300, onProgress: ({ done }) => progress.push(done) },
    );
    expect(progress.some((done, i) => i > 0 && done < progress[i - 1])).toBe(true); // a stretch was repeated
    expect(
      bytesOf(grown).equals(bytesOf(await fit({ steps: 20 }, { checkpointSteps: 10, intersectionCapacity: 50_000 }))),
    ).toBe(true);
  });
});

describe('the rules of densification', () => {
  const grows = (count: number): void => expect(count).toBeGreaterThan(400);
  const rules: [DensifyRule, Partial<FitOptions>, (count: number) => void][] = [
    ['sampling', {}, grows],
    ['sampling', { gaussianLimit: 405, pruneOpacity: 1e-6 }, (count) => expect(count).toBe(405)],
    ['none', { pruneOpacity: 0.8 }, (count) => expect(count).toBe(400)],
    ['pruneOnly', { pruneOpacity: 0.8 }, (count) => expect(count).toBeLessThan(400)],
    ['gaussianAvatars', {}, grows],
    ['splattingAvatar', {}, grows],
    ['splattingAvatar', { gaussianLimit: 500 }, (count) => expect(count).toBeLessThanOrEqual(500)],
  ];

  it.each(rules)('%s %o', async (densify, options, expectation) => {
    const result = await fit(
      { steps: 120, densify, opacityResetPeriod: 0, sampleCount: 3000, ...options },
      { checkpointSteps: 30 },
    );
    const { gaussians, head } = result.avatar;
    expectation(gaussians.count);
    expect(gaussians.barycentrics).toHaveLength(gaussians.count * 3);
    for (let index = 0; index < gaussians.count; index++) {
      expect(gaussians.triangleIndices[index]).toBeLessThan(head.triangleCount);
      const [a, b, c] = gaussians.barycentrics.subarray(index * 3, index * 3 + 3);
      expect(a + b + c).toBeCloseTo(1, 4);
    }
    const losses = lossesOf(result);
    expect(losses.at(-1)).toBeLessThan(losses[0]);
  });
});

describe('exposure', () => {
  it('learns the changes of a camera that adapts, and the colours are better for it', async () => {
    const gains = [0.75, 1.2, 0.85, 1.15, 0.8, 1.25];
    const adapting: Clip = {
      ...subject.clip,
      pixels: (frame) => subject.clip.pixels(frame).map((pixel) => scaleColor(pixel, gains[frame])),
    };
    const options = { steps: 240, opacityResetPeriod: 0, rates: { ...FIT_DEFAULTS.rates, exposure: 2e-2 } };
    const last = async (exposure: boolean): Promise<number> => {
      const result = await fit({ ...options, exposure }, { checkpointSteps: 60 }, adapting);
      return result.losses.at(-1)!.l1;
    };
    const [withIt, without] = [await last(true), await last(false)];
    expect(withIt).toBeLessThan(0.8 * without);
  });
});

describe('a crop that reaches beyond its video', () => {
  it('teaches nothing beyond it', async () => {
    const { size } = subject.clip;
    const shown = { left: 0, top: 5, right: size - 9, bottom: size - 7 };
    const frames = subject.clip.frames.map((frame) => ({ ...frame, shown }));
    const isShown = (i: number): boolean => i % size < shown.right && i >= shown.top * size && i < shown.bottom * size;
    const beyond = (value: number): Clip => ({
      ...subject.clip,
      frames,
      pixels: (frame) => subject.clip.pixels(frame).map((pixel, i) => (isShown(i) ? pixel : value)),
    });
    const [first, second] = [await fit({}, {}, beyond(0)), await fit({}, {}, beyond(0xff3080ff))];
    expect(bytesOf(second).equals(bytesOf(first))).toBe(true);
    expect(bytesOf(await fit({}, {}, { ...beyond(0), frames: subject.clip.frames })).equals(bytesOf(first))).toBe(
      false,
    );
  });
});

describe('a clip that cannot be learned from is refused by frame', () => {
  const withFrame = (change: Partial<Clip['frames'][number]>): Clip => ({
    ...subject.clip,
    frames: subject.clip.frames.map((frame, index) => (index === 2 ? { ...frame, ...change } : frame)),
  });
  const pose = (change: object): Clip => withFrame({ pose: { ...subject.poses[2], ...change } });

  it.each([
    [
      'a pose with NaN',
      () => pose({ headTranslation: Float32Array.of(0, Number.NaN, 0.5) }),
      /frame 2 .*its pose holds NaN/,
    ],
    [
      'an infinite expression',
      () => pose({ expressionCoefficients: new Float32Array(4).fill(Infinity) }),
      /frame 2 .*Infinity/,
    ],
    [
      'a camera without focal length',
      () => withFrame({ camera: { ...subject.camera, focalX: 0 } }),
      /frame 2 .*camera/,
    ],
    ['a camera of another size', () => withFrame({ camera: { ...subject.camera, width: 32 } }), /frame 2 .*32×64/],
    ['too few pixels', () => ({ ...subject.clip, pixels: () => new Uint32Array(9) }), /frame 0 .*9 pixels/],
    ['no frame', () => ({ ...subject.clip, frames: [] }), /no frame to fit/],
    [
      'empty mattes',
      () => ({ ...subject.clip, pixels: () => new Uint32Array(64 * 64).fill(0x00ffffff) }),
      /mattes of all frames are empty/,
    ],
  ])('%s', async (_, clip, sentence) => {
    await expect(fit({}, {}, clip())).rejects.toThrow(sentence);
  });

  it('one frame without a head among others is no harm', async () => {
    const clip: Clip = {
      ...subject.clip,
      pixels: (frame) => (frame === 1 ? new Uint32Array(64 * 64) : subject.clip.pixels(frame)),
    };
    const result = await fit({ steps: 60 }, { checkpointSteps: 30 }, clip);
    expect(lossesOf(result).every(Number.isFinite)).toBe(true);
    expect(result.avatar.gaussians.count).toBeGreaterThan(0);
  });

  it('a head behind the camera says that nothing was left', async () => {
    const frames = subject.clip.frames.map((frame) => ({
      ...frame,
      pose: { ...frame.pose, headTranslation: Float32Array.of(0, 0, -0.5) },
    }));
    const hidden = fit({ steps: 60, pruneOpacity: 0.2, refineTrack: false }, {}, { ...subject.clip, frames });
    await expect(hidden).rejects.toThrow(/removed every Gaussian/);
  });

  it.each([{ steps: 0 }, { gaussians: 1.5 }, { deltaFrames: -1 }])('option %o', async (options) => {
    await expect(fit(options)).rejects.toThrow(/fit option ".*" is .*; give a whole number above 0/);
  });

  it.each([0, 5000])('checkpoints every %i steps', async (checkpointSteps) => {
    await expect(fit({}, { checkpointSteps })).rejects.toThrow(
      /checkpointSteps is .*; give a whole number from 1 to 1024/,
    );
  });
});

describe('a lost device', () => {
  it('ends the fit with one sentence, and what was written resumes', async () => {
    const { createNodeGpu } = await import('../platform/node/node-gpu.ts');
    const doomed = await createNodeGpu();
    const store = memoryStore();
    const { head, identityCoefficients, clip } = subject;
    const lost = fitAvatar(
      doomed,
      { head, identityCoefficients, clip },
      { ...OPTIONS, steps: 26 },
      {
        checkpointSteps: 8,
        checkpoints: store,
        key: 'a',
        onProgress: ({ done }) => done >= 16 && doomed.device.destroy(),
      },
    );
    await expect(lost).rejects.toThrow(
      expect.objectContaining({
        name: 'DeviceLostError',
        message: expect.stringMatching(/device was lost.*Run the same command again/),
      }),
    );
    const resumed = await fit({ steps: 26 }, { checkpoints: store, key: 'a' });
    expect(bytesOf(resumed).equals(bytesOf(await fit({ steps: 26 })))).toBe(true);
  });
});

describe('frames on another background', () => {
  it('teach the same head on white and on random colours', async () => {
    const result = await fit({ steps: 200, background: 'white', opacityResetPeriod: 0 }, { checkpointSteps: 100 });
    const redrawn = await drawClip(gpu, result.avatar, subject.camera, result.refinedPoses.slice(0, 1));
    let difference = 0;
    const [truth, drawn] = [subject.clip.pixels(0), redrawn.pixels(0)];
    truth.forEach((pixel, i) => (difference += Math.abs((pixel >>> 24) - (drawn[i] >>> 24)) / 255 / truth.length));
    expect(difference).toBeLessThan(0.08); // the matte term shapes the outline where the colour of skin is near white
  });
});

function scaleColor(pixel: number, gain: number): number {
  const channel = (shift: number): number => Math.min(255, Math.round(((pixel >>> shift) & 255) * gain)) << shift;
  return ((pixel & 0xff000000) | channel(16) | channel(8) | channel(0)) >>> 0;
}
