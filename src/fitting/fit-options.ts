/** How the set of Gaussians changes during the fit: FATE's rule, and those of the paper's Table 7. */
export type DensifyRule =
  /** Children drawn by accumulated positional gradient, pruned by opacity (FATE §3.2). */
  | 'sampling'
  /** The initial set stays as it is ("w/o densify"). */
  | 'none'
  /** Nothing is added, transparent Gaussians are removed ("w/o densify*"). */
  | 'pruneOnly'
  /** 3DGS's clone and split, children near their parent in its triangle ("w/ GA densify"). */
  | 'gaussianAvatars'
  /** 3DGS's clone and split, children anywhere in the triangle, as if they had walked over it ("w/ SA densify"). */
  | 'splattingAvatar';

/** Everything that a fit depends on beside its data. Rates and weights are the paper's unless the comment says otherwise. */
export interface FitOptions {
  /** Optimisation steps, one frame each. */
  readonly steps: number;
  readonly seed: number;
  /** Gaussians to start with, and the most there may be. */
  readonly gaussians: number;
  readonly gaussianLimit: number;
  /** Paper: 0.1. Opaque from the start, the near side hides the far one, and what no frame shows stays solid. */
  readonly initialOpacity: number;
  /**
   * Extent along the surface's normal over that along the surface, of Gaussians as they start and as they are filled in.
   * Paper: 1. Nothing that the front shows tells how deep a Gaussian is: flat, it does not stand out from the side.
   */
  readonly initialThickness: number;
  /** Metres per unit coefficient: ΔE lives where an expression moves the head by more than this. */
  readonly supportThreshold: number;
  readonly densify: DensifyRule;
  /** Children added per event by `sampling` (paper: 1,000), before scaling by gaussians / 65,536. */
  readonly sampleCount: number;
  /** A child's scale over its parent's ([code]: 0.75). */
  readonly sampleScale: number;
  /** A child's opacity at most: it comes in where it helps, and the picture does not jump. Paper: its parent's. */
  readonly sampleOpacity: number;
  readonly pruneOpacity: number;
  /** Iterations at reference length between opacity resets; 0: never. Paper 6,000, code 60,000 (beyond its own end). */
  readonly opacityResetPeriod: number;
  /** Learn ΔE, ΔP (and Δvertex). */
  readonly deltas: boolean;
  /** Learn per-frame pose and expression along (paper: 5e-4 where tracks are poor). */
  readonly refineTrack: boolean;
  /** Learn per-frame exposure. */
  readonly exposure: boolean;
  /** What lies behind the head in training. */
  readonly background: 'white' | 'random';
  /** Continue seen hair, skin and neck over what no frame shows, after 60 % of the steps. */
  readonly fillUnseen: boolean;
  /** Frames whose gradients ΔE and ΔP gather before one update. */
  readonly deltaFrames: number;
  /** n: steps from one use of the perceptual term to the next, √n times as strong; null: 1 on a GPU, 16 without. */
  readonly perceptualEvery: number | null;
  readonly decayShare: number;
  readonly decayTo: number;
  readonly rates: LearningRates;
  readonly weights: LossWeights;
}

export interface LearningRates {
  readonly color: number;
  readonly opacity: number;
  readonly scale: number;
  readonly rotation: number;
  readonly offset: number;
  /** ΔE and ΔP, metres. Paper 1e-5; ours 3e-5 for its shorter runs (+1.3 dB at 2,000 steps). */
  readonly basisDelta: number;
  /** Δvertex, metres. */
  readonly vertexDelta: number;
  /** Joint rotations (radians) and translation (metres); expression coefficients take 8 times as much. Paper 5e-4. */
  readonly pose: number;
  /** Log gain and bias of a frame's exposure. */
  readonly exposure: number;
}

export interface LossWeights {
  /** Of 1 − SSIM: stands in for the perceptual term when no VGG16 weights are given, and stays beside it otherwise. */
  readonly ssim: number;
  /** Of the features' distance, where a perceptual net is given (paper: 0.1). */
  readonly perceptual: number;
  /** Of |(1 − transmittance) − matte|: with a random background the colour loss says the same. */
  readonly matte: number;
  readonly scale: number;
  /** Of mean normalOffset², as stored: where the frames do not say, Gaussians stay on the surface. Paper: 0. */
  readonly offset: number;
  /**
   * L_lap: mean square of the uniform Laplacian (metres) of what the deltas add, on a mesh of 5 mm edges. Paper 100, [code] 1e5:
   * a hundred leaves the mesh crumpled, which shows from the side (docs/decisions/fitting.md).
   */
  readonly laplacian: number;
  /** L_flame: squared distance between vertices with and without deltas. */
  readonly vertex: number;
}

export const FIT_DEFAULTS: FitOptions = {
  steps: 6000,
  seed: 1,
  gaussians: 16_384,
  gaussianLimit: 200_000,
  initialOpacity: 0.9,
  initialThickness: 0.35,
  supportThreshold: 5e-5,
  densify: 'sampling',
  sampleCount: 1000,
  sampleScale: 0.75,
  sampleOpacity: 0.02,
  pruneOpacity: 0.005,
  opacityResetPeriod: 0,
  deltas: true,
  refineTrack: true,
  exposure: false,
  background: 'random',
  fillUnseen: true,
  deltaFrames: 8,
  perceptualEvery: null,
  decayShare: 0.3,
  decayTo: 0.05,
  rates: {
    color: 2.5e-3,
    opacity: 5e-2,
    scale: 5e-3,
    rotation: 1e-3,
    offset: 1.6e-3,
    basisDelta: 3e-5,
    vertexDelta: 1e-4,
    pose: 1e-3,
    exposure: 1e-3,
  },
  weights: { ssim: 0.2, perceptual: 0.1, matte: 0.1, scale: 0.1, offset: 1, laplacian: 1600, vertex: 0 },
};
