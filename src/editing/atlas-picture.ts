import type { Image } from '../video/frame.ts';
import type { LayerPainter } from './layer-painter.ts';
import type { PaintContext } from './make-painter.ts';
import { createPicture, readPicture } from './picture.ts';
import { texelUv } from './surface-texels.ts';

/** A picture over the whole atlas, of any size; its alpha is coverage. */
export function atlasPicturePainter(_: PaintContext, image: Image): LayerPainter {
  const picture = createPicture(image);
  return {
    fineParts: [],
    paint(texels) {
      const color = new Float32Array(texels.count * 3);
      const alpha = new Float32Array(texels.count);
      for (let index = 0; index < texels.count; index++) {
        const [u, v] = texelUv(texels, index);
        const rgba = readPicture(picture, u, v, 1 / texels.size);
        alpha[index] = rgba[3];
        for (let k = 0; k < 3; k++) color[index * 3 + k] = rgba[3] > 0 ? rgba[k] / rgba[3] : 0;
      }
      return { color, alpha };
    },
  };
}
