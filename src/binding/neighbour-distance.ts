const NEIGHBOURS = 3;
const MAX_RINGS = 64;

/**
 * Mean distance of each point (N×3) to its three nearest others, by a hash grid whose cells are `spacing` wide (about
 * the distance of neighbours). A lone point gets `spacing`.
 */
export function meanNeighbourDistances(points: Float32Array, spacing: number): Float32Array {
  const count = points.length / 3;
  const cells = new Map<number, number[]>();
  const cellOf = (value: number): number => Math.floor(value / spacing);
  // 17 bits per axis in one exact double; a head is a few hundred cells wide.
  const key = (x: number, y: number, z: number): number => ((x + 65536) * 131072 + y + 65536) * 131072 + z + 65536;
  for (let i = 0; i < count; i++) {
    const at = key(cellOf(points[i * 3]), cellOf(points[i * 3 + 1]), cellOf(points[i * 3 + 2]));
    const cell = cells.get(at);
    if (cell) cell.push(i);
    else cells.set(at, [i]);
  }
  const wanted = Math.min(NEIGHBOURS, count - 1);
  return Float32Array.from({ length: count }, (_, i) => {
    if (wanted === 0) return spacing;
    const [x, y, z] = [points[i * 3], points[i * 3 + 1], points[i * 3 + 2]];
    const centre = [cellOf(x), cellOf(y), cellOf(z)];
    const nearest: number[] = [];
    for (let ring = 0; ring < MAX_RINGS; ring++) {
      for (const [cx, cy, cz] of shell(centre, ring)) {
        for (const j of cells.get(key(cx, cy, cz)) ?? []) {
          if (j !== i)
            insert(nearest, Math.hypot(points[j * 3] - x, points[j * 3 + 1] - y, points[j * 3 + 2] - z), wanted);
        }
      }
      // Cells further out hold nothing nearer than `ring` cells.
      if (nearest.length === wanted && nearest[wanted - 1] <= ring * spacing) break;
    }
    return nearest.length ? nearest.reduce((sum, distance) => sum + distance, 0) / nearest.length : spacing;
  });
}

function insert(nearest: number[], distance: number, limit: number): void {
  let at = nearest.length;
  while (at > 0 && nearest[at - 1] > distance) at--;
  if (at >= limit) return;
  nearest.splice(at, 0, distance);
  if (nearest.length > limit) nearest.pop();
}

function* shell([cx, cy, cz]: readonly number[], ring: number): Generator<[number, number, number]> {
  for (let x = -ring; x <= ring; x++) {
    for (let y = -ring; y <= ring; y++) {
      const onShell = ring === 0 || Math.abs(x) === ring || Math.abs(y) === ring;
      for (let z = -ring; z <= ring; z += onShell ? 1 : 2 * ring) yield [cx + x, cy + y, cz + z];
    }
  }
}
