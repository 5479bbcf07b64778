import type { HeadModel } from '../head/head-model.ts';

/**
 * A head model seen through its landmark embedding: the neutral points, bases and normals of L landmarks, in head space.
 * The solver needs no other vertex. Linear: landmark = neutral + identity·a + expression·e (+ a per-clip offset); the
 * face moves rigidly with the neck joint, so skinning does not enter.
 */
export interface LandmarkBasis {
  readonly landmarkCount: number;
  readonly identityCount: number;
  readonly expressionCount: number;
  /** L×3 metres. */
  readonly neutral: Float64Array;
  /** L×3×I metres per unit coefficient: the coefficients of one coordinate lie together. */
  readonly identity: Float64Array;
  /** What each expression moves: local shapes, so kept sparse. */
  readonly expression: SparseShapes;
  /** L×3 unit normals of the neutral head. */
  readonly normals: Float64Array;
}

/** For each landmark the shapes that move it: entries `starts[l]` … `starts[l + 1]` − 1. */
export interface SparseShapes {
  /** L + 1. */
  readonly starts: Uint32Array;
  /** N: index of the shape, ascending within a landmark. */
  readonly indices: Uint32Array;
  /** N×3 metres per unit coefficient. */
  readonly moves: Float64Array;
}

/** Metres: an expression that moves a landmark less than this at full weight does not move it. */
const STILL = 2e-5;

/** Reads the bases at the embedding's points. Throws a `RangeError` where the embedding names a missing triangle. */
export function landmarkBasis(head: HeadModel): LandmarkBasis {
  const landmarkCount = head.landmarks.triangleIndices.length;
  const identityCount = head.identityNames.length;
  const expressionCount = head.expressionNames.length;
  for (const triangle of head.landmarks.triangleIndices) {
    if (triangle >= head.triangleCount) {
      throw new RangeError(
        `The landmark embedding of head "${head.name}" names triangle ${triangle} of ${head.triangleCount}. ` +
          'Remove its cached embedding and load the head again.',
      );
    }
  }
  return {
    landmarkCount,
    identityCount,
    expressionCount,
    neutral: sampleShapes(head, head.templateVertices, 1),
    identity: sampleShapes(head, head.identityBasis, identityCount),
    expression: sparseShapes(sampleShapes(head, head.expressionBasis, expressionCount), landmarkCount),
    normals: landmarkNormals(head),
  };
}

/** L×3×K: each of K shapes (K×V×3) at the landmarks. */
function sampleShapes(head: HeadModel, shapes: Float32Array, shapeCount: number): Float64Array {
  const { triangleIndices, barycentrics } = head.landmarks;
  const sampled = new Float64Array(triangleIndices.length * 3 * shapeCount);
  const stride = head.vertexCount * 3;
  for (let landmark = 0; landmark < triangleIndices.length; landmark++) {
    for (let corner = 0; corner < 3; corner++) {
      const weight = barycentrics[landmark * 3 + corner];
      if (weight === 0) continue;
      const vertex = head.triangles[triangleIndices[landmark] * 3 + corner];
      for (let axis = 0; axis < 3; axis++) {
        const target = (landmark * 3 + axis) * shapeCount;
        const source = vertex * 3 + axis;
        for (let k = 0; k < shapeCount; k++) sampled[target + k] += weight * shapes[k * stride + source];
      }
    }
  }
  return sampled;
}

function sparseShapes(sampled: Float64Array, landmarkCount: number): SparseShapes {
  const shapeCount = sampled.length / (landmarkCount * 3);
  const starts = new Uint32Array(landmarkCount + 1);
  const indices: number[] = [];
  const moves: number[] = [];
  for (let landmark = 0; landmark < landmarkCount; landmark++) {
    for (let k = 0; k < shapeCount; k++) {
      const move = [0, 1, 2].map((axis) => sampled[(landmark * 3 + axis) * shapeCount + k]);
      if (Math.hypot(...move) < STILL) continue;
      indices.push(k);
      moves.push(...move);
    }
    starts[landmark + 1] = indices.length;
  }
  return { starts, indices: Uint32Array.from(indices), moves: Float64Array.from(moves) };
}

/** L×3 unit normals of the landmarks' triangles; turned about when most of them point backwards (clockwise winding). */
function landmarkNormals(head: HeadModel): Float64Array {
  const { triangleIndices } = head.landmarks;
  const normals = new Float64Array(triangleIndices.length * 3);
  let forward = 0;
  for (let landmark = 0; landmark < triangleIndices.length; landmark++) {
    const corners = [0, 1, 2].map((corner) => head.triangles[triangleIndices[landmark] * 3 + corner] * 3);
    const edge = (corner: number, axis: number): number =>
      head.templateVertices[corners[corner] + axis] - head.templateVertices[corners[0] + axis];
    const x = edge(1, 1) * edge(2, 2) - edge(1, 2) * edge(2, 1);
    const y = edge(1, 2) * edge(2, 0) - edge(1, 0) * edge(2, 2);
    const z = edge(1, 0) * edge(2, 1) - edge(1, 1) * edge(2, 0);
    const length = Math.hypot(x, y, z) || 1;
    normals.set([x / length, y / length, z / length], landmark * 3);
    forward += z / length;
  }
  return forward < 0 ? normals.map((value) => -value) : normals;
}

/** Indices of the face mesh's points by part (MediaPipe's published topology). `left` and `right` are the subject's. */
export const FACE_MESH_PARTS = {
  lipsOuter: [61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185],
  lipsInner: [78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191],
  leftEyelids: [263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466],
  rightEyelids: [33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246],
  leftBrow: [276, 283, 282, 295, 285, 336, 296, 334, 293, 300],
  rightBrow: [46, 53, 52, 65, 55, 107, 66, 105, 63, 70],
  nose: [168, 6, 197, 195, 5, 4, 1, 19, 94, 2, 98, 97, 326, 327, 129, 358, 64, 294],
  faceOval: [
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150,
    136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
  ],
} as const; // prettier-ignore

/** Points that expressions hardly move (those by which MediaPipe aligns its canonical face). */
export const RIGID_LANDMARKS: readonly number[] = [
  4, 6, 10, 33, 54, 67, 117, 119, 121, 127, 129, 132, 133, 136, 143, 147, 198, 205, 263, 284, 297, 346, 348, 350, 356,
  358, 361, 362, 365, 372, 376, 420, 427,
]; // prettier-ignore

/** First of the five iris points per eye: centre, then four on the rim. */
export const LEFT_IRIS_CENTER = 473;
export const RIGHT_IRIS_CENTER = 468;

/**
 * How much each landmark counts. Lids and lips carry what an avatar's expressions hang on and are few; the face oval is
 * where the net paints the picture's silhouette instead of a fixed place on the skin.
 */
export function landmarkWeights(landmarkCount: number): Float64Array {
  const weights = new Float64Array(landmarkCount).fill(1);
  const weigh = (indices: readonly number[], weight: number): void => {
    for (const index of indices) if (index < landmarkCount) weights[index] = weight;
  };
  weigh(FACE_MESH_PARTS.faceOval, 0.25);
  weigh(FACE_MESH_PARTS.nose, 2);
  weigh([...FACE_MESH_PARTS.leftBrow, ...FACE_MESH_PARTS.rightBrow], 2);
  weigh([...FACE_MESH_PARTS.lipsOuter, ...FACE_MESH_PARTS.lipsInner], 4);
  weigh([...FACE_MESH_PARTS.leftEyelids, ...FACE_MESH_PARTS.rightEyelids], 6);
  return weights;
}
