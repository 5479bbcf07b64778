import type { BlendSupport } from '../head/deformation/blend-support.ts';
import { FEATURE_FLOATS } from '../head/deformation/layout.ts';
import type { HeadModel } from '../head/head-model.ts';
import { identityVertices } from '../head/pose-vertices.ts';

/**
 * Folds identity, ΔE and ΔP into a head model of its own: template′ = template + identity, E′ = E + ΔE, P′ = P + ΔP on
 * the support. Δvertex stays apart (`Avatar.vertexOffset`): it is hair and skin, and must not move the joints that are
 * regressed from the template. `displacements` is M×3 by the support's entries: E + ΔE and P + ΔP.
 */
export function personalHead(
  head: HeadModel,
  identityCoefficients: Float32Array,
  support: BlendSupport,
  displacements: Float32Array,
): HeadModel {
  const { vertexCount } = head;
  const expressionCount = head.expressionNames.length;
  const expressionBasis = new Float32Array(expressionCount * vertexCount * 3);
  const poseCorrectives = new Float32Array((head.joints.length - 1) * FEATURE_FLOATS * vertexCount * 3);
  for (let entry = 0; entry < support.entryCount; entry++) {
    const coefficient = support.coefficients[entry]!;
    const vertex = support.vertices[entry]!;
    const [basis, row] =
      coefficient < expressionCount ? [expressionBasis, coefficient] : [poseCorrectives, coefficient - expressionCount];
    for (let axis = 0; axis < 3; axis++) {
      basis[(row * vertexCount + vertex) * 3 + axis] = displacements[entry * 3 + axis]!;
    }
  }
  return {
    ...head,
    templateVertices: identityVertices(head, identityCoefficients),
    expressionBasis,
    poseCorrectives,
    identityBasis: new Float32Array(0),
    identityNames: [],
  };
}
