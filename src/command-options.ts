import { GAUSSIAN_LIMITS } from './baking/gaussian-limits.ts';
import { MATCH_DEFAULTS } from './baking/match-options.ts';
import { FIT_DEFAULTS, type DensifyRule } from './fitting/fit-options.ts';
import { choice, integer, number, text, toggle, type OptionValues } from './options.ts';

/** Options of tracking: what turns a video into a track. */
export const TRACK_OPTIONS = {
  head: text({
    default: 'builtin',
    placeholder: 'MODEL',
    help: 'head model: "builtin", or "ict:FOLDER" for a folder of ICT-FaceKit Light',
  }),
  size: choice({ choices: [256, 512], default: 256, unit: 'pixels', help: 'edge of the square crop that is learned' }),
  models: text({
    default: null,
    placeholder: 'FOLDER',
    help: 'folder with optional models (see fate models); $FATE_MODELS or the cache folder’s “models” otherwise',
  }),
  frames: integer({
    default: null,
    min: 2,
    unit: 'frames',
    help: 'take at most this many frames, spread evenly over the video; all of them otherwise',
  }),
} as const;

const DENSIFY_RULES: readonly DensifyRule[] = ['sampling', 'none', 'pruneOnly', 'gaussianAvatars', 'splattingAvatar'];

/** Options of the fit. Those of the paper's ablation are among them: `densify`, `withoutDeltas`. */
export const FIT_COMMAND_OPTIONS = {
  gaussians: integer({ default: FIT_DEFAULTS.gaussians, min: 100, max: 500_000, help: 'Gaussians to start with' }),
  steps: integer({ default: FIT_DEFAULTS.steps, min: 1, help: 'optimisation steps, one frame each' }),
  seed: integer({
    default: FIT_DEFAULTS.seed,
    min: 0,
    max: 0xffffffff,
    help: 'same seed, device and input: same bytes',
  }),
  split: choice({
    choices: ['fifth', 'insta'],
    default: 'fifth',
    help: 'frames held out for scoring: the last fifth, or the last 350 as INSTA does',
  }),
  densify: choice({
    choices: DENSIFY_RULES,
    default: FIT_DEFAULTS.densify,
    placeholder: 'RULE',
    help: `how the set of Gaussians grows: FATE’s sampling, or a rule of the paper’s ablation (${DENSIFY_RULES.join(', ')})`,
  }),
  withoutDeltas: toggle({ help: 'ablation: do not learn the corrections of expressions, joints and vertices' }),
  keepTrack: toggle({ help: 'keep the track as it is, instead of refining poses and expressions along with the fit' }),
  exposure: toggle({ help: 'learn one exposure per frame, for videos whose camera adapts' }),
  perceptual: text({
    default: null,
    placeholder: 'FILE',
    help: 'perceptual net: weights of VGG16 (.safetensors, .pth, .onnx), another net as .onnx with --perceptual-layers, or "off"; VGG16 of the models’ folder otherwise, when it is there',
  }),
  perceptualLayers: text({
    default: null,
    placeholder: 'NAMES',
    help: 'names of the .onnx file’s tensors that are compared, with commas between; VGG16’s own otherwise',
  }),
  perceptualWeight: number({ default: FIT_DEFAULTS.weights.perceptual, min: 0, help: 'weight of the perceptual term' }),
  perceptualEvery: integer({
    default: null,
    min: 1,
    unit: 'steps',
    help: 'use the perceptual term on every N-th step, √N times as strong; 1 on a GPU, 16 without one',
  }),
} as const;

const FORCE = {
  force: toggle({ help: 'start afresh in a folder that holds another video’s run or other options' }),
} as const;

export const CREATE_OPTIONS = { ...TRACK_OPTIONS, ...FIT_COMMAND_OPTIONS, ...FORCE } as const;
export const TRACK_COMMAND_OPTIONS = { ...TRACK_OPTIONS, ...FORCE } as const;
export const FIT_RUN_OPTIONS = { ...FIT_COMMAND_OPTIONS, ...FORCE } as const;

/** Options of `fate render`. */
export const RENDER_OPTIONS = {
  orbit: toggle({ help: 'a full turn round the head as a video, instead of one picture' }),
  expression: text({
    default: null,
    placeholder: 'LIST',
    help: 'expression, such as smile=0.8,jawOpen=0.2 (each 0 to 1); the clip’s mean otherwise',
  }),
  yaw: number({ default: 0, min: -180, max: 180, unit: 'degrees', help: 'turn of the head to its own left' }),
  pitch: number({ default: 0, min: -89, max: 89, unit: 'degrees', help: 'tilt of the head, upwards' }),
  size: integer({ default: 512, min: 16, max: 4096, unit: 'pixels', help: 'edge of the picture' }),
  seconds: number({ default: 4, min: 0.1, max: 60, unit: 'seconds', help: 'length of the full turn' }),
  baked: toggle({ help: 'draw the avatar as its baked maps have it (`fate bake`)' }),
  edited: toggle({ help: 'draw the baked avatar with its edits (`fate edit`)' }),
} as const;

/** Options of `fate export`. */
export const EXPORT_OPTIONS = {
  gaussians: integer({
    default: null,
    ...{ min: GAUSSIAN_LIMITS.least, max: GAUSSIAN_LIMITS.most },
    help: 'sample the baked maps at exactly this many Gaussians; as many as were fitted otherwise',
  }),
  matchSteps: integer({
    default: MATCH_DEFAULTS.steps,
    min: 0,
    max: 100_000,
    help: 'with --gaussians, steps in which they learn from pictures of the avatar to look like it; 0: as sampled',
  }),
  seed: integer({
    default: 1,
    min: 0,
    max: 0xffffffff,
    help: 'which of them, with --gaussians: same seed, same Gaussians',
  }),
} as const;

export type ExportOptions = OptionValues<typeof EXPORT_OPTIONS>;
export type TrackOptions = OptionValues<typeof TRACK_COMMAND_OPTIONS>;
export type FitCommandOptions = OptionValues<typeof FIT_RUN_OPTIONS>;
export type CreateOptions = OptionValues<typeof CREATE_OPTIONS>;
export type RenderOptions = OptionValues<typeof RENDER_OPTIONS>;
