import type { HeadModel } from '../head/head-model.ts';

/** How far barycentrics may leave 0…1: a small triangle's plane soon parts from the surface when the face moves. */
const BEYOND = 1;

/** Moves places about in the planes of a head's triangles. */
export class TrianglePlanes {
  readonly #head: Pick<HeadModel, 'triangles'>;
  readonly #vertices: Float32Array;

  constructor(head: Pick<HeadModel, 'triangles'>, vertices: Float32Array) {
    this.#head = head;
    this.#vertices = vertices;
  }

  /** Barycentrics of a place moved by metres along the triangle's tangent axes (edge, and its cross product with the normal). */
  moved(
    triangle: number,
    barycentric: ArrayLike<number>,
    [along, across]: readonly [number, number],
  ): [number, number, number] {
    const [length, x, y] = this.#shape(triangle);
    // Corners lie at (0, 0), (length, 0) and (x, y) of the tangent axes.
    const third = y === 0 ? 0 : across / y;
    const second = length === 0 ? 0 : (along - third * x) / length;
    return [barycentric[0] - second - third, barycentric[1] + second, barycentric[2] + third];
  }

  /** The share of some offsets, 0…1, with which none leaves the triangle by more than it may. */
  reach(triangle: number, barycentric: ArrayLike<number>, offsets: readonly (readonly [number, number])[]): number {
    let share = 1;
    for (const offset of offsets) {
      const place = this.moved(triangle, barycentric, offset);
      for (let corner = 0; corner < 3; corner++) {
        const step = place[corner] - barycentric[corner];
        const limit = step < 0 ? barycentric[corner] + BEYOND : 1 + BEYOND - barycentric[corner];
        share = Math.min(share, limit / Math.max(Math.abs(step), 1e-12));
      }
    }
    return share;
  }

  /** Length of the first edge, and the third corner along it and across. */
  #shape(triangle: number): [number, number, number] {
    const [a, b, c] = [0, 1, 2].map((corner) => this.#head.triangles[triangle * 3 + corner] * 3);
    const v = this.#vertices;
    const edge = [0, 1, 2].map((axis) => v[b + axis] - v[a + axis]);
    const other = [0, 1, 2].map((axis) => v[c + axis] - v[a + axis]);
    const length = Math.hypot(...edge);
    if (length === 0) return [0, 0, 0];
    const x = edge.reduce((sum, value, axis) => sum + value * other[axis], 0) / length;
    const square = other.reduce((sum, value) => sum + value * value, 0) - x * x;
    // The cross axis is tangent × normal, which points away from the third corner.
    return [length, x, -Math.sqrt(Math.max(0, square))];
  }
}
