/** How a decoded picture becomes the upright one: to square pixels first, then clockwise rotation, then mirroring. */
export interface Orientation {
  readonly codedWidth: number;
  readonly codedHeight: number;
  /** Size in square pixels before rotation; differs from the coded size where pixels are not square. */
  readonly squareWidth: number;
  readonly squareHeight: number;
  /** Clockwise degrees. */
  readonly rotation: 0 | 90 | 180 | 270;
  readonly flip: boolean;
}

/** Size of the upright picture. */
export function uprightSize(orientation: Orientation): { width: number; height: number } {
  const { squareWidth, squareHeight } = orientation;
  return orientation.rotation % 180 === 0
    ? { width: squareWidth, height: squareHeight }
    : { width: squareHeight, height: squareWidth };
}

/** Applies an orientation to interleaved RGB. */
export function orient(rgb: Uint8Array, orientation: Orientation): Uint8Array {
  const { codedWidth, codedHeight, squareWidth, squareHeight, rotation, flip } = orientation;
  let square = rgb;
  if (squareWidth !== codedWidth) square = stretchRows(square, codedWidth, codedHeight, squareWidth);
  if (squareHeight !== codedHeight) square = stretchColumns(square, squareWidth, codedHeight, squareHeight);
  if (rotation === 0 && !flip) return square;
  return turn(square, squareWidth, squareHeight, rotation, flip);
}

function turn(
  source: Uint8Array,
  width: number,
  height: number,
  rotation: Orientation['rotation'],
  flip: boolean,
): Uint8Array {
  const swapped = rotation % 180 !== 0;
  const outWidth = swapped ? height : width;
  const outHeight = swapped ? width : height;
  const target = new Uint8Array(source.length);
  for (let y = 0; y < outHeight; y++) {
    for (let column = 0; column < outWidth; column++) {
      const x = flip ? outWidth - 1 - column : column;
      let sourceX = x;
      let sourceY = y;
      if (rotation === 90) [sourceX, sourceY] = [y, height - 1 - x];
      else if (rotation === 180) [sourceX, sourceY] = [width - 1 - x, height - 1 - y];
      else if (rotation === 270) [sourceX, sourceY] = [width - 1 - y, x];
      const from = (sourceY * width + sourceX) * 3;
      const to = (y * outWidth + column) * 3;
      target[to] = source[from];
      target[to + 1] = source[from + 1];
      target[to + 2] = source[from + 2];
    }
  }
  return target;
}

/** Where output sample `i` of `outCount` falls among `count` samples: lower neighbour, upper neighbour, weight of the upper. */
function neighbours(i: number, count: number, outCount: number): [number, number, number] {
  const position = Math.min(Math.max(((i + 0.5) * count) / outCount - 0.5, 0), count - 1);
  const lower = Math.floor(position);
  return [lower, Math.min(lower + 1, count - 1), position - lower];
}

function stretchColumns(source: Uint8Array, width: number, height: number, outHeight: number): Uint8Array {
  const target = new Uint8Array(width * outHeight * 3);
  for (let y = 0; y < outHeight; y++) {
    const [lower, upper, weight] = neighbours(y, height, outHeight);
    for (let i = 0; i < width * 3; i++) {
      const a = source[lower * width * 3 + i];
      target[y * width * 3 + i] = a + (source[upper * width * 3 + i] - a) * weight + 0.5;
    }
  }
  return target;
}

function stretchRows(source: Uint8Array, width: number, height: number, outWidth: number): Uint8Array {
  const target = new Uint8Array(outWidth * height * 3);
  for (let x = 0; x < outWidth; x++) {
    const [lower, upper, weight] = neighbours(x, width, outWidth);
    for (let y = 0; y < height; y++) {
      for (let channel = 0; channel < 3; channel++) {
        const a = source[(y * width + lower) * 3 + channel];
        target[(y * outWidth + x) * 3 + channel] = a + (source[(y * width + upper) * 3 + channel] - a) * weight + 0.5;
      }
    }
  }
  return target;
}
