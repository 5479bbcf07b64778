import { OptionError } from '../options.ts';
import { FIT_DEFAULTS, type LossWeights } from '../fitting/fit-options.ts';

/** What is baked and how: the method's own way, and the variants that the paper compares (Tables 4 and 7). */
export type BakeVariant =
  /** Every attribute from maps, which the U-Net makes; starts from the fitted avatar ("two-stage"). */
  | 'all'
  /** Colour and opacity from maps; geometry stays with each Gaussian ("bake appearance only"). */
  | 'appearance'
  /** Every attribute, the net trained from the initial Gaussians together with the head's deltas; no fitted start. */
  | 'oneStage'
  /** Every attribute; the U-Net without its encoder, from noise at its coarsest level ("decode only"). */
  | 'decoderOnly'
  /** Every attribute; the maps themselves are the parameters, there is no network ("free feature map"). */
  | 'freeMap';
export const BAKE_VARIANTS: readonly BakeVariant[] = ['all', 'appearance', 'oneStage', 'decoderOnly', 'freeMap'];

/** Everything that a bake depends on beside the avatar and its clip. */
export interface BakeOptions {
  readonly variant: BakeVariant;
  readonly seed: number;
  /** Pixels of the square maps; a multiple of enlargement · 2^depth. Paper: 512. */
  readonly mapSize: number;
  /** Times that the network's maps are enlarged along each edge, by bilinear reads. Paper: 1. */
  readonly enlargement: number;
  /** Channels of the U-Net's first level, doubled at each further one. Paper: 64. */
  readonly width: number;
  /** Levels below the first. Paper: 4 (64 to 1,024 channels). */
  readonly depth: number;
  /** K: frames that are drawn from the same maps, whose gradients make one step of the network. Paper: 1. */
  readonly hold: number;
  /** Frames that the network learns from, one after the other in shuffled passes over the clip. Paper: 5 epochs. */
  readonly steps: number;
  /**
   * Frames drawn after that, with which the finished maps themselves learn, texel by texel. Before the first of them the
   * maps take on what the network could not say of the fitted attributes. 0: the maps are the network's, as in the paper.
   */
  readonly polish: number;
  /** K while polishing, where a step costs much less than a frame. */
  readonly polishHold: number;
  /** Steps of the network before the first frame is drawn, in which it learns the fitted attributes (eq 26 alone). */
  readonly warmUp: number;
  /** Adam’s rate for the network. Paper 1e-3, for ten times as many steps of it. */
  readonly rate: number;
  /** The same for a free feature map, in standard deviations of the fitted attribute per step. */
  readonly freeRate: number;
  /** The same while polishing; falls to `decayTo` of it. */
  readonly polishRate: number;
  readonly decayShare: number;
  readonly decayTo: number;
  /** s_max of eq 24: standard deviations of the fitted log-scales above their mean. [code] 1; the paper says their maximum. */
  readonly scaleLimit: number;
  /** λ_V of eq 26, per squared standard deviation of the fitted attribute. Paper: 0 where it does not say so. */
  readonly attributeWeight: number;
  /** Eq 26 over the Gaussians that no frame shows: they keep what the fit filled in. */
  readonly keptWeight: number;
  /** Weight of eq 27, here over mean squares. [code]: 0.1, at which ours costs detail (docs/decisions/baking.md). */
  readonly tiltWeight: number;
  readonly background: 'white' | 'random';
  readonly exposure: boolean;
  readonly weights: LossWeights;
}

export const BAKE_DEFAULTS: BakeOptions = {
  variant: 'all',
  seed: 1,
  mapSize: 512,
  enlargement: 2,
  width: 16,
  depth: 4,
  hold: 8,
  steps: 1600,
  polish: 1200,
  polishHold: 4,
  warmUp: 50,
  rate: 3e-3,
  freeRate: 2e-2,
  polishRate: 3e-2,
  decayShare: 0.3,
  decayTo: 0.05,
  scaleLimit: 3,
  attributeWeight: 0.02,
  keptWeight: 0.02,
  tiltWeight: 0.01,
  background: FIT_DEFAULTS.background,
  exposure: false,
  weights: FIT_DEFAULTS.weights,
};

/** What differs where the network runs on a GPU: the paper's size. */
export const BAKE_GPU_DEFAULTS = { mapSize: 512, enlargement: 1, width: 64, depth: 4 } as const;

/** Throws `OptionError` for a value that no bake can have. */
export function checkBakeOptions(options: BakeOptions): void {
  const wholeNumbers = { ...{ mapSize: 1, enlargement: 1, width: 1, depth: 1, hold: 1, polishHold: 1, steps: 1 }, ...{ polish: 0, warmUp: 0, seed: 0 } } as const; // prettier-ignore
  for (const [name, least] of Object.entries(wholeNumbers)) {
    const value = options[name as keyof typeof wholeNumbers];
    if (!(Number.isInteger(value) && value >= least))
      throw new OptionError(`bake option "${name}" is ${value}; give a whole number of at least ${least}`);
  }
  if (!BAKE_VARIANTS.includes(options.variant))
    throw new OptionError(`bake option "variant" is "${options.variant}"; give one of ${BAKE_VARIANTS.join(', ')}`);
  const multiple = options.enlargement * 2 ** options.depth;
  if (options.mapSize % multiple !== 0) {
    throw new OptionError(
      `bake option "mapSize" is ${options.mapSize}; a net of depth ${options.depth} whose maps are enlarged ${options.enlargement} times needs a multiple of ${multiple}`,
    );
  }
}
