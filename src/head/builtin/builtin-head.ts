import { ARKIT_EXPRESSION_NAMES, type HeadModel, type LandmarkEmbedding } from '../head-model.ts';
import { CANONICAL_POINT_COUNT, type CanonicalFace } from '../landmarks/canonical-face.ts';
import { DEFAULT_EAR } from './ear.ts';
import { createExpressionSource, expressionState } from './expressions.ts';
import { createTopology, shapeHead, type HeadTopology } from './head-shape.ts';
import { IDENTITY_NAMES, identityState } from './identity.ts';
import { REGION_NAMES } from './mesh-builder.ts';
import { jointRegressor, JOINTS, skinningWeights } from './skinning.ts';

/** Head space's origin in the canonical face's space, centimetres: between the ears. */
const ORIGIN = [0, 1, -3.5] as const;

const METRES_PER_CENTIMETRE = 0.01;

/**
 * The head that comes with the package: a full, closed head made by code around MediaPipe's canonical face, with ears,
 * lids, eyeballs, teeth, tongue and neck, the 52 ARKit expressions and a few dozen ways in which heads differ. Open only at
 * the neck's base. The same bytes each time.
 */
export function createBuiltinHead(canonicalFace: CanonicalFace): HeadModel {
  const topology = createTopology(canonicalFace, DEFAULT_EAR);
  const { builder } = topology;
  const template = shapeHead(topology, topology.rest);
  const source = createExpressionSource(topology);
  const expressions = ARKIT_EXPRESSION_NAMES.map((name) => shapeHead(topology, expressionState(source, name)));
  const identities = IDENTITY_NAMES.map((_, index) => shapeHead(topology, identityState(topology, index)));
  return {
    name: 'builtin',
    vertexCount: builder.vertexCount,
    triangleCount: builder.triangles.length / 3,
    templateVertices: Float32Array.from(template, (value, i) => (value - ORIGIN[i % 3]) * METRES_PER_CENTIMETRE),
    triangles: Uint32Array.from(builder.triangles),
    uvs: Float32Array.from(builder.uvs),
    uvTriangles: Uint32Array.from(builder.uvTriangles),
    identityBasis: differences(template, identities),
    identityNames: IDENTITY_NAMES,
    identityFirmness: 20,
    expressionBasis: differences(template, expressions),
    expressionNames: ARKIT_EXPRESSION_NAMES,
    expressionLimits: Float32Array.from(ARKIT_EXPRESSION_NAMES.flatMap(() => [0, 1])),
    poseCorrectives: null,
    joints: JOINTS,
    jointRegressor: jointRegressor(topology, template),
    skinningWeights: skinningWeights(source, template),
    regionNames: REGION_NAMES,
    triangleRegions: Uint8Array.from(builder.triangleRegions),
    landmarks: embedLandmarks(topology),
  };
}

/** K×V×3 metres: each shape minus the template. */
function differences(template: Float64Array, shapes: readonly Float64Array[]): Float32Array {
  const basis = new Float32Array(shapes.length * template.length);
  shapes.forEach((shape, k) => {
    for (let i = 0; i < template.length; i++)
      basis[k * template.length + i] = (shape[i] - template[i]) * METRES_PER_CENTIMETRE;
  });
  return basis;
}

/** Every landmark is a vertex of the mesh: a corner of some triangle, with weight 1. */
function embedLandmarks({ builder, headFromSkin }: HeadTopology): LandmarkEmbedding {
  const triangleIndices = new Uint32Array(CANONICAL_POINT_COUNT);
  const barycentrics = new Float32Array(CANONICAL_POINT_COUNT * 3);
  for (let landmark = 0; landmark < CANONICAL_POINT_COUNT; landmark++) {
    const corner = builder.triangles.indexOf(headFromSkin[landmark]);
    triangleIndices[landmark] = Math.floor(corner / 3);
    barycentrics[landmark * 3 + (corner % 3)] = 1;
  }
  return { triangleIndices, barycentrics };
}
