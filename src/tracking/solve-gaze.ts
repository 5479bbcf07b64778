import { MAX_HORIZONTAL_GAZE, MAX_VERTICAL_GAZE } from '../head/eye-pose.ts';
import type { HeadModel, JointName, RegionName } from '../head/head-model.ts';
import { identityVertices, jointPositions } from '../head/pose-vertices.ts';
import { matrixFromAxisAngle } from '../math/rotation.ts';
import { factorBandedCholesky, solveBanded } from './solve-cholesky.ts';
import { LEFT_IRIS_CENTER, RIGHT_IRIS_CENTER } from './solve-landmarks.ts';
import { translationOf, type ClipState, type FrameState } from './solve-state.ts';

/** What gaze needs of a frame. */
export interface GazeFrame {
  readonly state: FrameState;
  readonly timestamp: number;
  /** Source pixels relative to the principal point, L×3 with irises at 468…477; null or shorter: no gaze. */
  readonly landmarks: Float32Array | null;
  readonly principal: readonly [number, number];
}

/** Per frame: pitch (+ down) and yaw (+ to the subject's left) of each eye, radians. */
export interface Gaze {
  /** N×2. */
  readonly left: Float64Array;
  readonly right: Float64Array;
  /** Whether any iris was seen. */
  readonly observed: boolean;
}

interface Eye {
  /** Metres, head space. */
  readonly center: Float64Array;
  /** From the centre to the eyeball's front, where the iris is painted, looking straight ahead. */
  readonly iris: Float64Array;
}

/** Largest turn considered, beyond what ARKit's weights reach. */
const LARGEST_YAW = 1.3 * MAX_HORIZONTAL_GAZE;
const LARGEST_PITCH = 1.3 * MAX_VERTICAL_GAZE;
/** Radians: error of a gaze measured on an open eye, and its acceleration per (1/30 s)²; saccades cost ever less. */
const MEASURE_SIGMA = 0.03;
const MOTION_SIGMA = 0.02;
/** Metres: for a head model whose eyeballs have no region of their own. */
const EYEBALL_RADIUS = 0.012;
/** Lid opening, as a share of the clip's widest usual one, at which the iris begins to count and counts fully. */
const HIDDEN_OPENING = 0.3;
const OPEN_OPENING = 0.6;
/** Lid landmarks: middle of the upper and of the lower lid, and the two corners. */
const LID_POINTS = {
  left: [386, 374, 362, 263],
  right: [159, 145, 33, 133],
} as const;

/**
 * Turns each eyeball so that its iris lies where the iris landmarks are, smooth in time, interpolated through blinks.
 * The eyeball's place follows from identity and head pose, so a misplaced eye shows as a constant gaze error, while the
 * picture of the iris stays right.
 */
export function solveGaze(head: HeadModel, clip: ClipState, frames: readonly GazeFrame[]): Gaze {
  const left = solveEye(findEye(head, clip, 'leftEye', 'leftEyeball'), clip, frames, LEFT_IRIS_CENTER, LID_POINTS.left);
  const right = solveEye(
    findEye(head, clip, 'rightEye', 'rightEyeball'),
    clip,
    frames,
    RIGHT_IRIS_CENTER,
    LID_POINTS.right,
  );
  return { left: left.angles, right: right.angles, observed: left.observed || right.observed };
}

function findEye(head: HeadModel, clip: ClipState, jointName: JointName, region: RegionName): Eye | null {
  const joint = head.joints.findIndex(({ name }) => name === jointName);
  if (joint < 0) return null;
  const vertices = identityVertices(head, clip.identity);
  const center = Float64Array.from(jointPositions(head, vertices).subarray(joint * 3, joint * 3 + 3));
  const regionIndex = head.regionNames.indexOf(region);
  const front = new Float64Array(3);
  let frontZ = Number.NEGATIVE_INFINITY;
  for (let triangle = 0; triangle < head.triangleCount && regionIndex >= 0; triangle++) {
    if (head.triangleRegions[triangle] !== regionIndex) continue;
    for (let corner = 0; corner < 3; corner++) {
      const vertex = head.triangles[triangle * 3 + corner] * 3;
      if (vertices[vertex + 2] <= frontZ) continue;
      frontZ = vertices[vertex + 2];
      for (let axis = 0; axis < 3; axis++) front[axis] = vertices[vertex + axis];
    }
  }
  const reach = regionIndex >= 0 && Number.isFinite(frontZ) ? frontZ - center[2] : EYEBALL_RADIUS;
  return { center, iris: Float64Array.of(0, 0, reach > 0.004 ? reach : EYEBALL_RADIUS) };
}

function solveEye(
  eye: Eye | null,
  clip: ClipState,
  frames: readonly GazeFrame[],
  irisIndex: number,
  lids: readonly [number, number, number, number],
): { angles: Float64Array; observed: boolean } {
  const angles = new Float64Array(frames.length * 2);
  const confidence = new Float64Array(frames.length);
  if (!eye) return { angles, observed: false };
  const openings = frames.map((frame) => lidOpening(frame.landmarks, lids));
  const sorted = openings.filter(Number.isFinite).sort((a, b) => a - b);
  const wide = sorted[Math.floor(sorted.length * 0.8)] ?? Number.NaN;
  let observed = false;
  frames.forEach((frame, i) => {
    const { landmarks } = frame;
    if (!landmarks || landmarks.length < (irisIndex + 5) * 3) return;
    const x = landmarks[irisIndex * 3] - frame.principal[0];
    const y = landmarks[irisIndex * 3 + 1] - frame.principal[1];
    if (!Number.isFinite(x) || !Number.isFinite(y)) return;
    const open = (openings[i] / wide - HIDDEN_OPENING) / (OPEN_OPENING - HIDDEN_OPENING);
    confidence[i] = Math.min(1, Math.max(0, Number.isFinite(open) ? open : 1));
    if (confidence[i] === 0) return;
    observed = true;
    aim(eye, clip, frame.state, x, y, angles, i * 2);
  });
  if (observed) {
    smooth(frames, angles, confidence, 0);
    smooth(frames, angles, confidence, 1);
  }
  return { angles, observed };
}

/** Height of the lid opening over the eye's width. */
function lidOpening(landmarks: Float32Array | null, [upper, lower, inner, outer]: readonly number[]): number {
  if (!landmarks) return Number.NaN;
  const distance = (a: number, b: number): number =>
    Math.hypot(landmarks[a * 3] - landmarks[b * 3], landmarks[a * 3 + 1] - landmarks[b * 3 + 1]);
  return distance(upper, lower) / distance(inner, outer);
}

/** angles[offset, offset + 1] ← pitch and yaw that bring the iris to (x, y): Gauss–Newton, a slight pull to straight. */
function aim(
  eye: Eye,
  clip: ClipState,
  state: FrameState,
  x: number,
  y: number,
  angles: Float64Array,
  offset: number,
): void {
  const focal = Math.exp(clip.logFocal);
  const translation = translationOf(clip, state);
  const project = (pitch: number, yaw: number): [number, number] => {
    const turned = matrixFromAxisAngle([pitch, yaw, 0]);
    const point = [0, 1, 2].map(
      (row) => eye.center[row] + [0, 1, 2].reduce((sum, k) => sum + turned[row * 3 + k] * eye.iris[k], 0),
    );
    const camera = [0, 1, 2].map(
      (row) => translation[row] + [0, 1, 2].reduce((sum, k) => sum + state.rotation[row * 3 + k] * point[k], 0),
    );
    return [(focal * camera[0]) / camera[2], (focal * camera[1]) / camera[2]];
  };
  // One radian moves the iris by about this many pixels; the pull is that of a 0.05 rad measurement against 0.5 rad.
  const lever = (focal * Math.hypot(...eye.iris)) / translation[2];
  const pull = (0.1 * lever) ** 2;
  const delta = 1e-4;
  let [pitch, yaw] = [0, 0];
  for (let iteration = 0; iteration < 4; iteration++) {
    const [px, py] = project(pitch, yaw);
    const [ax, ay] = project(pitch + delta, yaw).map((value, k) => (value - (k === 0 ? px : py)) / delta);
    const [bx, by] = project(pitch, yaw + delta).map((value, k) => (value - (k === 0 ? px : py)) / delta);
    const [aa, ab, bb] = [ax * ax + ay * ay + pull, ax * bx + ay * by, bx * bx + by * by + pull];
    const right = [ax * (x - px) + ay * (y - py) - pull * pitch, bx * (x - px) + by * (y - py) - pull * yaw];
    const determinant = aa * bb - ab * ab;
    pitch = clamp(pitch + (bb * right[0] - ab * right[1]) / determinant, LARGEST_PITCH);
    yaw = clamp(yaw + (aa * right[1] - ab * right[0]) / determinant, LARGEST_YAW);
  }
  angles[offset] = pitch;
  angles[offset + 1] = yaw;
}

function clamp(value: number, limit: number): number {
  return Math.min(limit, Math.max(-limit, value));
}

/** One angle over time: measured where the eye is open, else bridged; two rounds free the saccades (Cauchy weights). */
function smooth(frames: readonly GazeFrame[], angles: Float64Array, confidence: Float64Array, axis: number): void {
  const count = frames.length;
  const measured = Float64Array.from({ length: count }, (_, i) => angles[i * 2 + axis]);
  let solved = measured;
  for (let round = 0; round < 3; round++) {
    const band = new Float64Array(count * 3);
    const right = new Float64Array(count);
    for (let i = 0; i < count; i++) {
      const weight = confidence[i] / MEASURE_SIGMA ** 2;
      // The tiny pull keeps a clip without any open eye solvable.
      band[i * 3 + 2] = weight + 1;
      right[i] = weight * measured[i];
    }
    for (let i = 1; i + 1 < count; i++) {
      const bend = solved[i - 1] - 2 * solved[i] + solved[i + 1];
      const isBridge = confidence[i - 1] * confidence[i] * confidence[i + 1] === 0;
      const ease = round === 0 || isBridge ? 1 : 1 + (bend / (2 * MOTION_SIGMA)) ** 2;
      const stiffness = 1 / (MOTION_SIGMA ** 2 * ease);
      band[(i - 1) * 3 + 2] += stiffness;
      band[i * 3 + 2] += 4 * stiffness;
      band[(i + 1) * 3 + 2] += stiffness;
      band[i * 3 + 1] -= 2 * stiffness;
      band[(i + 1) * 3 + 1] -= 2 * stiffness;
      band[(i + 1) * 3] += stiffness;
    }
    if (!factorBandedCholesky(band, count, 2)) return;
    solveBanded(band, count, 2, right);
    solved = right;
  }
  const limit = axis === 0 ? LARGEST_PITCH : LARGEST_YAW;
  for (let i = 0; i < count; i++) angles[i * 2 + axis] = clamp(solved[i], limit);
}
