import type { AttributeMaps } from '../baking/attribute-maps.ts';
import type { GaussianSet } from '../gaussians/layout.ts';
import type { Image } from '../video/frame.ts';
import { blendOver } from './blend-modes.ts';
import type { DetailPatch } from './detail-patch.ts';
import { regionOf, type HeadSurface } from './head-surface.ts';
import { layerPainter } from './make-painter.ts';
import { makePatch, type PatchOptions } from './make-patch.ts';
import type { LayerPaint, LayerPainter } from './layer-painter.ts';
import { EditError, type Layer } from './layers.ts';
import { hasContent, maskPicture, readPicture, type Picture } from './picture.ts';
import { surfaceTexels, texelUv, type SurfaceTexels } from './surface-texels.ts';

export interface LayerInputs {
  readonly surface: HeadSurface;
  /** As baked. */
  readonly maps: AttributeMaps;
  readonly layers: readonly Layer[];
  /** Images by the name that layers give. */
  readonly images: ReadonlyMap<string, Image>;
}

export interface FlattenInputs extends LayerInputs {
  /** The avatar's Gaussians before any edit: what lies under a patch of finer ones. */
  readonly gaussians: GaussianSet;
  readonly canonicalSizes: Float32Array;
}

/** The layers put on the maps. */
export interface FlattenedEdits {
  /** The baked maps with every visible layer, at their own size: what is exported and shown as a picture. */
  readonly maps: AttributeMaps;
  /** Without layers that finer Gaussians of their own show wholly: what the avatar's Gaussians read. */
  readonly coarseMaps: AttributeMaps;
  readonly patch: DetailPatch | null;
}

/** A layer with what it takes to paint it on any texels. */
export interface PreparedLayer {
  readonly layer: Layer;
  readonly painter: LayerPainter;
  readonly mask: Picture | null;
}

/** Puts the visible layers on the baked maps (method §7). The maps themselves are not changed. Throws `EditError`. */
export function flattenEdits(inputs: FlattenInputs, options: PatchOptions = {}): FlattenedEdits {
  const { maps } = inputs;
  const { texels, prepared, all, coarse } = prepareLayers(inputs);
  return {
    maps: withColors(maps, texels, all),
    coarseMaps: withColors(maps, texels, coarse),
    patch: makePatch(inputs, prepared, options),
  };
}

/** The maps with every visible layer alone: a picture to paint on, or for a network. Throws `EditError`. */
export function flattenMaps(inputs: LayerInputs): AttributeMaps {
  const { texels, all } = prepareLayers(inputs);
  return withColors(inputs.maps, texels, all);
}

/** Paints the layers on the maps' texels, from below: a layer may look at the colours that it lies on. */
function prepareLayers({ surface, maps, layers, images }: LayerInputs): {
  readonly texels: SurfaceTexels;
  readonly prepared: readonly PreparedLayer[];
  /** N×3 with all layers, and without those that are wholly finer than the avatar's Gaussians. */
  readonly all: Float32Array;
  readonly coarse: Float32Array;
} {
  const texels = surfaceTexels(surface, maps.size);
  const all = readColors(maps, texels);
  const coarse = all.slice();
  const prepared = layers
    .filter(({ isVisible }) => isVisible)
    .map((layer) => {
      const painter = layerPainter(layer, { surface, maps, images, texels, below: all });
      const ready = { layer, painter, mask: uvMask(layer, images) };
      paintLayer(surface, ready, texels, all);
      if (painter.fineParts.length === 0 || painter.isFine) paintLayer(surface, ready, texels, coarse);
      return ready;
    });
  return { texels, prepared, all, coarse };
}

/** Paints a layer over N×3 colours, in place, and returns the coverage that it had. */
export function paintLayer(
  surface: HeadSurface,
  { layer, painter, mask }: PreparedLayer,
  texels: SurfaceTexels,
  colors: Float32Array,
): Float32Array {
  const paint = painter.paint(texels, colors);
  const alpha = coverageOf(surface, layer, mask, texels, paint);
  blendOver(colors, paint.color, alpha, layer.blend);
  return alpha;
}

function coverageOf(
  { head }: HeadSurface,
  { opacity, regions }: Layer,
  mask: Picture | null,
  texels: SurfaceTexels,
  { alpha }: LayerPaint,
): Float32Array {
  return alpha.map((coverage, index) => {
    if (coverage <= 0 || (regions && !regions.includes(regionOf(head, texels.triangles[index])))) return 0;
    const masked = mask ? readPicture(mask, ...texelUv(texels, index), 1 / texels.size)[3] : 1;
    return coverage * opacity * masked;
  });
}

/** A layer's mask over the atlas; a sticker's lies over its own picture instead. */
function uvMask(layer: Layer, images: ReadonlyMap<string, Image>): Picture | null {
  if (layer.mask === null || layer.kind === 'sticker') return null;
  const mask = maskPicture(images.get(layer.mask)!);
  if (!hasContent(mask)) {
    throw new EditError(`layer "${layer.name}": its mask ${layer.mask} is black all over, so nothing would show; paint white where it should`); // prettier-ignore
  }
  return mask;
}

function readColors({ size, colorMap }: AttributeMaps, { indices, count }: SurfaceTexels): Float32Array {
  const plane = size * size;
  return Float32Array.from({ length: count * 3 }, (_, at) => colorMap[(at % 3) * plane + indices[Math.floor(at / 3)]]);
}

function withColors(maps: AttributeMaps, { indices }: SurfaceTexels, colors: Float32Array): AttributeMaps {
  const plane = maps.size * maps.size;
  const colorMap = maps.colorMap.slice();
  indices.forEach((texel, index) => {
    for (let k = 0; k < 3; k++) colorMap[k * plane + texel] = colors[index * 3 + k];
  });
  return { ...maps, colorMap };
}
