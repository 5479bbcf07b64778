/** A point on a mesh. */
export interface SurfacePoint {
  readonly triangle: number;
  readonly barycentric: readonly [number, number, number];
  readonly position: readonly [number, number, number];
  readonly distance: number;
}

type Vector = readonly [number, number, number];

/** Finds the closest point of a set of triangles by a uniform grid. `accept` may turn triangles down, e.g. by their normal. */
export class SurfaceSearch {
  private readonly cells = new Map<string, number[]>();
  /** Cell coordinates of the box round all searched triangles. */
  private readonly low = [Infinity, Infinity, Infinity];
  private readonly high = [-Infinity, -Infinity, -Infinity];

  /** `cellSize` in metres: about the spacing of the mesh times two. */
  constructor(
    private readonly vertices: Float32Array,
    private readonly triangles: Uint32Array,
    searched: Iterable<number>,
    private readonly cellSize: number,
  ) {
    for (const triangle of searched) {
      const corners = this.corners(triangle);
      const low = [0, 1, 2].map((axis) => Math.floor(Math.min(...corners.map((p) => p[axis])) / cellSize));
      const high = [0, 1, 2].map((axis) => Math.floor(Math.max(...corners.map((p) => p[axis])) / cellSize));
      for (let axis = 0; axis < 3; axis++) {
        this.low[axis] = Math.min(this.low[axis], low[axis]);
        this.high[axis] = Math.max(this.high[axis], high[axis]);
      }
      for (let x = low[0]; x <= high[0]; x++) {
        for (let y = low[1]; y <= high[1]; y++) {
          for (let z = low[2]; z <= high[2]; z++) {
            const key = `${x},${y},${z}`;
            const cell = this.cells.get(key);
            if (cell) cell.push(triangle);
            else this.cells.set(key, [triangle]);
          }
        }
      }
    }
  }

  /** Null when nothing acceptable lies within `reach` metres. Of equals the lowest triangle wins. */
  closest(point: Vector, reach: number, accept: (triangle: number) => boolean = () => true): SurfacePoint | null {
    const centre = point.map((value) => Math.floor(value / this.cellSize));
    const seen = new Set<number>();
    let best: SurfacePoint | null = null;
    const lastRing = Math.max(...centre.map((cell, axis) => Math.max(cell - this.low[axis], this.high[axis] - cell)));
    for (
      let ring = 0;
      ring <= lastRing && (ring - 1) * this.cellSize <= Math.min(reach, best?.distance ?? reach);
      ring++
    ) {
      for (const key of shellKeys(centre, ring)) {
        for (const triangle of this.cells.get(key) ?? []) {
          if (seen.has(triangle)) continue;
          seen.add(triangle);
          if (!accept(triangle)) continue;
          const candidate = this.closestOn(triangle, point);
          const isBetter =
            !best ||
            candidate.distance < best.distance ||
            (candidate.distance === best.distance && triangle < best.triangle);
          if (candidate.distance <= reach && isBetter) best = candidate;
        }
      }
    }
    return best;
  }

  /** Unit normal of a triangle. */
  normal(triangle: number): Vector {
    const [a, b, c] = this.corners(triangle);
    const [u, v] = [subtract(b, a), subtract(c, a)];
    const n: Vector = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
    const length = Math.hypot(...n) || 1;
    return [n[0] / length, n[1] / length, n[2] / length];
  }

  private corners(triangle: number): [Vector, Vector, Vector] {
    const corner = (k: number): Vector => {
      const at = this.triangles[triangle * 3 + k] * 3;
      return [this.vertices[at], this.vertices[at + 1], this.vertices[at + 2]];
    };
    return [corner(0), corner(1), corner(2)];
  }

  private closestOn(triangle: number, point: Vector): SurfacePoint {
    const [a, b, c] = this.corners(triangle);
    const barycentric = closestBarycentric(a, b, c, point);
    const [wa, wb, wc] = barycentric;
    const at = (axis: number): number => wa * a[axis] + wb * b[axis] + wc * c[axis];
    const position: Vector = [at(0), at(1), at(2)];
    return { triangle, barycentric, position, distance: Math.hypot(...subtract(position, point)) };
  }
}

function* shellKeys([cx, cy, cz]: readonly number[], ring: number): Generator<string> {
  for (let x = -ring; x <= ring; x++) {
    for (let y = -ring; y <= ring; y++) {
      const onShell = Math.abs(x) === ring || Math.abs(y) === ring;
      for (let z = -ring; z <= ring; z += onShell || ring === 0 ? 1 : 2 * ring) yield `${cx + x},${cy + y},${cz + z}`;
    }
  }
}

/** Closest point of a triangle by Voronoi regions (Ericson, Real-Time Collision Detection, 5.1.5). */
function closestBarycentric(a: Vector, b: Vector, c: Vector, p: Vector): [number, number, number] {
  const [ab, ac, ap] = [subtract(b, a), subtract(c, a), subtract(p, a)];
  const [d1, d2] = [dot(ab, ap), dot(ac, ap)];
  if (d1 <= 0 && d2 <= 0) return [1, 0, 0];
  const bp = subtract(p, b);
  const [d3, d4] = [dot(ab, bp), dot(ac, bp)];
  if (d3 >= 0 && d4 <= d3) return [0, 1, 0];
  const vc = d1 * d4 - d3 * d2;
  if (vc <= 0 && d1 >= 0 && d3 <= 0) {
    const v = d1 / (d1 - d3);
    return [1 - v, v, 0];
  }
  const cp = subtract(p, c);
  const [d5, d6] = [dot(ab, cp), dot(ac, cp)];
  if (d6 >= 0 && d5 <= d6) return [0, 0, 1];
  const vb = d5 * d2 - d1 * d6;
  if (vb <= 0 && d2 >= 0 && d6 <= 0) {
    const w = d2 / (d2 - d6);
    return [1 - w, 0, w];
  }
  const va = d3 * d6 - d5 * d4;
  if (va <= 0 && d4 - d3 >= 0 && d5 - d6 >= 0) {
    const w = (d4 - d3) / (d4 - d3 + (d5 - d6));
    return [0, 1 - w, w];
  }
  const sum = va + vb + vc;
  return [va / sum, vb / sum, vc / sum];
}

function subtract(a: Vector, b: Vector): Vector {
  return [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
}

function dot(a: Vector, b: Vector): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}
