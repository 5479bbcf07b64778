import type { Avatar } from '../avatar/avatar.ts';
import { cross, dot, normalize, pointAt, subtract, type Vector } from '../head/builtin/vector.ts';
import type { HeadModel, RegionName } from '../head/head-model.ts';
import type { HeadPose } from '../head/pose.ts';
import { jointPositions, offsetVertices, poseIdentityVertices } from '../head/pose-vertices.ts';
import { smoothNormals } from '../head/mesh-normals.ts';
import { weldVertices } from '../head/weld-vertices.ts';
import { smoothHead, type PersonalHead } from './smooth-head.ts';

/** A point of the head: what an edit is anchored to. Moves with the head. */
export interface SurfacePlace {
  readonly triangle: number;
  readonly barycentric: Vector;
}

/**
 * The head that edits are measured on and bound to: the avatar's mesh in its neutral pose, upright, in metres of head
 * space, without the bumps that the fit put on it (`smoothHead`). Edits of 3 cm are 3 cm on it.
 */
export interface HeadSurface {
  /** With smooth motion (`smoothHead`); topology and atlas are the avatar's. */
  readonly head: HeadModel;
  readonly vertexOffset: Float32Array;
  /** V×3 metres. */
  readonly vertices: Float32Array;
  /** V×3 metres: as fitted, in the same pose: where the avatar's own Gaussians are bound. */
  readonly fittedVertices: Float32Array;
  /** V×3, unit, smooth over charts and seams. */
  readonly normals: Float32Array;
  /** V: the first vertex at the same position: meshes repeat vertices where materials meet. */
  readonly welded: Uint32Array;
  /** T: triangles of one number continue each other; paint does not cross from one to another. */
  readonly sheets: Uint8Array;
}

const INSIDE: readonly RegionName[] = ['mouthCavity', 'gums', 'upperTeeth', 'lowerTeeth', 'tongue', 'leftEyeSocket', 'rightEyeSocket']; // prettier-ignore

/** Outer skin 0, inside of the mouth and behind the eyes 1, the eyeballs 2 and 3. */
function sheetOf(region: RegionName): number {
  if (region === 'leftEyeball') return 2;
  if (region === 'rightEyeball') return 3;
  return INSIDE.includes(region) ? 1 : 0;
}

/** Takes about a second: an avatar's surface is made once and handed on. */
export function headSurface(avatar: PersonalHead): HeadSurface {
  const smooth = smoothHead(avatar);
  const { head } = smooth;
  const upright = { ...avatar.neutralPose, headRotation: new Float32Array(3), headTranslation: new Float32Array(3) };
  const vertices = posedVertices(smooth, upright);
  const welded = weldVertices(head.templateVertices);
  return {
    head,
    vertexOffset: smooth.vertexOffset,
    vertices,
    fittedVertices: posedVertices(avatar, upright),
    welded,
    normals: smoothNormals(vertices, head.triangles, welded),
    sheets: head.triangleRegions.map((region) => sheetOf(head.regionNames[region])),
  };
}

/** V×3 metres: the avatar's mesh in a pose, Δvertex included; the host's twin of what the renderer deforms. */
export function posedVertices(
  { head, vertexOffset }: Pick<Avatar, 'head' | 'vertexOffset'>,
  pose: HeadPose,
): Float32Array {
  const joints = jointPositions(head, head.templateVertices);
  return poseIdentityVertices(head, offsetVertices(head.templateVertices, vertexOffset), joints, pose);
}

/** Metres, head space. */
export function placePosition(surface: Pick<HeadSurface, 'head' | 'vertices'>, place: SurfacePlace): Vector {
  return interpolate(surface.vertices, surface.head.triangles, place);
}

/** Smooth unit normal. */
export function placeNormal(surface: HeadSurface, place: SurfacePlace): Vector {
  return normalize(interpolate(surface.normals, surface.head.triangles, place));
}

/** The place of a point of the atlas, or null where no chart is. */
export function placeAtUv({ uvs, uvTriangles, triangleCount }: HeadModel, u: number, v: number): SurfacePlace | null {
  for (let triangle = 0; triangle < triangleCount; triangle++) {
    const [a, b, c] = [0, 1, 2].map((corner) => uvTriangles[triangle * 3 + corner] * 2);
    const area = (uvs[b] - uvs[a]) * (uvs[c + 1] - uvs[a + 1]) - (uvs[b + 1] - uvs[a + 1]) * (uvs[c] - uvs[a]);
    if (area === 0) continue;
    const wa = ((uvs[b] - u) * (uvs[c + 1] - v) - (uvs[b + 1] - v) * (uvs[c] - u)) / area;
    const wb = ((uvs[c] - u) * (uvs[a + 1] - v) - (uvs[c + 1] - v) * (uvs[a] - u)) / area;
    if (wa >= 0 && wb >= 0 && wa + wb <= 1) return { triangle, barycentric: [wa, wb, 1 - wa - wb] };
  }
  return null;
}

export function regionOf(head: HeadModel, triangle: number): RegionName {
  return head.regionNames[head.triangleRegions[triangle]];
}

/**
 * The nearest triangle that a ray meets from its front, or null. `origin` and `direction` in the space of `vertices`
 * (Möller–Trumbore).
 */
export function firstHit(
  triangles: Uint32Array,
  vertices: Float32Array,
  origin: Vector,
  direction: Vector,
): SurfacePlace | null {
  let nearest = Infinity;
  let place: SurfacePlace | null = null;
  for (let triangle = 0; triangle * 3 < triangles.length; triangle++) {
    const a = pointAt(vertices, triangles[triangle * 3]);
    const ab = subtract(pointAt(vertices, triangles[triangle * 3 + 1]), a);
    const ac = subtract(pointAt(vertices, triangles[triangle * 3 + 2]), a);
    const p = cross(direction, ac);
    const determinant = dot(ab, p);
    if (determinant <= 1e-14) continue; // seen from behind, or on edge
    const fromA = subtract(origin, a);
    const wb = dot(fromA, p) / determinant;
    const q = cross(fromA, ab);
    const wc = dot(direction, q) / determinant;
    const along = dot(ac, q) / determinant;
    if (wb < 0 || wc < 0 || wb + wc > 1 || along <= 0 || along >= nearest) continue;
    nearest = along;
    place = { triangle, barycentric: [1 - wb - wc, wb, wc] };
  }
  return place;
}

function interpolate(values: Float32Array, triangles: Uint32Array, { triangle, barycentric }: SurfacePlace): Vector {
  const sum: [number, number, number] = [0, 0, 0];
  for (let corner = 0; corner < 3; corner++) {
    const at = triangles[triangle * 3 + corner] * 3;
    for (let axis = 0; axis < 3; axis++) sum[axis] += barycentric[corner] * values[at + axis];
  }
  return sum;
}
