/**
 * The texels left, right, above and below one of a map `width` wide, in this order. One beyond the map is −1 or past its
 * end, where a typed array holds nothing.
 */
export function texelNeighbours(texel: number, width: number): readonly number[] {
  const column = texel % width;
  return [column > 0 ? texel - 1 : -1, column < width - 1 ? texel + 1 : -1, texel - width, texel + width];
}
