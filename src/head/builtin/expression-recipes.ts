import type { JawPlace } from './jaw.ts';

/** (lateral, up, forward) in centimetres; lateral is positive towards the expression's own side. */
export type Move = readonly [number, number, number];
/** A face point of the subject's right half and its move. The left half of a sided expression mirrors it. */
export type Handle = readonly [point: number, lateral: number, up: number, forward: number];

/**
 * One facial action as moves of a few face points; the surface between follows smoothly. `Left` and `Right` versions of a
 * sided recipe mirror each other.
 */
export interface Recipe {
  /** Name without `Left`/`Right`. */
  readonly name: string;
  readonly isSided: boolean;
  /** Which part of the face may move at all; everything else is held. */
  readonly free: 'brow' | 'eye' | 'mid' | 'mouth';
  readonly handles?: readonly Handle[];
  /** Moves the lips' contours: `along` runs −1 (other corner) … 0 (middle) … 1 (own corner); contour 0 is innermost. */
  readonly lips?: (along: number, contour: number, isUpper: boolean) => Move;
  readonly jaw?: JawPlace;
  /** Share of the way that the upper lid goes down to the lower one, and the lower one up. */
  readonly lids?: { readonly upper: number; readonly lower: number };
  /** Radians: the eye turns outwards and down. */
  readonly gaze?: { readonly out?: number; readonly down?: number };
  readonly tongueOut?: number;
}

const ramp = (from: number, to: number, value: number): number => {
  const t = Math.min(1, Math.max(0, (value - from) / (to - from)));
  return t * t * (3 - 2 * t);
};
const times = ([x, y, z]: Move, factor: number): Move => [x * factor, y * factor, z * factor];

/** Moves the own corner and less and less of the lips towards the other one. */
const corner =
  (move: Move, from = -0.35) =>
  (along: number): Move =>
    times(move, ramp(from, 1, along));
/** 1 at the lips' middle, 0 at both corners. */
const bow = (along: number): number => 1 - along * along;
/** 1 halfway between the middle and the own corner, 0 at both and on the other side. */
const ownHalf = (along: number): number => ramp(-0.25, 0.4, along) * (1 - ramp(0.55, 1, along));

/** The own half's arch, falling softly to both corners; the two halves together make one bow. */
const lift = (along: number): number => ramp(-0.7, 0.7, along) * (1 - ramp(0.3, 1.05, along));

export const RECIPES: readonly Recipe[] = [
  {
    name: 'browDown',
    isSided: true,
    free: 'brow',
    handles: [
      [107, -0.28, -0.65, 0.08], [66, -0.18, -0.64, 0.05], [105, -0.08, -0.52, 0.02], [63, 0, -0.36, 0], [70, 0, -0.18, 0],
      [55, -0.25, -0.62, 0.14], [65, -0.16, -0.6, 0.14], [52, -0.06, -0.5, 0.12], [53, 0, -0.34, 0.07], [46, 0, -0.16, 0],
      [222, -0.05, -0.28, 0.08], [223, 0, -0.26, 0.06], [221, -0.06, -0.25, 0.05], [108, -0.08, -0.2, 0],
    ], // prettier-ignore
  },
  {
    name: 'browInnerUp',
    isSided: false,
    free: 'brow',
    handles: [
      [107, 0.05, 0.65, 0], [66, 0.02, 0.5, 0], [105, 0, 0.22, 0], [63, 0, 0.02, 0], [55, 0.04, 0.55, 0],
      [65, 0.02, 0.4, 0], [52, 0, 0.18, 0], [108, 0.02, 0.5, 0], [9, 0, 0.5, 0], [151, 0, 0.42, 0], [8, 0, 0.28, 0],
      [221, 0, 0.16, 0], [222, 0, 0.14, 0],
    ], // prettier-ignore
  },
  {
    name: 'browOuterUp',
    isSided: true,
    free: 'brow',
    handles: [
      [107, 0, 0.05, 0], [66, 0, 0.22, 0], [105, 0, 0.5, 0], [63, 0, 0.65, -0.05], [70, 0.02, 0.6, -0.1],
      [55, 0, 0.04, 0], [65, 0, 0.2, 0], [52, 0, 0.42, 0], [53, 0, 0.52, -0.04], [46, 0.02, 0.48, -0.08],
      [104, 0, 0.4, 0], [68, 0, 0.45, -0.05], [224, 0, 0.18, 0], [225, 0, 0.2, 0],
    ], // prettier-ignore
  },
  {
    name: 'cheekPuff',
    isSided: false,
    free: 'mouth',
    handles: [
      [205, 0.55, 0, 0.6], [50, 0.4, 0.05, 0.4], [187, 0.8, 0, 0.45], [207, 0.8, 0, 0.65], [206, 0.35, 0, 0.55],
      [216, 0.6, 0, 0.7], [214, 0.85, 0, 0.6], [192, 0.85, 0, 0.4], [212, 0.55, 0, 0.65], [57, 0.2, 0, 0.5],
      [147, 0.55, 0, 0.2], [213, 0.6, 0, 0.2], [202, 0.4, -0.05, 0.45], [210, 0.5, -0.05, 0.35], [186, 0.1, 0, 0.45],
      [92, 0.05, 0, 0.3], [43, 0.05, 0, 0.3], [101, 0.1, 0.05, 0.15],
    ], // prettier-ignore
    lips: (along) => [0.04 * along, 0, 0.12],
  },
  {
    name: 'cheekSquint',
    isSided: true,
    free: 'mid',
    handles: [
      [50, 0.02, 0.45, 0.25], [101, 0, 0.35, 0.18], [205, 0.02, 0.4, 0.15], [117, 0, 0.38, 0.18], [118, 0, 0.4, 0.2],
      [119, 0, 0.32, 0.14], [123, 0.03, 0.32, 0.1], [116, 0.02, 0.25, 0.05], [229, 0, 0.26, 0.08], [230, 0, 0.24, 0.06],
      [228, 0, 0.22, 0.06], [31, 0, 0.14, 0.03], [36, 0, 0.2, 0.06],
    ], // prettier-ignore
    lids: { upper: 0, lower: 0.16 },
  },
  { name: 'eyeBlink', isSided: true, free: 'eye', lids: { upper: 0.86, lower: 0.14 } },
  {
    name: 'eyeLookDown', isSided: true, free: 'eye', gaze: { down: 0.42 }, lids: { upper: 0.45, lower: -0.18 },
  }, // prettier-ignore
  { name: 'eyeLookIn', isSided: true, free: 'eye', gaze: { out: -0.55 }, lids: { upper: 0.02, lower: 0 } },
  { name: 'eyeLookOut', isSided: true, free: 'eye', gaze: { out: 0.55 }, lids: { upper: 0.02, lower: 0 } },
  {
    name: 'eyeLookUp', isSided: true, free: 'eye', gaze: { down: -0.42 }, lids: { upper: -0.45, lower: 0.1 },
  }, // prettier-ignore
  {
    name: 'eyeSquint',
    isSided: true,
    free: 'mid',
    handles: [
      [229, 0, 0.22, 0.05], [230, 0, 0.22, 0.05], [228, 0, 0.16, 0.04], [118, 0, 0.2, 0.06], [119, 0, 0.16, 0.04],
    ], // prettier-ignore
    lids: { upper: 0.2, lower: 0.38 },
  },
  { name: 'eyeWide', isSided: true, free: 'eye', lids: { upper: -0.8, lower: -0.18 } },
  { name: 'jawForward', isSided: false, free: 'mouth', jaw: { forward: 0.7 } },
  { name: 'jawLeft', isSided: false, free: 'mouth', jaw: { left: 1 } },
  { name: 'jawRight', isSided: false, free: 'mouth', jaw: { left: -1 } },
  {
    name: 'jawOpen',
    isSided: false,
    free: 'mouth',
    jaw: { open: 0.33, forward: 0.1 },
    // The ring muscle draws the open mouth's corners in.
    lips: (along, contour) => [-0.22 * along * Math.abs(along) - 0.02 * contour * along, 0, 0.03],
  },
  { name: 'mouthClose', isSided: false, free: 'mouth' }, // made from jawOpen: see `closeMouth`
  {
    name: 'mouthDimple',
    isSided: true,
    free: 'mouth',
    handles: [[57, 0.3, 0.08, -0.3], [186, 0.2, 0.1, -0.15], [43, 0.2, 0.02, -0.15], [216, 0.15, 0.08, 0.05], [212, 0.15, 0, 0.05]], // prettier-ignore
    lips: corner([0.38, 0.1, -0.38], 0),
  },
  {
    name: 'mouthFrown',
    isSided: true,
    free: 'mouth',
    handles: [[57, 0.2, -0.55, -0.06], [43, 0.15, -0.48, 0], [186, 0, -0.35, 0], [212, 0, -0.35, 0.02], [202, 0, -0.2, 0.06], [216, 0, -0.2, 0]], // prettier-ignore
    lips: (along, _contour, isUpper) => {
      const [x, y, z] = times([0.25, -0.68, -0.14], ramp(-0.1, 1, along));
      return [x, y + (isUpper ? 0 : 0.12 * bow(along)), z];
    },
  },
  {
    name: 'mouthFunnel',
    isSided: false,
    free: 'mouth',
    handles: [[57, -0.4, 0, 0.35], [186, -0.3, 0.1, 0.35], [43, -0.3, -0.1, 0.35], [92, -0.15, 0.15, 0.3], [18, 0, -0.3, 0.1], [83, 0, -0.3, 0.1], [164, 0, 0.15, 0.15]], // prettier-ignore
    lips: (along, contour, isUpper) => {
      const open = (isUpper ? 0.58 : -0.8) * Math.sqrt(Math.max(0, bow(along)));
      return [-0.42 * along, open * (1 - 0.08 * contour), 0.35 + 0.4 * along * along + 0.12 * (1 - contour / 3)];
    },
  },
  {
    name: 'mouthLeft', // moves towards the subject's left
    isSided: false,
    free: 'mouth',
  },
  {
    name: 'mouthLowerDown',
    isSided: true,
    free: 'mouth',
    handles: [
      [182, 0.1, -0.45, 0],
      [106, 0.14, -0.45, 0],
      [83, 0.03, -0.38, 0],
    ],
    lips: (along, contour, isUpper) =>
      isUpper ? [0, 0, 0] : times([0.14, -0.85 + 0.06 * contour, -0.08], lift(along)),
  },
  {
    name: 'mouthPress',
    isSided: true,
    free: 'mouth',
    lips: (along, contour, isUpper) => {
      const towards = (isUpper ? -1 : 1) * (contour === 3 ? 0.16 : contour === 2 ? 0.1 : 0.03);
      return times([0.06, towards, -0.1], ramp(-0.6, 0.3, along));
    },
  },
  {
    name: 'mouthPucker',
    isSided: false,
    free: 'mouth',
    handles: [[57, -0.75, 0, 0.5], [186, -0.6, 0.02, 0.5], [43, -0.6, -0.02, 0.5], [212, -0.45, 0, 0.3], [216, -0.35, 0, 0.25], [92, -0.3, 0, 0.35], [106, -0.2, 0, 0.25], [18, 0, 0.02, 0.25], [164, 0, 0, 0.3]], // prettier-ignore
    lips: (along, contour, isUpper) => {
      // Narrower by half, thicker in the middle, the corners brought forward: round.
      const thicken = (isUpper ? 0.22 : -0.12) * (contour / 3) * bow(along);
      return [-1.12 * along + 0.06 * along * contour * 0.5, thicken, 0.62 + 0.55 * along * along];
    },
  },
  { name: 'mouthRight', isSided: false, free: 'mouth' },
  {
    name: 'mouthRollLower',
    isSided: false,
    free: 'mouth',
    lips: (along, contour, isUpper) =>
      isUpper
        ? [0, 0, 0]
        : times([0, [0.02, 0.18, 0.42, 0.56][contour], [-0.2, -0.6, -0.6, -0.35][contour]], 0.3 + 0.7 * bow(along)),
    handles: [
      [18, 0, 0.18, 0],
      [83, 0, 0.16, 0],
    ],
  },
  {
    name: 'mouthRollUpper',
    isSided: false,
    free: 'mouth',
    lips: (along, contour, isUpper) =>
      isUpper
        ? times([0, [-0.02, -0.16, -0.4, -0.54][contour], [-0.2, -0.55, -0.55, -0.32][contour]], 0.3 + 0.7 * bow(along))
        : [0, 0, 0],
    handles: [[164, 0, -0.12, -0.05]],
  },
  {
    name: 'mouthShrugLower',
    isSided: false,
    free: 'mouth',
    handles: [[18, 0, 0.5, 0.2], [83, 0, 0.48, 0.18], [200, 0, 0.4, 0.12], [199, 0, 0.22, 0.08], [201, 0, 0.38, 0.1], [182, 0, 0.35, 0.1]], // prettier-ignore
    lips: (along, contour, isUpper) =>
      times(isUpper ? [0, 0.28, 0.12] : [0, 0.4 - 0.01 * contour, 0.3], 0.15 + 0.85 * bow(along)),
  },
  {
    name: 'mouthShrugUpper',
    isSided: false,
    free: 'mouth',
    handles: [
      [164, 0, 0.2, 0.06],
      [167, 0, 0.18, 0.06],
    ],
    lips: (along, contour, isUpper) =>
      times(isUpper ? [0, 0.32 - 0.02 * contour, 0.22] : [0, 0.24, 0.06], 0.1 + 0.9 * bow(along)),
  },
  {
    name: 'mouthSmile',
    isSided: true,
    free: 'mid',
    handles: [
      [57, 0.8, 0.74, -0.5], [186, 0.55, 0.66, -0.24], [43, 0.6, 0.5, -0.32], [216, 0.42, 0.6, 0.12], [212, 0.55, 0.55, -0.16],
      [206, 0.26, 0.5, 0.22], [207, 0.32, 0.52, 0.22], [205, 0.16, 0.5, 0.32], [50, 0.1, 0.42, 0.3], [187, 0.2, 0.42, 0.18],
      [101, 0.02, 0.3, 0.16], [36, 0.08, 0.25, 0.1], [118, 0, 0.22, 0.12], [117, 0, 0.2, 0.1], [123, 0.05, 0.24, 0.08],
      [214, 0.38, 0.38, 0.08], [202, 0.28, 0.2, -0.06], [203, 0.12, 0.2, 0.05], [98, 0.08, 0.06, 0],
    ], // prettier-ignore
    lips: (along, contour, isUpper) => {
      const pull = ramp(-0.45, 1, along);
      const [x, y, z] = times([0.8, 0.74, -0.56], pull * (0.35 + 0.65 * pull));
      return [x, y + (isUpper ? 0.05 : -0.03) * ownHalf(along), z - 0.2 * ramp(-0.6, 0.4, along) - 0.01 * contour];
    },
    lids: { upper: 0, lower: 0.08 },
  },
  {
    name: 'mouthStretch',
    isSided: true,
    free: 'mouth',
    handles: [[57, 0.82, -0.2, -0.45], [43, 0.6, -0.26, -0.25], [186, 0.4, -0.05, -0.15], [212, 0.45, -0.15, -0.1], [202, 0.35, -0.25, -0.05], [216, 0.3, -0.05, 0]], // prettier-ignore
    lips: corner([0.92, -0.24, -0.66], -0.4),
  },
  {
    name: 'mouthUpperUp',
    isSided: true,
    free: 'mid',
    handles: [[165, 0.05, 0.48, 0], [92, 0.1, 0.48, 0.04], [167, 0.02, 0.4, 0], [206, 0.06, 0.3, 0.1], [203, 0.05, 0.28, 0.06], [98, 0.08, 0.15, 0], [36, 0, 0.2, 0.06]], // prettier-ignore
    lips: (along, contour, isUpper) => (isUpper ? times([0.08, 0.8 - 0.06 * contour, -0.04], lift(along)) : [0, 0, 0]),
  },
  {
    name: 'noseSneer',
    isSided: true,
    free: 'mid',
    handles: [
      [98, 0.1, 0.4, 0], [64, 0.08, 0.36, 0], [48, 0.06, 0.34, 0], [129, 0.06, 0.4, 0.05], [102, 0.05, 0.42, 0.05], [49, 0.04, 0.3, 0],
      [203, 0.05, 0.4, 0.1], [36, 0.02, 0.36, 0.1], [142, 0, 0.36, 0.06], [126, 0, 0.3, 0.05], [165, 0.04, 0.3, 0], [167, 0, 0.2, 0],
      [217, 0, 0.22, 0.06], [174, 0, 0.15, 0.05], [92, 0.02, 0.25, 0], [97, 0.02, 0.15, 0], [193, -0.03, -0.1, 0.04],
    ], // prettier-ignore
    lips: (along, contour, isUpper) =>
      isUpper ? times([0, 0.22, 0], ownHalf(along) * (0.6 + 0.13 * contour)) : [0, 0, 0],
  },
  { name: 'tongueOut', isSided: false, free: 'mouth', tongueOut: 1 },
];

/** `mouthLeft` and `mouthRight`: the lips shift, one corner stretches and the other bunches. +1 to the subject's left. */
export const mouthShift = (along: number): Move => [0.95 + 0.12 * along, 0.04 * Math.abs(along), -0.15 - 0.14 * along];
