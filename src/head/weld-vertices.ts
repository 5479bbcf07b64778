/** Vertices closer than this, metres, are one. */
const WELD_STEP = 1e-6;

/** V: the first vertex at the same position: meshes repeat vertices where materials meet. */
export function weldVertices(vertices: Float32Array): Uint32Array {
  const firstAt = new Map<string, number>();
  return Uint32Array.from({ length: vertices.length / 3 }, (_, vertex) => {
    const [x, y, z] = [0, 1, 2].map((axis) => Math.round(vertices[vertex * 3 + axis] / WELD_STEP));
    const key = `${x},${y},${z}`;
    const first = firstAt.get(key);
    if (first === undefined) firstAt.set(key, vertex);
    return first ?? vertex;
  });
}
