import { describe, expect, it } from 'vitest';
import { smallHead } from '../../test/small-head.ts';
import { blendSupport } from '../head/deformation/blend-support.ts';
import { neutralPose } from '../head/pose.ts';
import { poseVertices } from '../head/pose-vertices.ts';
import { personalHead } from './personal-head.ts';

describe('personalHead', () => {
  const head = smallHead();
  const identity = Float32Array.of(0.4, -0.2, 0.7);
  const pose = {
    ...neutralPose(4),
    jawPose: Float32Array.of(0.2, 0.05, 0),
    neckPose: Float32Array.of(-0.1, 0.1, 0.02),
    expressionCoefficients: Float32Array.of(0.3, 0.9, 0, 0.5),
  };

  it('without deltas moves like the head with that identity', () => {
    const support = blendSupport(head, 0);
    const personal = personalHead(head, identity, support, support.displacements);
    expect(personal.identityNames).toEqual([]);
    const [expected, posed] = [poseVertices(head, identity, pose), poseVertices(personal, [], pose)];
    posed.forEach((value, i) => expect(value).toBeCloseTo(expected[i], 6));
  });

  it('adds deltas where the support has them, correctives of a head that had none among them', () => {
    const bare = { ...head, poseCorrectives: null };
    const support = blendSupport(bare, 0);
    const moved = support.displacements.map((value, i) => value + (i % 3 === 1 ? 0.001 : 0));
    const personal = personalHead(bare, identity, support, moved);
    for (let entry = 0; entry < support.entryCount; entry++) {
      const [coefficient, vertex] = [support.coefficients[entry], support.vertices[entry]];
      const isExpression = coefficient < 4;
      const [basis, before] = isExpression
        ? [personal.expressionBasis, bare.expressionBasis]
        : [personal.poseCorrectives!, null];
      const at = ((isExpression ? coefficient : coefficient - 4) * head.vertexCount + vertex) * 3 + 1;
      expect(basis[at]).toBeCloseTo((before?.[at] ?? 0) + 0.001, 6);
    }
    expect(support.coefficients.some((coefficient) => coefficient >= 4)).toBe(true);
  });
});
