import { choice, integer, number, toggle, type OptionValues } from '../options.ts';
import { BAKE_DEFAULTS, BAKE_GPU_DEFAULTS, BAKE_VARIANTS } from './bake-options.ts';

const byDevice = (name: 'width' | 'depth'): string =>
  `${BAKE_DEFAULTS[name]}, or the paper’s ${BAKE_GPU_DEFAULTS[name]} where the network runs on a GPU`;

/** Options of `fate bake`. */
export const BAKE_RUN_OPTIONS = {
  variant: choice({
    choices: BAKE_VARIANTS,
    default: BAKE_DEFAULTS.variant,
    placeholder: 'VARIANT',
    help: `what is baked: all maps, appearance (colour and opacity; geometry stays with each Gaussian), or a variant of the paper’s comparison (${BAKE_VARIANTS.slice(2).join(', ')})`,
  }),
  mapSize: integer({
    default: BAKE_DEFAULTS.mapSize,
    min: 16,
    max: 4096,
    unit: 'pixels',
    help: `edge of the maps; the network’s own are ${BAKE_DEFAULTS.enlargement} times smaller where it runs on the processor`,
  }),
  width: integer({
    default: null,
    min: 1,
    max: 256,
    help: `channels of the network’s first level; ${byDevice('width')}`,
  }),
  depth: integer({ default: null, min: 1, max: 7, help: `levels below it; ${byDevice('depth')}` }),
  hold: integer({
    default: BAKE_DEFAULTS.hold,
    min: 1,
    max: 256,
    unit: 'frames',
    help: 'frames drawn from the same maps before the network learns from them',
  }),
  steps: integer({ default: BAKE_DEFAULTS.steps, min: 1, help: 'frames that the network learns from' }),
  polish: integer({
    default: BAKE_DEFAULTS.polish,
    min: 0,
    help: 'frames drawn after that, with which the maps take on the fitted detail and learn texel by texel; 0: the maps are the network’s alone',
  }),
  warmUp: integer({
    default: BAKE_DEFAULTS.warmUp,
    min: 0,
    help: 'steps in which the network learns the fitted attributes before the first frame is drawn',
  }),
  epochs: number({ default: null, min: 0.01, help: 'passes over the clip, instead of steps (the paper takes 5)' }),
  seed: integer({
    default: BAKE_DEFAULTS.seed,
    min: 0,
    max: 0xffffffff,
    help: 'same seed, device and input: same bytes',
  }),
  attributeWeight: number({
    default: BAKE_DEFAULTS.attributeWeight,
    min: 0,
    help: 'how much maps are held to the fitted attributes (eq 26)',
  }),
  tiltWeight: number({
    default: BAKE_DEFAULTS.tiltWeight,
    min: 0,
    help: 'how much Gaussians are held flat in the surface (eq 27)',
  }),
  force: toggle({ help: 'bake afresh in a folder that was baked with other options' }),
} as const;

export type BakeCommandOptions = OptionValues<typeof BAKE_RUN_OPTIONS>;
