/** The nearest other points of each point. */
export interface NearestNeighbours {
  /** N×K, nearest first; a point without enough others stands in for the missing ones itself. */
  readonly indices: Uint32Array;
  /** N: mean distance to the nearest three. */
  readonly meanDistances: Float32Array;
}

/** Finds the K nearest others of each of N points (N×3) by a hash grid that doubles its reach until enough are found. */
export function nearestNeighbours(points: Float32Array, neighbourCount: number): NearestNeighbours {
  const count = points.length / 3;
  const indices = new Uint32Array(count * neighbourCount);
  const meanDistances = new Float32Array(count);
  const grid = new PointGrid(points, typicalSpacing(points) * 1.5);
  for (let i = 0; i < count; i++) {
    let found: { index: number; distance: number }[] = [];
    for (let reach = 1; reach <= 64; reach *= 2) {
      found = grid.around(i, reach);
      const near = found.filter(({ distance }) => distance <= reach * grid.cell);
      if (near.length >= neighbourCount || found.length >= count - 1) break;
    }
    found.sort((a, b) => a.distance - b.distance || a.index - b.index);
    for (let n = 0; n < neighbourCount; n++) indices[i * neighbourCount + n] = found[n]?.index ?? i;
    const nearest = found.slice(0, 3);
    meanDistances[i] = nearest.reduce((sum, { distance }) => sum + distance / nearest.length, 0) || grid.cell;
  }
  return { indices, meanDistances };
}

/** Points lie on a surface: its area over their number, by the box that holds them. */
function typicalSpacing(points: Float32Array): number {
  const extents = [0, 1, 2].map((axis) => {
    let [low, high] = [Infinity, -Infinity];
    for (let i = axis; i < points.length; i += 3) {
      low = Math.min(low, points[i]!);
      high = Math.max(high, points[i]!);
    }
    return Math.max(high - low, 1e-6);
  });
  const [x, y, z] = extents as [number, number, number];
  return Math.sqrt((2 * (x * y + y * z + z * x)) / Math.max(1, points.length / 3));
}

/** 17 bits per axis in one exact double; a head is a few hundred cells wide. */
function keyOf(x: number, y: number, z: number): number {
  return ((x + 65536) * 131072 + y + 65536) * 131072 + z + 65536;
}

class PointGrid {
  readonly cell: number;
  readonly #points: Float32Array;
  readonly #cells = new Map<number, number[]>();

  constructor(points: Float32Array, cell: number) {
    this.cell = cell;
    this.#points = points;
    for (let i = 0; i < points.length / 3; i++) {
      const key = keyOf(...this.#cellOf(i));
      const members = this.#cells.get(key);
      if (members) members.push(i);
      else this.#cells.set(key, [i]);
    }
  }

  around(i: number, reach: number): { index: number; distance: number }[] {
    const [cx, cy, cz] = this.#cellOf(i);
    const found: { index: number; distance: number }[] = [];
    for (let x = cx - reach; x <= cx + reach; x++) {
      for (let y = cy - reach; y <= cy + reach; y++) {
        for (let z = cz - reach; z <= cz + reach; z++) {
          for (const index of this.#cells.get(keyOf(x, y, z)) ?? []) {
            if (index !== i) found.push({ index, distance: this.#distance(i, index) });
          }
        }
      }
    }
    return found;
  }

  #cellOf(i: number): [number, number, number] {
    const place = (axis: number): number => Math.floor(this.#points[i * 3 + axis]! / this.cell);
    return [place(0), place(1), place(2)];
  }

  #distance(i: number, j: number): number {
    const p = this.#points;
    return Math.hypot(p[i * 3]! - p[j * 3]!, p[i * 3 + 1]! - p[j * 3 + 1]!, p[i * 3 + 2]! - p[j * 3 + 2]!);
  }
}
