import type { HeadModel } from '../head-model.ts';
import { blendCoefficientCount, FEATURE_FLOATS } from './layout.ts';

/**
 * The blend basis (expressions E and pose correctives P), held sparse: an *entry* is a (vertex, coefficient) pair that
 * moves, with its displacement. Learned ΔE and ΔP live on the same entries.
 *
 * Why sparse: an ARKit shape moves a fifth of the head; dense ΔE with Adam would cost more per step than rasterising
 * (ICT-FaceKit: 294k entries of 1.4 million). It is also a prior: a blink learns about eyelids and cannot move the neck.
 */
export interface BlendSupport {
  readonly coefficientCount: number;
  readonly entryCount: number;
  /** V+1: the entries of vertex v are `starts[v]` … `starts[v + 1] − 1`, by ascending coefficient. */
  readonly starts: Uint32Array;
  /** M: which blend coefficient. */
  readonly coefficients: Uint32Array;
  /** M: which vertex. */
  readonly vertices: Uint32Array;
  /** M×3 metres per unit coefficient: the head model's own displacement, 0 where only a delta may grow. */
  readonly displacements: Float32Array;
}

/** Skinning weights within this of 0 or 1 count as rigid: no pose corrective is learned there. */
const RIGID_MARGIN = 0.01;

/**
 * Finds the entries of a head: expression and pose-corrective displacements longer than `threshold` (metres per unit
 * coefficient), and for ΔP all nine features of each joint that shares a vertex with another joint.
 */
export function blendSupport(head: HeadModel, threshold: number): BlendSupport {
  const { vertexCount } = head;
  const jointCount = head.joints.length;
  const expressionCount = head.expressionNames.length;
  const coefficientCount = blendCoefficientCount(expressionCount, jointCount);
  const displacementOf = (coefficient: number, vertex: number): [Float32Array | null, number] =>
    coefficient < expressionCount
      ? [head.expressionBasis, (coefficient * vertexCount + vertex) * 3]
      : [head.poseCorrectives, ((coefficient - expressionCount) * vertexCount + vertex) * 3];
  const starts = new Uint32Array(vertexCount + 1);
  const coefficients: number[] = [];
  const vertices: number[] = [];
  const displacements: number[] = [];
  for (let vertex = 0; vertex < vertexCount; vertex++) {
    for (let coefficient = 0; coefficient < coefficientCount; coefficient++) {
      const [basis, at] = displacementOf(coefficient, vertex);
      const [x, y, z] = basis ? [basis[at], basis[at + 1], basis[at + 2]] : [0, 0, 0];
      const moves = x * x + y * y + z * z > threshold * threshold;
      if (!moves && !mayLearnCorrective(head, vertex, coefficient - expressionCount)) continue;
      coefficients.push(coefficient);
      vertices.push(vertex);
      displacements.push(x, y, z);
    }
    starts[vertex + 1] = coefficients.length;
  }
  return {
    coefficientCount,
    entryCount: coefficients.length,
    starts,
    coefficients: Uint32Array.from(coefficients),
    vertices: Uint32Array.from(vertices),
    displacements: Float32Array.from(displacements),
  };
}

/** Whether `feature` (an index into the pose features, negative for an expression) belongs to a joint that bends here. */
function mayLearnCorrective(head: HeadModel, vertex: number, feature: number): boolean {
  if (feature < 0) return false;
  const joint = 1 + Math.floor(feature / FEATURE_FLOATS);
  const weight = head.skinningWeights[vertex * head.joints.length + joint];
  return weight > RIGID_MARGIN && weight < 1 - RIGID_MARGIN;
}
