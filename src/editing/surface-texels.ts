import { bilinearTexels } from '../baking/attribute-maps.ts';
import { pointAt, type Vector } from '../head/builtin/vector.ts';
import { placeNormal, type HeadSurface } from './head-surface.ts';

/**
 * Texels of a size² atlas that show the head, with the point of the surface that each shows: what layers paint.
 * Texel row · size + column has its centre at uv ((column + 0.5)/size, (row + 0.5)/size).
 */
export interface SurfaceTexels {
  readonly size: number;
  readonly count: number;
  /** N: row · size + column, ascending. */
  readonly indices: Uint32Array;
  /** N: the triangle that the texel lies in or, in the gutter between charts, next to. */
  readonly triangles: Uint32Array;
  /** N×3 weights of its corners; in the gutter they leave 0…1. */
  readonly barycentrics: Float32Array;
  /** N×3 metres, head space. */
  readonly positions: Float32Array;
}

export interface TexelOptions {
  /** Which triangles; default all. */
  readonly triangles?: Iterable<number>;
  /** Texels outside the charts that belong to the nearest one: readers at a chart's border meet them. Default 2. */
  readonly gutter?: number;
}

export function surfaceTexels(surface: HeadSurface, size: number, options: TexelOptions = {}): SurfaceTexels {
  const { head } = surface;
  const owner = new Int32Array(size * size).fill(-1);
  const depths = new Float32Array(size * size);
  const gutter = options.gutter ?? 2;
  for (const triangle of options.triangles ?? Array(head.triangleCount).keys()) {
    forEachTexel(surface, triangle, size, gutter, (texel, depth) => {
      if (owner[texel] >= 0 && depth <= depths[texel]) return;
      owner[texel] = triangle;
      depths[texel] = depth;
    });
  }
  const indices = Uint32Array.from([...owner.keys()].filter((texel) => owner[texel] >= 0));
  const triangles = Uint32Array.from(indices, (texel) => owner[texel]);
  const barycentrics = new Float32Array(indices.length * 3);
  const positions = new Float32Array(indices.length * 3);
  indices.forEach((texel, index) => {
    const weights = uvWeights(
      surface,
      triangles[index],
      ((texel % size) + 0.5) / size,
      (Math.floor(texel / size) + 0.5) / size,
    );
    barycentrics.set(weights, index * 3);
    for (let corner = 0; corner < 3; corner++) {
      const vertex = head.triangles[triangles[index] * 3 + corner] * 3;
      for (let axis = 0; axis < 3; axis++)
        positions[index * 3 + axis] += weights[corner] * surface.vertices[vertex + axis];
    }
  });
  return { size, count: indices.length, indices, triangles, barycentrics, positions };
}

/** Those of the texels for which `keep` is not zero. */
export function selectTexels(texels: SurfaceTexels, keep: ArrayLike<number>): SurfaceTexels {
  const kept = [...Array(texels.count).keys()].filter((index) => keep[index]);
  const take3 = (values: Float32Array): Float32Array => {
    const taken = new Float32Array(kept.length * 3);
    kept.forEach((index, at) => taken.set(values.subarray(index * 3, index * 3 + 3), at * 3));
    return taken;
  };
  return {
    size: texels.size,
    count: kept.length,
    indices: Uint32Array.from(kept, (index) => texels.indices[index]),
    triangles: Uint32Array.from(kept, (index) => texels.triangles[index]),
    barycentrics: take3(texels.barycentrics),
    positions: take3(texels.positions),
  };
}

export function texelUv({ size, indices }: SurfaceTexels, index: number): [number, number] {
  const texel = indices[index];
  return [((texel % size) + 0.5) / size, (Math.floor(texel / size) + 0.5) / size];
}

/** Smooth unit normal of the surface at a texel. */
export function texelNormal(surface: HeadSurface, texels: SurfaceTexels, index: number): Vector {
  return placeNormal(surface, { triangle: texels.triangles[index], barycentric: pointAt(texels.barycentrics, index) });
}

/** A map of one channel over the atlas, read at texels of any size. */
export function readPlane(plane: Float32Array, size: number, texels: SurfaceTexels): Float32Array {
  return Float32Array.from({ length: texels.count }, (_, index) => {
    const [u, v] = texelUv(texels, index);
    return bilinearTexels(size, u, v).reduce((sum, { texel, weight }) => sum + weight * plane[texel], 0);
  });
}

/** Weights of a triangle's corners at a point of the atlas. */
function uvWeights({ head }: HeadSurface, triangle: number, u: number, v: number): Vector {
  const { uvs, uvTriangles } = head;
  const [a, b, c] = [0, 1, 2].map((corner) => uvTriangles[triangle * 3 + corner] * 2);
  const area = (uvs[b] - uvs[a]) * (uvs[c + 1] - uvs[a + 1]) - (uvs[b + 1] - uvs[a + 1]) * (uvs[c] - uvs[a]);
  const wa = ((uvs[b] - u) * (uvs[c + 1] - v) - (uvs[b + 1] - v) * (uvs[c] - u)) / area;
  const wb = ((uvs[c] - u) * (uvs[a + 1] - v) - (uvs[c + 1] - v) * (uvs[a] - u)) / area;
  return [wa, wb, 1 - wa - wb];
}

/** Visits texels no further than `gutter` outside a triangle, with how deep inside they are (in texels, below 0 outside). */
function forEachTexel(
  { head }: HeadSurface,
  triangle: number,
  size: number,
  gutter: number,
  visit: (texel: number, depth: number) => void,
): void {
  const corners = [0, 1, 2].map((corner) => head.uvTriangles[triangle * 3 + corner] * 2);
  const [ax, bx, cx] = corners.map((uv) => head.uvs[uv] * size);
  const [ay, by, cy] = corners.map((uv) => head.uvs[uv + 1] * size);
  const area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
  if (area === 0) return;
  const sign = Math.sign(area);
  const lengths = [Math.hypot(bx - ax, by - ay), Math.hypot(cx - bx, cy - by), Math.hypot(ax - cx, ay - cy)];
  const [left, top] = [Math.floor(Math.min(ax, bx, cx) - gutter), Math.floor(Math.min(ay, by, cy) - gutter)];
  const [right, bottom] = [Math.ceil(Math.max(ax, bx, cx) + gutter), Math.ceil(Math.max(ay, by, cy) + gutter)];
  for (let row = Math.max(0, top); row < Math.min(size, bottom); row++) {
    for (let column = Math.max(0, left); column < Math.min(size, right); column++) {
      const [x, y] = [column + 0.5, row + 0.5];
      const depth = Math.min(
        (sign * ((bx - ax) * (y - ay) - (by - ay) * (x - ax))) / lengths[0],
        (sign * ((cx - bx) * (y - by) - (cy - by) * (x - bx))) / lengths[1],
        (sign * ((ax - cx) * (y - cy) - (ay - cy) * (x - cx))) / lengths[2],
      );
      if (depth >= -gutter) visit(row * size + column, depth);
    }
  }
}
