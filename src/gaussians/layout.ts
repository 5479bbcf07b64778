/**
 * Layouts of Gaussian attributes in GPU buffers. Host code, kernels and references all take their strides from here.
 *
 * **Local** (stored, learned; bound to the head's surface), float32, one array per attribute, N = capacity:
 * | buffer | per Gaussian | unit and activation |
 * |---|---|---|
 * | `localRotation` | 4 | quaternion wxyz, normalised on use |
 * | `logScale` | 3 | exp → standard deviation in metres of canonical size |
 * | `opacityLogit` | 1 | sigmoid → opacity |
 * | `color` | 3 | SH degree 0: RGB = 0.5 + SH_C0 · c, clamped below at 0 |
 * | `normalOffset` | 1 | 0.05 · tanh(d) metres of canonical size along the triangle's normal |
 *
 * **World** (activated; what the rasteriser takes), float32, 4-float records so that kernels read `vec4f`:
 * | buffer | record |
 * |---|---|
 * | `meanOpacity` | mean x, y, z (metres, world), opacity |
 * | `rotation` | quaternion w, x, y, z (unit) |
 * | `scale` | standard deviation x, y, z (metres), unused 0 |
 * | `rgb` | red, green, blue, unused 0 |
 *
 * A gradient buffer has the layout of what it is the gradient of.
 */
export const SH_C0 = 0.28209479177387814;
export const NORMAL_OFFSET_LIMIT = 0.05;

/** Metres of canonical size above its triangle that a stored `normalOffset` stands for. */
export function heightOf(normalOffset: number): number {
  return NORMAL_OFFSET_LIMIT * Math.tanh(normalOffset);
}

/** Floats per Gaussian of each local attribute. */
export const LOCAL_STRIDES = {
  localRotation: 4,
  logScale: 3,
  opacityLogit: 1,
  color: 3,
  normalOffset: 1,
} as const;
export type LocalAttribute = keyof typeof LOCAL_STRIDES;
export const LOCAL_ATTRIBUTES = Object.keys(LOCAL_STRIDES) as LocalAttribute[];

/** Floats per Gaussian of each world attribute. */
export const WORLD_STRIDE = 4;
export type WorldAttribute = 'meanOpacity' | 'rotation' | 'scale' | 'rgb';
export const WORLD_ATTRIBUTES: readonly WorldAttribute[] = ['meanOpacity', 'rotation', 'scale', 'rgb'];

/** World-space Gaussians on the GPU; the number in use is a uint32 in `count` (known to the GPU alone). */
export type WorldGaussians = Readonly<Record<WorldAttribute, GPUBuffer>>;
/** Local Gaussians (or their gradients) on the GPU. */
export type LocalGaussians = Readonly<Record<LocalAttribute, GPUBuffer>>;

/** Local Gaussians in host memory, with where each is bound. */
export interface GaussianSet {
  readonly count: number;
  /** N: triangle of the head model. */
  readonly triangleIndices: Uint32Array;
  /** N×3. */
  readonly barycentrics: Float32Array;
  readonly localRotation: Float32Array;
  readonly logScale: Float32Array;
  readonly opacityLogit: Float32Array;
  readonly color: Float32Array;
  readonly normalOffset: Float32Array;
}
