import { placeAtUv, placePosition, type HeadSurface } from './head-surface.ts';
import { EditError, type StickerLayer } from './layers.ts';
import type { LayerPainter } from './layer-painter.ts';
import { readPicture, type Picture } from './picture.ts';
import { surfaceCoordinates, type SurfaceCoordinates } from './surface-coordinates.ts';
import type { SurfaceTexels } from './surface-texels.ts';

/** Samples along each axis of a texel: what a sharp edge is smoothed over. */
const SAMPLES = 3;
/** Vertices are needed a triangle beyond the sticker's corners, metres. */
const MARGIN = 0.012;

/** Lays a picture on the skin, flat and in metres, by the exponential map round its anchor. */
export function stickerPainter(surface: HeadSurface, layer: StickerLayer, picture: Picture): LayerPainter {
  const [u, v] = layer.at;
  const anchor = placeAtUv(surface.head, u, v);
  if (!anchor) {
    throw new EditError(
      `sticker "${layer.name}": uv ${u},${v} lies outside the charts of the atlas, where no head is; see baked/uv-regions.png, or place it with --pick or --on`,
    );
  }
  const height = (layer.size * picture.height) / picture.width;
  const reach = Math.hypot(layer.size, height) / 2;
  const turn = (layer.turn * Math.PI) / 180;
  const coordinates = surfaceCoordinates(surface, anchor, { radius: reach + MARGIN, turn });
  const reached = new Set(coordinates.triangles);
  const centre = placePosition(surface, anchor);
  return {
    fineParts: [{ centre, radius: reach, sheet: surface.sheets[anchor.triangle] }],
    paint(texels) {
      const color = new Float32Array(texels.count * 3);
      const alpha = new Float32Array(texels.count);
      const frames = new Map<number, TriangleMap>();
      for (let index = 0; index < texels.count; index++) {
        const triangle = texels.triangles[index];
        if (!reached.has(triangle)) continue;
        let frame = frames.get(triangle);
        if (!frame) frames.set(triangle, (frame = triangleMap(surface, coordinates, triangle)));
        const rgba = sampleTexel(picture, frame, texels, index, layer.size, height);
        alpha[index] = rgba[3];
        for (let k = 0; k < 3; k++) color[index * 3 + k] = rgba[3] > 0 ? rgba[k] / rgba[3] : 0;
      }
      return { color, alpha };
    },
  };
}

/** A triangle's linear map from the atlas to metres on the sticker: xy = offset + columns · uv. */
interface TriangleMap {
  readonly offset: readonly [number, number];
  readonly perU: readonly [number, number];
  readonly perV: readonly [number, number];
}

function triangleMap({ head }: HeadSurface, { xy }: SurfaceCoordinates, triangle: number): TriangleMap {
  const [a, b, c] = [0, 1, 2].map((corner) => head.uvTriangles[triangle * 3 + corner] * 2);
  const [p, q, r] = [0, 1, 2].map((corner) => head.triangles[triangle * 3 + corner] * 2);
  const { uvs } = head;
  const [bu, bv, cu, cv] = [uvs[b] - uvs[a], uvs[b + 1] - uvs[a + 1], uvs[c] - uvs[a], uvs[c + 1] - uvs[a + 1]];
  const area = bu * cv - bv * cu || Number.NaN;
  const solve = (axis: number): [number, number] => {
    const [db, dc] = [xy[q + axis] - xy[p + axis], xy[r + axis] - xy[p + axis]];
    return [(db * cv - dc * bv) / area, (dc * bu - db * cu) / area];
  };
  const [xu, xv] = solve(0);
  const [yu, yv] = solve(1);
  return {
    offset: [xy[p] - xu * uvs[a] - xv * uvs[a + 1], xy[p + 1] - yu * uvs[a] - yv * uvs[a + 1]],
    perU: [xu, yu],
    perV: [xv, yv],
  };
}

/** Mean over the texel's square, premultiplied. */
function sampleTexel(
  picture: Picture,
  { offset, perU, perV }: TriangleMap,
  { size, indices }: SurfaceTexels,
  index: number,
  width: number,
  height: number,
): [number, number, number, number] {
  const sum: [number, number, number, number] = [0, 0, 0, 0];
  const texel = indices[index];
  const step = 1 / (size * SAMPLES);
  const footprint = (Math.sqrt(Math.abs(perU[0] * perV[1] - perU[1] * perV[0])) * step) / width;
  for (let sample = 0; sample < SAMPLES * SAMPLES; sample++) {
    const u = (texel % size) / size + ((sample % SAMPLES) + 0.5) * step;
    const v = Math.floor(texel / size) / size + (Math.floor(sample / SAMPLES) + 0.5) * step;
    const x = offset[0] + perU[0] * u + perV[0] * v;
    const y = offset[1] + perU[1] * u + perV[1] * v;
    const rgba = readPicture(picture, x / width + 0.5, 0.5 - y / height, footprint);
    for (let k = 0; k < 4; k++) sum[k] += rgba[k] / (SAMPLES * SAMPLES);
  }
  return sum;
}
