import { unzipSync } from 'fflate';
import { checkModel, ModelError, type Inference, type Model } from './model.ts';

/** The networks that observing a face takes. */
export interface FaceModels {
  /** BlazeFace, short range: 128² RGB −1…1 → 896 boxes with 6 key points, 896 scores. */
  readonly detector: Model;
  /** Face mesh: 192² (468 points) or 256² (478 points) RGB 0…1 → points in input pixels, presence. */
  readonly landmarks: Model;
  readonly landmarkCount: 468 | 478;
  /** 146 of the 478 points → 52 expression scores; null without `face_landmarker.task`. */
  readonly blendshapes: Model | null;
  /** Selfie segmentation: 256² RGB 0…1 → person 0…1. */
  readonly segmentation: Model;
  /** Hair segmentation: 512² RGBA → background and hair logits; null when not given. */
  readonly hair: Model | null;
  /** What was left out and why. */
  readonly warnings: readonly string[];
  close(): void;
}

/** Where model files come from. */
export interface ModelFiles {
  /** A file that an installed npm package carries. Throws when the package is damaged. */
  readPackaged(
    file: 'face_detection_short_range.tflite' | 'face_landmark.tflite' | 'selfie_segmentation.tflite',
  ): Promise<Uint8Array>;
  /** A file of the user's model folder; null when there is none of this name, or no folder. */
  readGiven(file: string): Promise<Uint8Array | null>;
}

const DETECTOR = { input: [1, 128, 128, 3], outputSizes: [896 * 16, 896] };
const LANDMARKS_468 = { input: [1, 192, 192, 3], outputSizes: [468 * 3, 1] };
const LANDMARKS_478 = { input: [1, 256, 256, 3], outputSizes: [478 * 3, 1] };
const BLENDSHAPES = { input: [1, 146, 2], outputSizes: [52] };
const SEGMENTATION = { input: [1, 256, 256, 3], outputSizes: [256 * 256] };
const HAIR = { input: [1, 512, 512, 4], outputSizes: [512 * 512 * 2] };

/**
 * Loads and checks the networks: those of the user's folder where it has them (`face_landmarker.task`,
 * `selfie_segmentation.tflite`, `hair_segmentation.tflite`), else those that the npm packages carry. Throws `ModelError`
 * for a file that does not work; hair segmentation, which only refines, is left out with a warning instead.
 */
export async function loadFaceModels(inference: Inference, files: ModelFiles): Promise<FaceModels> {
  const loaded: Model[] = [];
  const load = async (bytes: Uint8Array, name: string, expectation: typeof DETECTOR): Promise<Model> => {
    const model = await inference.load(bytes, name);
    loaded.push(model);
    await checkModel(model, expectation);
    return model;
  };
  const close = (): void => loaded.forEach((model) => model.close());
  try {
    const task = await files.readGiven('face_landmarker.task');
    const face = task ? await loadTask(task, load) : await loadPackaged(files, load);
    const segmentationBytes =
      (await files.readGiven('selfie_segmentation.tflite')) ?? (await files.readPackaged('selfie_segmentation.tflite'));
    const segmentation = await load(segmentationBytes, 'selfie_segmentation.tflite', SEGMENTATION);
    const warnings: string[] = [];
    const hairBytes = await files.readGiven('hair_segmentation.tflite');
    const hair = hairBytes
      ? await load(hairBytes, 'hair_segmentation.tflite', HAIR).catch((error: unknown) => ignoreHair(error, warnings))
      : null;
    return { ...face, segmentation, hair, warnings, close };
  } catch (error) {
    close();
    throw error;
  }
}

type Load = (bytes: Uint8Array, name: string, expectation: typeof DETECTOR) => Promise<Model>;
type FaceNetworks = Pick<FaceModels, 'detector' | 'landmarks' | 'landmarkCount' | 'blendshapes'>;

async function loadPackaged(files: ModelFiles, load: Load): Promise<FaceNetworks> {
  const read = async (name: Parameters<ModelFiles['readPackaged']>[0], expectation: typeof DETECTOR): Promise<Model> =>
    load(await files.readPackaged(name), name, expectation);
  return {
    detector: await read('face_detection_short_range.tflite', DETECTOR),
    landmarks: await read('face_landmark.tflite', LANDMARKS_468),
    landmarkCount: 468,
    blendshapes: null,
  };
}

async function loadTask(task: Uint8Array, load: Load): Promise<FaceNetworks> {
  const entries = unzipTask(task);
  const read = (name: string, expectation: typeof DETECTOR): Promise<Model> => {
    const bytes = entries[name];
    if (!bytes) throw new ModelError(`face_landmarker.task holds no ${name}: it is incomplete. Fetch it again.`);
    return load(bytes, `face_landmarker.task/${name}`, expectation);
  };
  return {
    detector: await read('face_detector.tflite', DETECTOR),
    landmarks: await read('face_landmarks_detector.tflite', LANDMARKS_478),
    landmarkCount: 478,
    blendshapes: await read('face_blendshapes.tflite', BLENDSHAPES),
  };
}

function unzipTask(task: Uint8Array): Record<string, Uint8Array> {
  try {
    return unzipSync(task);
  } catch (error) {
    throw new ModelError('face_landmarker.task is damaged: it is no complete archive. Fetch it again.', {
      cause: error,
    });
  }
}

function ignoreHair(error: unknown, warnings: string[]): null {
  if (!(error instanceof ModelError)) throw error;
  warnings.push(`Hair segmentation is left out: ${error.message}`);
  return null;
}
