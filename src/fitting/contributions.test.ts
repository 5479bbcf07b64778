import { expect, it } from 'vitest';
import { testGpu } from '../../test/gpu.ts';
import { madeSubject } from '../../test/made-subject.ts';
import { readFloats } from '../gpu/buffer.ts';
import { trainingInputsOf } from './fit-avatar.ts';
import { FIT_DEFAULTS } from './fit-options.ts';
import { matteDepth } from './matte-depth.ts';
import { Training } from './training.ts';

it('contributions add up to the opacity of the picture, those inside of the matte to what is deep in it', async () => {
  const gpu = await testGpu();
  const { head, identityCoefficients, clip } = await madeSubject(gpu);
  const options = { ...FIT_DEFAULTS, gaussians: 400 };
  const training = await Training.create(gpu, trainingInputsOf({ head, identityCoefficients, clip }, options));
  try {
    const [{ shown, inner }] = (await training.measureContributions([2])) as [
      { shown: Float32Array; inner: Float32Array },
    ];
    const pixels = await readFloats(gpu, training.rasterizer.image);
    const depth = matteDepth(clip, 2).map((value) => (value * 256) / clip.size);
    let [whole, deep, notAtEdge] = [0, 0, 0];
    for (let at = 0; at < clip.size ** 2; at++) {
      const opacity = 1 - pixels[at * 4 + 3]!;
      whole += opacity;
      if (depth[at]! >= 5.5) deep += opacity;
      if (depth[at]! > 2.5) notAtEdge += opacity;
    }
    const sum = (values: Float32Array): number => values.reduce((total, value) => total + value, 0);
    expect(Math.abs(sum(shown) / whole - 1)).toBeLessThan(1e-3);
    expect(deep).toBeGreaterThan(0.2 * whole);
    expect(sum(inner)).toBeGreaterThan(deep * 0.999);
    expect(sum(inner)).toBeLessThan(notAtEdge * 1.001);
    shown.forEach((value, i) => expect(inner[i]).toBeLessThanOrEqual(value * 1.0001 + 1e-6));
  } finally {
    training.dispose();
  }
});
