import { afterEach, describe, expect, it } from 'vitest';
import { encodeAvatar } from '../../src/avatar/avatar.ts';
import { compositeOnWhite } from '../../src/evaluation/score-frames.ts';
import { psnr } from '../../src/losses/metrics.ts';
import { randomUniform } from '../../src/math/random.ts';
import { decodeImage } from '../../src/platform/node/image-file.ts';
import { AvatarRenderer } from '../../src/viewer/avatar-renderer.ts';
import { centredCamera, poseForView } from '../../src/viewer/views.ts';
import { testGpu } from '../gpu.ts';
import { sampleAvatar } from '../sample-avatar.ts';
import { createTrainableNetwork } from '../../src/network/index.ts';
import { createNodeNetworkRuntime } from '../../src/platform/node/network-runtime.ts';
import { smallUNet, trainSmallUNet, type SmallTraining } from '../small-unet.ts';
import { openTestPage, skipBrowser, type TestPage } from './chromium.ts';

/** What the pages of this folder put on `globalThis`. */
interface PageFunctions {
  drawRandomNumbers(count: number): Promise<number[]>;
  trainNetwork(backend: 'wasm' | 'webgpu', steps: number): Promise<SmallTraining & { runtime: string }>;
  drawAvatar(size: number, view: object, expression: object): Promise<string>;
}

describe.skipIf(skipBrowser)('in Chromium (skipped where it is not installed)', () => {
  let test: TestPage | null = null;
  afterEach(async () => {
    await test?.close();
    test = null;
  });

  it('a kernel computes the same numbers as in Node, bit for bit', async () => {
    test = await openTestPage('kernel-page.ts');
    const count = 1000;
    const numbers = await test.page.evaluate(
      (n) => (globalThis as unknown as PageFunctions).drawRandomNumbers(n),
      count,
    );
    expect(test.errors).toEqual([]);
    expect(numbers).toEqual(Array.from({ length: count }, (_, index) => randomUniform(7, 3, index)));
  });

  it('an avatar’s file, drawn to a canvas, looks as in Node', async () => {
    const avatar = sampleAvatar();
    const [size, view, expression] = [256, { yaw: 30, pitch: 5 }, { jawOpen: 0.6, smile: 0.5 }];
    test = await openTestPage('avatar-page.ts', { 'avatar.bin': encodeAvatar(avatar) });
    await test.page.evaluate(
      (given) => (globalThis as unknown as PageFunctions).drawAvatar(given.size, given.view, given.expression),
      { size, view, expression },
    );
    expect(test.errors).toEqual([]);
    const shown = await decodeImage(await test.page.locator('canvas').screenshot());

    const renderer = await AvatarRenderer.create(await testGpu(), avatar);
    const truth = await renderer.render(poseForView(avatar, view, expression), centredCamera(avatar.camera, size), {
      transparent: true,
    });
    renderer.dispose();
    expect([shown.width, shown.height]).toEqual([size, size]);
    expect(new Set(truth.data).size).toBeGreaterThan(100); // a picture, not a blank
    const difference = psnr(compositeOnWhite(truth), { ...shown, range: 255 });
    expect(difference).toBeGreaterThan(55); // dB; measured 65 between SwiftShader and lavapipe
  });

  it.each(['wasm', 'webgpu'] as const)('a network trains on %s as on Node’s processor', async (backend) => {
    const steps = 3;
    test = await openTestPage('network-page.ts');
    const trained = await test.page.evaluate(
      (given) => (globalThis as unknown as PageFunctions).trainNetwork(given.backend, given.steps),
      { backend, steps },
    );
    expect(test.errors).toEqual([]);
    expect(trained.runtime).toContain(backend === 'wasm' ? 'WebAssembly' : 'WebGPU');

    const network = await createTrainableNetwork(await createNodeNetworkRuntime(), {
      outputs: { maps: smallUNet().maps },
      seed: 5,
    });
    const expected = await trainSmallUNet(network, steps);
    await network.dispose();
    expect(expected.losses.at(-1)).toBeLessThan(0.95 * expected.losses[0]!);
    // Measured: losses 2e-7 apart, weights 3e-6 (WebAssembly) and 8e-7 (WebGPU on SwiftShader).
    trained.losses.forEach((loss, step) => expect(loss / expected.losses[step]!).toBeCloseTo(1, 4));
    const errors = trained.weights.map((weight, index) => Math.abs(weight - expected.weights[index]!));
    expect(errors.length).toBe(expected.weights.length);
    expect(Math.max(...errors)).toBeLessThan(1e-4);
  });
});
