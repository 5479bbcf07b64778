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
  for (let y = 0; y < outHeight; y++) {
    const sourceY = Math.min(Math.max(((y + 0.5) * height) / outHeight - 0.5, 0), height - 1);
    const top = Math.min(Math.floor(sourceY), Math.max(height - 2, 0));
    const below = height > 1 ? width : 0;
    for (let x = 0; x < outWidth; x++) {
      const sourceX = Math.min(Math.max(((x + 0.5) * width) / outWidth - 0.5, 0), width - 1);
      const left = Math.min(Math.floor(sourceX), Math.max(width - 2, 0));
      const at = top * width + left;
      const right = width > 1 ? 1 : 0;
      const u = sourceX - left;
      const upper = source[at] + (source[at + right] - source[at]) * u;
      const lower = source[at + below] + (source[at + below + right] - source[at + below]) * u;
      result[y * outWidth + x] = upper + (lower - upper) * (sourceY - top);
    }
  }
  return result;
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
