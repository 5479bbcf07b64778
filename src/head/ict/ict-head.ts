import { packAtlas } from '../atlas/pack-atlas.ts';
import type { Folder } from '../folder.ts';
import type { CanonicalFace } from '../landmarks/canonical-face.ts';
import { anchorsFromIbug68 } from '../landmarks/embed-landmarks.ts';
import { embedLandmarksCached, type ByteCache } from '../landmarks/embedding-cache.ts';
import { JOINT_NAMES, type HeadModel, type RegionName } from '../head-model.ts';
import { ictExpressions } from './expressions.ts';
import {
  ICT_EAR_CENTRE,
  ICT_IDENTITY_COUNT,
  ICT_IDENTITY_SHAPES,
  ICT_LANDMARKS_68,
  ICT_PARTS,
  METRES_PER_ICT_UNIT,
  type IctPart,
} from './layout.ts';
import { readIctFiles, type IctFiles } from './read-ict.ts';
import { createRegionFinder, neckHeight } from './regions.ts';
import { ictJointRegressor, ictSkinningWeights } from './skinning.ts';

export interface IctHeadOptions {
  /**
   * How far coefficients may leave 0…1. The shapes stay plausible a little beyond; a tracker with less freedom clips
   * people whose smile is wider than the model's.
   */
  readonly expressionSlack?: { readonly below: number; readonly above: number };
}

export const ICT_HEAD_DEFAULTS = { expressionSlack: { below: 0, above: 0 } } as const;

/** A head model without its landmark embedding, which is found from the rest of it. */
export type HeadTemplate = Omit<HeadModel, 'landmarks'>;

export interface IctTemplate {
  readonly template: HeadTemplate;
  /** Vertices of the 68 iBUG points: where registration of the canonical face starts from. */
  readonly landmarks68: Uint32Array;
}

const REGION_NAMES: readonly RegionName[] = [
  'face', 'scalp', 'neck', 'leftEar', 'rightEar', 'lips', 'leftEyelids', 'rightEyelids', 'leftEyeSocket', 'rightEyeSocket',
  'leftEyeball', 'rightEyeball', 'mouthCavity', 'gums', 'upperTeeth', 'lowerTeeth', 'tongue',
]; // prettier-ignore

/** `neckHeight` below which nothing is kept: the neck ends in a clean slanted ring. */
const NECK_FOOT = -14.2;

/** Texel density of the parts in the atlas. What the camera sees little of gets little. */
const PART_DENSITY: Record<IctPart, number> = {
  face: 1.8, headAndNeck: 1, mouthSocket: 0.45, leftEyeSocket: 0.4, rightEyeSocket: 0.4, gumsAndTongue: 0.5,
  upperTeeth: 0.8, lowerTeeth: 0.8, leftEyeball: 1.3, rightEyeball: 1.3,
}; // prettier-ignore

/** The ICT-FaceKit Light head with its landmarks; `cache` keeps the registration between runs. Throws `HeadModelError`. */
export async function createIctHead(
  folder: Folder,
  canonicalFace: CanonicalFace,
  { cache, ...options }: IctHeadOptions & { readonly cache?: ByteCache } = {},
): Promise<HeadModel> {
  const { template, landmarks68 } = await readIctTemplate(folder, options);
  const landmarks = await embedLandmarksCached(template, canonicalFace, anchorsFromIbug68(landmarks68), cache);
  return { ...template, landmarks };
}

/**
 * The ICT-FaceKit Light head (USC ICT, MIT) as a `HeadTemplate`: centimetres to metres, origin between the ears, quads
 * cut into triangles, shoulders and see-through parts left out, UDIM tiles re-packed into one atlas, ARKit names, and the
 * joints that the model itself lacks. Throws `HeadModelError`.
 */
export async function readIctTemplate(folder: Folder, options: IctHeadOptions = {}): Promise<IctTemplate> {
  const files = await readIctFiles(folder);
  return buildIctTemplate(files, options);
}

/** The pure part of `readIctTemplate`. */
export function buildIctTemplate(
  files: IctFiles,
  { expressionSlack = ICT_HEAD_DEFAULTS.expressionSlack }: IctHeadOptions = {},
): IctTemplate {
  const surface = keepParts(files);
  const { sourceVertices, triangles, triangleParts, vertices } = surface;
  const vertexCount = sourceVertices.length;
  const take = (displacement: Float32Array): Float32Array => gather(displacement, sourceVertices);
  const trianglesOf = (part: IctPart): number[] =>
    [...triangleParts.keys()]
      .filter((t) => triangleParts[t] === part)
      .flatMap((t) => [...triangles.subarray(t * 3, t * 3 + 3)]);
  const skinning = {
    vertices,
    jawOpen: take(files.shapes.get('jawOpen')!),
    skinVertices: [...new Set([...trianglesOf('face'), ...trianglesOf('headAndNeck')])],
    leftEyeTriangles: trianglesOf('leftEyeball'),
    rightEyeTriangles: trianglesOf('rightEyeball'),
  };
  const expressions = ictExpressions();
  const eyeballVertices = new Set([...skinning.leftEyeTriangles, ...skinning.rightEyeTriangles]);
  const expressionBasis = new Float32Array(expressions.length * vertexCount * 3);
  expressions.forEach(({ name, shapes }, index) => {
    const target = expressionBasis.subarray(index * vertexCount * 3, (index + 1) * vertexCount * 3);
    for (const shape of shapes) addScaled(target, take(files.shapes.get(shape)!), METRES_PER_ICT_UNIT);
    // The eye joints turn the eyeballs; a shape that did so too would count the gaze twice.
    if (name.startsWith('eyeLook')) for (const v of eyeballVertices) target.fill(0, v * 3, v * 3 + 3);
  });
  const identityBasis = new Float32Array(ICT_IDENTITY_COUNT * vertexCount * 3);
  ICT_IDENTITY_SHAPES.forEach((shape, index) => {
    addScaled(identityBasis.subarray(index * vertexCount * 3), take(files.shapes.get(shape)!), METRES_PER_ICT_UNIT);
  });

  const atlas = packAtlas(
    { vertices, triangles, uvs: flipV(files.neutral.uvs), uvTriangles: surface.uvTriangles },
    { density: (triangle) => PART_DENSITY[triangleParts[triangle]] },
  );
  const keptOf = new Map([...sourceVertices.entries()].map(([kept, source]) => [source, kept]));
  return {
    landmarks68: Uint32Array.from(ICT_LANDMARKS_68, (source) => keptOf.get(source)!),
    template: {
      name: 'ict',
      vertexCount,
      triangleCount: triangles.length / 3,
      templateVertices: vertices.map((value, i) => (value - ICT_EAR_CENTRE[i % 3]) * METRES_PER_ICT_UNIT),
      triangles,
      uvs: atlas.uvs,
      uvTriangles: atlas.uvTriangles,
      identityBasis,
      identityNames: ICT_IDENTITY_SHAPES,
      expressionBasis,
      expressionNames: expressions.map(({ name }) => name),
      expressionLimits: Float32Array.from({ length: expressions.length * 2 }, (_, i) =>
        i % 2 ? 1 + expressionSlack.above : -expressionSlack.below,
      ),
      poseCorrectives: null,
      joints: JOINT_NAMES.map((name) => ({ name, parent: name === 'root' ? -1 : name === 'neck' ? 0 : 1 })),
      jointRegressor: ictJointRegressor(skinning),
      skinningWeights: ictSkinningWeights(skinning),
      regionNames: REGION_NAMES,
      triangleRegions: findRegions(surface, files.neutral.vertices),
    },
  };
}

interface KeptSurface {
  /** Per kept vertex, its index in the file. */
  readonly sourceVertices: Uint32Array;
  /** Kept vertices ×3, file units. */
  readonly vertices: Float32Array;
  readonly triangles: Uint32Array;
  readonly uvTriangles: Uint32Array;
  readonly triangleParts: readonly IctPart[];
}

/** Triangulates the kept polygons and compacts the vertices, in file order. */
function keepParts({ neutral }: IctFiles): KeptSurface {
  const sourceTriangles: number[] = [];
  const uvTriangles: number[] = [];
  const triangleParts: IctPart[] = [];
  for (const { part, polygons } of ICT_PARTS) {
    for (let polygon = polygons[0]; polygon < polygons[1]; polygon++) {
      const [start, end] = [neutral.polygonStarts[polygon], neutral.polygonStarts[polygon + 1]];
      if (isBelowNeck(part, neutral.vertices, neutral.cornerVertices.subarray(start, end))) continue;
      for (let corner = start + 1; corner + 1 < end; corner++) {
        for (const at of [start, corner, corner + 1]) {
          sourceTriangles.push(neutral.cornerVertices[at]);
          uvTriangles.push(neutral.cornerUvs[at]);
        }
        triangleParts.push(part);
      }
    }
  }
  const sourceVertices = Uint32Array.from(new Set(sourceTriangles)).toSorted();
  const keptOf = new Map([...sourceVertices.entries()].map(([kept, source]) => [source, kept]));
  return {
    sourceVertices,
    vertices: gather(neutral.vertices, sourceVertices),
    triangles: Uint32Array.from(sourceTriangles, (source) => keptOf.get(source)!),
    uvTriangles: Uint32Array.from(uvTriangles),
    triangleParts,
  };
}

/** Beyond the neck's column or below its foot: covered by clothing, which no avatar here shows (file units). */
function isBelowNeck(part: IctPart, vertices: Float32Array, polygon: Uint32Array): boolean {
  if (part !== 'face' && part !== 'headAndNeck') return false;
  const [x, y, z] = [0, 1, 2].map(
    (axis) => polygon.reduce((sum, v) => sum + vertices[v * 3 + axis], 0) / polygon.length,
  );
  const isShoulder = part === 'headAndNeck' && y < -9 && Math.hypot(x, z + 2) > 6.8;
  return isShoulder || neckHeight(y, z) < NECK_FOOT;
}

function findRegions({ vertices, triangles, triangleParts }: KeptSurface, neutralVertices: Float32Array): Uint8Array {
  const regionOf = createRegionFinder(neutralVertices);
  return Uint8Array.from(triangleParts, (part, t) => {
    const corners = triangles.subarray(t * 3, t * 3 + 3);
    const centre = (axis: number): number =>
      (vertices[corners[0] * 3 + axis] + vertices[corners[1] * 3 + axis] + vertices[corners[2] * 3 + axis]) / 3;
    return REGION_NAMES.indexOf(regionOf(part, [centre(0), centre(1), centre(2)]));
  });
}

function gather(source: Float32Array, vertices: Uint32Array): Float32Array {
  const gathered = new Float32Array(vertices.length * 3);
  vertices.forEach((v, i) => gathered.set(source.subarray(v * 3, v * 3 + 3), i * 3));
  return gathered;
}

function addScaled(target: Float32Array, source: Float32Array, scale: number): void {
  for (let i = 0; i < source.length; i++) target[i] += source[i] * scale;
}

/** OBJ's v grows upwards, ours downwards. */
function flipV(uvs: Float32Array): Float32Array {
  return uvs.map((value, i) => (i % 2 ? 1 - value : value));
}
