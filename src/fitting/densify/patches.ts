import { surfaceArea } from '../../head/atlas/charts.ts';
import type { HeadModel } from '../../head/head-model.ts';
import { weldVertices } from '../../head/weld-vertices.ts';

type Mesh = Pick<HeadModel, 'triangles' | 'triangleRegions' | 'templateVertices' | 'vertexCount'>;

/** Where the children of a Gaussian may go, for every triangle that it may sit on. */
export interface SurfacePatches {
  /** T+1: the patch of triangle t is `members[starts[t]]` … `members[starts[t + 1] − 1]`. */
  readonly starts: Uint32Array;
  /** Triangles; a patch begins with its own. */
  readonly members: Uint32Array;
  /** Share of the patch's area in this member and those before it; 1 for the last of a patch. */
  readonly shares: Float32Array;
}

/** First Gaussians in a patch: FATE starts 65,536 on FLAME's 9,976 triangles. */
const PATCH_GAUSSIANS = 7;
/** Triangles in a patch at most, where a mesh is far finer than its Gaussians. */
const MOST_MEMBERS = 96;

/** Patches of one triangle each: what FATE's eqs 7–8 say to the letter. */
export function singlePatches(triangleCount: number): SurfacePatches {
  return {
    starts: Uint32Array.from({ length: triangleCount + 1 }, (_, triangle) => triangle),
    members: Uint32Array.from({ length: triangleCount }, (_, triangle) => triangle),
    shares: new Float32Array(triangleCount).fill(1),
  };
}

/**
 * FATE's children go anywhere in their parent's triangle, which holds seven Gaussians there. On a finer mesh they would
 * fall on their parent and add nothing. So a patch is a triangle with as many of the nearest around it, of the same region,
 * as hold seven of the first Gaussians; on a mesh as coarse as FLAME's it is that triangle alone. `triangleIndices` (N): the
 * triangles of the first Gaussians. Only triangles whose vertices they use are in a patch: no others are deformed.
 */
export function surfacePatches(mesh: Mesh, triangleIndices: Uint32Array): SurfacePatches {
  const triangleCount = mesh.triangles.length / 3;
  const centres = triangleCentres(mesh);
  const areaOf = (triangle: number): number =>
    surfaceArea({ vertices: mesh.templateVertices, triangles: mesh.triangles }, triangle);
  const held = new Uint32Array(triangleCount);
  for (const triangle of triangleIndices) held[triangle]!++;
  const used = usedVertices(mesh, triangleIndices);
  const isUsed = (triangle: number): boolean =>
    [0, 1, 2].every((corner) => used[mesh.triangles[triangle * 3 + corner]!] === 1);
  const around = trianglesAround(mesh, isUsed);
  const starts = new Uint32Array(triangleCount + 1);
  const members: number[] = [];
  const shares: number[] = [];
  for (let triangle = 0; triangle < triangleCount; triangle++) {
    const patch = isUsed(triangle) ? grow(triangle, around, centres, held) : [triangle];
    const total = patch.reduce((sum, member) => sum + areaOf(member), 0);
    let area = 0;
    for (const member of patch) {
      area += areaOf(member);
      members.push(member);
      shares.push(total > 0 ? area / total : 1);
    }
    shares[shares.length - 1] = 1;
    starts[triangle + 1] = members.length;
  }
  return { starts, members: Uint32Array.from(members), shares: Float32Array.from(shares) };
}

/** Takes the nearest of the triangles next to those it has, until they hold enough. */
function grow(
  first: number,
  around: (triangle: number) => readonly number[],
  centres: Float32Array,
  held: Uint32Array,
): number[] {
  const patch = [first];
  const known = new Set(patch);
  const open: { triangle: number; distance: number }[] = [];
  let taken = first;
  for (let gaussians = held[first]!; gaussians < PATCH_GAUSSIANS && patch.length < MOST_MEMBERS;) {
    for (const triangle of around(taken)) {
      if (known.has(triangle)) continue;
      known.add(triangle);
      open.push({ triangle, distance: squaredDistance(centres, first, triangle) });
    }
    if (open.length === 0) break;
    let nearest = 0;
    for (let i = 1; i < open.length; i++) if (open[i]!.distance < open[nearest]!.distance) nearest = i;
    taken = open.splice(nearest, 1)[0]!.triangle;
    patch.push(taken);
    gaussians += held[taken]!;
  }
  return patch;
}

/** The used triangles of the same region that share a corner; corners at one place count as one. */
function trianglesAround(
  { triangles, triangleRegions, templateVertices }: Mesh,
  isUsed: (triangle: number) => boolean,
): (triangle: number) => readonly number[] {
  const welded = weldVertices(templateVertices);
  const cornersOf = (triangle: number): number[] =>
    [0, 1, 2].map((corner) => welded[triangles[triangle * 3 + corner]!]!);
  const atVertex = new Map<number, number[]>();
  for (let triangle = 0; triangle < triangles.length / 3; triangle++) {
    if (!isUsed(triangle)) continue;
    for (const vertex of cornersOf(triangle)) {
      const list = atVertex.get(vertex);
      if (list) list.push(triangle);
      else atVertex.set(vertex, [triangle]);
    }
  }
  return (triangle) =>
    cornersOf(triangle)
      .flatMap((vertex) => atVertex.get(vertex) ?? [])
      .filter((other) => triangleRegions[other] === triangleRegions[triangle]);
}

/** V: 1 for the corners of the triangles that `triangleIndices` (N) name. */
export function usedVertices(
  { triangles, vertexCount }: Pick<Mesh, 'triangles' | 'vertexCount'>,
  triangleIndices: Uint32Array,
): Uint8Array {
  const used = new Uint8Array(vertexCount);
  for (const triangle of triangleIndices)
    for (let corner = 0; corner < 3; corner++) used[triangles[triangle * 3 + corner]!] = 1;
  return used;
}

/** T×3 metres. */
function triangleCentres({ triangles, templateVertices }: Mesh): Float32Array {
  const centres = new Float32Array(triangles.length);
  triangles.forEach((vertex, at) => {
    const centre = at - (at % 3);
    for (let axis = 0; axis < 3; axis++) centres[centre + axis]! += templateVertices[vertex * 3 + axis]! / 3;
  });
  return centres;
}

function squaredDistance(points: Float32Array, a: number, b: number): number {
  let sum = 0;
  for (let axis = 0; axis < 3; axis++) sum += (points[a * 3 + axis]! - points[b * 3 + axis]!) ** 2;
  return sum;
}
