import { uniformLaplacian, type VertexAdjacency } from '../../head/laplacian.ts';

export interface VertexRegulariserValue {
  readonly vertexDifference: number;
  readonly laplacian: number;
  readonly total: number;
  /** V×3. */
  readonly gradient: Float64Array;
}

/** The two terms over a V×3 difference, in float64. */
export function vertexRegularisersReference(
  difference: ArrayLike<number>,
  adjacency: VertexAdjacency,
  weights: { readonly vertexDifference: number; readonly laplacian: number },
): VertexRegulariserValue {
  const vertexCount = adjacency.starts.length - 1;
  const own = uniformLaplacian(adjacency, difference);
  const gradient = new Float64Array(difference.length);
  for (let vertex = 0; vertex < vertexCount; vertex++) {
    const [first, last] = [adjacency.starts[vertex], adjacency.starts[vertex + 1]];
    for (let axis = 0; axis < 3; axis++) {
      const byLaplacian = (2 * weights.laplacian * own[vertex * 3 + axis]) / vertexCount;
      gradient[vertex * 3 + axis] +=
        byLaplacian + (2 * weights.vertexDifference * difference[vertex * 3 + axis]) / vertexCount;
      for (let place = first; place < last; place++) {
        gradient[adjacency.neighbours[place] * 3 + axis] -= byLaplacian / (last - first);
      }
    }
  }
  const meanSquare = (values: ArrayLike<number>): number =>
    Array.from(values).reduce((sum, value) => sum + value ** 2, 0) / vertexCount;
  const [vertexDifference, laplacian] = [meanSquare(difference), meanSquare(own)];
  const total = weights.vertexDifference * vertexDifference + weights.laplacian * laplacian;
  return { vertexDifference, laplacian, total, gradient };
}
