import type { LandmarkBasis } from './solve-landmarks.ts';
import { translationOf, type ClipState, type FrameData, type FrameState } from './solve-state.ts';

/** One landmark of one frame against its observation, in pixels at 512². */
export interface LandmarkMeasure {
  residualX: number;
  residualY: number;
  /** 0…1: how far the landmark faces the camera. */
  visibility: number;
  /** 2×3: ∂(residualX, residualY)/∂(landmark in head space). */
  readonly jacobian: Float64Array;
  /** 3 metres: the landmark in head space. */
  readonly position: Float64Array;
}

export function createLandmarkMeasure(): LandmarkMeasure {
  return { residualX: 0, residualY: 0, visibility: 0, jacobian: new Float64Array(6), position: new Float64Array(3) };
}

/** Landmarks seen edge-on or from behind keep this share of their weight. */
const HIDDEN_SHARE = 0.03;

/**
 * 1 for a landmark whose normal faces the camera, falling to `HIDDEN_SHARE` for one turned away: there the face net
 * paints the silhouette instead of a fixed place on the skin. (x, y, z) is the landmark in camera space.
 */
export function landmarkVisibility(
  normals: Float64Array,
  landmark: number,
  rotation: Float64Array,
  x: number,
  y: number,
  z: number,
): number {
  const nx = normals[landmark * 3];
  const ny = normals[landmark * 3 + 1];
  const nz = normals[landmark * 3 + 2];
  const towards =
    (rotation[0] * nx + rotation[1] * ny + rotation[2] * nz) * x +
    (rotation[3] * nx + rotation[4] * ny + rotation[5] * nz) * y +
    (rotation[6] * nx + rotation[7] * ny + rotation[8] * nz) * z;
  const facing = -towards / Math.sqrt(x * x + y * y + z * z);
  return Math.min(1, Math.max(HIDDEN_SHARE, (facing + 0.1) / 0.6));
}

/** Fills `measure` for one landmark. */
export function measureLandmark(
  basis: LandmarkBasis,
  clip: ClipState,
  frame: FrameState,
  data: FrameData,
  landmark: number,
  measure: LandmarkMeasure,
): void {
  const r = frame.rotation;
  const head = measure.position;
  locateLandmark(basis, clip, frame, landmark, head);
  const t = translationOf(clip, frame);
  const x = r[0] * head[0] + r[1] * head[1] + r[2] * head[2] + t[0];
  const y = r[3] * head[0] + r[4] * head[1] + r[5] * head[2] + t[1];
  const z = r[6] * head[0] + r[7] * head[1] + r[8] * head[2] + t[2];
  const scale = (Math.exp(clip.logFocal) * data.pixelScale) / z;
  measure.residualX = scale * x - data.points[landmark * 2] * data.pixelScale;
  measure.residualY = scale * y - data.points[landmark * 2 + 1] * data.pixelScale;
  measure.visibility = landmarkVisibility(basis.normals, landmark, r, x, y, z);
  for (let axis = 0; axis < 3; axis++) {
    measure.jacobian[axis] = scale * (r[axis] - (x / z) * r[6 + axis]);
    measure.jacobian[3 + axis] = scale * (r[3 + axis] - (y / z) * r[6 + axis]);
  }
}

/** target ← metres: one landmark in head space with the clip's identity and offsets and the frame's expression. */
export function locateLandmark(
  basis: LandmarkBasis,
  clip: ClipState,
  frame: FrameState,
  landmark: number,
  target: Float64Array,
): void {
  const { starts, indices, moves } = basis.expression;
  let x = clip.shape[landmark * 3];
  let y = clip.shape[landmark * 3 + 1];
  let z = clip.shape[landmark * 3 + 2];
  for (let entry = starts[landmark]; entry < starts[landmark + 1]; entry++) {
    const coefficient = frame.expression[indices[entry]];
    x += coefficient * moves[entry * 3];
    y += coefficient * moves[entry * 3 + 1];
    z += coefficient * moves[entry * 3 + 2];
  }
  target[0] = x;
  target[1] = y;
  target[2] = z;
}

/** Root mean square distance in pixels at 512², landmarks weighted by how far they face the camera. NaN without any. */
export function frameResidual(basis: LandmarkBasis, clip: ClipState, frame: FrameState, data: FrameData): number {
  const measure = createLandmarkMeasure();
  let sum = 0;
  let total = 0;
  for (let landmark = 0; landmark < basis.landmarkCount; landmark++) {
    if (data.present[landmark] === 0) continue;
    measureLandmark(basis, clip, frame, data, landmark, measure);
    sum += measure.visibility * (measure.residualX ** 2 + measure.residualY ** 2);
    total += measure.visibility;
  }
  return total > 0 ? Math.sqrt(sum / total) : Number.NaN;
}
