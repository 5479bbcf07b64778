import type { Vector } from '../head/builtin/vector.ts';
import type { SurfaceTexels } from './surface-texels.ts';

/** What a layer puts on some texels. */
export interface LayerPaint {
  /** N×3, sRGB-encoded; means nothing where alpha is 0. */
  readonly color: Float32Array;
  /** N: coverage 0…1, before the layer's opacity. */
  readonly alpha: Float32Array;
}

/** A part of the surface that a layer keeps to. */
export interface Reach {
  /** Metres, on the head's surface. */
  readonly centre: Vector;
  readonly radius: number;
  /** `HeadSurface.sheets` number. */
  readonly sheet: number;
}

/** A layer ready to paint any set of texels of the head, coarse or fine. */
export interface LayerPainter {
  /**
   * Where the layer shows things finer than the Gaussians are, which get finer Gaussians; empty for layers whose colours
   * change slowly over the surface.
   */
  readonly fineParts: readonly Reach[];
  /**
   * N: 1 for texels round what is finer than the Gaussians. The rest of the layer is painted on the maps. Absent: all of
   * the layer is fine, and none of it is painted on the maps, unless it has no fine parts.
   */
  readonly isFine?: (texels: SurfaceTexels) => Uint8Array;
  /** `below`: N×3, the colours that the layer lies on. */
  paint(texels: SurfaceTexels, below: Float32Array): LayerPaint;
}
