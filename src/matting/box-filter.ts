/** Rows between the two passes of a filter: kept, since a matte runs dozens of filters. */
let scratch = new Float32Array(0);

/** Mean over the (2·radius+1)² window around each pixel; at borders over the part that lies inside. Linear time. */
export function boxFilter(source: Float32Array, width: number, height: number, radius: number): Float32Array {
  if (scratch.length < source.length) scratch = new Float32Array(source.length);
  const rows = scratch;
  const span = 2 * radius + 1;
  for (let y = 0; y < height; y++) {
    const row = y * width;
    let sum = 0;
    for (let x = 0; x < Math.min(radius, width); x++) sum += source[row + x];
    let x = 0;
    for (; x < Math.min(radius + 1, width); x++) {
      if (x + radius < width) sum += source[row + x + radius];
      rows[row + x] = sum / (Math.min(x + radius, width - 1) + 1);
    }
    for (; x + radius < width; x++) {
      sum += source[row + x + radius] - source[row + x - radius - 1];
      rows[row + x] = sum / span;
    }
    for (; x < width; x++) {
      sum -= source[row + x - radius - 1];
      rows[row + x] = sum / (width - x + radius);
    }
  }
  const result = new Float32Array(source.length);
  const sums = new Float64Array(width);
  for (let y = 0; y < Math.min(radius, height); y++) for (let x = 0; x < width; x++) sums[x] += rows[y * width + x];
  for (let y = 0; y < height; y++) {
    const entering = y + radius < height ? (y + radius) * width : -1;
    const leaving = y - radius - 1 >= 0 ? (y - radius - 1) * width : -1;
    const scale = 1 / (Math.min(y + radius, height - 1) - Math.max(y - radius, 0) + 1);
    if (entering >= 0) for (let x = 0; x < width; x++) sums[x] += rows[entering + x];
    if (leaving >= 0) for (let x = 0; x < width; x++) sums[x] -= rows[leaving + x];
    for (let x = 0; x < width; x++) result[y * width + x] = sums[x] * scale;
  }
  return result;
}

/** Resamples a map bilinearly, pixel centres at halves. */
export function resizeMap(
  source: Float32Array,
  width: number,
  height: number,
  outWidth: number,
  outHeight: number,
): Float32Array {
  if (width === outWidth && height === outHeight) return source;
  const result = new Float32Array(outWidth * outHeight);
  const columns = neighbours(width, outWidth);
  const rows = neighbours(height, outHeight);
  for (let y = 0; y < outHeight; y++) {
    const top = rows.lower[y] * width;
    const bottom = Math.min(rows.lower[y] + 1, height - 1) * width;
    const v = rows.weights[y];
    for (let x = 0; x < outWidth; x++) {
      const left = columns.lower[x];
      const right = left + 1 < width ? left + 1 : left;
      const u = columns.weights[x];
      const upper = source[top + left] + (source[top + right] - source[top + left]) * u;
      const lower = source[bottom + left] + (source[bottom + right] - source[bottom + left]) * u;
      result[y * outWidth + x] = upper + (lower - upper) * v;
    }
  }
  return result;
}

/** Where each of `outCount` samples lies among `count`: the neighbour below and the weight of the one above. */
function neighbours(count: number, outCount: number): { lower: Int32Array; weights: Float32Array } {
  const lower = new Int32Array(outCount);
  const weights = new Float32Array(outCount);
  for (let i = 0; i < outCount; i++) {
    const position = Math.min(Math.max(((i + 0.5) * count) / outCount - 0.5, 0), count - 1);
    lower[i] = Math.floor(position);
    weights[i] = position - lower[i];
  }
  return { lower, weights };
}

/** Means of s×s blocks; the last row and column of blocks may be narrower. */
export function averageBlocks(map: Float32Array, width: number, height: number, s: number): Float32Array {
  const w = Math.ceil(width / s);
  const sums = new Float32Array(w * Math.ceil(height / s));
  for (let y = 0; y < height; y++) {
    const row = Math.floor(y / s) * w;
    const rows = Math.min(s, height - Math.floor(y / s) * s);
    for (let x = 0; x < width; x++) {
      const column = Math.floor(x / s);
      sums[row + column] += map[y * width + x] / (rows * Math.min(s, width - column * s));
    }
  }
  return sums;
}

/** 0 below `low`, 1 above `high`, smooth between. Works downwards too (`low` > `high`). */
export function smoothstep(low: number, high: number, value: number): number {
  const t = Math.min(Math.max((value - low) / (high - low), 0), 1);
  return t * t * (3 - 2 * t);
}
