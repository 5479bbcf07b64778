import type { RegionName } from '../head-model.ts';

/**
 * Facts about ICT-FaceKit Light's one topology (github.com/ICT-VGL/ICT-FaceKit, its README and `vertex_indices.json`).
 * Coordinates here are in the files' unit, about a centimetre, y up, z forward.
 */
export const ICT_VERTEX_COUNT = 26_719;
export const ICT_POLYGON_COUNT = 26_384;
export const ICT_IDENTITY_COUNT = 100;
export const METRES_PER_ICT_UNIT = 0.01;

/** Between the ears: becomes the origin of head space. */
export const ICT_EAR_CENTRE: readonly [number, number, number] = [0, 0.7, 0];

export type IctPart =
  | 'face'
  | 'headAndNeck'
  | 'mouthSocket'
  | 'leftEyeSocket'
  | 'rightEyeSocket'
  | 'gumsAndTongue'
  | 'upperTeeth'
  | 'lowerTeeth'
  | 'leftEyeball'
  | 'rightEyeball';

export interface IctPartRange {
  readonly part: IctPart;
  /** First polygon and one past the last, in file order. */
  readonly polygons: readonly [number, number];
}

/**
 * The parts that are kept. Left out: lacrimal fluid, eye blend, eye occlusion and eyelashes (films and cards whose look
 * is transparency, not surface), and the inner iris bowls, which lie wholly inside the outer eyeballs: a Gaussian there
 * would never be seen except through another.
 */
export const ICT_PARTS: readonly IctPartRange[] = [
  { part: 'face', polygons: [0, 9230] },
  { part: 'headAndNeck', polygons: [9230, 11_144] },
  { part: 'mouthSocket', polygons: [11_144, 13_226] },
  { part: 'leftEyeSocket', polygons: [13_226, 13_630] },
  { part: 'rightEyeSocket', polygons: [13_630, 14_034] },
  { part: 'gumsAndTongue', polygons: [14_034, 17_006] },
  { part: 'upperTeeth', polygons: [17_006, 19_250] },
  { part: 'lowerTeeth', polygons: [19_250, 21_496] },
  { part: 'leftEyeball', polygons: [21_496, 22_296] },
  { part: 'rightEyeball', polygons: [23_094, 23_894] },
];

/** Vertex ids of the 68 points of the iBUG annotation (jaw 0–16, brows 17–26, nose 27–35, eyes 36–47, mouth 48–67). */
export const ICT_LANDMARKS_68: readonly number[] = [
  1225, 1888, 1052, 367, 1719, 1722, 2199, 1447, 966, 3661, 4390, 3927, 3924, 2608, 3272, 4088, 3443, // jaw
  268, 493, 1914, 2044, 1401, 3615, 4240, 4114, 2734, 2509, // brows
  978, 4527, 4942, 4857, 1140, 2075, 1147, 4269, 3360, // nose
  1507, 1542, 1537, 1528, 1518, 1511, 3742, 3751, 3756, 3721, 3725, 3732, // eyes
  5708, 5695, 2081, 0, 4275, 6200, 6213, 6346, 6461, 5518, 5957, 5841, // lips, outer
  5702, 5711, 5533, 6216, 6207, 6470, 5517, 5966, // lips, inner
]; // prettier-ignore

/** ICT shape names, in the OBJ folder and in the packed form. `_L` and `_R` are the subject's. */
const PAIRED = [
  'browDown', 'browInnerUp', 'browOuterUp', 'cheekPuff', 'cheekRaiser', 'cheekSquint', 'eyeBlink', 'eyeLookDown',
  'eyeLookIn', 'eyeLookOut', 'eyeLookUp', 'eyeSquint', 'eyeWide', 'mouthDimple', 'mouthFrown', 'mouthLowerDown',
  'mouthPress', 'mouthSmile', 'mouthStretch', 'mouthUpperUp', 'noseSneer',
]; // prettier-ignore
const UNPAIRED = [
  'jawForward', 'jawLeft', 'jawOpen', 'jawRight', 'mouthClose', 'mouthFunnel', 'mouthLeft', 'mouthPucker', 'mouthRight',
  'mouthRollLower', 'mouthRollUpper', 'mouthShrugLower', 'mouthShrugUpper',
]; // prettier-ignore

/** The shapes that the loader needs; `PupilDilate_*` is ignored, since it moves only parts that are left out. */
export const ICT_EXPRESSION_SHAPES: readonly string[] = [
  ...PAIRED.flatMap((name) => [`${name}_L`, `${name}_R`]),
  ...UNPAIRED,
];

export const ICT_IDENTITY_SHAPES: readonly string[] = Array.from(
  { length: ICT_IDENTITY_COUNT },
  (_, index) => `identity${String(index).padStart(3, '0')}`,
);

/** Region of a kept part that is one region as a whole; the face, the head and the gums are divided by place. */
export const REGION_OF_PART: Partial<Record<IctPart, RegionName>> = {
  mouthSocket: 'mouthCavity',
  leftEyeSocket: 'leftEyeSocket',
  rightEyeSocket: 'rightEyeSocket',
  upperTeeth: 'upperTeeth',
  lowerTeeth: 'lowerTeeth',
  leftEyeball: 'leftEyeball',
  rightEyeball: 'rightEyeball',
};
