/** Which vertices of a mesh share an edge, as compressed rows. */
export interface VertexAdjacency {
  /** V+1: neighbours of vertex v stand at `starts[v]` … `starts[v + 1] − 1`. */
  readonly starts: Uint32Array;
  /** Ascending within a vertex, each neighbour once. */
  readonly neighbours: Uint32Array;
}

/**
 * Adjacency of a triangle mesh (`triangles`: T×3 vertex indices). The uniform Laplacian of a field x on it is
 * L(x)_v = x_v − mean of x over v's neighbours; 0 for a vertex without any.
 */
export function vertexAdjacency(triangles: Uint32Array, vertexCount: number): VertexAdjacency {
  const rows: Set<number>[] = Array.from({ length: vertexCount }, () => new Set());
  for (let corner = 0; corner < triangles.length; corner += 3) {
    for (let side = 0; side < 3; side++) {
      const from = triangles[corner + side];
      const to = triangles[corner + ((side + 1) % 3)];
      if (from >= vertexCount || to >= vertexCount) {
        throw new RangeError(
          `triangles[${corner + side}]: edge ${from}–${to} names a vertex that a mesh of ${vertexCount} vertices lacks.`,
        );
      }
      if (from === to) continue;
      rows[from].add(to);
      rows[to].add(from);
    }
  }
  const starts = new Uint32Array(vertexCount + 1);
  rows.forEach((row, vertex) => {
    starts[vertex + 1] = starts[vertex] + row.size;
  });
  const neighbours = new Uint32Array(starts[vertexCount]);
  rows.forEach((row, vertex) =>
    neighbours.set(
      [...row].sort((a, b) => a - b),
      starts[vertex],
    ),
  );
  return { starts, neighbours };
}

/** L(x) for V×3 `values`: each vertex minus the mean of its neighbours. */
export function uniformLaplacian(adjacency: VertexAdjacency, values: ArrayLike<number>): Float64Array {
  const { starts, neighbours } = adjacency;
  const laplacian = new Float64Array(values.length);
  for (let vertex = 0; vertex + 1 < starts.length; vertex++) {
    const count = starts[vertex + 1] - starts[vertex];
    if (count === 0) continue;
    for (let axis = 0; axis < 3; axis++) {
      let sum = 0;
      for (let i = starts[vertex]; i < starts[vertex + 1]; i++) sum += values[neighbours[i] * 3 + axis];
      laplacian[vertex * 3 + axis] = values[vertex * 3 + axis] - sum / count;
    }
  }
  return laplacian;
}

/** Mean length of a mesh's edges, in the unit of its vertices (V×3). */
export function meanEdgeLength(vertices: ArrayLike<number>, { starts, neighbours }: VertexAdjacency): number {
  let sum = 0;
  for (let vertex = 0; vertex + 1 < starts.length; vertex++) {
    for (let at = starts[vertex]; at < starts[vertex + 1]; at++) {
      const other = neighbours[at];
      sum += Math.hypot(...[0, 1, 2].map((axis) => vertices[vertex * 3 + axis] - vertices[other * 3 + axis]));
    }
  }
  return sum / Math.max(1, neighbours.length);
}
