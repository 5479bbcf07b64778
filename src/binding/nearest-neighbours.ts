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
    for (let reach = 1; reach <= FARTHEST; reach *= 2) {
      found = grid.around(points, i, reach).filter(({ index }) => index !== i);
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

/** M: mean distance of the point (N×3) nearest to each of some places (M×3) from the three points next to it. */
export function spacingAt(places: Float32Array, points: Float32Array): Float32Array {
  const { meanDistances } = nearestNeighbours(points, 3);
  return Float32Array.from(nearestOf(places, points), (nearest) => meanDistances[nearest]!);
}

/** M: which of N points (N×3) is nearest to each of some places (M×3). */
function nearestOf(places: Float32Array, points: Float32Array): Uint32Array {
  const grid = new PointGrid(points, typicalSpacing(points) * 1.5);
  return Uint32Array.from({ length: places.length / 3 }, (_, i) => {
    for (let reach = 1; ; reach *= 2) {
      const found = grid.around(places, i, reach);
      const nearest = found.reduce((best, next) => (next.distance < best.distance ? next : best), NONE);
      if (nearest.distance <= reach * grid.cell || reach > FARTHEST) return nearest.index;
    }
  });
}

const NONE = { index: 0, distance: Infinity };
/** Cells that are searched in each direction at most. */
const FARTHEST = 64;

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
      const key = keyOf(...this.#cellOf(points, i));
      const members = this.#cells.get(key);
      if (members) members.push(i);
      else this.#cells.set(key, [i]);
    }
  }

  /** Members in the cells round point `i` of `points`. */
  around(points: Float32Array, i: number, reach: number): { index: number; distance: number }[] {
    const [cx, cy, cz] = this.#cellOf(points, i);
    const found: { index: number; distance: number }[] = [];
    for (let x = cx - reach; x <= cx + reach; x++) {
      for (let y = cy - reach; y <= cy + reach; y++) {
        for (let z = cz - reach; z <= cz + reach; z++) {
          for (const index of this.#cells.get(keyOf(x, y, z)) ?? []) {
            found.push({ index, distance: this.#distance(points, i, index) });
          }
        }
      }
    }
    return found;
  }

  #cellOf(points: Float32Array, i: number): [number, number, number] {
    const place = (axis: number): number => Math.floor(points[i * 3 + axis]! / this.cell);
    return [place(0), place(1), place(2)];
  }

  #distance(points: Float32Array, i: number, member: number): number {
    const [p, q] = [points.subarray(i * 3, i * 3 + 3), this.#points.subarray(member * 3, member * 3 + 3)];
    return Math.hypot(p[0]! - q[0]!, p[1]! - q[1]!, p[2]! - q[2]!);
  }
}
