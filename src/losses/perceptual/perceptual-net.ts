import type { Graph, Value } from '../../network/index.ts';

/** How a net wants its pixels: its channel c is scale[c] · rgb[channels[c]] + offset[c], for RGB of 0…1. */
export interface PixelNormalisation {
  readonly channels: readonly [number, number, number];
  readonly scale: readonly [number, number, number];
  readonly offset: readonly [number, number, number];
}

/**
 * RGB minus the mean, over the deviation, of ImageNet's training images (0…1): what torchvision's classifiers were
 * trained with (its `transforms.Normalize` values, documented with each model).
 */
export const IMAGENET_NORMALISATION = normalisationOf([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);

/** (x − mean) / deviation per channel, for RGB 0…1. */
export function normalisationOf(
  mean: readonly [number, number, number],
  deviation: readonly [number, number, number],
): PixelNormalisation {
  const scale = deviation.map((value) => 1 / value) as [number, number, number];
  const offset = mean.map((value, channel) => -value / deviation[channel]) as [number, number, number];
  return { channels: [0, 1, 2], scale, offset };
}

/** Features that a net computes of an image. */
export interface FeatureLayer {
  readonly name: string;
  /** 1×C×h×w. */
  readonly features: Value;
  /** C: how much each channel's difference counts, where the comparison is `weighted`. */
  readonly head?: Float32Array;
}

/** A net's graph for one image size. */
export interface FeatureGraph {
  readonly graph: Graph;
  /** 1×3×height×width, normalised. */
  readonly image: Value;
  readonly layers: readonly FeatureLayer[];
}

/** A fixed net whose features tell how alike two images look. */
export interface PerceptualNet {
  /** For logs and reports, with the file it is from. */
  readonly name: string;
  readonly normalisation: PixelNormalisation;
  /**
   * How features are compared, and summed over layers. `l1`: mean absolute difference. `weighted` (LPIPS, Zhang et al.
   * 2018, eq 1): squared difference of channel-normalised features, weighted by the layer's head, averaged over places.
   */
  readonly comparison: 'l1' | 'weighted';
  /** Smallest edge that every layer still has a pixel for. */
  readonly minimumSize: number;
  /** The graph for images of height×width. */
  build(height: number, width: number): FeatureGraph;
}
