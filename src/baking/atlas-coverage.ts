import type { HeadModel } from '../head/head-model.ts';
import { texelNeighbours } from './texel-neighbours.ts';

type Atlas = Pick<HeadModel, 'uvs' | 'uvTriangles' | 'triangleCount'>;

/** Which texels of a map matter, and where the others take their value from when it is shown to people. */
export interface AtlasCoverage {
  readonly size: number;
  /** size²: 1 where some point of the surface reads the texel (bilinearly), 0 elsewhere. */
  readonly isUsed: Uint8Array;
  /** size²: the nearest used texel; of a used one, itself. */
  readonly nearestUsed: Uint32Array;
}

/**
 * Texels that the atlas reads: those whose centre lies less than one texel, along both axes, from a triangle of the
 * atlas. Between charts the maps are not trained, so what they hold there means nothing.
 */
export function atlasCoverage(head: Atlas, size: number): AtlasCoverage {
  const isUsed = new Uint8Array(size * size);
  for (let triangle = 0; triangle < head.triangleCount; triangle++) markTriangle(head, triangle, size, isUsed);
  // What lies beyond the outermost texel centres is read from the border (`bilinearTexels` clamps).
  return { size, isUsed, nearestUsed: nearestUsed(isUsed, size) };
}

/** A plane of a map with unused texels taking the value of the nearest used one: filters then never meet a seam. */
export function dilate(plane: Float32Array, { nearestUsed: nearest }: AtlasCoverage): Float32Array {
  return Float32Array.from(nearest, (texel) => plane[texel]);
}

function markTriangle({ uvs, uvTriangles }: Atlas, triangle: number, size: number, isUsed: Uint8Array): void {
  const corners = [0, 1, 2].map((corner) => uvTriangles[triangle * 3 + corner] * 2);
  const x = corners.map((uv) => clamp(uvs[uv] * size - 0.5, size));
  const y = corners.map((uv) => clamp(uvs[uv + 1] * size - 0.5, size));
  const [firstColumn, lastColumn] = [Math.max(0, Math.floor(Math.min(...x))), Math.ceil(Math.max(...x))];
  const [firstRow, lastRow] = [Math.max(0, Math.floor(Math.min(...y))), Math.ceil(Math.max(...y))];
  for (let row = firstRow; row <= Math.min(size - 1, lastRow); row++) {
    for (let column = firstColumn; column <= Math.min(size - 1, lastColumn); column++) {
      if (!isUsed[row * size + column] && touches(x, y, column, row)) isUsed[row * size + column] = 1;
    }
  }
}

function clamp(value: number, size: number): number {
  return Math.max(0, Math.min(size - 1, value));
}

/** Whether a triangle meets the open square of ±1 around (column, row): separating axes are those of the three edges. */
function touches(x: readonly number[], y: readonly number[], column: number, row: number): boolean {
  if (Math.min(...x) >= column + 1 || Math.max(...x) <= column - 1) return false;
  if (Math.min(...y) >= row + 1 || Math.max(...y) <= row - 1) return false;
  for (let corner = 0; corner < 3; corner++) {
    const [next, other] = [(corner + 1) % 3, (corner + 2) % 3];
    const [normalX, normalY] = [y[next] - y[corner], x[corner] - x[next]];
    const inside = Math.sign(normalX * (x[other] - x[corner]) + normalY * (y[other] - y[corner]));
    const centre = normalX * (column - x[corner]) + normalY * (row - y[corner]);
    const reach = Math.abs(normalX) + Math.abs(normalY);
    if (inside !== 0 && inside * centre <= -reach) return false;
  }
  return true;
}

/** Breadth first from all used texels at once, left before right before up before down: the same on every machine. */
function nearestUsed(isUsed: Uint8Array, size: number): Uint32Array {
  const NONE = 0xffffffff;
  const nearest = new Uint32Array(size * size).fill(NONE);
  let front: number[] = [];
  isUsed.forEach((used, texel) => {
    if (!used) return;
    nearest[texel] = texel;
    front.push(texel);
  });
  while (front.length > 0) {
    const next: number[] = [];
    for (const texel of front) {
      for (const other of texelNeighbours(texel, size)) {
        if (nearest[other] !== NONE) continue;
        nearest[other] = nearest[texel];
        next.push(other);
      }
    }
    front = next;
  }
  return nearest.map((texel, index) => (texel === NONE ? index : texel));
}
