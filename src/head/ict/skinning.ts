import { JOINT_NAMES, type SparseRow } from '../head-model.ts';
import { regressorOfSurface, regressorThrough } from '../joint-regressor.ts';
import { neckHeight } from './regions.ts';

/** Top of the spine, and the axis through the jaw's joints: where `jawOpen` turns the lower teeth about (measured: by
 * 25.3°, rigid to 0.2 mm). File units. */
const NECK_JOINT = [0, -4.5, -2] as const;
const JAW_JOINT = [0, -0.55, 1.82] as const;
/** Turn of `jawOpen` at 1, about +x. */
const JAW_OPEN_ANGLE = (25.33 * Math.PI) / 180;
/** `neckHeight` where the neck starts to follow the head, and where it follows wholly. */
const NECK_STILL = -14.5;
const NECK_FOLLOWS = -7.5;

/** The kept vertices in file units, before scaling. */
export interface SkinningInput {
  readonly vertices: Float32Array;
  /** Displacements of `jawOpen`, V×3. */
  readonly jawOpen: Float32Array;
  /** Vertices of the skin: face, head and neck. */
  readonly skinVertices: readonly number[];
  readonly leftEyeTriangles: readonly number[];
  readonly rightEyeTriangles: readonly number[];
}

/** J sparse rows in the order of `JOINT_NAMES`; the root stands at the origin of head space (an empty row). */
export function ictJointRegressor({
  vertices,
  skinVertices,
  leftEyeTriangles,
  rightEyeTriangles,
}: SkinningInput): SparseRow[] {
  const near = (test: (x: number, y: number, z: number) => boolean): number[] =>
    skinVertices.filter((v) => test(vertices[v * 3], vertices[v * 3 + 1], vertices[v * 3 + 2]));
  return [
    { indices: new Uint32Array(), weights: new Float32Array() },
    regressorThrough(
      vertices,
      near((_, y, z) => Math.abs(y - NECK_JOINT[1]) < 2.5 && z < 3),
      NECK_JOINT,
    ),
    regressorThrough(
      vertices,
      near((x, y, z) => Math.abs(y) < 3 && Math.abs(z - JAW_JOINT[2]) < 3 && Math.abs(x) > 5),
      JAW_JOINT,
    ),
    regressorOfSurface(vertices, leftEyeTriangles),
    regressorOfSurface(vertices, rightEyeTriangles),
  ];
}

/**
 * V×J weights. The neck's fall off smoothly from the head down to the shoulders. The jaw's are read off `jawOpen`: the
 * share of the rigid turn that a vertex makes along (1 at the lower teeth, 0 at the skull), so that turning the jaw joint
 * and opening by the shape look alike. Eyeballs belong to their joints.
 */
export function ictSkinningWeights(input: SkinningInput): Float32Array {
  const { vertices, jawOpen } = input;
  const jointCount = JOINT_NAMES.length;
  const weights = new Float32Array((vertices.length / 3) * jointCount);
  for (let v = 0; v * 3 < vertices.length; v++) {
    const [y, z] = [vertices[v * 3 + 1], vertices[v * 3 + 2]];
    const neck = smoothstep((neckHeight(y, z) - NECK_STILL) / (NECK_FOLLOWS - NECK_STILL));
    const jaw = jawShare(y - JAW_JOINT[1], z - JAW_JOINT[2], jawOpen[v * 3 + 1], jawOpen[v * 3 + 2]) * neck;
    weights.set([1 - neck, neck - jaw, jaw, 0, 0], v * jointCount);
  }
  for (const [triangles, joint] of [
    [input.leftEyeTriangles, 3],
    [input.rightEyeTriangles, 4],
  ] as const) {
    for (const v of triangles) {
      weights.fill(0, v * jointCount, (v + 1) * jointCount);
      weights[v * jointCount + joint] = 1;
    }
  }
  return weights;
}

/** Projection of a displacement (dy, dz) on the one that the whole turn would give at (y, z) from the axis, 0…1. */
function jawShare(y: number, z: number, dy: number, dz: number): number {
  const fullY = (Math.cos(JAW_OPEN_ANGLE) - 1) * y - Math.sin(JAW_OPEN_ANGLE) * z;
  const fullZ = Math.sin(JAW_OPEN_ANGLE) * y + (Math.cos(JAW_OPEN_ANGLE) - 1) * z;
  // Near the axis the quotient is noise; half a unit of regularisation fades it out.
  return smoothstep(Math.max(0, dy * fullY + dz * fullZ) / (fullY ** 2 + fullZ ** 2 + 0.25));
}

function smoothstep(t: number): number {
  const clamped = Math.min(1, Math.max(0, t));
  return clamped * clamped * (3 - 2 * clamped);
}
