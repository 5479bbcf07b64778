const BITS = 12;

/** Position of a point of 0…1² along Hilbert's curve of 4096² cells: points that are near each other get near numbers. */
export function hilbertIndex(u: number, v: number): number {
  const edge = 1 << BITS;
  const cell = (value: number): number => Math.max(0, Math.min(edge - 1, Math.floor(value * edge)));
  let [x, y, index] = [cell(u), cell(v), 0];
  for (let step = edge >> 1; step > 0; step >>= 1) {
    const [right, down] = [x & step ? 1 : 0, y & step ? 1 : 0];
    index += step * step * ((3 * right) ^ down);
    if (down) continue;
    if (right) [x, y] = [edge - 1 - x, edge - 1 - y];
    [x, y] = [y, x];
  }
  return index;
}
