import { describe, expect, it } from 'vitest';
import { smallHead } from '../../test/small-head.ts';
import { matrixFromAxisAngle, transformVector } from '../math/rotation.ts';
import { meanEdgeLength, vertexAdjacency, uniformLaplacian } from './laplacian.ts';
import { identityVertices, jointPositions, poseVertices } from './pose-vertices.ts';
import { neutralPose } from './pose.ts';

const head = smallHead({ hasCorrectives: false });
const rest = neutralPose(head.expressionNames.length);
const worst = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a, (value, i) => Math.abs(value - b[i])).reduce((x, y) => Math.max(x, y), 0);

describe('poseVertices', () => {
  it('leaves the template alone at rest', () => {
    expect(worst(poseVertices(head, [], rest), head.templateVertices)).toBeLessThan(1e-7);
  });

  it('moves the whole head rigidly by headRotation and headTranslation, about the origin', () => {
    const pose = {
      ...rest,
      headRotation: Float32Array.of(0.3, -1, 0.2),
      headTranslation: Float32Array.of(0.1, 0, 0.9),
    };
    const matrix = matrixFromAxisAngle(pose.headRotation);
    const expected = Array.from({ length: head.vertexCount }, (_, v) => {
      const [x, y, z] = head.templateVertices.slice(v * 3, v * 3 + 3);
      return transformVector(matrix, x, y, z).map((value, axis) => value + pose.headTranslation[axis]);
    }).flatMap((point) => [...point]);
    expect(worst(poseVertices(head, [], pose), expected)).toBeLessThan(2e-7);
  });

  it('turns a joint about its own rest position and carries its children', () => {
    const pose = { ...rest, neckPose: Float32Array.of(0, 0.7, 0) };
    const posed = poseVertices(head, [], pose);
    const joints = jointPositions(head, head.templateVertices);
    const neck = head.joints.findIndex(({ name }) => name === 'neck');
    const moving = head.joints.map(({ name, parent }) => name !== 'root' && (name === 'neck' || parent === neck));
    for (let vertex = 0; vertex < head.vertexCount; vertex++) {
      const weights = head.skinningWeights.slice(vertex * 5, vertex * 5 + 5);
      const share = weights.reduce((sum, weight, joint) => sum + (moving[joint] ? weight : 0), 0);
      const [x, y, z] = [0, 1, 2].map((axis) => head.templateVertices[vertex * 3 + axis] - joints[neck * 3 + axis]);
      const turned = transformVector(matrixFromAxisAngle(pose.neckPose), x, y, z);
      for (let axis = 0; axis < 3; axis++) {
        const still = head.templateVertices[vertex * 3 + axis];
        const expected = still + share * (joints[neck * 3 + axis] + turned[axis] - still);
        expect(posed[vertex * 3 + axis]).toBeCloseTo(expected, 6);
      }
    }
  });

  it('counts missing identity coefficients as zero and names surplus ones', () => {
    expect(worst(identityVertices(head, [1]), identityVertices(head, [1, 0, 0]))).toBe(0);
    expect(() => identityVertices(head, [1, 2, 3, 4])).toThrow(/has 4 values, but head "small" has 3/);
    expect(() => poseVertices(head, [], neutralPose(2))).toThrow(/has 2 values, but head "small" has 4/);
  });
});

describe('vertexAdjacency', () => {
  it('lists each neighbour once, in order', () => {
    const { starts, neighbours } = vertexAdjacency(Uint32Array.of(0, 1, 2, 2, 1, 3), 5);
    expect([...starts]).toEqual([0, 2, 5, 8, 10, 10]);
    expect([...neighbours]).toEqual([1, 2, 0, 2, 3, 0, 1, 3, 1, 2]);
    expect(() => vertexAdjacency(Uint32Array.of(0, 1, 7), 5)).toThrow(RangeError);
  });

  it('gives a Laplacian that vanishes on constants', () => {
    const adjacency = vertexAdjacency(head.triangles, head.vertexCount);
    expect(
      worst(
        uniformLaplacian(adjacency, new Float64Array(head.vertexCount * 3).fill(2)),
        new Float64Array(head.vertexCount * 3),
      ),
    ).toBe(0);
  });

  it('tells the mean length of the edges, each once', () => {
    // Two right triangles that share the diagonal of a 3×4 rectangle: 3, 4, 3, 4 and 5.
    const corners = Float32Array.of(0, 0, 0, 3, 0, 0, 0, 4, 0, 3, 4, 0);
    expect(meanEdgeLength(corners, vertexAdjacency(Uint32Array.of(0, 1, 2, 2, 1, 3), 4))).toBeCloseTo(19 / 5, 6);
  });
});
