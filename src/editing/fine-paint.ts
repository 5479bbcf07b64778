import { bilinearTexels } from '../baking/attribute-maps.ts';
import { length, pointAt, subtract, type Vector } from '../head/builtin/vector.ts';
import type { Image } from '../video/frame.ts';
import type { LayerPainter, Reach } from './layer-painter.ts';
import type { PaintContext } from './make-painter.ts';
import { PointGrid } from './point-grid.ts';

/** Change from one texel of the maps to the next, beyond the change below it, that the avatar's Gaussians would smear. */
const SHARP = 0.15;
/** How far from such a change paint is drawn finely, metres: about a Gaussian's standard deviation. */
const NEAR = 0.003;
/** Sharp places are gathered in cubes of this edge, metres. */
const CELL = 0.012;

/** Where a picture over the atlas changes faster than the avatar's Gaussians can show. */
export function finePaint(context: PaintContext, image: Image): Pick<LayerPainter, 'fineParts' | 'isFine'> {
  const { texels, surface } = context;
  const isSharp = sharpTexels(context, image);
  const bySheet = new Map<number, number[]>();
  texels.indices.forEach((texel, index) => {
    if (!isSharp[texel]) return;
    const sheet = surface.sheets[texels.triangles[index]];
    const members = bySheet.get(sheet);
    if (members) members.push(index);
    else bySheet.set(sheet, [index]);
  });
  const grids = new Map<number, PointGrid>();
  const fineParts: Reach[] = [];
  for (const [sheet, members] of bySheet) {
    const places = members.map((index) => pointAt(texels.positions, index));
    grids.set(sheet, new PointGrid(Float32Array.from(places.flat()), NEAR));
    fineParts.push(...gather(places, sheet));
  }
  return {
    fineParts,
    isFine: ({ triangles, positions, count }) =>
      Uint8Array.from({ length: count }, (_, index) => {
        const grid = grids.get(surface.sheets[triangles[index]]);
        return grid && grid.distance(pointAt(positions, index), NEAR) <= NEAR ? 1 : 0;
      }),
  };
}

/** size²: 1 where the picture, on what lies below, is more of an edge than that is. */
function sharpTexels({ maps, texels, below }: PaintContext, image: Image): Uint8Array {
  const { size } = maps;
  const isSharp = new Uint8Array(size * size);
  const base = denseColors(maps.colorMap, size, texels.indices, below);
  const { width, height, channels, data } = image;
  const [stepX, stepY] = [width, height].map((edge) => Math.max(1, Math.round(edge / size)));
  const coverage = (x: number, y: number): number => (channels === 4 ? data[(y * width + x) * 4 + 3] / 255 : 1);
  const colorsAt = (x: number, y: number): readonly [below: Float64Array, painted: Float64Array] => {
    const under = new Float64Array(3);
    for (const { texel, weight } of bilinearTexels(size, (x + 0.5) / width, (y + 0.5) / height))
      for (let k = 0; k < 3; k++) under[k] += weight * base[k * size * size + texel];
    const alpha = coverage(x, y);
    return [under, under.map((value, k) => value + alpha * (data[(y * width + x) * channels + k] / 255 - value))];
  };
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (const [nextX, nextY] of [[x + stepX, y], [x, y + stepY]]) {
        if (nextX >= width || nextY >= height || (coverage(x, y) === 0 && coverage(nextX, nextY) === 0)) continue;
        const [here, there] = [colorsAt(x, y), colorsAt(nextX, nextY)];
        const change = (at: 0 | 1): number => Math.max(...here[at].map((value, k) => Math.abs(value - there[at][k])));
        if (change(1) - change(0) <= SHARP) continue;
        for (const [px, py] of [[x, y], [nextX, nextY]])
          isSharp[Math.floor((py * size) / height) * size + Math.floor((px * size) / width)] = 1;
      }
    }
  } // prettier-ignore
  return isSharp;
}

/** 3×size²: the baked colours, with those of the layers below where the head is. */
function denseColors(colorMap: Float32Array, size: number, indices: Uint32Array, below: Float32Array): Float32Array {
  const colors = colorMap.slice();
  indices.forEach((texel, index) => {
    for (let k = 0; k < 3; k++) colors[k * size * size + texel] = below[index * 3 + k];
  });
  return colors;
}

function gather(places: readonly Vector[], sheet: number): Reach[] {
  const cells = new Map<string, Vector[]>();
  for (const place of places) {
    const key = place.map((value) => Math.floor(value / CELL)).join();
    const members = cells.get(key);
    if (members) members.push(place);
    else cells.set(key, [place]);
  }
  return [...cells.values()].map((members) => {
    const centre = [0, 1, 2].map((axis) => members.reduce((sum, place) => sum + place[axis], 0) / members.length) as unknown as Vector; // prettier-ignore
    const radius = Math.max(...members.map((place) => length(subtract(place, centre)))) + NEAR;
    return { centre, radius, sheet };
  });
}
