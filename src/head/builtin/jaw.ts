import { CANONICAL_POINT_COUNT } from '../landmarks/canonical-face.ts';
import type { DisplacementField } from './displacement-field.ts';
import { FACE_BOUNDARY, LIP_CORNERS, LOWER_LIP, UPPER_LIP } from './face-points.ts';
import type { JawMotion } from './mouth.ts';
import { CAGE_POINT_COUNT, RING_COUNT, ringPoint } from './skin-cage.ts';
import { add, length, pointAt, rotateAbout, scale, smoothstep, subtract, type Vector } from './vector.ts';

/** Middle of the axis through both jaw joints, in front of the ears; centimetres, canonical coordinates. */
export const JAW_HINGE: Vector = [0, 0.3, -2.9];

/** How the lower jaw stands: radians open, centimetres forward and to the subject's left. */
export interface JawPlace {
  readonly open?: number;
  readonly forward?: number;
  readonly left?: number;
}

export function jawMotion({ open = 0, forward = 0, left = 0 }: JawPlace): JawMotion {
  return (point) => add(rotateAbout(point, JAW_HINGE, [1, 0, 0], open), [left, 0, forward]);
}

/** Share of the jaw's motion that each cage point takes, 0…1. Also its skinning weight on the jaw joint. */
export function jawShares(cage: Float64Array, mirror: Uint32Array, field: DisplacementField): Float64Array {
  const fixed = new Map<number, readonly number[]>();
  const fix = (point: number, share: number): void => {
    fixed.set(point, [share]);
    fixed.set(mirror[point], [share]);
  };
  for (let point = 0; point < CANONICAL_POINT_COUNT; point++) {
    if (cage[point * 3 + 1] > -0.9) fix(point, 0);
  }
  for (const point of [2, 97, 98, 164, 167, 165, ...UPPER_LIP.flat()]) fix(point, 0);
  // Towards the corners the lips give way to each other.
  const nearCorner = [0.28, 0.1, 0.02];
  UPPER_LIP.forEach((contour) => nearCorner.forEach((share, i) => fix(contour[i], share)));
  LOWER_LIP.forEach((contour) =>
    contour.forEach((point, i) => fix(point, [0.66, 0.86, 0.96][Math.min(i, 8 - i)] ?? 1)),
  );
  for (const [corner] of LIP_CORNERS) fix(corner, 0.45);
  for (const point of [152, 148, 176, 149, 150, 175, 171, 140, 199, 208, 32, 200, 201, 194, 18, 83, 17]) fix(point, 1);
  fix(170, 0.99);
  fix(136, 0.95);
  fix(172, 0.84);
  fix(58, 0.6);
  fix(132, 0.28);
  fix(93, 0.06);
  const shares = new Float64Array(CAGE_POINT_COUNT);
  shares.set(field.spreadHarmonic(fixed, 1));
  return extendToRings(shares, cage, 1, 6.5);
}

/** Carries values of the face's boundary (`width` per point) onto the rings, fading over `reach` centimetres. */
export function extendToRings(values: Float64Array, cage: Float64Array, width: number, reach: number): Float64Array {
  FACE_BOUNDARY.forEach((boundary, column) => {
    let distance = 0;
    for (let ring = 1; ring <= RING_COUNT; ring++) {
      const [previous, point] = [ringPoint(ring - 1, column), ringPoint(ring, column)];
      distance += length(subtract(pointAt(cage, point), pointAt(cage, previous)));
      const fade = smoothstep(reach, 0, distance);
      for (let k = 0; k < width; k++) values[point * width + k] = values[boundary * width + k] * fade;
    }
  });
  return values;
}

/** Displacement of every cage point by a jaw motion, in place added to `displacement` (N×3). */
export function addJawDisplacement(
  displacement: Float64Array,
  cage: Float64Array,
  shares: Float64Array,
  motion: JawMotion,
): void {
  for (let point = 0; point < CAGE_POINT_COUNT; point++) {
    if (shares[point] === 0) continue;
    const rest = pointAt(cage, point);
    const moved = scale(subtract(motion(rest), rest), shares[point]);
    for (let k = 0; k < 3; k++) displacement[point * 3 + k] += moved[k];
  }
}
