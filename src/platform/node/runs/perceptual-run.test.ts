import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testGpu } from '../../../../test/gpu.ts';
import { makeTrackedFolder } from '../../../../test/made-run.ts';
import { squeezeNetOnnx } from '../../../../test/squeezenet.ts';
import { decodeAvatar } from '../../../avatar/avatar.ts';
import { encodeTensors, type Tensor } from '../../../avatar/safetensors.ts';
import { compositeOnWhite } from '../../../evaluation/score-frames.ts';
import type { Gpu } from '../../../gpu/gpu.ts';
import { unpackPose } from '../../../head/pose.ts';
import { createImageDistance } from '../../../losses/perceptual/image-distance.ts';
import { ALEXNET_LAYERS, readLpips } from '../../../losses/perceptual/lpips.ts';
import { readPerceptualNet } from '../../../losses/perceptual/read-net.ts';
import { randomNormal } from '../../../math/random.ts';
import { parseTrack } from '../../../tracking/track-json.ts';
import { AvatarRenderer } from '../../../viewer/avatar-renderer.ts';
import { FrameImages } from '../frame-images.ts';
import { createNodeNetworkRuntime } from '../network-runtime.ts';
import type { RunContext } from './context.ts';
import { evaluateAvatar, fitAvatar } from './create-run.ts';

const SIZE = 64;
const OPTIONS = { gaussians: 1200, steps: 120 };
const squeezeNet = squeezeNetOnnx(SIZE);

let gpu: Gpu;
let root: string;
let tracked: string;
let netFile: string;

beforeAll(async () => {
  gpu = await testGpu();
  root = await mkdtemp(join(tmpdir(), 'fate-perceptual-'));
  tracked = join(root, 'tracked');
  await makeTrackedFolder(gpu, tracked, { frames: 5, size: SIZE });
  netFile = join(root, 'squeezenet.onnx');
  if (squeezeNet) await writeFile(netFile, squeezeNet.bytes);
});
afterAll(() => rm(root, { recursive: true, force: true }));

async function trackedCopy(name: string): Promise<string> {
  const folder = join(root, name);
  await cp(tracked, folder, { recursive: true });
  return folder;
}

const fit = (folder: string, options: object, context: RunContext = {}) =>
  fitAvatar({ folder, ...OPTIONS, ...options }, { gpu, ...context });

/** Mean distance of a fitted avatar from the frames that it learned, by the user's net. */
async function distanceOf(folder: string): Promise<number> {
  const read = async (name: string) => readFile(join(folder, name));
  const avatar = decodeAvatar(new Uint8Array(await read('avatar.safetensors')), folder);
  const poses = JSON.parse(await readFile(join(folder, 'refined-poses.json'), 'utf8')) as number[][];
  const track = parseTrack(await readFile(join(folder, 'track.json'), 'utf8'));
  const images = new FrameImages(join(folder, 'frames'));
  const net = readPerceptualNet({ name: 'squeezenet.onnx', bytes: squeezeNet!.bytes }, squeezeNet!.layers);
  const distance = await createImageDistance(await createNodeNetworkRuntime(), net, { width: SIZE, height: SIZE });
  const renderer = await AvatarRenderer.create(gpu, avatar);
  let sum = 0;
  for (const [frame, pose] of poses.entries()) {
    const rendering = await renderer.renderFloat(unpackPose(Float32Array.from(pose)), track.frames[frame].camera);
    sum += (await distance.distances(compositeOnWhite(await images.read(frame)), [rendering]))[0];
  }
  renderer.dispose();
  await distance.dispose();
  return sum / poses.length;
}

describe.skipIf(!squeezeNet)('a fit with a perceptual net of the user (needs shared/data/perceptual)', () => {
  const perceptual = () => ({
    perceptual: netFile,
    perceptualLayers: squeezeNet!.layers.join(', '),
    // This net's distances run to tens where L1 is a few hundredths: heavier, it drowns what the frames say.
    perceptualWeight: 0.0004,
    perceptualEvery: 2,
  });

  it('ends nearer to the frames, as that net sees them, than without it', async () => {
    const [without, with_] = [await trackedCopy('without'), await trackedCopy('with')];
    const lines: string[] = [];
    await fit(without, {}, { log: (line) => lines.push(line) });
    await fit(with_, perceptual(), { log: (line) => lines.push(line) });
    expect(lines).toEqual([
      'No weights of VGG16 are there (see `fate models`): 1 − SSIM stands in for the perceptual term.',
      `The loss has a perceptual term: the net of squeezenet.onnx (${squeezeNet!.layers.join(', ')}).`,
    ]);
    const losses = JSON.parse(await readFile(join(with_, 'losses.json'), 'utf8')) as { perceptual: number }[];
    expect(losses[0].perceptual).toBeGreaterThan(0);
    expect(losses.at(-1)!.perceptual).toBeLessThan(0.8 * losses[0].perceptual);
    expect(await distanceOf(with_)).toBeLessThan(0.95 * (await distanceOf(without)));
    const run = JSON.parse(await readFile(join(with_, 'run.json'), 'utf8'));
    expect(run.stages.fit.facts.perceptual).toEqual({
      net: expect.stringContaining('squeezenet.onnx'),
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  it('gives the same bytes twice, also when it was stopped and resumed', async () => {
    const short = { ...perceptual(), steps: 24, gaussians: 300, perceptualEvery: 5 };
    const [unbroken, stopped] = [await trackedCopy('unbroken'), await trackedCopy('stopped')];
    const { avatarSha256 } = await fit(unbroken, short, { checkpointSteps: 8 });
    const controller = new AbortController();
    const onProgress = ({ done }: { done: number }): void => {
      if (done >= 16) controller.abort();
    };
    const context = { checkpointSteps: 8, signal: controller.signal, onProgress };
    await expect(fit(stopped, short, context)).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
    const lines: string[] = [];
    const resumed = await fit(stopped, short, { checkpointSteps: 8, log: (line) => lines.push(line) });
    expect(lines.join('\n')).toMatch(/goes on from step \d+/);
    expect(resumed.avatarSha256).toBe(avatarSha256);
    const plain = await fit(await trackedCopy('plain'), { ...short, perceptual: 'off' }, { checkpointSteps: 8 });
    expect(plain.avatarSha256).not.toBe(avatarSha256);
  });
});

describe('a fit', () => {
  it('says what is wrong with the file of its perceptual net', async () => {
    const folder = await trackedCopy('wrong');
    const given = join(root, 'wrong.safetensors');
    await writeFile(given, encodeTensors([['colors', { shape: [1], data: Float32Array.of(1) }]]));
    await expect(fit(folder, { perceptual: given })).rejects.toThrow(/^wrong\.safetensors is no VGG16/);
    await expect(fit(folder, { perceptual: join(root, 'none.pth') })).rejects.toThrow(/none\.pth does not exist/);
  });
});

describe('LPIPS in the metrics', () => {
  it('is null without weights, and scored once they are there', async () => {
    const folder = await trackedCopy('scored');
    await fit(folder, { steps: 8, gaussians: 300 });
    expect((await evaluateAvatar({ folder }, { gpu })).heldOut!.lpips).toBeNull();

    const models = join(root, 'models');
    await mkdir(models, { recursive: true });
    // Of the right shapes, drawn at random: what it measures is no LPIPS, but the way there is the same.
    const bytes = encodeTensors(drawnLpips());
    await writeFile(join(models, 'lpips-alex.safetensors'), bytes);
    const lines: string[] = [];
    const { heldOut, perFrame } = await evaluateAvatar({ folder, models }, { gpu, log: (line) => lines.push(line) });
    expect(lines).toEqual([expect.stringMatching(/^Scoring again: LPIPS v0\.1 with AlexNet/)]);
    expect(heldOut!.lpips).toBeGreaterThan(0);
    expect(heldOut!.fitted.lpips).toBeGreaterThan(0);
    expect(perFrame[0].asTracked.lpips).toBeCloseTo(heldOut!.lpips!, 9);

    // Beside it: the same frame against an empty one.
    const net = readLpips([{ name: 'a', bytes }]);
    const distance = await createImageDistance(await createNodeNetworkRuntime(), net, { width: SIZE, height: SIZE });
    const truth = compositeOnWhite(await new FrameImages(join(folder, 'frames')).read(4));
    const white = { ...truth, data: new Float32Array(truth.data.length).fill(1) };
    const [empty] = await distance.distances(truth, [white]);
    await distance.dispose();
    expect(heldOut!.fitted.lpips).toBeLessThan(empty);
    const report = await readFile(join(folder, 'report', 'report.html'), 'utf8');
    expect(report).toContain(heldOut!.lpips!.toFixed(4));
  });

  it('is refused with a trunk whose heads are missing', async () => {
    const models = join(root, 'headless-models');
    await mkdir(models, { recursive: true });
    const trunk = [...drawnLpips()].filter(([name]) => name.startsWith('features'));
    await writeFile(join(models, 'lpips-alex.safetensors'), encodeTensors(trunk));
    await expect(evaluateAvatar({ folder: join(root, 'scored'), models }, { gpu })).rejects.toThrow(
      /no heads of LPIPS there/,
    );
  });
});

function drawnLpips(): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  for (const [layer, { position, shape }] of ALEXNET_LAYERS.entries()) {
    const [outputs, inputs, height, width] = shape;
    const count = inputs * height * width;
    // One kernel, shifted for each output: drawing all of them takes seconds.
    const drawn = Float32Array.from({ length: count + outputs }, (_, index) => randomNormal(1, layer, index));
    const kernel = new Float32Array(outputs * count);
    for (let out = 0; out < outputs; out++) {
      for (let k = 0; k < count; k++) kernel[out * count + k] = drawn[k + out] * Math.sqrt(2 / count);
    }
    tensors.set(`features.${position}.weight`, { shape, data: kernel });
    tensors.set(`features.${position}.bias`, { shape: [outputs], data: new Float32Array(outputs).fill(0.01) });
    const head = new Float32Array(outputs).fill(1 / outputs);
    tensors.set(`lin${layer}.model.1.weight`, { shape: [1, outputs, 1, 1], data: head });
  }
  return tensors;
}
