import { readFileSync } from 'node:fs';
import { strToU8, unzipSync, zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { sharedPath } from '../../test/shared.ts';
import { createNodeInference } from '../platform/node/litert.ts';
import { openModelFiles } from '../platform/node/model-files.ts';
import { Flatbuffer } from './flatbuffer.ts';
import { loadFaceModels, type ModelFiles } from './face-models.ts';
import { ModelError } from './model.ts';

const inference = await createNodeInference();

async function filesWith(given: Record<string, Uint8Array>): Promise<ModelFiles> {
  return { ...(await openModelFiles()), readGiven: (file) => Promise.resolve(given[file] ?? null) };
}

/** A network whose weights are all zero: what a file written by a failed conversion looks like. */
function withoutWeights(bytes: Uint8Array): Uint8Array {
  const file = new Flatbuffer(bytes.slice());
  for (const buffer of file.tables(file.root, 4)) {
    const { start, length } = file.vector(buffer, 0);
    if (length > 64) file.bytes.fill(0, start, start + length); // small ones are shapes
  }
  return file.bytes;
}

describe('loadFaceModels', () => {
  it('leaves the global scope as it was', () => {
    const scope = globalThis as Record<string, unknown>;
    for (const name of ['importScripts', 'ModuleFactory', '__dirname']) expect(scope[name]).toBeUndefined();
  });

  it('takes the models of the npm packages', async () => {
    const models = await loadFaceModels(inference, await openModelFiles());
    expect(models.landmarkCount).toBe(468);
    expect(models.blendshapes).toBeNull();
    expect(models.warnings).toEqual([]);
    models.close();
  });

  it('refuses a model that yields zeros', async () => {
    const segmentation = await (await openModelFiles()).readPackaged('selfie_segmentation.tflite');
    const files = await filesWith({ 'selfie_segmentation.tflite': withoutWeights(segmentation) });
    await expect(loadFaceModels(inference, files)).rejects.toThrow(
      /selfie_segmentation.tflite yields .* Fetch it again/,
    );
  });

  it('refuses what is no model, another model, and a damaged archive', async () => {
    const text = strToU8('not a model');
    await expect(loadFaceModels(inference, await filesWith({ 'selfie_segmentation.tflite': text }))).rejects.toThrow(
      /not a TensorFlow Lite model/,
    );
    const other = await (await openModelFiles()).readPackaged('face_landmark.tflite');
    await expect(loadFaceModels(inference, await filesWith({ 'selfie_segmentation.tflite': other }))).rejects.toThrow(
      /another network than expected/,
    );
    await expect(loadFaceModels(inference, await filesWith({ 'face_landmarker.task': text }))).rejects.toThrow(
      /no complete archive/,
    );
    const incomplete = zipSync({
      'face_detector.tflite': await (await openModelFiles()).readPackaged('face_detection_short_range.tflite'),
    });
    await expect(loadFaceModels(inference, await filesWith({ 'face_landmarker.task': incomplete }))).rejects.toThrow(
      /holds no face_landmarks_detector.tflite/,
    );
    const cut = other.subarray(0, other.length >> 1);
    await expect(loadFaceModels(inference, await filesWith({ 'selfie_segmentation.tflite': cut }))).rejects.toThrow(
      ModelError,
    );
  });

  it('leaves out a hair model that does not work, with a warning', async () => {
    const models = await loadFaceModels(
      inference,
      await filesWith({ 'hair_segmentation.tflite': strToU8('not a model') }),
    );
    expect(models.hair).toBeNull();
    expect(models.warnings).toEqual([expect.stringContaining('Hair segmentation is left out')]);
    models.close();
  });

  it('says so when the folder does not exist', async () => {
    await expect(openModelFiles('/no/such/folder')).rejects.toThrow(/does not exist; give a directory/);
  });

  const folder = sharedPath('data/models');
  it.skipIf(!folder)('takes the models of a folder (needs ../shared/data/models)', async () => {
    const models = await loadFaceModels(inference, await openModelFiles(folder!));
    expect(models.landmarkCount).toBe(478);
    expect(models.blendshapes).not.toBeNull();
    models.close();
    const entries = unzipSync(readFileSync(`${folder}/face_landmarker.task`));
    const zeros = zipSync({
      ...entries,
      'face_landmarks_detector.tflite': withoutWeights(entries['face_landmarks_detector.tflite']),
    });
    await expect(loadFaceModels(inference, await filesWith({ 'face_landmarker.task': zeros }))).rejects.toThrow(
      /face_landmarks_detector.tflite yields/,
    );
  });
});
