import { POSE_JOINT_FLOATS } from '../pose.ts';

/**
 * Strides and offsets of the deformation's buffers, for host, kernels (as override constants) and tests. Vertex fields
 * are V×4 float32: x, y, z in metres and an unused 0, so that kernels read `vec4f`.
 *
 * **Frame state**, one record per slot, float32:
 * | floats | what |
 * |---|---|
 * | J×12 | per joint three rows of [rotation row, offset]: the rest frame to world |
 * | E | expression coefficients |
 * | (J−1)×9 | entries of R_j − I of every joint but the root, row-major |
 *
 * The last two together are the C = E + 9(J−1) *blend coefficients*: the sparse basis knows no other difference
 * between expressions and pose correctives.
 */
export const TRANSFORM_FLOATS = 12;
export const FEATURE_FLOATS = 9;
export const VERTEX_STRIDE = 4;

/** Invocations per workgroup of all kernels here. */
export const WORKGROUP_SIZE = 64;
/** Bytes between pose records in a buffer of several: `packPose`'s floats, rounded up to what a binding offset needs. */
export function poseRecordStride(expressionCount: number): number {
  return alignTo(4 * (POSE_JOINT_FLOATS + expressionCount), 256);
}

/** Blend coefficients of a head: expressions and pose features. */
export function blendCoefficientCount(expressionCount: number, jointCount: number): number {
  return expressionCount + FEATURE_FLOATS * (jointCount - 1);
}

/** Bytes between the frame states of two slots. */
export function frameStateStride(expressionCount: number, jointCount: number): number {
  return alignTo(4 * (TRANSFORM_FLOATS * jointCount + blendCoefficientCount(expressionCount, jointCount)), 256);
}

/** Bytes between the vertex gradients of two slots. */
export function vertexSlotStride(vertexCount: number): number {
  return alignTo(4 * VERTEX_STRIDE * vertexCount, 256);
}

/** V×3 to V×4. */
export function padVertices(values: ArrayLike<number>): Float32Array {
  const padded = new Float32Array((values.length / 3) * VERTEX_STRIDE);
  for (let i = 0; i < values.length; i++) padded[Math.floor(i / 3) * VERTEX_STRIDE + (i % 3)] = values[i];
  return padded;
}

/** V×4 to V×3. */
export function unpadVertices(padded: ArrayLike<number>, vertexCount: number): Float32Array {
  return Float32Array.from({ length: vertexCount * 3 }, (_, i) => padded[Math.floor(i / 3) * VERTEX_STRIDE + (i % 3)]);
}

function alignTo(bytes: number, step: number): number {
  return Math.ceil(bytes / step) * step;
}
