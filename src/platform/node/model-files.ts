import { readFile, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { ModelFiles } from '../../inference/face-models.ts';
import { ModelError } from '../../inference/model.ts';
import { readFaceMeshAsset } from './canonical-face.ts';

/** Model files from the installed npm packages and, when given, from a folder. Throws `ModelError` when that is none. */
export async function openModelFiles(folder?: string): Promise<ModelFiles> {
  if (folder !== undefined) {
    const info = await stat(folder).catch(() => null);
    if (!info?.isDirectory()) {
      throw new ModelError(`The models' folder ${folder} ${info ? 'is a file' : 'does not exist'}; give a directory.`);
    }
  }
  return {
    readPackaged: async (file) => {
      if (file !== 'selfie_segmentation.tflite') return readFaceMeshAsset(file);
      const packageFile = createRequire(import.meta.url).resolve('@mediapipe/selfie_segmentation/package.json');
      return new Uint8Array(await readFile(join(dirname(packageFile), file)));
    },
    readGiven: async (file) => {
      if (folder === undefined) return null;
      return readFile(join(folder, file)).then(
        (bytes) => new Uint8Array(bytes),
        (error: NodeJS.ErrnoException) => {
          if (error.code === 'ENOENT') return null;
          throw new ModelError(`${join(folder, file)} cannot be read (${error.code}).`, { cause: error });
        },
      );
    },
  };
}
