import type { Silhouette } from './silhouettes.ts';

/** size²: 1 where a silhouette's mesh covers a pixel's middle. */
export function meshMask({ frame, vertices, size }: Silhouette, triangles: Uint32Array): Uint8Array {
  const { focalX, focalY, principalX, principalY } = frame.camera;
  const mask = new Uint8Array(size * size);
  const column = (vertex: number): number =>
    principalX + (focalX * vertices[vertex * 3]!) / vertices[vertex * 3 + 2]! - 0.5;
  const row = (vertex: number): number =>
    principalY + (focalY * vertices[vertex * 3 + 1]!) / vertices[vertex * 3 + 2]! - 0.5;
  for (let at = 0; at < triangles.length; at += 3) {
    const corners = [triangles[at]!, triangles[at + 1]!, triangles[at + 2]!];
    if (corners.some((vertex) => !(vertices[vertex * 3 + 2]! > 0))) continue;
    const [x, y] = [corners.map(column), corners.map(row)];
    const [left, right] = [Math.max(0, Math.ceil(Math.min(...x))), Math.min(size - 1, Math.floor(Math.max(...x)))];
    const [top, bottom] = [Math.max(0, Math.ceil(Math.min(...y))), Math.min(size - 1, Math.floor(Math.max(...y)))];
    for (let v = top; v <= bottom; v++) {
      for (let u = left; u <= right; u++) if (holdsPoint(x, y, u, v)) mask[v * size + u] = 1;
    }
  }
  return mask;
}

/** Whether a point lies on one side of all three edges, whichever way round the triangle is seen. */
function holdsPoint(x: readonly number[], y: readonly number[], u: number, v: number): boolean {
  const sides = [0, 1, 2].map((k) => {
    const next = (k + 1) % 3;
    return (x[next]! - x[k]!) * (v - y[k]!) - (y[next]! - y[k]!) * (u - x[k]!);
  });
  return sides.every((side) => side >= 0) || sides.every((side) => side <= 0);
}
