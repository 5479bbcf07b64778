import { JOINT_NAMES, type HeadModel, type SparseRow } from '../src/head/head-model.ts';
import { randomNormal, randomUniform } from '../src/math/random.ts';

export interface SmallHeadOptions {
  readonly expressionCount?: number;
  readonly identityCount?: number;
  /** Whether the model has pose correctives of its own. Default true. */
  readonly hasCorrectives?: boolean;
  /** Rings × segments of vertices. Default 6 × 7. */
  readonly rings?: number;
  readonly segments?: number;
}

/**
 * A made-up head for gradient tests: an egg of some dozens of vertices in metres, five joints, skinning that mixes two
 * or three of them, and expressions that each move a part of it. Everything is random but fixed.
 */
export function smallHead({
  expressionCount = 4,
  identityCount = 3,
  hasCorrectives = true,
  rings = 6,
  segments = 7,
}: SmallHeadOptions = {}): HeadModel {
  const vertexCount = rings * segments;
  const templateVertices = new Float32Array(vertexCount * 3);
  for (let vertex = 0; vertex < vertexCount; vertex++) {
    const [polar, azimuth] = [
      (Math.PI * (Math.floor(vertex / segments) + 0.7)) / (rings + 0.4),
      (2 * Math.PI * (vertex % segments)) / segments,
    ];
    const bump = 1 + 0.05 * randomNormal(1, 0, vertex);
    templateVertices.set(
      [
        0.08 * bump * Math.sin(polar) * Math.sin(azimuth),
        0.12 * bump * Math.cos(polar),
        0.1 * bump * Math.sin(polar) * Math.cos(azimuth),
      ],
      vertex * 3,
    );
  }
  const triangles = ringTriangles(rings, segments);
  const triangleCount = triangles.length / 3;
  const regressor = (joint: number): SparseRow => ({
    indices: Uint32Array.of(joint * 3, joint * 5 + 9, joint * 2 + 20),
    weights: Float32Array.of(0.5, 0.25, 0.25),
  });
  return {
    name: 'small',
    vertexCount,
    triangleCount,
    templateVertices,
    triangles,
    uvs: Float32Array.from({ length: vertexCount * 2 }, (_, i) => randomUniform(2, 0, i)),
    uvTriangles: triangles,
    identityBasis: patches(3, identityCount, vertexCount, 0.004, 1),
    identityNames: Array.from({ length: identityCount }, (_, i) => `identity${i}`),
    expressionBasis: patches(4, expressionCount, vertexCount, 0.006, 0.4),
    expressionNames: Array.from({ length: expressionCount }, (_, i) => `expression${i}`),
    expressionLimits: Float32Array.from({ length: expressionCount * 2 }, (_, i) => i % 2),
    poseCorrectives: hasCorrectives ? patches(5, 9 * (JOINT_NAMES.length - 1), vertexCount, 0.003, 0.3) : null,
    joints: JOINT_NAMES.map((name, joint) => ({ name, parent: Math.min(joint, 2) - 1 })),
    jointRegressor: JOINT_NAMES.map((_, joint) => regressor(joint)),
    skinningWeights: mixedWeights(vertexCount),
    regionNames: ['face'],
    triangleRegions: new Uint8Array(triangleCount),
    landmarks: { triangleIndices: new Uint32Array(0), barycentrics: new Float32Array(0) },
  };
}

/** A closed band of quads, two triangles each. */
function ringTriangles(rings: number, segments: number): Uint32Array {
  const triangles: number[] = [];
  for (let ring = 0; ring + 1 < rings; ring++) {
    for (let segment = 0; segment < segments; segment++) {
      const next = (segment + 1) % segments;
      const [a, b, c, d] = [segment, next, next + segments, segment + segments].map((v) => v + ring * segments);
      triangles.push(a, d, b, b, d, c);
    }
  }
  return Uint32Array.from(triangles);
}

/** Random displacement fields, each on about `coverage` of the vertices and exactly zero elsewhere. */
function patches(seed: number, count: number, vertexCount: number, size: number, coverage: number): Float32Array {
  return Float32Array.from({ length: count * vertexCount * 3 }, (_, i) => {
    const vertex = Math.floor(i / 3);
    return randomUniform(seed, 1, vertex) < coverage ? size * randomNormal(seed, 0, i) : 0;
  });
}

/** Rows that sum to one: a third rigid on one joint, the rest shared by two or three. */
function mixedWeights(vertexCount: number): Float32Array {
  const jointCount = JOINT_NAMES.length;
  const weights = new Float32Array(vertexCount * jointCount);
  for (let vertex = 0; vertex < vertexCount; vertex++) {
    const shared = 1 + (vertex % 3);
    const row = Array.from({ length: shared }, (_, i) => 0.2 + randomUniform(6, vertex, i));
    const sum = row.reduce((a, b) => a + b);
    row.forEach((value, i) => {
      weights[vertex * jointCount + ((vertex + i * 2) % jointCount)] += value / sum;
    });
  }
  return weights;
}
