import { arkitFromEyePose } from '../head/eye-pose.ts';
import type { HeadPose } from '../head/pose.ts';
import { axisAngleFromMatrix, matrixFromAxisAngle, multiplyMatrices } from '../math/rotation.ts';
import { randomUniform } from '../math/random.ts';
import { mix, smoothstep } from './noise.ts';

/** What a subject does, as functions of time. */
export interface MotionTake {
  readonly seconds: number;
  /** Pose at a time, for a head with these expressions; the camera at the origin looks along z (OpenCV axes). */
  poseAt(time: number, expressionNames: readonly string[]): HeadPose;
}

/** [share of the take, value], smoothly joined; still at both ends. */
type Keys = readonly (readonly [number, number])[];

const DEGREE = Math.PI / 180;
/** Head turned towards the subject's left, raised, and leant towards its left shoulder; degrees. */
const YAW: Keys = [[0, 0], [0.1, 2], [0.2, 26], [0.27, 24], [0.4, -28], [0.47, -26], [0.56, 3], [0.64, 12], [0.72, -14], [0.82, 8], [0.92, -3], [1, 0]]; // prettier-ignore
const PITCH: Keys = [[0, 0], [0.08, 3], [0.2, -2], [0.33, 9], [0.44, -4], [0.54, 2], [0.6, 12], [0.68, -13], [0.76, 3], [0.88, -3], [1, 0]]; // prettier-ignore
const ROLL: Keys = [
  [0, 0],
  [0.12, -3],
  [0.25, 4],
  [0.45, -5],
  [0.58, 1],
  [0.66, 7],
  [0.75, -8],
  [0.86, 3],
  [1, 0],
];
/** Displays, as shares of the take: from, to, strength per expression. */
const DISPLAYS: readonly { readonly from: number; readonly to: number; readonly weights: Readonly<Record<string, number>> }[] = [
  { from: 0.3, to: 0.44, weights: { mouthSmileLeft: 0.8, mouthSmileRight: 0.8, cheekSquintLeft: 0.5, cheekSquintRight: 0.5, mouthUpperUpLeft: 0.25, mouthUpperUpRight: 0.25 } },
  { from: 0.47, to: 0.56, weights: { browInnerUp: 0.8, browOuterUpLeft: 0.8, browOuterUpRight: 0.8, eyeWideLeft: 0.5, eyeWideRight: 0.5 } },
  { from: 0.55, to: 0.64, weights: { jawOpen: 0.75, browInnerUp: 0.25 } },
  { from: 0.65, to: 0.72, weights: { browDownLeft: 0.8, browDownRight: 0.8, eyeSquintLeft: 0.5, eyeSquintRight: 0.5, mouthFrownLeft: 0.4, mouthFrownRight: 0.4 } },
  { from: 0.71, to: 0.79, weights: { mouthPucker: 0.85 } },
  { from: 0.9, to: 0.985, weights: { mouthSmileLeft: 0.5, mouthSmileRight: 0.6, mouthDimpleLeft: 0.2 } },
]; // prettier-ignore
/** When the subject talks. */
const SPEECH: readonly (readonly [number, number])[] = [
  [0.03, 0.3],
  [0.78, 0.92],
];
const SYLLABLES_PER_SECOND = 4.2;
/** Mouth shapes between which speech moves. */
const VISEMES: readonly Readonly<Record<string, number>>[] = [
  { jawOpen: 0.35, mouthLowerDownLeft: 0.2, mouthLowerDownRight: 0.2 },
  { jawOpen: 0.06, mouthPressLeft: 0.3, mouthPressRight: 0.3, mouthClose: 0.03 },
  { jawOpen: 0.16, mouthFunnel: 0.45 },
  { jawOpen: 0.2, mouthStretchLeft: 0.35, mouthStretchRight: 0.35, mouthSmileLeft: 0.15, mouthSmileRight: 0.15 },
  { jawOpen: 0.1, mouthPucker: 0.4 },
  { jawOpen: 0.12, mouthRollLower: 0.25, mouthUpperUpLeft: 0.15, mouthUpperUpRight: 0.15 },
];
const BLINK_INTERVAL = 2.3; // seconds
const BLINK_LENGTH = 0.28;
/** The neck's share of the head's turn; the root has the rest, as trackers assume. */
const NECK_SHARE = 0.6;
/** Towards the camera: the head's y and z point away from the camera's. */
const FACING = matrixFromAxisAngle([Math.PI, 0, 0]);

/** Talking, blinking, smiling, brows, jaw, gaze, and the head turning ±28° sideways: `seconds` of it, different for each seed. */
export function createMotionTake(seconds: number, seed: number, headDistance: number, headDrop: number): MotionTake {
  const weightsAt = (time: number): Record<string, number> => {
    const share = time / seconds;
    const weights: Record<string, number> = {};
    const add = (shapes: Readonly<Record<string, number>>, amount: number): void => {
      for (const [name, value] of Object.entries(shapes))
        weights[name] = Math.min(1, (weights[name] ?? 0) + value * amount);
    };
    for (const { from, to, weights: shapes } of DISPLAYS) add(shapes, bump(share, from, to, 0.025));
    for (const [from, to] of SPEECH) {
      const beat = time * SYLLABLES_PER_SECOND;
      const viseme = (index: number): Readonly<Record<string, number>> =>
        VISEMES[Math.floor(randomUniform(seed, 0x7a01, index) * VISEMES.length)];
      const talking = bump(share, from, to, 0.012);
      const blend = smoothstep(0, 1, beat - Math.floor(beat));
      add(viseme(Math.floor(beat)), talking * (1 - blend));
      add(viseme(Math.floor(beat) + 1), talking * blend);
    }
    const blink = blinkAt(time, seed);
    add({ eyeBlinkLeft: 1, eyeBlinkRight: 1 }, blink);
    return weights;
  };

  return {
    seconds,
    poseAt(time, expressionNames) {
      const share = time / seconds;
      const angles = [YAW, PITCH, ROLL].map((keys) => interpolate(keys, share) * DEGREE);
      const turn = axisAngleFromMatrix(
        multiplyMatrices(
          matrixFromAxisAngle([0, angles[0], 0]),
          multiplyMatrices(matrixFromAxisAngle([-angles[1], 0, 0]), matrixFromAxisAngle([0, 0, -angles[2]])),
        ),
      );
      const part = (fraction: number): Float64Array => turn.map((value) => value * fraction);
      const gaze = gazeAt(time, seed, angles[0], angles[1]);
      const eyes = { leftEyePose: Float32Array.from(gaze), rightEyePose: Float32Array.from(gaze) };
      const weights: Record<string, number> = { ...weightsAt(time) };
      for (const [name, value] of Object.entries(arkitFromEyePose(eyes)))
        weights[name] = Math.min(1, (weights[name] ?? 0) + value);
      return {
        headRotation: Float32Array.from(
          axisAngleFromMatrix(multiplyMatrices(FACING, matrixFromAxisAngle(part(1 - NECK_SHARE)))),
        ),
        headTranslation: Float32Array.of(
          0.008 * Math.sin(time * 0.9),
          headDrop + 0.003 * Math.sin(time * 1.3 + 1),
          headDistance + 0.01 * Math.sin(time * 0.7),
        ),
        neckPose: Float32Array.from(part(NECK_SHARE)),
        jawPose: new Float32Array(3),
        ...eyes,
        expressionCoefficients: Float32Array.from(expressionNames, (name) => weights[name] ?? 0),
      };
    },
  };
}

/** 0 outside, 1 inside, with soft edges. */
function bump(value: number, from: number, to: number, edge: number): number {
  return smoothstep(from - edge, from + edge, value) * smoothstep(to + edge, to - edge, value);
}

function interpolate(keys: Keys, at: number): number {
  const next = keys.findIndex(([share]) => share >= at);
  if (next <= 0) return keys[Math.max(0, next)][1];
  const [[fromShare, from], [toShare, to]] = [keys[next - 1], keys[next]];
  return mix(from, to, smoothstep(fromShare, toShare, at));
}

function blinkAt(time: number, seed: number): number {
  let strongest = 0;
  const around = Math.floor(time / BLINK_INTERVAL);
  for (let index = Math.max(0, around - 1); index <= around + 1; index++) {
    const start = (index + 0.3 + 0.5 * randomUniform(seed, 0x7a02, index)) * BLINK_INTERVAL;
    const phase = (time - start) / BLINK_LENGTH;
    if (phase > 0 && phase < 1) strongest = Math.max(strongest, Math.sin(Math.PI * phase) ** 1.2);
  }
  return strongest;
}

/** Axis-angle of both eyes: mostly back at the camera while the head turns, with glances aside every second or so. */
function gazeAt(time: number, seed: number, yaw: number, pitch: number): number[] {
  const glance = (axis: number, index: number): number => (randomUniform(seed, 0x7a03 + axis, index) - 0.5) * 2;
  const beat = time / 1.1;
  const blend = smoothstep(0.8, 1, beat - Math.floor(beat)); // quick moves, long rests
  const aside = (axis: number): number =>
    mix(glance(axis, Math.floor(beat)), glance(axis, Math.floor(beat) + 1), blend);
  return [0.45 * pitch - 7 * DEGREE * aside(0), -0.5 * yaw + 11 * DEGREE * aside(1), 0];
}
