import { solveCholesky } from '../../math/cholesky.ts';
import type { Joint, SparseRow } from '../head-model.ts';
import type { ExpressionSource } from './expressions.ts';
import { shapeHead, type HeadState, type HeadTopology } from './head-shape.ts';
import { JAW_HINGE } from './jaw.ts';
import { subdivideLinearly } from './subdivide.ts';
import { pointAt, smoothstep, type Vector } from './vector.ts';

export const JOINTS: readonly Joint[] = [
  { name: 'root', parent: -1 },
  { name: 'neck', parent: 0 },
  { name: 'jaw', parent: 1 },
  { name: 'leftEye', parent: 1 },
  { name: 'rightEye', parent: 1 },
];

/** Rest positions, centimetres, canonical coordinates: base of the neck; middle of the neck; jaw hinge; eyes. */
export function jointPlaces({ rest }: HeadTopology): Vector[] {
  return [[0, -16, -8], [0, -7.5, -6.8], JAW_HINGE, rest.leftEye.center, rest.rightEye.center];
}

/** V×J weights. The neck's base stays with the root; the jaw's share is the one that `jawOpen` uses. */
export function skinningWeights({ topology, shares }: ExpressionSource, template: Float64Array): Float32Array {
  const vertexCount = topology.builder.vertexCount;
  const jaw = new Float64Array(vertexCount);
  const skinShares = subdivideLinearly(shares, topology.subdivision, 1);
  topology.headFromSkin.forEach((vertex, point) => {
    if (vertex >= 0) jaw[vertex] = skinShares[point];
  });
  insideJawShares(topology, jaw);
  const weights = new Float32Array(vertexCount * JOINTS.length);
  for (let vertex = 0; vertex < vertexCount; vertex++) {
    const [, y, z] = pointAt(template, vertex);
    // The chin hangs in front of the neck's upper half and belongs to the head.
    const head = smoothstep(-16.2, -8 - 1.6 * smoothstep(-3, 2, z), y);
    const jawWeight = jaw[vertex] * head;
    weights[vertex * 5] = 1 - head;
    weights[vertex * 5 + 1] = head - jawWeight;
    weights[vertex * 5 + 2] = jawWeight;
  }
  for (const [eye, joint] of [
    [topology.leftEye, 3],
    [topology.rightEye, 4],
  ] as const) {
    for (const vertex of eye.eyeball) {
      weights.fill(0, vertex * 5, vertex * 5 + 5);
      weights[vertex * 5 + joint] = 1;
    }
  }
  return weights;
}

/** Inside the mouth the share is read off the shape itself: how far a small shift of the jaw takes each vertex. */
function insideJawShares(topology: HeadTopology, jaw: Float64Array): void {
  const { rest } = topology;
  const shifted: HeadState = { ...rest, mouth: { ...rest.mouth, jaw: ([x, y, z]) => [x, y - 1, z] } };
  const [before, after] = [shapeHead(topology, rest), shapeHead(topology, shifted)];
  const { rings, pole, upperTeeth, lowerTeeth, upperGums, lowerGums, tongue, rim } = topology.mouth;
  for (const vertex of [...rings.flat(), pole, ...upperTeeth, ...lowerTeeth, ...upperGums, ...lowerGums, ...tongue]) {
    jaw[vertex] = Math.min(1, Math.max(0, before[vertex * 3 + 1] - after[vertex * 3 + 1]));
  }
  rings[0].forEach((vertex, i) => (jaw[vertex] = 0.88 * jaw[rim[i]] + 0.12 * jaw[rings[1][i]]));
}

/** Rows that give `jointPlaces` exactly on the template and move with the shape around each joint. */
export function jointRegressor(topology: HeadTopology, template: Float64Array): SparseRow[] {
  const near = (place: Vector, low: number, high: number): number[] => {
    const found: number[] = [];
    for (let vertex = 0; vertex < topology.skinVertexCount; vertex++) {
      const [, y, z] = pointAt(template, vertex);
      if (y > low && y < high && z < place[2] + 5 && z > place[2] - 8) found.push(vertex);
    }
    return found;
  };
  const places = jointPlaces(topology);
  const sources = [
    near(places[0], -17.5, -13),
    near(places[1], -10, -5),
    jawSource(topology, template),
    [...topology.leftEye.eyeball],
    [...topology.rightEye.eyeball],
  ];
  return places.map((place, joint) => exactRow(sources[joint], place, template));
}

/** Skin just in front of both ears. */
function jawSource(topology: HeadTopology, template: Float64Array): number[] {
  const found: number[] = [];
  for (let vertex = 0; vertex < topology.skinVertexCount; vertex++) {
    const [x, y, z] = pointAt(template, vertex);
    if (Math.abs(x) > 5 && Math.abs(y - JAW_HINGE[1]) < 2 && Math.abs(z - JAW_HINGE[2]) < 2.2) found.push(vertex);
  }
  return found;
}

/** Weights nearest to equal ones that sum to 1 and put the weighted mean of `vertices` at `place`. */
function exactRow(vertices: readonly number[], place: Vector, template: Float64Array): SparseRow {
  const count = vertices.length;
  const equal = 1 / count;
  const row = (vertex: number): number[] => [1, ...pointAt(template, vertex)];
  const target = [1, ...place];
  const gram = new Float64Array(16);
  const residual = Float64Array.from(target);
  for (const vertex of vertices) {
    const c = row(vertex);
    for (let i = 0; i < 4; i++) {
      residual[i] -= equal * c[i];
      for (let j = 0; j < 4; j++) gram[i * 4 + j] += c[i] * c[j];
    }
  }
  for (let i = 0; i < 4; i++) gram[i * 5] += 1e-9;
  const multipliers = solveCholesky(gram, residual, 4);
  const weights = vertices.map((vertex) => equal + row(vertex).reduce((sum, c, i) => sum + c * multipliers[i], 0));
  return { indices: Uint32Array.from(vertices), weights: Float32Array.from(weights) };
}
