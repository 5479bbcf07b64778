import type { HeadModel, LandmarkEmbedding, RegionName } from '../head-model.ts';
import { jointPositions } from '../pose-vertices.ts';
import { CANONICAL_POINT_COUNT, type CanonicalFace } from './canonical-face.ts';
import { anchorsAlongContours, type LandmarkAnchor } from './contours.ts';
import { IBUG_WAYPOINTS, MEDIAPIPE_FROM_IBUG_68 } from './face-topology.ts';
import { SurfaceSearch, type SurfacePoint } from './surface-search.ts';
import { fitThinPlate } from './thin-plate.ts';

export type { LandmarkAnchor } from './contours.ts';

/** Skin that a face-mesh point may sit on. Ears are left out: the mesh's outermost points lie just in front of them. */
export const FACE_REGIONS: readonly RegionName[] = ['face', 'lips', 'leftEyelids', 'rightEyelids', 'scalp', 'neck'];
/** In metres: an anchor of weight 1 is met to within about this over the points' spacing. */
const STIFFNESS = 2e-4;
const ITERATIONS = 12;
const SEARCH_REACH = 0.03;
const MIN_NORMAL_AGREEMENT = 0.4;
/** How much of each step is the neighbours' mean step: keeps the mesh's order where the surface is far away. */
const SMOOTHING = 0.5;

/**
 * Anchors from the vertices of the 68 iBUG points. Eyes and lips mean the same points in both annotations; noses nearly;
 * brows and jaw lines are annotated by other rules and pull only lightly.
 */
export function anchorsFromIbug68(vertices: ArrayLike<number>): LandmarkAnchor[] {
  const anchors = MEDIAPIPE_FROM_IBUG_68.flatMap((landmark, i) => {
    if (landmark === null) return [];
    const weight = i < 17 ? 0.05 : i < 27 ? 0.03 : i < 36 ? 0.3 : 1;
    return [{ landmark, vertex: vertices[i], weight }];
  });
  return [...anchors, ...IBUG_WAYPOINTS.map(([i, landmark]) => ({ landmark, vertex: vertices[i], weight: 0 }))];
}

/**
 * Finds where the 468 points of the face mesh sit on a head: registers the canonical face to the template once. Anchors
 * and the lips' and lids' contours give a thin-plate map; what it carries over settles on the skin by closest points with
 * agreeing normals, each step smoothed over the mesh. Pure and deterministic.
 *
 * @throws RangeError when fewer than 12 anchors are given: the map would be undetermined.
 */
export function embedLandmarks(
  head: Omit<HeadModel, 'landmarks'>,
  canonicalFace: CanonicalFace,
  anchors: readonly LandmarkAnchor[],
): LandmarkEmbedding {
  if (anchors.length < 12) {
    throw new RangeError(`anchors has ${anchors.length} entries; give at least 12, spread over eyes, nose and mouth.`);
  }
  const regions = new Set(FACE_REGIONS.map((name) => head.regionNames.indexOf(name)));
  const skin = [...head.triangleRegions.keys()].filter((triangle) => regions.has(head.triangleRegions[triangle]));
  const skinTriangles = Uint32Array.from(skin.flatMap((t) => [...head.triangles.subarray(t * 3, t * 3 + 3)]));
  const allAnchors = anchorsAlongContours(head.templateVertices, skinTriangles, canonicalFace, anchors);
  const search = new SurfaceSearch(head.templateVertices, head.triangles, skin, 0.006);

  const positions = warp(head, canonicalFace, allAnchors);
  const fixed = new Map(
    allAnchors.filter(({ weight }) => weight === 1).map(({ landmark, vertex }) => [landmark, vertex]),
  );
  for (let iteration = 0; iteration < ITERATIONS; iteration++) settle(positions, canonicalFace, fixed, search);
  return project(head, positions, canonicalFace, fixed, skin, search);
}

/** 468×3: the canonical face carried over by the anchors. */
function warp(
  head: Pick<HeadModel, 'templateVertices'>,
  { positions }: CanonicalFace,
  anchors: readonly LandmarkAnchor[],
): Float64Array {
  const at = (array: Float32Array, index: number): [number, number, number] => [
    array[index * 3],
    array[index * 3 + 1],
    array[index * 3 + 2],
  ];
  const map = fitThinPlate(
    anchors
      .filter(({ weight }) => weight > 0)
      .map(({ landmark, vertex, weight }) => ({
        from: at(positions, landmark),
        to: at(head.templateVertices, vertex),
        weight,
      })),
    STIFFNESS,
  );
  const warped = new Float64Array(CANONICAL_POINT_COUNT * 3);
  for (let i = 0; i < CANONICAL_POINT_COUNT; i++) warped.set(map(...at(positions, i)), i * 3);
  for (const { landmark, vertex, weight } of anchors)
    if (weight === 1) warped.set(at(head.templateVertices, vertex), landmark * 3);
  return warped;
}

/** One step of all free points towards the skin. */
function settle(
  positions: Float64Array,
  { triangles }: CanonicalFace,
  fixed: ReadonlyMap<number, number>,
  search: SurfaceSearch,
): void {
  const normals = pointNormals(positions, triangles);
  const steps = new Float64Array(positions.length);
  for (let i = 0; i < CANONICAL_POINT_COUNT; i++) {
    if (fixed.has(i)) continue;
    const found = closestAgreeing(positions, normals, i, search);
    for (let axis = 0; found && axis < 3; axis++) steps[i * 3 + axis] = found.position[axis] - positions[i * 3 + axis];
  }
  const smooth = neighbourMeans(steps, triangles);
  for (let i = 0; i < CANONICAL_POINT_COUNT; i++) {
    if (fixed.has(i)) continue;
    for (let axis = i * 3; axis < i * 3 + 3; axis++)
      positions[axis] += (1 - SMOOTHING) * steps[axis] + SMOOTHING * smooth[axis];
  }
}

function closestAgreeing(
  positions: Float64Array,
  normals: Float64Array,
  index: number,
  search: SurfaceSearch,
): SurfacePoint | null {
  const at = index * 3;
  return search.closest([positions[at], positions[at + 1], positions[at + 2]], SEARCH_REACH, (triangle) => {
    const normal = search.normal(triangle);
    return normal[0] * normals[at] + normal[1] * normals[at + 1] + normal[2] * normals[at + 2] > MIN_NORMAL_AGREEMENT;
  });
}

function project(
  { triangles }: Pick<HeadModel, 'triangles'>,
  positions: Float64Array,
  canonicalFace: CanonicalFace,
  fixed: ReadonlyMap<number, number>,
  skin: readonly number[],
  search: SurfaceSearch,
): LandmarkEmbedding {
  const normals = pointNormals(positions, canonicalFace.triangles);
  const triangleIndices = new Uint32Array(CANONICAL_POINT_COUNT);
  const barycentrics = new Float32Array(CANONICAL_POINT_COUNT * 3);
  const triangleOfVertex = new Map<number, number>();
  for (const t of skin)
    for (let k = 0; k < 3; k++)
      if (!triangleOfVertex.has(triangles[t * 3 + k])) triangleOfVertex.set(triangles[t * 3 + k], t);
  for (let i = 0; i < CANONICAL_POINT_COUNT; i++) {
    const vertex = fixed.get(i);
    const triangle = vertex === undefined ? undefined : triangleOfVertex.get(vertex);
    if (triangle !== undefined) {
      triangleIndices[i] = triangle;
      for (let k = 0; k < 3; k++) barycentrics[i * 3 + k] = triangles[triangle * 3 + k] === vertex ? 1 : 0;
      continue;
    }
    const position = [positions[i * 3], positions[i * 3 + 1], positions[i * 3 + 2]] as const;
    const found = closestAgreeing(positions, normals, i, search) ?? search.closest(position, Infinity);
    if (!found) throw new RangeError('the head has no triangles in its face regions; its triangleRegions are wrong.');
    triangleIndices[i] = found.triangle;
    barycentrics.set(found.barycentric, i * 3);
  }
  return { triangleIndices, barycentrics };
}

/** Unit normals of the 468 points, area-weighted. */
function pointNormals(positions: Float64Array, triangles: Uint32Array): Float64Array {
  const normals = new Float64Array(positions.length);
  for (let t = 0; t < triangles.length; t += 3) {
    const [a, b, c] = [triangles[t] * 3, triangles[t + 1] * 3, triangles[t + 2] * 3];
    const [ux, uy, uz] = [0, 1, 2].map((k) => positions[b + k] - positions[a + k]);
    const [vx, vy, vz] = [0, 1, 2].map((k) => positions[c + k] - positions[a + k]);
    const normal = [uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx];
    for (const corner of [a, b, c]) for (let k = 0; k < 3; k++) normals[corner + k] += normal[k];
  }
  for (let i = 0; i < normals.length; i += 3) {
    const length = Math.hypot(normals[i], normals[i + 1], normals[i + 2]) || 1;
    for (let k = 0; k < 3; k++) normals[i + k] /= length;
  }
  return normals;
}

function neighbourMeans(values: Float64Array, triangles: Uint32Array): Float64Array {
  const sums = new Float64Array(values.length);
  const counts = new Float64Array(values.length / 3);
  for (let t = 0; t < triangles.length; t += 3) {
    for (let k = 0; k < 3; k++) {
      const [a, b] = [triangles[t + k], triangles[t + ((k + 1) % 3)]];
      for (let axis = 0; axis < 3; axis++) {
        sums[a * 3 + axis] += values[b * 3 + axis];
        sums[b * 3 + axis] += values[a * 3 + axis];
      }
      counts[a]++;
      counts[b]++;
    }
  }
  return sums.map((sum, i) => sum / Math.max(1, counts[Math.floor(i / 3)]));
}

/**
 * The centres of the irises on the eyeballs, the subject's right (face-mesh point 468) then left (473): where the
 * eyeball's surface lies straight ahead of its joint at zero gaze. Turning the eye joints moves them, so gaze can be solved.
 */
export function embedIrisCentres(head: HeadModel): LandmarkEmbedding {
  const joints = jointPositions(head, head.templateVertices);
  const embed = (side: 'left' | 'right') => {
    const joint = head.joints.findIndex(({ name }) => name === `${side}Eye`);
    const region = head.regionNames.indexOf(`${side}Eyeball`);
    const ball = [...head.triangleRegions.keys()].filter((triangle) => head.triangleRegions[triangle] === region);
    if (joint < 0 || ball.length === 0)
      throw new RangeError(`head "${head.name}" has no ${side} eye joint or eyeball triangles.`);
    const centre = [0, 1, 2].map((axis) => joints[joint * 3 + axis]);
    const search = new SurfaceSearch(head.templateVertices, head.triangles, ball, 0.004);
    // From a point well in front the closest of a ball is the pole that faces it.
    return search.closest([centre[0], centre[1], centre[2] + 0.05], Infinity)!;
  };
  const found = [embed('right'), embed('left')];
  return {
    triangleIndices: Uint32Array.from(found, ({ triangle }) => triangle),
    barycentrics: Float32Array.from(found.flatMap(({ barycentric }) => [...barycentric])),
  };
}
