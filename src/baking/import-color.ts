import type { Raster } from '../avatar/png.ts';
import type { HeadModel } from '../head/head-model.ts';
import { atlasCoverage } from './atlas-coverage.ts';
import type { AttributeMaps } from './attribute-maps.ts';
import { colorImage } from './map-images.ts';

/** A picture that cannot become a colour map, with the reason and what to do about it. */
export class ImportError extends Error {
  override readonly name = 'ImportError';
}

/**
 * A colour picture painted in another program → the colour map. Where a pixel still is what was exported (to the nearest byte), the map
 * keeps its exact value: importing an untouched export changes nothing. Alpha says how far the paint replaces what was there
 * (255 wholly, 0 not at all); pictures without alpha replace it wholly. Texels that no surface reads are left alone.
 *
 * `image`: H = W = the maps' size; grey, RGB or RGBA; 8 or 16 bits. Throws `ImportError` for another size.
 */
export function importColor(
  maps: AttributeMaps,
  head: Pick<HeadModel, 'uvs' | 'uvTriangles' | 'triangleCount'>,
  image: Raster,
  source = 'the image',
): AttributeMaps {
  const { size } = maps;
  if (image.width !== size || image.height !== size) {
    throw new ImportError(
      `${source} is ${image.width}×${image.height}, the colour map ${size}×${size}: scale it to ${size}×${size} in the program that it comes from, or paint on a fresh export.`,
    );
  }
  const coverage = atlasCoverage(head, size);
  const exported = colorImage(maps.colorMap, coverage);
  const plane = size * size;
  const most = image.bitDepth === 8 ? 255 : 65535;
  const hasAlpha = image.channels === 4;
  const colorMap = maps.colorMap.slice();
  for (let texel = 0; texel < plane; texel++) {
    if (!coverage.isUsed[texel]) continue;
    const alpha = hasAlpha ? image.data[texel * 4 + 3] / most : 1;
    for (let channel = 0; channel < 3; channel++) {
      const value = image.data[texel * image.channels + (image.channels === 1 ? 0 : channel)];
      // A program that works in floats or saves 16 bits may be some levels off the byte that it was given.
      if (Math.round((value / most) * 255) === exported.data[texel * 4 + channel]) continue;
      const before = maps.colorMap[channel * plane + texel];
      colorMap[channel * plane + texel] = before + alpha * (value / most - before);
    }
  }
  return { ...maps, colorMap };
}
