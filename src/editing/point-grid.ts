import type { Vector } from '../head/builtin/vector.ts';

/** Points in cells, to find those near a place. */
export class PointGrid {
  readonly #points: Float32Array;
  readonly #cell: number;
  readonly #cells = new Map<number, number[]>();

  /** `points` N×3 metres; `cell` about the distance that is asked for. */
  constructor(points: Float32Array, cell: number) {
    this.#points = points;
    this.#cell = cell;
    for (let index = 0; index * 3 < points.length; index++) {
      const key = this.#keyOf(points[index * 3], points[index * 3 + 1], points[index * 3 + 2]);
      const members = this.#cells.get(key);
      if (members) members.push(index);
      else this.#cells.set(key, [index]);
    }
  }

  /** Indices of the points at most `reach` metres from a place. */
  within(place: Vector, reach: number): number[] {
    const found: number[] = [];
    this.#visit(place, reach, (index, squared) => {
      if (squared <= reach * reach) found.push(index);
    });
    return found;
  }

  /** Metres to the nearest point, or Infinity when none is within `reach`. */
  distance(place: Vector, reach: number): number {
    let nearest = reach * reach;
    let isFound = false;
    this.#visit(place, reach, (_, squared) => {
      if (squared > nearest) return;
      nearest = squared;
      isFound = true;
    });
    return isFound ? Math.sqrt(nearest) : Infinity;
  }

  #visit([x, y, z]: Vector, reach: number, visit: (index: number, squared: number) => void): void {
    const p = this.#points;
    const cells = Math.ceil(reach / this.#cell);
    for (let i = -cells; i <= cells; i++) {
      for (let j = -cells; j <= cells; j++) {
        for (let k = -cells; k <= cells; k++) {
          const key = this.#keyOf(x + i * this.#cell, y + j * this.#cell, z + k * this.#cell);
          for (const index of this.#cells.get(key) ?? []) {
            const at = index * 3;
            visit(index, (p[at] - x) ** 2 + (p[at + 1] - y) ** 2 + (p[at + 2] - z) ** 2);
          }
        }
      }
    }
  }

  /** 17 bits per axis in one exact double. */
  #keyOf(x: number, y: number, z: number): number {
    const place = (value: number): number => Math.floor(value / this.#cell) + 65536;
    return (place(x) * 131072 + place(y)) * 131072 + place(z);
  }
}
