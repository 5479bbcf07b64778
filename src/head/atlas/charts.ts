/** A textured triangle mesh, as far as an atlas is concerned. */
export interface UvMesh {
  /** V×3 metres. */
  readonly vertices: Float32Array;
  /** T×3. */
  readonly triangles: Uint32Array;
  /** U×2, v downwards. May leave 0…1, overlap and be mirrored: charts are taken apart and laid out anew. */
  readonly uvs: Float32Array;
  /** T×3 into `uvs`. */
  readonly uvTriangles: Uint32Array;
}

/** A piece of surface that is connected in UV and nowhere folded over. */
export interface Chart {
  readonly triangles: readonly number[];
  /** True where the surface is seen from inside in UV: u must be turned round for paint to read the right way. */
  readonly mirrored: boolean;
}

/** UVs closer than this belong to one point: exporters cut charts along material borders without moving them apart. */
const UV_STEP = 1e-5;

/** Corner nodes, T×3: two corners share a node when they are one vertex at one UV position. */
export function cornerNodes({ triangles, uvs, uvTriangles }: UvMesh): Uint32Array {
  const nodes = new Uint32Array(triangles.length);
  const nodeOfKey = new Map<string, number>();
  for (let corner = 0; corner < triangles.length; corner++) {
    const uv = uvTriangles[corner];
    const key = `${triangles[corner]}/${Math.round(uvs[uv * 2] / UV_STEP)}/${Math.round(uvs[uv * 2 + 1] / UV_STEP)}`;
    let node = nodeOfKey.get(key);
    if (node === undefined) nodeOfKey.set(key, (node = nodeOfKey.size));
    nodes[corner] = node;
  }
  return nodes;
}

/**
 * Charts, in order of their first triangle: triangles joined across edges that they share both on the surface and in UV,
 * never across a fold (where the UV orientation turns over), so that stacked mirror halves come apart.
 */
export function findCharts(mesh: UvMesh): Chart[] {
  const triangleCount = mesh.triangles.length / 3;
  const nodes = cornerNodes(mesh);
  const areas = Float64Array.from({ length: triangleCount }, (_, triangle) => signedUvArea(mesh, triangle));
  const parents = Uint32Array.from({ length: triangleCount }, (_, triangle) => triangle);
  const find = (triangle: number): number => {
    while (parents[triangle] !== triangle) triangle = parents[triangle] = parents[parents[triangle]];
    return triangle;
  };
  const triangleOfEdge = new Map<string, number>();
  for (let triangle = 0; triangle < triangleCount; triangle++) {
    for (let side = 0; side < 3; side++) {
      const a = nodes[triangle * 3 + side];
      const b = nodes[triangle * 3 + ((side + 1) % 3)];
      const key = a < b ? `${a}-${b}` : `${b}-${a}`;
      const other = triangleOfEdge.get(key);
      if (other === undefined) triangleOfEdge.set(key, triangle);
      else if (areas[triangle] * areas[other] >= 0) {
        const [low, high] = [find(triangle), find(other)].toSorted((x, y) => x - y);
        parents[high] = low;
      }
    }
  }
  const members = new Map<number, number[]>();
  for (let triangle = 0; triangle < triangleCount; triangle++) {
    const root = find(triangle);
    const list = members.get(root);
    if (list) list.push(triangle);
    else members.set(root, [triangle]);
  }
  return [...members.values()].map((triangles) => ({
    triangles,
    // With v downwards a triangle that is counter-clockwise from outside runs clockwise in UV: negative area.
    mirrored: triangles.reduce((sum, triangle) => sum + areas[triangle], 0) > 0,
  }));
}

/** Twice the area, signed. */
function signedUvArea({ uvs, uvTriangles }: UvMesh, triangle: number): number {
  const [a, b, c] = [
    uvTriangles[triangle * 3] * 2,
    uvTriangles[triangle * 3 + 1] * 2,
    uvTriangles[triangle * 3 + 2] * 2,
  ];
  return (uvs[b] - uvs[a]) * (uvs[c + 1] - uvs[a + 1]) - (uvs[b + 1] - uvs[a + 1]) * (uvs[c] - uvs[a]);
}

/** Metric area of a triangle in the units of `vertices`, squared. */
export function surfaceArea({ vertices, triangles }: Pick<UvMesh, 'vertices' | 'triangles'>, triangle: number): number {
  const [a, b, c] = [triangles[triangle * 3] * 3, triangles[triangle * 3 + 1] * 3, triangles[triangle * 3 + 2] * 3];
  const [ux, uy, uz] = [
    vertices[b] - vertices[a],
    vertices[b + 1] - vertices[a + 1],
    vertices[b + 2] - vertices[a + 2],
  ];
  const [vx, vy, vz] = [
    vertices[c] - vertices[a],
    vertices[c + 1] - vertices[a + 1],
    vertices[c + 2] - vertices[a + 2],
  ];
  return Math.hypot(uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx) / 2;
}

/** |area| in UV, 0…1 squared. */
export function uvArea(mesh: UvMesh, triangle: number): number {
  return Math.abs(signedUvArea(mesh, triangle)) / 2;
}

/** Chart number of each UV of a packed atlas (UVs that triangles join), as the smallest UV index in it. */
export function cornerCharts(uvTriangles: Uint32Array, uvCount: number): Uint32Array {
  const parents = Uint32Array.from({ length: uvCount }, (_, uv) => uv);
  const find = (uv: number): number => {
    while (parents[uv] !== uv) uv = parents[uv] = parents[parents[uv]];
    return uv;
  };
  for (let corner = 0; corner < uvTriangles.length; corner++) {
    const [low, high] = [find(uvTriangles[corner]), find(uvTriangles[corner - (corner % 3)])].toSorted((a, b) => a - b);
    parents[high] = low;
  }
  return parents.map((_, uv) => find(uv));
}
