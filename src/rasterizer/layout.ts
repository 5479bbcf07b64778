/**
 * Constants and buffer layouts of the rasteriser, shared by host code, kernels (through `rasterizerConstants`) and the
 * reference.
 *
 * | buffer | record | unit |
 * |---|---|---|
 * | `projected` | 12 floats: mean2d x, y, opacity, extent; conic xx, xy, yy, half width of its box; red, green, blue, half height | pixels, 1/pixels² |
 * | `slotOffsets` | u32, exclusive sum of the tiles that each Gaussian touches; N + 1 entries | |
 * | `slots` | u32 per (Gaussian, tile) pair, a Gaussian's side by side: the tile | |
 * | `intersections` | vec2u (Gaussian index, slot), tile after tile, front to back | |
 * | `intersectionGradients` | 9 floats per slot: see `composite-*.backward.wgsl` | |
 * | `image` | vec4f per pixel, row-major: red, green, blue over the background; transmittance left | |
 */

/** Contributions below this alpha are skipped (3DGS: 1/255), so Gaussians below it everywhere are culled. */
export const ALPHA_MIN = 1 / 255;
/** Alpha is cut here, which keeps 1 − alpha invertible (3DGS). */
export const ALPHA_MAX = 0.99;
/** A pixel takes no further Gaussian once its transmittance is below this (3DGS). */
export const TRANSMITTANCE_MIN = 1e-4;
/** Added to the diagonal of the image-space covariance, pixels² (3DGS's low-pass filter). */
export const COVARIANCE_DILATION = 0.3;
/** Gaussians whose bounding box reaches further than this from their centre, in pixels, are culled: float32 ends there. */
export const EXTENT_LIMIT = 1e5;

/** Floats per projected Gaussian. */
export const PROJECTED_STRIDE = 12;
/** Floats per intersection gradient. */
export const MOMENT_STRIDE = 9;
/** Bits of a depth key: the float's bits above the near plane's, enough for 65,536 times the near distance. */
export const DEPTH_KEY_BITS = 27;

/**
 * Shape of the kernels. `columns`: made for drivers that run on the processor: eight lanes side by side, each a column
 * of pixels, no barriers. `pixels`: made for GPUs: one invocation per pixel, Gaussians shared by the workgroup.
 */
export type RasterizerVariant = 'columns' | 'pixels';

/** Width and height of a tile in pixels. */
export const TILE_SIZES: Readonly<Record<RasterizerVariant, readonly [number, number]>> = {
  columns: [8, 16],
  pixels: [16, 16],
};

export interface RasterizerShape {
  readonly width: number;
  readonly height: number;
  readonly variant: RasterizerVariant;
  readonly gaussianCapacity: number;
  readonly intersectionCapacity: number;
  /** Gaussians are binned by this many invocations, each an unbroken range of the depth order. */
  readonly chunkCount: number;
  readonly alphaMin: number;
}

/** Tiles of the image. */
export function tileCountOf({ width, height, variant }: Pick<RasterizerShape, 'width' | 'height' | 'variant'>): number {
  const [tileWidth, tileHeight] = TILE_SIZES[variant];
  return Math.ceil(width / tileWidth) * Math.ceil(height / tileHeight);
}

/** The shape as WGSL constants. */
export function rasterizerConstants(shape: RasterizerShape): { name: string; text: string } {
  const [tileWidth, tileHeight] = TILE_SIZES[shape.variant];
  const constants: Record<string, string> = {
    imageWidth: `${shape.width}u`,
    imageHeight: `${shape.height}u`,
    tileWidth: `${tileWidth}u`,
    tileHeight: `${tileHeight}u`,
    tilesAcross: `${Math.ceil(shape.width / tileWidth)}u`,
    tilesDown: `${Math.ceil(shape.height / tileHeight)}u`,
    gaussianCapacity: `${shape.gaussianCapacity}u`,
    intersectionCapacity: `${shape.intersectionCapacity}u`,
    chunkCount: `${shape.chunkCount}u`,
    alphaMin: float(shape.alphaMin),
    alphaMax: float(ALPHA_MAX),
    transmittanceMin: float(TRANSMITTANCE_MIN),
    covarianceDilation: float(COVARIANCE_DILATION),
    extentLimit: float(EXTENT_LIMIT),
    depthKeyMax: `${2 ** DEPTH_KEY_BITS - 1}u`,
    momentStride: `${MOMENT_STRIDE}u`,
  };
  return {
    name: 'rasterizer/layout.ts',
    text: Object.entries(constants)
      .map(([name, value]) => `const ${name} = ${value};`)
      .join('\n'),
  };
}

function float(value: number): string {
  return `${value.toExponential(9)}f`;
}
