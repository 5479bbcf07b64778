import type { FaceModels } from '../inference/face-models.ts';
import type { Image } from '../video/frame.ts';
import type { Box, Detection } from './face-detector.ts';
import { imageFromRegion, sampleRegion, type Region } from './region.ts';

/** Outer corners of the eyes in the face mesh: the subject's right, then left. */
const RIGHT_EYE_CORNER = 33;
const LEFT_EYE_CORNER = 263;
/** How far beyond the face's box the network wants to see. */
const REGION_SCALE = 1.5;

/** Landmarks of one face in one image. */
export interface FaceMesh {
  /** L×3: x and y in pixels of the image, z in the same scale, smaller towards the camera, relative to the face's middle. */
  readonly landmarks: Float32Array;
  /** How sure the network is that this is a face, 0…1. */
  readonly score: number;
}

/** Runs the landmark network on a region. */
export async function runFaceMesh(
  models: Pick<FaceModels, 'landmarks' | 'landmarkCount'>,
  image: Image,
  region: Region,
): Promise<FaceMesh> {
  const size = models.landmarks.inputs[0].shape[1];
  const outputs = await models.landmarks.run([
    sampleRegion(image, region, { size, low: 0, high: 1, outside: 'nearest' }),
  ]);
  const points = outputs.find((output) => output.length === models.landmarkCount * 3) ?? new Float32Array(0);
  const presence = outputs.find((output) => output.length === 1)?.[0] ?? -100;
  const landmarks = new Float32Array(points.length);
  for (let i = 0; i < points.length; i += 3) {
    const [x, y] = imageFromRegion(region, points[i] / size, points[i + 1] / size);
    landmarks[i] = x;
    landmarks[i + 1] = y;
    landmarks[i + 2] = (points[i + 2] / size) * region.size;
  }
  return { landmarks, score: 1 / (1 + Math.exp(-presence)) };
}

/** Where to look for landmarks, from a detection: turned so that the eyes are level. */
export function regionFromDetection({ box, keyPoints }: Detection): Region {
  const rotation = Math.atan2(keyPoints[3] - keyPoints[1], keyPoints[2] - keyPoints[0]);
  return regionAround(box, rotation);
}

/** Where to look in the next frame, from this one's landmarks. */
export function regionFromLandmarks(landmarks: Float32Array): Region {
  const dx = landmarks[3 * LEFT_EYE_CORNER] - landmarks[3 * RIGHT_EYE_CORNER];
  const dy = landmarks[3 * LEFT_EYE_CORNER + 1] - landmarks[3 * RIGHT_EYE_CORNER + 1];
  return regionAround(landmarkBox(landmarks), Math.atan2(dy, dx));
}

function regionAround(box: Box, rotation: number): Region {
  return {
    centerX: (box.left + box.right) / 2,
    centerY: (box.top + box.bottom) / 2,
    size: Math.max(box.right - box.left, box.bottom - box.top) * REGION_SCALE,
    rotation,
  };
}

/** The axis-aligned box around landmarks. */
export function landmarkBox(landmarks: Float32Array): Box {
  let left = Infinity;
  let top = Infinity;
  let right = -Infinity;
  let bottom = -Infinity;
  for (let i = 0; i < landmarks.length; i += 3) {
    left = Math.min(left, landmarks[i]);
    right = Math.max(right, landmarks[i]);
    top = Math.min(top, landmarks[i + 1]);
    bottom = Math.max(bottom, landmarks[i + 1]);
  }
  return { left, top, right, bottom };
}

/** Points that the expression network reads, in its order: contours of face, brows, eyes, irises, nose, lips. */
const BLENDSHAPE_LANDMARKS = [
  0, 1, 4, 5, 6, 7, 8, 10, 13, 14, 17, 21, 33, 37, 39, 40, 46, 52, 53, 54, 55, 58, 61, 63, 65, 66, 67, 70, 78, 80, 81, 82, 84,
  87, 88, 91, 93, 95, 103, 105, 107, 109, 127, 132, 133, 136, 144, 145, 146, 148, 149, 150, 152, 153, 154, 155, 157, 158, 159,
  160, 161, 162, 163, 168, 172, 173, 176, 178, 181, 185, 191, 195, 197, 234, 246, 249, 251, 263, 267, 269, 270, 276, 282, 283,
  284, 285, 288, 291, 293, 295, 296, 297, 300, 308, 310, 311, 312, 314, 317, 318, 321, 323, 324, 332, 334, 336, 338, 356, 361,
  362, 365, 373, 374, 375, 377, 378, 379, 380, 381, 382, 384, 385, 386, 387, 388, 389, 390, 397, 398, 400, 402, 405, 409, 415,
  454, 466, 468, 469, 470, 471, 472, 473, 474, 475, 476, 477,
]; // prettier-ignore

/**
 * Expression scores 0…1 in the order of `ARKIT_EXPRESSION_NAMES`; null without the network. It scores a neutral face
 * first, then ARKit's names but `tongueOut`, which stays 0.
 */
export async function runBlendshapes(
  models: Pick<FaceModels, 'blendshapes'>,
  landmarks: Float32Array,
): Promise<Float32Array | null> {
  if (!models.blendshapes) return null;
  const input = new Float32Array(BLENDSHAPE_LANDMARKS.length * 2);
  BLENDSHAPE_LANDMARKS.forEach((landmark, i) => {
    input[2 * i] = landmarks[3 * landmark];
    input[2 * i + 1] = landmarks[3 * landmark + 1];
  });
  const [scores] = await models.blendshapes.run([input]);
  const ordered = new Float32Array(52);
  ordered.set(scores.subarray(1, 52));
  return ordered;
}
