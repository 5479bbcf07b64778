import type { Raster } from '../avatar/png.ts';
import { atlasCoverage } from '../baking/atlas-coverage.ts';
import type { BakedAvatar } from '../baking/baked-avatar.ts';
import { ImportError } from '../baking/import-color.ts';
import { colorImage } from '../baking/map-images.ts';

/**
 * A colour map that was painted in another program as the picture of a layer: coverage only where the paint differs from
 * what was exported, be it the baked map or the map with its layers, so that importing an untouched export paints nothing.
 * `edited`: 3×H×W, the colours with the layers there are. Throws `ImportError` for another size, or when nothing differs.
 */
export function paintedPicture(
  { maps, avatar }: BakedAvatar,
  edited: Float32Array,
  image: Raster,
  source: string,
): Raster {
  const { size } = maps;
  if (image.width !== size || image.height !== size) {
    throw new ImportError(
      `${source} is ${image.width}×${image.height}, the colour map ${size}×${size}: scale it to ${size}×${size} in the program that it comes from, or paint on a fresh export`,
    );
  }
  const coverage = atlasCoverage(avatar.head, size);
  const exports = [colorImage(maps.colorMap, coverage), colorImage(edited, coverage)];
  const data = new Uint8Array(size * size * 4);
  const most = image.bitDepth === 8 ? 255 : 65535;
  for (let texel = 0; texel < size * size; texel++) {
    const paint = [0, 1, 2].map((k) => Math.round((255 * image.data[texel * image.channels + (image.channels === 1 ? 0 : k)]) / most)); // prettier-ignore
    const isUntouched = exports.some((exported) => paint.every((value, k) => value === exported.data[texel * 4 + k]));
    const alpha = image.channels === 4 ? Math.round((255 * image.data[texel * 4 + 3]) / most) : 255;
    data.set([...paint, isUntouched || !coverage.isUsed[texel] ? 0 : alpha], texel * 4);
  }
  return { width: size, height: size, channels: 4, bitDepth: 8, data };
}
