/**
 * Which of MediaPipe's 468 points are what: facts about its mesh (mediapipe/modules/face_landmark). `left` and `right`
 * are the subject's; sequences run from the subject's right to left along the upper side unless told otherwise.
 */

/**
 * The iBUG 68 points as MediaPipe points, in iBUG order; null where none means the same place within 3 mm (checked with
 * both face-mesh networks on renders of ICT-FaceKit, whose 68 vertices are known). Eyes and lips agree best.
 */
export const MEDIAPIPE_FROM_IBUG_68: readonly (number | null)[] = [
  null, 234, 93, null, 172, null, 149, 148, 152, 377, 378, null, 397, null, 323, 454, null, // jaw, right to left
  70, 63, 105, 66, 107, 336, 296, 334, 293, 300, // brows
  168, 197, 195, 4, 98, 97, 2, 326, 327, // nose
  33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380, // eyes
  61, null, 37, 0, 267, null, 291, 321, null, 17, null, 91, // lips, outer
  78, 81, 13, 311, 308, 402, 14, 178, // lips, inner
]; // prettier-ignore

/**
 * iBUG points on the lips' border that fall between MediaPipe points: [iBUG, nearest MediaPipe]. The border runs through
 * them.
 */
export const IBUG_WAYPOINTS: readonly (readonly [number, number])[] = [
  [49, 40],
  [53, 270],
  [56, 314],
  [58, 84],
];

/** Open contours, corner to corner: points between two known ones are laid out along the head's own edge loop. */
export const CONTOURS = {
  rightUpperLid: [33, 246, 161, 160, 159, 158, 157, 173, 133],
  rightLowerLid: [33, 7, 163, 144, 145, 153, 154, 155, 133],
  leftUpperLid: [362, 398, 384, 385, 386, 387, 388, 466, 263],
  leftLowerLid: [362, 382, 381, 380, 374, 373, 390, 249, 263],
  upperLipOuter: [61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291],
  lowerLipOuter: [61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291],
  upperLipInner: [78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308],
  lowerLipInner: [78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308],
} as const satisfies Record<string, readonly number[]>;

/** Centres of the irises among the 478 points: the subject's right, then left. */
export const IRIS_CENTRES = { right: 468, left: 473 } as const;

/** Outlines of the brows: along the upper edge, then back along the lower. */
export const MEDIAPIPE_BROWS = {
  right: [70, 63, 105, 66, 107, 55, 65, 52, 53, 46],
  left: [300, 293, 334, 296, 336, 285, 295, 282, 283, 276],
} as const;
