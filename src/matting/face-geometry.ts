/** The face mesh's outline, in order round the face. */
const FACE_OVAL = [
  10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150, 136, 172, 58,
  132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
]; // prettier-ignore
const CHIN = 152;
const BROWS = [105, 334] as const;
const EARS = [234, 454] as const;
const MOUTH = [13, 14] as const;

/** Crown to chin over brow to chin, hair included; as measured for `planCrop`. */
const HEAD_OVER_FACE = 1.62;

/** What the matte needs to know of the head's place, in pixels of the crop. */
export interface FaceGeometry {
  /** Outline of the face, x, y pairs. */
  readonly oval: Float32Array;
  readonly chin: readonly [number, number];
  readonly mouth: readonly [number, number];
  /** Unit vector in the picture from the chin down the neck: between the face's own axis and the vertical. */
  readonly down: readonly [number, number];
  /** A point on the neck's axis, behind the face at the height of the ears. */
  readonly neckTop: readonly [number, number];
  /** Ear to ear, not foreshortened. */
  readonly faceWidth: number;
  /** Crown to chin, not foreshortened. */
  readonly headHeight: number;
}

/** How far behind the line between the ears the neck's axis lies, in face widths. */
const NECK_SETBACK = 0.12;

/** @param landmarks L×3 in pixels of the crop. */
export function faceGeometry(landmarks: Float32Array): FaceGeometry {
  const point = (index: number): number[] => [landmarks[3 * index], landmarks[3 * index + 1], landmarks[3 * index + 2]];
  const middle = ([a, b]: readonly [number, number]): number[] =>
    point(a).map((value, axis) => (value + point(b)[axis]) / 2);
  const subtract = (a: number[], b: number[]): number[] => a.map((value, axis) => value - b[axis]);
  const chin = point(CHIN);
  const up = subtract(middle(BROWS), chin);
  const across = subtract(point(EARS[1]), point(EARS[0]));
  // Backwards: across × up, turned so that it points away from the camera (z grows away).
  const normal = [
    across[1] * up[2] - across[2] * up[1],
    across[2] * up[0] - across[0] * up[2],
    across[0] * up[1] - across[1] * up[0],
  ];
  const normalLength = Math.hypot(...normal) * (normal[2] < 0 ? -1 : 1) || 1;
  const faceWidth = Math.hypot(...across);
  const upLength = Math.hypot(up[0], up[1]) || 1;
  const down = [-up[0] / upLength, -up[1] / upLength + 1];
  const downLength = Math.hypot(...down) || 1;
  const ears = middle(EARS);
  const mouth = middle(MOUTH);
  return {
    oval: Float32Array.from(FACE_OVAL.flatMap((index) => point(index).slice(0, 2))),
    chin: [chin[0], chin[1]],
    mouth: [mouth[0], mouth[1]],
    down: [down[0] / downLength, down[1] / downLength],
    neckTop: [
      ears[0] + (normal[0] / normalLength) * faceWidth * NECK_SETBACK,
      ears[1] + (normal[1] / normalLength) * faceWidth * NECK_SETBACK,
    ],
    faceWidth,
    headHeight: Math.hypot(...up) * HEAD_OVER_FACE,
  };
}

/** Similarity (a, b, x, y) that takes points of `from` to those of `to`: x' = a·x − b·y + tx, y' = b·x + a·y + ty. */
export function similarityBetween(
  from: Float32Array,
  to: Float32Array,
): { a: number; b: number; x: number; y: number } {
  const count = from.length / 3;
  const mean = [0, 0, 0, 0];
  for (let i = 0; i < from.length; i += 3) {
    mean[0] += from[i] / count;
    mean[1] += from[i + 1] / count;
    mean[2] += to[i] / count;
    mean[3] += to[i + 1] / count;
  }
  let dot = 0;
  let cross = 0;
  let norm = 0;
  for (let i = 0; i < from.length; i += 3) {
    const [x, y, u, v] = [from[i] - mean[0], from[i + 1] - mean[1], to[i] - mean[2], to[i + 1] - mean[3]];
    dot += x * u + y * v;
    cross += x * v - y * u;
    norm += x * x + y * y;
  }
  const a = dot / Math.max(norm, 1e-9);
  const b = cross / Math.max(norm, 1e-9);
  return { a, b, x: mean[2] - a * mean[0] + b * mean[1], y: mean[3] - b * mean[0] - a * mean[1] };
}
