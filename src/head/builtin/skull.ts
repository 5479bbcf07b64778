import { FACE_BOUNDARY } from './face-points.ts';
import { RING_COUNT, RING_SIZE, type SkinCage, ringPoint } from './skin-cage.ts';
import { areaWeightedNormals } from './subdivide.ts';
import {
  add,
  dot,
  length,
  mean,
  mix,
  normalize,
  pointAt,
  scale,
  setPoint,
  smoothstep,
  subtract,
  type Vector,
} from './vector.ts';

/** Measures of skull, jaw and neck. Centimetres; 1 = as drawn for factors. */
export interface SkullShape {
  readonly skullWidth: number;
  readonly skullHeight: number;
  readonly skullDepth: number;
  readonly neckWidth: number;
  readonly neckDepth: number;
  /** How far the neck's base lies behind its usual place. */
  readonly neckSlant: number;
  readonly jawAngleWidth: number;
}

export const DEFAULT_SKULL: SkullShape = {
  skullWidth: 1,
  skullHeight: 1,
  skullDepth: 1,
  neckWidth: 1,
  neckDepth: 1,
  neckSlant: 0,
  jawAngleWidth: 1,
};

/**
 * Signed distance (approximate, negative inside) to the bare head: a cranium of ellipsoid octants, two jaw branches,
 * the floor of the mouth and a slanted neck, joined smoothly.
 */
export function skullDistance(point: Vector, shape: SkullShape): number {
  const x = Math.abs(point[0]);
  const [, y, z] = point;
  const craniumCenter: Vector = [0, 5, -3.9];
  // From above a skull is an egg: widest behind the ears.
  const width = 7.75 * shape.skullWidth * (1 + 0.035 * smoothstep(-1, -7, z) - 0.02 * smoothstep(-10, -14, z));
  // The vault is flatter than an ellipsoid from side to side: a superellipse towards the crown.
  const cranium = ellipsoidDistance(
    subtract([x, y, z], craniumCenter),
    [width, y > 5 ? 8.85 * shape.skullHeight : 9.8, z > craniumCenter[2] ? 8.8 : 10.7 * shape.skullDepth],
    2 + 0.45 * smoothstep(6, 11, y),
  );
  const neckT = (y + 4) / -14; // 0 at the top of the neck, 1 at its base
  const neckCenter: Vector = [0, y, -5.9 - 2.4 * neckT - shape.neckSlant * smoothstep(0, 1, neckT)];
  const flare = smoothstep(-12.5, -19, y);
  const neckSection = ellipsoidDistance(subtract([x, y, z], neckCenter), [
    (5.6 + 2.2 * flare) * shape.neckWidth,
    1e6,
    (5.3 + 0.8 * flare) * shape.neckDepth,
  ]);
  const neck = Math.max(neckSection, y - 1); // it ends inside the cranium
  const gonion: Vector = [5.15 * shape.jawAngleWidth, -5, -2.4];
  const jaw = Math.min(
    capsuleDistance([x, y, z], gonion, [0.2, -7.9, 2.9], 1.45),
    capsuleDistance([x, y, z], gonion, [6.2, 0.5, -3.4], 1.3),
  );
  const floor = ellipsoidDistance(subtract([x, y, z], [0, -6.2, -1]), [5.2, 2.9, 4.6]);
  return smoothUnion(smoothUnion(smoothUnion(cranium, neck, 2.6), floor, 1.6), jaw, 1.6);
}

/** `flatness` is the exponent that joins the first two axes: 2 for an ellipsoid, more for a boxier outline. */
function ellipsoidDistance(p: Vector, semiAxes: Vector, flatness = 2): number {
  const [x, y, z] = [Math.abs(p[0]) / semiAxes[0], Math.abs(p[1]) / semiAxes[1], p[2] / semiAxes[2]];
  const across = flatness === 2 ? Math.hypot(x, y) : (x ** flatness + y ** flatness) ** (1 / flatness);
  const scaled = Math.hypot(across, z);
  const gradient = Math.hypot(x / semiAxes[0], y / semiAxes[1], z / semiAxes[2]);
  return gradient < 1e-9 ? -Math.min(...semiAxes) : (scaled * (scaled - 1)) / gradient;
}

function capsuleDistance(p: Vector, a: Vector, b: Vector, radius: number): number {
  const ab = subtract(b, a);
  const ap = subtract(p, a);
  const t = (ap[0] * ab[0] + ap[1] * ab[1] + ap[2] * ab[2]) / (ab[0] ** 2 + ab[1] ** 2 + ab[2] ** 2);
  return length(subtract(ap, scale(ab, Math.min(1, Math.max(0, t))))) - radius;
}

/** Minimum with the crease filled over `reach` centimetres (polynomial smooth minimum). */
function smoothUnion(a: number, b: number, reach: number): number {
  const h = Math.max(0, reach - Math.abs(a - b)) / reach;
  return Math.min(a, b) - (h * h * reach) / 4;
}

/** Pages turn about this line, parallel to x, in front of the throat: from the face over the crown to the neck's base. */
const HINGE = { y: -13.5, z: 6.5 };

/** Height of the neck's base below, at depth z: a little higher at the nape. */
const neckBaseHeight = (z: number): number => -16.6 - 0.06 * (z + 6);

/**
 * Places the rings: each column leaves its point of the face's boundary and ends at the base of the neck; in between it
 * lies on the implicit head, on a page that turns about `HINGE`. The first rings bend into the face's own tangent plane.
 * Writes rings 1…RING_COUNT of `points` (cage order).
 */
export function placeRings(points: Float64Array, cage: SkinCage, shape: SkullShape): void {
  for (let column = 0; column <= HALF; column++) {
    const start = pointAt(points, FACE_BOUNDARY[column]);
    const startAngle = pageAngle(start);
    const startTurn = column === 0 ? Math.PI : column === HALF ? 0 : turnOnPage(start, startAngle);
    // On the base the columns stand evenly, chin to nape.
    const endTurn = Math.PI * (1 - column / HALF);
    const endAngle = baseAngle(endTurn, shape);
    const path = Array.from({ length: PATH_SAMPLES + 1 }, (_, sample) => {
      const t = sample / PATH_SAMPLES;
      const turn = startTurn + (endTurn - startTurn) * smoothstep(0, 1, t);
      return surfaceOnPage(startAngle + (endAngle - startAngle) * t, turn, shape);
    });
    evenPoints(path, RING_COUNT).forEach((point, i) => setPoint(points, ringPoint(i + 1, column), point));
  }
  evenColumns(points, shape);
  mirrorRings(points);
  fairRings(points, shape);
  joinFace(points, cage);
  mirrorRings(points);
  relaxJoint(points);
}

/** The face's boundary is densest at the chin; behind it the columns part, so that the crown gets its share. */
function evenColumns(points: Float64Array, shape: SkullShape): void {
  for (let ring = 1; ring < RING_COUNT; ring++) {
    const half = Array.from({ length: HALF + 1 }, (_, column) => pointAt(points, ringPoint(ring, column)));
    const even = [half[0], ...evenPoints(half, HALF)];
    const share = 0.85 * smoothstep(0, 5, ring) * smoothstep(RING_COUNT, RING_COUNT - 8, ring);
    for (let column = 1; column < HALF; column++) {
      setPoint(points, ringPoint(ring, column), projectToHead(mix(half[column], even[column], share), shape));
    }
  }
}

/** Columns 0…HALF are the middle line and the subject's right; the left mirrors them. */
const HALF = RING_SIZE / 2;

function mirrorRings(points: Float64Array): void {
  for (let ring = 1; ring <= RING_COUNT; ring++) {
    for (let column = 0; column <= HALF; column++) {
      const [x, y, z] = pointAt(points, ringPoint(ring, column));
      const isMiddle = column === 0 || column === HALF;
      setPoint(points, ringPoint(ring, column), [isMiddle ? 0 : x, y, z]);
      if (!isMiddle) setPoint(points, ringPoint(ring, -column), [-x, y, z]);
    }
  }
}

const PATH_SAMPLES = 40;

/** `count` points at equal distances along a path, its end the last. */
function evenPoints(path: readonly Vector[], count: number): Vector[] {
  const travelled = [0];
  for (let i = 1; i < path.length; i++) travelled.push(travelled[i - 1] + length(subtract(path[i], path[i - 1])));
  const total = travelled[travelled.length - 1];
  return Array.from({ length: count }, (_, k) => {
    const wanted = (total * (k + 1)) / count;
    const i = Math.max(
      1,
      travelled.findIndex((distance) => distance >= wanted - 1e-9),
    );
    return mix(path[i - 1], path[i], (wanted - travelled[i - 1]) / (travelled[i] - travelled[i - 1] || 1));
  });
}

function pageAngle([, y, z]: Vector): number {
  return Math.atan2(HINGE.z - z, y - HINGE.y);
}

/** Where a page's rays start: inside the head, metres from the hinge. */
function pageCenter(angle: number): number {
  return 18.5 - 6 * smoothstep(0.1, 1.4, angle);
}

/** Direction on the page from its centre: 0 away from the hinge, ±π towards it, positive to the subject's right. */
function turnOnPage([x, y, z]: Vector, angle: number): number {
  const distance = Math.hypot(y - HINGE.y, z - HINGE.z);
  return Math.atan2(-x, distance - pageCenter(angle));
}

function pointOnPage(angle: number, turn: number, radius: number): Vector {
  const distance = pageCenter(angle) + radius * Math.cos(turn);
  return [-radius * Math.sin(turn), HINGE.y + distance * Math.cos(angle), HINGE.z - distance * Math.sin(angle)];
}

/** Outermost crossing of a page's ray with the implicit head, by bisection from outside. */
function surfaceOnPage(angle: number, turn: number, shape: SkullShape): Vector {
  let inside = 0;
  let outside = 24;
  for (let radius = outside; radius > 0; radius -= 1) {
    if (skullDistance(pointOnPage(angle, turn, radius), shape) < 0) {
      inside = radius;
      outside = radius + 1;
      break;
    }
  }
  for (let step = 0; step < 16; step++) {
    const middle = 0.5 * (inside + outside);
    if (skullDistance(pointOnPage(angle, turn, middle), shape) < 0) inside = middle;
    else outside = middle;
  }
  return pointOnPage(angle, turn, inside);
}

/** Page angle at which a ray of this turn leaves the neck at the height of its base. */
function baseAngle(turn: number, shape: SkullShape): number {
  let low = 1;
  let high = 2.4;
  for (let step = 0; step < 14; step++) {
    const middle = 0.5 * (low + high);
    const point = surfaceOnPage(middle, turn, shape);
    if (point[1] > neckBaseHeight(point[2])) low = middle;
    else high = middle;
  }
  return 0.5 * (low + high);
}

/** Evens the rings out: each pass moves a point towards the mean of its neighbours and back onto the implicit head. */
function fairRings(points: Float64Array, shape: SkullShape): void {
  const passes = 8;
  for (let pass = 0; pass < passes; pass++) {
    const previous = points.slice();
    for (let ring = 1; ring < RING_COUNT; ring++) {
      for (let column = 0; column <= HALF; column++) {
        const index = ringPoint(ring, column);
        const around: Vector[] = [
          pointAt(previous, ringPoint(ring - 1, column)),
          pointAt(previous, ringPoint(ring + 1, column)),
          pointAt(previous, ringPoint(ring, column - 1)),
          pointAt(previous, ringPoint(ring, column + 1)),
        ];
        const moved = mix(pointAt(previous, index), scale(around.reduce(add), 1 / 4), 0.5);
        setPoint(points, index, projectToHead(moved, shape));
      }
    }
    mirrorRings(points);
  }
}

/** Rings 1…JOIN−1 follow a cubic that leaves the face in its tangent plane and meets ring JOIN along the column. */
const JOIN = 4;

function joinFace(points: Float64Array, cage: SkinCage): void {
  const faceNormals = areaWeightedNormals(points, cage.triangles.subarray(0, cage.faceTriangleCount * 3));
  for (let column = 0; column <= HALF; column++) {
    const start = pointAt(points, ringPoint(0, column));
    const end = pointAt(points, ringPoint(JOIN, column));
    const chord = length(subtract(end, start));
    const normal = pointAt(faceNormals, ringPoint(0, column));
    const forward = subtract(pointAt(points, ringPoint(2, column)), start);
    const startTangent = scale(normalize(subtract(forward, scale(normal, dot(forward, normal)))), chord);
    const endDirection = subtract(
      pointAt(points, ringPoint(JOIN + 1, column)),
      pointAt(points, ringPoint(JOIN - 1, column)),
    );
    const endTangent = scale(normalize(endDirection), chord);
    for (let ring = 1; ring < JOIN; ring++) {
      setPoint(points, ringPoint(ring, column), hermite(start, startTangent, end, endTangent, ring / JOIN));
    }
  }
}

/** Takes the ridges out of the joint: averaging passes, each followed by one that gives the lost height back (Taubin). */
function relaxJoint(points: Float64Array): void {
  for (let pass = 0; pass < 12; pass++) {
    const previous = points.slice();
    const share = pass % 2 === 0 ? 0.6 : -0.63;
    for (let ring = 1; ring <= JOIN + 3; ring++) {
      for (let column = 0; column <= HALF; column++) {
        const here = pointAt(previous, ringPoint(ring, column));
        const around = [[-1, 0], [1, 0], [0, -1], [0, 1]].map(([r, c]) => pointAt(previous, ringPoint(ring + r, column + c))); // prettier-ignore
        setPoint(points, ringPoint(ring, column), mix(here, mean(around), share * smoothstep(JOIN + 4, JOIN, ring)));
      }
    }
    mirrorRings(points);
  }
}

function hermite(start: Vector, startTangent: Vector, end: Vector, endTangent: Vector, t: number): Vector {
  const rise = t * t * (3 - 2 * t);
  return add(
    mix(start, end, rise),
    add(scale(startTangent, t * (1 - t) * (1 - t)), scale(endTangent, t * t * (t - 1))),
  );
}

/** Steps along the distance's gradient onto the implicit head. */
function projectToHead(point: Vector, shape: SkullShape): Vector {
  let current = point;
  for (let step = 0; step < 2; step++) {
    const distance = skullDistance(current, shape);
    const h = 0.05;
    const gradient = ([0, 1, 2] as const).map((axis) => {
      const shifted: [number, number, number] = [...current];
      shifted[axis] += h;
      return (skullDistance(shifted, shape) - distance) / h;
    }) as unknown as Vector;
    const size = length(gradient) || 1;
    current = subtract(current, scale(gradient, distance / (size * Math.max(1, size))));
  }
  return current;
}
