import { CANONICAL_POINT_COUNT, type CanonicalFace } from '../landmarks/canonical-face.ts';

/**
 * Names for the canonical face's points. Lists are of the subject's right half (x < 0) or cross from right to left;
 * `FaceSymmetry` gives the other side.
 */

/** Outer boundary, from the chin over the subject's right cheek and the forehead to the left: 36 points. */
export const FACE_BOUNDARY = [
  152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
  10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
] as const; // prettier-ignore

/** Lid rims of the right eye, each from the outer to the inner corner, corners left out; same place in both = a pair. */
export const UPPER_LID = [246, 161, 160, 159, 158, 157, 173] as const;
export const LOWER_LID = [7, 163, 144, 145, 153, 154, 155] as const;
export const EYE_CORNERS = { outer: 33, inner: 133 } as const;
/** The next rows outwards, and the crease above. */
export const UPPER_LID_SECOND = [247, 30, 29, 27, 28, 56, 190] as const;
export const LOWER_LID_SECOND = [25, 110, 24, 23, 22, 26, 112] as const;
export const EYE_CORNERS_SECOND = { outer: 130, inner: 243 } as const;
export const UPPER_LID_THIRD = [113, 225, 224, 223, 222, 221, 189] as const;
export const LOWER_LID_THIRD = [31, 228, 229, 230, 231, 232, 233] as const;

/** Lip contours from the right to the left corner, corners left out. Innermost (the mouth's opening) first. */
export const UPPER_LIP = [
  [191, 80, 81, 82, 13, 312, 311, 310, 415],
  [183, 42, 41, 38, 12, 268, 271, 272, 407],
  [184, 74, 73, 72, 11, 302, 303, 304, 408],
  [185, 40, 39, 37, 0, 267, 269, 270, 409],
] as const; // prettier-ignore
export const LOWER_LIP = [
  [95, 88, 178, 87, 14, 317, 402, 318, 324],
  [96, 89, 179, 86, 15, 316, 403, 319, 325],
  [77, 90, 180, 85, 16, 315, 404, 320, 307],
  [146, 91, 181, 84, 17, 314, 405, 321, 375],
] as const; // prettier-ignore
/** Right and left corner of each contour. */
export const LIP_CORNERS = [
  [78, 308],
  [62, 292],
  [76, 306],
  [61, 291],
] as const;

/** Right lid rim as one loop: outer corner, upper lid, inner corner, lower lid back. */
export const LID_LOOP = [EYE_CORNERS.outer, ...UPPER_LID, EYE_CORNERS.inner, ...[...LOWER_LID].reverse()];

/** The mouth's opening as one loop: right corner, upper lip, left corner, lower lip back. */
export const MOUTH_LOOP = [LIP_CORNERS[0][0], ...UPPER_LIP[0], LIP_CORNERS[0][1], ...[...LOWER_LIP[0]].reverse()];

/** The canonical face is exactly mirror-symmetric; this finds each point's partner. */
export function mirrorPoints(face: CanonicalFace): Uint32Array {
  const partners = new Uint32Array(CANONICAL_POINT_COUNT);
  const { positions } = face;
  for (let point = 0; point < CANONICAL_POINT_COUNT; point++) {
    let nearest = Infinity;
    for (let other = 0; other < CANONICAL_POINT_COUNT; other++) {
      const distance = Math.hypot(
        positions[point * 3] + positions[other * 3],
        positions[point * 3 + 1] - positions[other * 3 + 1],
        positions[point * 3 + 2] - positions[other * 3 + 2],
      );
      if (distance < nearest) {
        nearest = distance;
        partners[point] = other;
      }
    }
  }
  return partners;
}
