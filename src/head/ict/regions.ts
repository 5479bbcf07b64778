import type { RegionName } from '../head-model.ts';
import { ICT_LANDMARKS_68, REGION_OF_PART, type IctPart } from './layout.ts';

type Point = readonly [number, number, number];

/**
 * Finds the region of a triangle from its part and, on the skin, from where its centroid lies on the neutral mesh
 * (file units). The skin's borders are drawn by the 68 landmarks and by the ears' place: the topology never changes, so
 * they are right for every identity.
 */
export function createRegionFinder(neutralVertices: Float32Array): (part: IctPart, centroid: Point) => RegionName {
  const landmark = (index: number): Point => {
    const at = ICT_LANDMARKS_68[index] * 3;
    return [neutralVertices[at], neutralVertices[at + 1], neutralVertices[at + 2]];
  };
  const outline = (from: number, to: number): Point[] =>
    Array.from({ length: to - from }, (_, i) => landmark(from + i));
  const outerLips = grow(outline(48, 60), 1.06);
  const eyes = [
    { name: 'rightEyelids' as const, outline: grow(outline(36, 42), 1.35, 2.6) },
    { name: 'leftEyelids' as const, outline: grow(outline(42, 48), 1.35, 2.6) },
  ];

  return (part, centroid) => {
    const [x, y, z] = centroid;
    const whole = REGION_OF_PART[part];
    if (whole) return whole;
    if (part === 'gumsAndTongue') return isTongue(centroid) ? 'tongue' : 'gums';
    if (isEar(centroid)) return x > 0 ? 'leftEar' : 'rightEar';
    if (part === 'face') {
      if (z > 8.5 && isInside(outerLips, x, y)) return 'lips';
      for (const eye of eyes) if (z > 6.5 && isInside(eye.outline, x, y)) return eye.name;
    }
    if (isHairBearing(centroid)) return 'scalp';
    return part === 'headAndNeck' || neckHeight(y, z) < -7.5 ? 'neck' : 'face';
  };
}

/**
 * A height that follows the slanted border between head and neck: below −7.5 is neck. It runs from under the chin (y −10,
 * z 4) to the nape (y −4, z −6).
 */
export function neckHeight(y: number, z: number): number {
  return y + 0.57 * z;
}

function isEar([x, y, z]: Point): boolean {
  const outwards = Math.abs(x);
  return y > -2.7 && y < 3.9 && z > -2.4 && z < 1.9 && outwards > 7.15 + 0.12 * z && outwards > 6.9;
}

/** Above the hairline: it falls from the forehead (y 9.3) past the temples to behind the ears and ends at the nape. */
function isHairBearing([, y, z]: Point): boolean {
  const hairline = 9.3 - 1.1 * Math.max(0, 6 - z);
  return y > Math.max(hairline, -5);
}

function isTongue([x, y, z]: Point): boolean {
  // The tongue's charts lie in the middle of the lower arch; the gums' run along it.
  return Math.abs(x) < 2.05 && y > -5.4 && y < -2.4 && z < 9.6 && z > 1 && Math.hypot(x / 2.3, (z - 5.6) / 4.3) < 1;
}

/** Scales an outline (x, y) about its centre, by `factorY` upwards and downwards where given. */
function grow(outline: readonly Point[], factorX: number, factorY = factorX): Point[] {
  const centre = [0, 1].map((axis) => outline.reduce((sum, point) => sum + point[axis], 0) / outline.length);
  return outline.map(([x, y, z]) => [centre[0] + (x - centre[0]) * factorX, centre[1] + (y - centre[1]) * factorY, z]);
}

/** Even–odd rule in the frontal projection. */
function isInside(outline: readonly Point[], x: number, y: number): boolean {
  let inside = false;
  outline.forEach(([ax, ay], i) => {
    const [bx, by] = outline[(i + 1) % outline.length];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  });
  return inside;
}
