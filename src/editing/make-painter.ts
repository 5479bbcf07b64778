import type { AttributeMaps } from '../baking/attribute-maps.ts';
import type { Image } from '../video/frame.ts';
import { atlasPicturePainter } from './atlas-picture.ts';
import { finePaint } from './fine-paint.ts';
import { matchPainter } from './match-colors.ts';
import type { HeadSurface } from './head-surface.ts';
import type { LayerPainter } from './layer-painter.ts';
import { EditError, type Layer } from './layers.ts';
import { createPicture, hasContent, maskPicture } from './picture.ts';
import { recolorPainter } from './recolor.ts';
import { stickerPainter } from './sticker.ts';
import { strokePainter } from './stroke.ts';
import type { SurfaceTexels } from './surface-texels.ts';

/** What a layer finds when it is put on the maps. */
export interface PaintContext {
  readonly surface: HeadSurface;
  /** As baked. */
  readonly maps: AttributeMaps;
  readonly images: ReadonlyMap<string, Image>;
  /** The maps' texels, and N×3 their colours with the layers below. */
  readonly texels: SurfaceTexels;
  readonly below: Float32Array;
}

/** The painter of a layer. Throws `EditError`. */
export function layerPainter(layer: Layer, context: PaintContext): LayerPainter {
  const { surface } = context;
  const image = (name: string): Image => {
    const found = context.images.get(name);
    if (found) return found;
    throw new EditError(
      `layer "${layer.name}" needs the image ${name}, which is gone; put it back, or remove the layer`,
    );
  };
  switch (layer.kind) {
    case 'sticker': {
      const mask = layer.mask === null ? null : image(layer.mask);
      if (mask && !hasContent(maskPicture(mask))) {
        throw new EditError(`layer "${layer.name}": its mask ${layer.mask} is black all over, so nothing would show; paint white where it should`); // prettier-ignore
      }
      return stickerPainter(surface, layer, createPicture(image(layer.image), mask));
    }
    case 'stroke':
      return strokePainter(surface, layer);
    case 'recolor':
      return recolorPainter(context, layer);
    case 'matchColors':
      return matchPainter(context, layer, image(layer.image));
    case 'style':
      return atlasPicturePainter(context, image(layer.image));
    case 'paint': {
      const picture = image(layer.image);
      return { ...atlasPicturePainter(context, picture), ...finePaint(context, picture) };
    }
  }
}
