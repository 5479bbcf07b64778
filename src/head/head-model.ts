/**
 * A parametric head: the one interface behind the built-in head, ICT-FaceKit, FLAME and GNM.
 *
 * Head space: metres, right-handed, y up, z forward (out of the face), x towards the subject's left. The origin lies
 * near the centre of the head, between the ears. All arrays are row-major and densely packed.
 */
export interface HeadModel {
  /** For example `builtin` or `ict`. */
  readonly name: string;
  readonly vertexCount: number;
  readonly triangleCount: number;
  /** V×3 metres: neutral expression, mean identity, all joints at zero. FLAME: `v_template`. */
  readonly templateVertices: Float32Array;
  /** T×3 vertex indices, counter-clockwise seen from outside. */
  readonly triangles: Uint32Array;
  /** U×2 in 0…1, origin at the top left (v grows downwards, as in images). One atlas; charts do not overlap. */
  readonly uvs: Float32Array;
  /** T×3 indices into `uvs`; a vertex on a seam has several. */
  readonly uvTriangles: Uint32Array;

  /** I×V×3 metres per unit coefficient. A coefficient of 1 is one standard deviation. FLAME: `shapedirs[:300]`. */
  readonly identityBasis: Float32Array;
  readonly identityNames: readonly string[];
  /**
   * How many times firmer than one standard deviation identity is held while a face net's landmarks alone tell of it; 1
   * when left out. A few broad modes take the net's own bias for the person (docs/decisions/tracking.md).
   */
  readonly identityFirmness?: number;
  /** E×V×3 metres per unit coefficient; ARKit-named coefficients run 0…1. FLAME: `shapedirs[300:]`. */
  readonly expressionBasis: Float32Array;
  readonly expressionNames: readonly string[];
  /** Lower and upper limit of each expression coefficient, E×2. */
  readonly expressionLimits: Float32Array;
  /**
   * ((J−1)·9)×V×3: multiplies the row-major entries of (R_j − I) of every joint but the root, in joint order.
   * FLAME: `posedirs`. Null where the model has none (ΔP then starts from zero all the same).
   */
  readonly poseCorrectives: Float32Array | null;

  /** Parents before children; joint 0 is the root, whose transform is the head's rotation and translation. */
  readonly joints: readonly Joint[];
  /** J×V: rest position of joint j = Σ_v regressor[j,v] · (template + identity)_v, in rows of sparse weights. */
  readonly jointRegressor: readonly SparseRow[];
  /** V×J, rows sum to 1. */
  readonly skinningWeights: Float32Array;

  /** Names of the parts, and per triangle the index of its part. */
  readonly regionNames: readonly RegionName[];
  readonly triangleRegions: Uint8Array;
  /** Where each of the 468 MediaPipe face-mesh points sits on this head. */
  readonly landmarks: LandmarkEmbedding;
}

export interface Joint {
  readonly name: JointName;
  /** Index of the parent, −1 for the root. */
  readonly parent: number;
}

/** Joint names, in FLAME's order. `neck` turns the whole head about the top of the spine; the root carries it all. */
export type JointName = 'root' | 'neck' | 'jaw' | 'leftEye' | 'rightEye';
export const JOINT_NAMES: readonly JointName[] = ['root', 'neck', 'jaw', 'leftEye', 'rightEye'];

export interface SparseRow {
  readonly indices: Uint32Array;
  readonly weights: Float32Array;
}

/** Parts of a head. `left` and `right` are the subject's. */
export type RegionName =
  | 'face'
  | 'scalp'
  | 'neck'
  | 'leftEar'
  | 'rightEar'
  | 'lips'
  | 'leftEyelids'
  | 'rightEyelids'
  | 'leftEyeSocket'
  | 'rightEyeSocket'
  | 'leftEyeball'
  | 'rightEyeball'
  | 'mouthCavity'
  | 'gums'
  | 'upperTeeth'
  | 'lowerTeeth'
  | 'tongue';

/** Points on the surface, one per landmark, in the face mesh's order. */
export interface LandmarkEmbedding {
  /** L: triangle of the head model. */
  readonly triangleIndices: Uint32Array;
  /** L×3 weights of the triangle's corners, summing to 1. */
  readonly barycentrics: Float32Array;
}

/** The 52 ARKit expression names, in Apple's alphabetical order as `camelCaseLeft/Right`. */
export const ARKIT_EXPRESSION_NAMES = [
  'browDownLeft', 'browDownRight', 'browInnerUp', 'browOuterUpLeft', 'browOuterUpRight', 'cheekPuff',
  'cheekSquintLeft', 'cheekSquintRight', 'eyeBlinkLeft', 'eyeBlinkRight', 'eyeLookDownLeft', 'eyeLookDownRight',
  'eyeLookInLeft', 'eyeLookInRight', 'eyeLookOutLeft', 'eyeLookOutRight', 'eyeLookUpLeft', 'eyeLookUpRight',
  'eyeSquintLeft', 'eyeSquintRight', 'eyeWideLeft', 'eyeWideRight', 'jawForward', 'jawLeft', 'jawOpen', 'jawRight',
  'mouthClose', 'mouthDimpleLeft', 'mouthDimpleRight', 'mouthFrownLeft', 'mouthFrownRight', 'mouthFunnel',
  'mouthLeft', 'mouthLowerDownLeft', 'mouthLowerDownRight', 'mouthPressLeft', 'mouthPressRight', 'mouthPucker',
  'mouthRight', 'mouthRollLower', 'mouthRollUpper', 'mouthShrugLower', 'mouthShrugUpper', 'mouthSmileLeft',
  'mouthSmileRight', 'mouthStretchLeft', 'mouthStretchRight', 'mouthUpperUpLeft', 'mouthUpperUpRight',
  'noseSneerLeft', 'noseSneerRight', 'tongueOut',
] as const; // prettier-ignore

/** A head model's file is missing, incomplete or of another kind. The message lists what is missing. */
export class HeadModelError extends Error {
  override readonly name = 'HeadModelError';
}
