import { atlasCoverage } from '../baking/atlas-coverage.ts';
import type { AttributeMaps, MappedAttributes } from '../baking/attribute-maps.ts';
import type { HeadModel } from '../head/head-model.ts';
import type { Image } from '../video/frame.ts';
import type { Canvas } from './canvas.ts';
import { contactSheet } from './sheets.ts';

const SIGMA = 2.5;

/** `maps.png`: each map as a picture; colour as it is, opacity from black to white, the others over their own spread. */
export function mapSheet(
  maps: AttributeMaps,
  head: Pick<HeadModel, 'uvs' | 'uvTriangles' | 'triangleCount'>,
  mapped: MappedAttributes,
  cellSize = 384,
): Canvas {
  const { isUsed } = atlasCoverage(head, maps.size);
  const picture = (map: Float32Array, level: (value: number, channel: number) => number): Image =>
    mapPicture(map, maps.size, isUsed, level);
  const spread = (map: Float32Array): Image => picture(map, spreadOf(map, maps.size, isUsed));
  const cells = [
    { caption: 'colour', image: picture(maps.colorMap, (value) => value) },
    { caption: 'opacity', image: picture(maps.opacityMap, (logit) => 1 / (1 + Math.exp(-logit))) },
  ];
  if (mapped === 'all') {
    cells.push(
      { caption: 'scale (log)', image: spread(maps.scaleMap) },
      { caption: 'rotation', image: spread(maps.rotationMap) },
      { caption: 'offset', image: spread(maps.offsetMap) },
    );
  }
  return contactSheet(cells, { columns: Math.min(3, cells.length), cellSize });
}

/** Level 0…1 of each channel's value, from −2.5 to 2.5 standard deviations round its mean over the used texels. */
function spreadOf(map: Float32Array, size: number, isUsed: Uint8Array): (value: number, channel: number) => number {
  const plane = size * size;
  const statistics = Array.from({ length: map.length / plane }, (_, channel) => {
    const used = map.subarray(channel * plane, (channel + 1) * plane).filter((_value, texel) => isUsed[texel] === 1);
    const mean = used.reduce((sum, value) => sum + value, 0) / Math.max(1, used.length);
    const square = used.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, used.length);
    return { mean, deviation: Math.sqrt(square) || 1 };
  });
  return (value, channel) => {
    const { mean, deviation } = statistics[channel]!;
    return 0.5 + (value - mean) / (2 * SIGMA * deviation);
  };
}

/** RGB of a map of one or three channels; unused texels white. */
function mapPicture(
  map: Float32Array,
  size: number,
  isUsed: Uint8Array,
  level: (value: number, channel: number) => number,
): Image {
  const plane = size * size;
  const channels = map.length / plane;
  const data = new Uint8Array(plane * 3).fill(255);
  for (let texel = 0; texel < plane; texel++) {
    if (isUsed[texel] === 0) continue;
    for (let color = 0; color < 3; color++) {
      const channel = Math.min(color, channels - 1);
      data[texel * 3 + color] = Math.round(
        255 * Math.max(0, Math.min(1, level(map[channel * plane + texel]!, channel))),
      );
    }
  }
  return { width: size, height: size, channels: 3, data };
}
