import { CANONICAL_POINT_COUNT, type CanonicalFace } from '../landmarks/canonical-face.ts';
import { FACE_BOUNDARY, LID_LOOP, LOWER_LIP, MOUTH_LOOP, UPPER_LIP } from './face-points.ts';

/** Rings of the skull and neck behind the face's boundary, and points per ring. */
export const RING_COUNT = 20;
export const RING_SIZE = FACE_BOUNDARY.length;
export const CAGE_POINT_COUNT = CANONICAL_POINT_COUNT + RING_COUNT * RING_SIZE;

/** Cage point of column `column` on ring `ring`; ring 0 is the face's own boundary. */
export function ringPoint(ring: number, column: number): number {
  const wrapped = ((column % RING_SIZE) + RING_SIZE) % RING_SIZE;
  return ring === 0 ? FACE_BOUNDARY[wrapped] : CANONICAL_POINT_COUNT + (ring - 1) * RING_SIZE + wrapped;
}

/**
 * The coarse mesh of all outer skin: the canonical face with its eyes and mouth cut open, and a tube of rings from the
 * face's boundary over skull and throat to the base of the neck. Counter-clockwise from outside.
 */
export interface SkinCage {
  readonly triangles: Uint32Array;
  /** Triangles before this index are the face's own. */
  readonly faceTriangleCount: number;
  /** Mirror partner of each cage point. */
  readonly mirror: Uint32Array;
}

export function createSkinCage(face: CanonicalFace, faceMirror: Uint32Array): SkinCage {
  const leftLids = LID_LOOP.map((point) => faceMirror[point]);
  const openings = [new Set<number>(LID_LOOP), new Set<number>(leftLids), new Set<number>(MOUTH_LOOP)];
  const triangles: number[] = [];
  for (let t = 0; t < face.triangles.length; t += 3) {
    const corners = [...face.triangles.subarray(t, t + 3)];
    if (openings.some((opening) => corners.every((corner) => opening.has(corner)))) continue;
    triangles.push(...corners);
  }
  const faceTriangleCount = triangles.length / 3;
  for (let ring = 0; ring < RING_COUNT; ring++) {
    for (let column = 0; column < RING_SIZE; column++) {
      const [a, b] = [ringPoint(ring, column), ringPoint(ring, column + 1)];
      const [c, d] = [ringPoint(ring + 1, column + 1), ringPoint(ring + 1, column)];
      // Diagonals mirror at the midline.
      if (column < RING_SIZE / 2) triangles.push(a, b, c, a, c, d);
      else triangles.push(a, b, d, b, c, d);
    }
  }
  const mirror = new Uint32Array(CAGE_POINT_COUNT);
  mirror.set(faceMirror);
  for (let ring = 1; ring <= RING_COUNT; ring++) {
    for (let column = 0; column < RING_SIZE; column++) mirror[ringPoint(ring, column)] = ringPoint(ring, -column);
  }
  return { triangles: Uint32Array.from(triangles), faceTriangleCount, mirror };
}

/**
 * The canonical points in centimetres with the lips closed: the canonical mouth stands 5.5 mm open, which is no neutral
 * face. The inner contours meet; the contours around follow by a share. All other points stay as they are.
 */
export function closeLips(face: CanonicalFace): Float64Array {
  const points = Float64Array.from(face.positions, (value) => value * 100);
  const gap = 0.02; // cm left between the lips, so that they do not fight for one depth
  const follow = [1, 0.72, 0.3];
  UPPER_LIP[0].forEach((upper, i) => {
    const lower = LOWER_LIP[0][i];
    const middle = [1, 2].map((axis) => 0.5 * (points[upper * 3 + axis] + points[lower * 3 + axis]));
    const upperShift = middle.map((value, k) => value + (k === 0 ? gap / 2 : 0) - points[upper * 3 + 1 + k]);
    const lowerShift = middle.map((value, k) => value - (k === 0 ? gap / 2 : 0) - points[lower * 3 + 1 + k]);
    follow.forEach((share, contour) => {
      for (let k = 0; k < 2; k++) {
        points[UPPER_LIP[contour][i] * 3 + 1 + k] += share * upperShift[k];
        points[LOWER_LIP[contour][i] * 3 + 1 + k] += share * lowerShift[k];
      }
    });
    const middleX = 0.5 * (points[upper * 3] + points[lower * 3]);
    points[upper * 3] = middleX;
    points[lower * 3] = middleX;
  });
  return points;
}
