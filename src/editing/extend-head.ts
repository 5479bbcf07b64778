import type { Avatar } from '../avatar/avatar.ts';
import { triangleSizesReference } from '../binding/placement.reference.ts';
import type { HeadSurface } from './head-surface.ts';

/** An avatar with more of a mesh, and where its new triangles are. */
export interface ExtendedAvatar {
  readonly avatar: Avatar;
  /** Of the triangles of the surface that were asked for: their numbers on the longer mesh. */
  readonly triangleOf: ReadonlyMap<number, number>;
}

/**
 * Adds a copy of some triangles of the smooth surface to the avatar's mesh, in the same places and with the same parts and
 * atlas, but with the surface's smooth motion: Gaussians bound to the copy move as skin, not as single fitted vertices.
 */
export function extendHead(avatar: Avatar, surface: HeadSurface, triangles: Iterable<number>): ExtendedAvatar {
  const { head } = avatar;
  const chosen = [...new Set(triangles)].toSorted((a, b) => a - b);
  const sources = [...new Set(chosen.flatMap((triangle) => [...head.triangles.subarray(triangle * 3, triangle * 3 + 3)]))]; // prettier-ignore
  const copyOf = new Map(sources.map((vertex, index) => [vertex, head.vertexCount + index]));
  const corners = (triangle: number): number[] =>
    [...head.triangles.subarray(triangle * 3, triangle * 3 + 3)].map((vertex) => copyOf.get(vertex)!);
  const sizes = triangleSizesReference(head.triangles, surface.vertices);
  const smooth = surface.head;
  return {
    avatar: {
      ...avatar,
      head: {
        ...head,
        vertexCount: head.vertexCount + sources.length,
        triangleCount: head.triangleCount + chosen.length,
        templateVertices: withRows(head.templateVertices, smooth.templateVertices, head.vertexCount, 3, sources),
        expressionBasis: withRows(head.expressionBasis, smooth.expressionBasis, head.vertexCount, 3, sources),
        poseCorrectives:
          head.poseCorrectives && withRows(head.poseCorrectives, smooth.poseCorrectives!, head.vertexCount, 3, sources),
        skinningWeights: withRows(head.skinningWeights, smooth.skinningWeights, head.vertexCount, head.joints.length, sources), // prettier-ignore
        triangles: Uint32Array.from([...head.triangles, ...chosen.flatMap(corners)]),
        uvTriangles: Uint32Array.from([
          ...head.uvTriangles,
          ...chosen.flatMap((triangle) => [...head.uvTriangles.subarray(triangle * 3, triangle * 3 + 3)]),
        ]),
        triangleRegions: Uint8Array.from([
          ...head.triangleRegions,
          ...chosen.map((triangle) => head.triangleRegions[triangle]),
        ]),
      },
      vertexOffset: withRows(avatar.vertexOffset, surface.vertexOffset, head.vertexCount, 3, sources),
      canonicalSizes: Float32Array.from([...avatar.canonicalSizes, ...chosen.map((triangle) => sizes[triangle])]),
    },
    triangleOf: new Map(chosen.map((triangle, index) => [triangle, head.triangleCount + index])),
  };
}

/** K×V×floats rows with those of some vertices of another array of the same shape put behind each. */
function withRows(
  own: Float32Array,
  other: Float32Array,
  vertexCount: number,
  floats: number,
  sources: readonly number[],
): Float32Array {
  const stride = vertexCount * floats;
  const count = own.length / stride;
  const longer = new Float32Array(count * (vertexCount + sources.length) * floats);
  for (let row = 0; row < count; row++) {
    const start = row * (vertexCount + sources.length) * floats;
    longer.set(own.subarray(row * stride, (row + 1) * stride), start);
    sources.forEach((vertex, index) => {
      const from = row * stride + vertex * floats;
      longer.set(other.subarray(from, from + floats), start + stride + index * floats);
    });
  }
  return longer;
}
