/**
 * Unit normals, V×3, each the mean of its triangles' normals weighted by area. With `welded` (V: `weldVertices`), vertices
 * that are one share theirs.
 */
export function smoothNormals(vertices: Float32Array, triangles: Uint32Array, welded?: Uint32Array): Float32Array {
  const sums = new Float32Array(vertices.length);
  const firstOf = (vertex: number): number => (welded ? welded[vertex] : vertex) * 3;
  for (let corner = 0; corner < triangles.length; corner += 3) {
    const [first, second, third] = [triangles[corner], triangles[corner + 1], triangles[corner + 2]];
    const [a, b, c] = [first * 3, second * 3, third * 3];
    const ux = vertices[b] - vertices[a];
    const uy = vertices[b + 1] - vertices[a + 1];
    const uz = vertices[b + 2] - vertices[a + 2];
    const vx = vertices[c] - vertices[a];
    const vy = vertices[c + 1] - vertices[a + 1];
    const vz = vertices[c + 2] - vertices[a + 2];
    const nx = uy * vz - uz * vy;
    const ny = uz * vx - ux * vz;
    const nz = ux * vy - uy * vx;
    for (const vertex of [first, second, third]) {
      const at = firstOf(vertex);
      sums[at] += nx;
      sums[at + 1] += ny;
      sums[at + 2] += nz;
    }
  }
  const normals = new Float32Array(vertices.length);
  for (let at = 0; at < normals.length; at += 3) {
    const from = firstOf(at / 3);
    const length = Math.hypot(sums[from], sums[from + 1], sums[from + 2]) || 1;
    for (let axis = 0; axis < 3; axis++) normals[at + axis] = sums[from + axis] / length;
  }
  return normals;
}
