import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sharedPath } from '../../../test/shared.ts';
import { encodeTensors, type Tensor } from '../../avatar/safetensors.ts';
import { VGG16_CONVOLUTIONS } from '../../losses/perceptual/vgg16.ts';
import { defaultCacheFolder } from './cache-folder.ts';
import { examineModels, existingModelsFolder, findLpips, findPerceptualNet, modelsFolder } from './optional-files.ts';
import { OPTIONAL_MODELS } from './optional-models.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fate-models-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const filled = (shape: readonly number[]): Tensor => ({
  shape,
  data: new Float32Array(shape.reduce((product, extent) => product * extent, 1)).fill(0.01),
});
const vgg16File = (): Uint8Array =>
  encodeTensors(
    VGG16_CONVOLUTIONS.flatMap(({ position, shape }) => [
      [`features.${position}.weight`, filled(shape)] as const,
      [`features.${position}.bias`, filled([shape[0]])] as const,
    ]),
  );

describe('the optional models', () => {
  it('are looked for in the given folder, in $FATE_MODELS, in the cache folder', async () => {
    expect(modelsFolder('/given')).toBe('/given');
    const before = process.env.FATE_MODELS;
    try {
      process.env.FATE_MODELS = folder;
      expect(modelsFolder(null)).toBe(folder);
      expect(await existingModelsFolder(null)).toBe(folder);
      delete process.env.FATE_MODELS;
      expect(modelsFolder(null)).toBe(join(defaultCacheFolder(), 'models'));
      process.env.FATE_MODELS = join(folder, 'none');
      expect(await existingModelsFolder(null)).toBeUndefined();
    } finally {
      process.env.FATE_MODELS = before;
    }
  });

  it('each have a purpose, a page, a licence and a checksum or none', () => {
    for (const { file, origin, licence, sha256 } of OPTIONAL_MODELS.flatMap(({ files }) => files)) {
      expect(file).toMatch(/^[\w.-]+\.(task|tflite|safetensors|pth|onnx)$/);
      expect(origin.length).toBeGreaterThan(10);
      expect(licence.length).toBeGreaterThan(5);
      if (sha256 !== null) expect(sha256).toMatch(/^[0-9a-f]{64}$/);
    }
  });

  it('are absent from an empty folder', async () => {
    const { files } = await examineModels(folder);
    expect(files.map(({ isFound, sha256, fault }) => [isFound, sha256, fault])).toEqual(
      files.map(() => [false, null, null]),
    );
    expect(await findPerceptualNet(folder)).toBeNull();
    expect(await findLpips(folder)).toBeNull();
  });

  it('are told apart: usable, damaged, of another sum than the published file', async () => {
    await writeFile(join(folder, 'vgg16.safetensors'), vgg16File());
    await writeFile(join(folder, 'vgg16-397923af.pth'), 'an error page, saved under this name');
    await writeFile(join(folder, 'alexnet-owt-7be5be79.pth'), encodeTensors([['a', filled([1])]]));
    await writeFile(join(folder, 'face_landmarker.task'), 'no archive');
    const { files } = await examineModels(folder);
    const report = (name: string) => files.find(({ file }) => file === name)!;
    expect(report('vgg16.safetensors')).toMatchObject({ isFound: true, fault: null });
    expect(report('vgg16.safetensors').sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(report('vgg16.safetensors').sha256).not.toBe(report('vgg16.safetensors').knownSha256);
    expect(report('vgg16-397923af.pth').fault).toMatch(/^vgg16-397923af\.pth is not a readable tensor file/);
    expect(report('alexnet-owt-7be5be79.pth').fault).toMatch(/no AlexNet there/);
    expect(report('face_landmarker.task').fault).toMatch(/face_landmarker\.task is damaged/);
    const found = await findPerceptualNet(folder);
    expect(found).toMatchObject({
      net: { name: 'VGG16 (vgg16.safetensors)' },
      sha256: report('vgg16.safetensors').sha256,
    });
  });

  const heads = sharedPath('data/perceptual/lpips-heads/alex.pth');
  const models = sharedPath('data/models');
  it.skipIf(!heads || !models)('have the checksums that are stated (needs shared/data)', async () => {
    await copyFile(heads!, join(folder, 'alex.pth'));
    for (const name of ['face_landmarker.task', 'hair_segmentation.tflite'])
      await copyFile(join(models!, name), join(folder, name));
    const { files } = await examineModels(folder);
    const found = files.filter(({ isFound }) => isFound);
    expect(found.map(({ file }) => file)).toEqual(['face_landmarker.task', 'hair_segmentation.tflite', 'alex.pth']);
    for (const { sha256, knownSha256 } of found) expect(sha256).toBe(knownSha256);
    expect(found.map(({ fault }) => fault)).toEqual([null, null, null]);
  });
});
