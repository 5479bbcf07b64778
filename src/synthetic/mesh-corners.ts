import { smoothNormals } from '../head/mesh-normals.ts';
import type { Image } from '../video/frame.ts';

/** A triangle mesh. A `HeadModel` with posed vertices is one: `{ ...head, vertices }`. */
export interface Mesh {
  /** V×3 metres. */
  readonly vertices: Float32Array;
  /** T×3, counter-clockwise seen from outside. */
  readonly triangles: Uint32Array;
  /** U×2, origin at the top left; needed by a material with `albedo`. */
  readonly uvs?: Float32Array;
  /** T×3 indices into `uvs`; `triangles` when left out. */
  readonly uvTriangles?: Uint32Array;
}

/** How a mesh looks. Colours are sRGB-encoded 0…1 and multiply each other where several are given. */
export interface Material {
  /** One colour for the whole mesh. Default white. */
  readonly color?: readonly [number, number, number];
  /** V×3. */
  readonly vertexColors?: Float32Array;
  /** T×3. */
  readonly triangleColors?: Float32Array;
  /** Texture; one with 4 channels is cut out where its alpha is below one half. */
  readonly albedo?: Image;
  /** Strength of the highlight: one value, or one per triangle. Default 0.05. */
  readonly gloss?: number | Float32Array;
  /** Blinn exponent of the highlight. Default 20. */
  readonly shininess?: number;
  /** Draw back faces too, with their normals turned. Default false. */
  readonly isDoubleSided?: boolean;
}

export interface MeshPart {
  readonly mesh: Mesh;
  readonly material?: Material;
}

/** Floats per triangle corner: position 3, normal 3, uv 2, colour 3, gloss 1. */
export const CORNER_FLOATS = 12;

/** One record of `CORNER_FLOATS` per triangle corner. */
export function packCorners({ mesh, material = {} }: MeshPart): Float32Array {
  const { vertices, triangles, uvs, uvTriangles = triangles } = mesh;
  const { color = [1, 1, 1], vertexColors, triangleColors, gloss = 0.05 } = material;
  if (material.albedo && !uvs) throw new TypeError('material.albedo is given, but the mesh has no uvs.');
  const normals = smoothNormals(vertices, triangles);
  const packed = new Float32Array(triangles.length * CORNER_FLOATS);
  for (let corner = 0; corner < triangles.length; corner++) {
    const vertex = triangles[corner] * 3;
    const triangle = Math.floor(corner / 3);
    const at = corner * CORNER_FLOATS;
    for (let k = 0; k < 3; k++) {
      packed[at + k] = vertices[vertex + k];
      packed[at + 3 + k] = normals[vertex + k];
      packed[at + 8 + k] = color[k] * (vertexColors?.[vertex + k] ?? 1) * (triangleColors?.[triangle * 3 + k] ?? 1);
    }
    if (uvs) {
      packed[at + 6] = uvs[uvTriangles[corner] * 2];
      packed[at + 7] = uvs[uvTriangles[corner] * 2 + 1];
    }
    packed[at + 11] = typeof gloss === 'number' ? gloss : gloss[triangle];
  }
  return packed;
}
