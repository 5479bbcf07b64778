import type { CanonicalFace } from '../landmarks/canonical-face.ts';
import type { RegionName } from '../head-model.ts';
import { addEar, isUnderEar, placeEar, type EarState, type EarTopology } from './ear.ts';
import { addEye, placeEye, RIGHT_EYE, type EyeState, type EyeTopology } from './eyes.ts';
import {
  LID_LOOP,
  LIP_CORNERS,
  LOWER_LID_THIRD,
  LOWER_LIP,
  mirrorPoints,
  MOUTH_LOOP,
  UPPER_LID_SECOND,
  UPPER_LIP,
  EYE_CORNERS_SECOND,
  LOWER_LID_SECOND,
} from './face-points.ts';
import { MeshBuilder } from './mesh-builder.ts';
import { addMouth, placeMouth, type MouthState, type MouthTopology } from './mouth.ts';
import { CAGE_POINT_COUNT, closeLips, createSkinCage, type SkinCage } from './skin-cage.ts';
import { skinUvs } from './skin-uvs.ts';
import { DEFAULT_SKULL, placeRings } from './skull.ts';
import { createSubdivision, subdivideLoop, subdividePositions, type Subdivision } from './subdivide.ts';
import { mean, pointAt, length, subtract, type Vector } from './vector.ts';

/**
 * Everything that a head's shape follows from, in centimetres of the canonical face's space. Identity and expression
 * are changes of this state; the mesh's topology never changes.
 */
export interface HeadState {
  /** Cage points (`skin-cage.ts`): the 468 face points, then the rings. */
  readonly cage: Float64Array;
  readonly rightEye: EyeState;
  readonly leftEye: EyeState;
  readonly rightEar: EarState;
  readonly leftEar: EarState;
  readonly mouth: MouthState;
}

/** The fixed connectivity of the built-in head, and which vertices belong to which part. */
export interface HeadTopology {
  readonly face: CanonicalFace;
  readonly cage: SkinCage;
  readonly subdivision: Subdivision;
  readonly builder: MeshBuilder;
  /** Skin vertex → head vertex; −1 for points under the ears, which the head leaves out. */
  readonly headFromSkin: Int32Array;
  readonly skinVertexCount: number;
  readonly rightEye: EyeTopology;
  readonly leftEye: EyeTopology;
  readonly rightEar: EarTopology;
  readonly leftEar: EarTopology;
  readonly mouth: MouthTopology;
  readonly rest: HeadState;
}

export const mirrorEye = (eye: EyeState): EyeState => ({
  ...eye,
  center: [-eye.center[0], eye.center[1], eye.center[2]],
  yaw: -eye.yaw,
});

/** Width of the mouth between the outer corners of the canonical face. */
const CANONICAL_MOUTH_WIDTH = 4.913;

/** The mouth's inside at rest for given face points. */
export function restMouth(cage: Float64Array): MouthState {
  const upper = pointAt(cage, 13);
  const lower = pointAt(cage, 14);
  const corners = LIP_CORNERS[3].map((corner) => pointAt(cage, corner));
  return {
    center: mean([upper, lower]),
    width: length(subtract(corners[0], corners[1])) / CANONICAL_MOUTH_WIDTH,
    jaw: (point) => point,
    tongueOut: 0,
  };
}

export function createTopology(face: CanonicalFace, ear: EarState): HeadTopology {
  const faceMirror = mirrorPoints(face);
  const cage = createSkinCage(face, faceMirror);
  const points = new Float64Array(CAGE_POINT_COUNT * 3);
  points.set(closeLips(face));
  placeRings(points, cage, DEFAULT_SKULL);
  const subdivision = createSubdivision(CAGE_POINT_COUNT, cage.triangles);
  const skin = subdividePositions(points, cage.triangles, subdivision);

  const builder = new MeshBuilder();
  const kept = addSkin(builder, face, cage, subdivision, skin);
  const mirrored = (loop: readonly number[]): number[] => loop.map((point) => faceMirror[point]);
  const headLoop = (loop: readonly number[]): number[] =>
    subdivideLoop(loop, subdivision).map((point) => kept.headFromSkin[point]);
  const headSkin = new Float64Array(kept.vertexCount * 3);
  kept.headFromSkin.forEach((vertex, point) => {
    if (vertex >= 0) headSkin.set(skin.subarray(point * 3, point * 3 + 3), vertex * 3);
  });
  const rest: HeadState = {
    cage: points,
    rightEye: RIGHT_EYE,
    leftEye: mirrorEye(RIGHT_EYE),
    rightEar: ear,
    leftEar: ear,
    mouth: restMouth(points),
  };
  return {
    face,
    cage,
    subdivision,
    builder,
    headFromSkin: kept.headFromSkin,
    skinVertexCount: kept.vertexCount,
    rightEye: addEye(builder, 'right', headLoop(LID_LOOP), headSkin, rest.rightEye),
    leftEye: addEye(builder, 'left', headLoop(mirrored(LID_LOOP)), headSkin, rest.leftEye),
    rightEar: addEar(builder, 'right', kept.rightEarRoot, headSkin),
    leftEar: addEar(builder, 'left', kept.leftEarRoot, headSkin),
    mouth: addMouth(builder, headLoop(MOUTH_LOOP)),
    rest,
  };
}

/** V×3 centimetres: the head that a state describes. */
export function shapeHead(topology: HeadTopology, state: HeadState): Float64Array {
  const skin = subdividePositions(state.cage, topology.cage.triangles, topology.subdivision);
  const positions = new Float64Array(topology.builder.vertexCount * 3);
  topology.headFromSkin.forEach((vertex, point) => {
    if (vertex >= 0) positions.set(skin.subarray(point * 3, point * 3 + 3), vertex * 3);
  });
  placeEye(positions, topology.rightEye, state.rightEye);
  placeEye(positions, topology.leftEye, state.leftEye);
  placeEar(positions, topology.rightEar, state.rightEar);
  placeEar(positions, topology.leftEar, state.leftEar);
  placeMouth(positions, topology.mouth, state.mouth);
  return positions;
}

interface KeptSkin {
  readonly headFromSkin: Int32Array;
  readonly vertexCount: number;
  readonly rightEarRoot: number[];
  readonly leftEarRoot: number[];
}

/** Adds the subdivided skin but for what lies under the ears. */
function addSkin(
  builder: MeshBuilder,
  face: CanonicalFace,
  cage: SkinCage,
  subdivision: Subdivision,
  skin: Float64Array,
): KeptSkin {
  const { triangles } = subdivision;
  const faceTriangles = cage.faceTriangleCount * 4;
  const center = (t: number): Vector => mean([0, 1, 2].map((k) => pointAt(skin, triangles[t * 3 + k])));
  const triangleCount = triangles.length / 3;
  const holeOf = new Int8Array(triangleCount);
  for (let t = faceTriangles; t < triangleCount; t++) {
    // Whole quads go, so that the hole's edge has no teeth; the right side decides for both.
    const quad = t - ((t - faceTriangles) % 8);
    const middle = mean(Array.from({ length: 8 }, (_, k) => center(quad + k)));
    holeOf[t] = isUnderEar(middle, 'right') ? 1 : isUnderEar(middle, 'left') ? 2 : 0;
  }
  const headFromSkin = new Int32Array(subdivision.pointCount).fill(-1);
  const uses = (t: number): number[] => [...triangles.subarray(t * 3, t * 3 + 3)];
  for (let t = 0; t < triangleCount; t++) if (!holeOf[t]) for (const point of uses(t)) headFromSkin[point] = 0;
  for (let point = 0; point < headFromSkin.length; point++) {
    if (headFromSkin[point] === 0) [headFromSkin[point]] = builder.addVertices(1);
  }
  const uvs = skinUvs(builder, face, cage, subdivision, skin);
  for (let t = 0; t < triangleCount; t++) {
    if (holeOf[t]) continue;
    const region = t < faceTriangles ? faceRegion(cage, Math.floor(t / 4), skin) : outerRegion(center(t));
    builder.addTriangle(
      region,
      uses(t).map((point) => headFromSkin[point]),
      uvs(t),
    );
  }
  const rootOf = (hole: number): number[] =>
    boundaryLoop(triangles, (t) => holeOf[t] === hole).map((point) => headFromSkin[point]);
  return {
    headFromSkin,
    vertexCount: builder.vertexCount,
    // Each from the front over the top to the back, so that the two ears mirror each other.
    rightEarRoot: rootOf(1),
    leftEarRoot: rootOf(2).reverse(),
  };
}

/** Edge of a set of triangles, in the direction in which they run. */
function boundaryLoop(triangles: Uint32Array, isInside: (triangle: number) => boolean): number[] {
  const next = new Map<number, number>();
  const edges = new Set<string>();
  for (let t = 0; t < triangles.length / 3; t++) {
    if (!isInside(t)) continue;
    for (let k = 0; k < 3; k++) edges.add(`${triangles[t * 3 + k]} ${triangles[t * 3 + ((k + 1) % 3)]}`);
  }
  for (const edge of edges) {
    const [a, b] = edge.split(' ').map(Number);
    if (!edges.has(`${b} ${a}`)) next.set(a, b);
  }
  const first = next.keys().next().value;
  if (first === undefined) throw new Error('the ear has no root on the skin.');
  const loop = [first];
  for (let point = next.get(first)!; point !== first; point = next.get(point)!) loop.push(point);
  if (loop.length !== next.size) throw new Error('the hole under an ear is not one piece.');
  return loop;
}

const LIP_POINTS = new Set<number>([...UPPER_LIP.flat(), ...LOWER_LIP.flat(), ...LIP_CORNERS.flat()]);
const LID_POINTS = new Set<number>([
  ...LID_LOOP,
  ...UPPER_LID_SECOND,
  ...LOWER_LID_SECOND,
  ...LOWER_LID_THIRD,
  EYE_CORNERS_SECOND.outer,
  EYE_CORNERS_SECOND.inner,
]);

function faceRegion(cage: SkinCage, coarseTriangle: number, skin: Float64Array): RegionName {
  const corners = [...cage.triangles.subarray(coarseTriangle * 3, coarseTriangle * 3 + 3)];
  if (corners.every((corner) => LIP_POINTS.has(corner))) return 'lips';
  const isLeft = corners.reduce((sum, corner) => sum + skin[corner * 3], 0) > 0;
  const right = isLeft ? corners.map((corner) => cage.mirror[corner]) : corners;
  if (right.every((corner) => LID_POINTS.has(corner))) return isLeft ? 'leftEyelids' : 'rightEyelids';
  return 'face';
}

/** Skull and neck: the hair line runs from the temples behind the ears to the nape. */
function outerRegion([, y, z]: Vector): RegionName {
  if (z > -4.2 && y < 4 && y > -6.5 + 0.35 * (z + 4)) return 'face';
  return y > -4.2 + 0.55 * Math.max(0, z + 9) ? 'scalp' : 'neck';
}
