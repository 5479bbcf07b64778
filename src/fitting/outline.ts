import type { HeadModel } from '../head/head-model.ts';
import { vertexAdjacency, type VertexAdjacency } from '../head/laplacian.ts';
import { smoothNormals } from '../head/mesh-normals.ts';
import { identityVertices } from '../head/pose-vertices.ts';
import { weldVertices } from '../head/weld-vertices.ts';
import type { Clip } from './clip.ts';
import { surfaceGroups, type SurfaceGroup } from './region-appearance.ts';
import { meshMask } from './mesh-mask.ts';
import { isHeld, isShown, pixelOf, silhouettesOf, type Point, type Silhouette } from './silhouettes.ts';

/** Metres of one step along a vertex's normal, and steps at most into the head and out of it. */
const STEP = 0.001;
const INWARD_STEPS = 45;
const OUTWARD_STEPS = 25;
/** Share of the frames whose mattes must hold a vertex; hair goes out no further than the same share of them allow. */
const INSIDE = 0.9;
/**
 * A vertex is on a frame's outline, and tells how high its hair is, where the cosine between its normal and the
 * view is less, and the mesh ends so many metres above it: what shows there is hair, not an ear.
 */
const RIM = 0.25;
const RIM_REACH = 0.003;
/** Sweeps that carry a change over the surface. Inwards it fades by this factor an edge: within a centimetre or two. */
const INWARD_SWEEPS = 60;
const FADE = 0.97;
const OUTWARD_SWEEPS = 400;
/**
 * Surfaces that rise to the hair, in this order, and the pull of what the outline says of a vertex's, against all its
 * neighbours'. The neck is first: hair that ends at the nape must not widen it. Its pull is little, since its outline is hair
 * in one place and a collar in the next: unevenly risen, it stands out in tips.
 */
const RISING = [
  { group: 'neck', pull: 0.1 },
  { group: 'hair', pull: 0.5 },
] as const;
/** Mean cosine to the camera from which what shows of the neck is its skin, whatever hangs behind it. */
const FRONT = 0.35;

/**
 * V×3 metres: the Δvertex that a fit starts from, which shapes the mesh after the mattes. A head model's few broad modes
 * leave jaw and neck some millimetres too wide: Gaussians out there would be made faint, and leave holes from the side. And
 * its scalp has no hair, nor does any hang beside its neck: Gaussians would have to leave it by centimetres. So what sticks
 * out goes inwards, as far as nine in ten mattes ask, and scalp and neck rise to the outline of the hair, smoothly in between.
 */
export function outlineOffsets(head: HeadModel, identityCoefficients: Float32Array, clip: Clip): Float32Array {
  const mesh = weldedMesh(head);
  const silhouettes = silhouettesOf(head, identityCoefficients, clip);
  const views = silhouettes.map((silhouette) => ({
    silhouette,
    mask: meshMask(silhouette, head.triangles),
    normals: smoothNormals(silhouette.vertices, head.triangles, mesh.welded),
  }));
  const depths = drape(mesh, (vertex) => depthInside(views, vertex));
  const heights = raise(mesh, (vertex) =>
    mesh.groups[vertex] === 'neck' && facesCamera(views, vertex) ? 0 : hairHeight(views, vertex),
  );
  const normals = smoothNormals(identityVertices(head, identityCoefficients), head.triangles, mesh.welded);
  return normals.map((value, at) => {
    const vertex = mesh.welded[Math.floor(at / 3)]!;
    return value * (heights[vertex]! - depths[vertex]!);
  });
}

interface View {
  readonly silhouette: Silhouette;
  /** size²: where the mesh is. */
  readonly mask: Uint8Array;
  /** V×3, in camera space. */
  readonly normals: Float32Array;
}

/** A head's surface without seams. What is not the first of vertices at one place has no neighbours. */
interface WeldedMesh {
  /** V: the first vertex at the same place. */
  readonly welded: Uint32Array;
  readonly adjacency: VertexAdjacency;
  /** V: which surface a vertex is on; null inside mouth and eyes. */
  readonly groups: readonly (SurfaceGroup | null)[];
}

function weldedMesh(head: HeadModel): WeldedMesh {
  const welded = weldVertices(head.templateVertices);
  const triangles = head.triangles.map((vertex) => welded[vertex]!);
  const groups: (SurfaceGroup | null)[] = Array.from({ length: head.vertexCount }, () => null);
  const ofTriangle = surfaceGroups(head);
  triangles.forEach((vertex, corner) => (groups[vertex] = ofTriangle[Math.floor(corner / 3)]!));
  return { welded, adjacency: vertexAdjacency(triangles, head.vertexCount), groups };
}

/** Metres below a vertex where the mattes hold it; 0 where they do already, and where they never do. */
function depthInside(views: readonly View[], vertex: number): number {
  for (let step = 0; step <= INWARD_STEPS; step++) {
    const holding = views.filter((view) => isHeld(view.silhouette, pointAbove(view, vertex, -step * STEP)));
    if (holding.length >= INSIDE * views.length) return step * STEP;
  }
  return 0;
}

/** Metres from a vertex to the mattes' edge, by the frames in which it is on the outline; null without any. */
function hairHeight(views: readonly View[], vertex: number): number | null {
  const heights = views.flatMap((view) => heightInFrame(view, vertex) ?? []).toSorted((a, b) => a - b);
  return heights[Math.floor(heights.length * (1 - INSIDE))] ?? null;
}

function heightInFrame(view: View, vertex: number): number | null {
  if (Math.abs(facing(view, vertex)) > RIM || isCovered(view, pointAbove(view, vertex, RIM_REACH))) return null;
  for (let step = 0; step < OUTWARD_STEPS; step++) {
    const next = pointAbove(view, vertex, (step + 1) * STEP);
    if (!isShown(view.silhouette, next)) return null; // the hair goes on where the video ends
    if (!isHeld(view.silhouette, next)) return step * STEP;
  }
  return OUTWARD_STEPS * STEP;
}

function facesCamera(views: readonly View[], vertex: number): boolean {
  return views.reduce((sum, view) => sum + facing(view, vertex), 0) > FRONT * views.length;
}

/** Cosine between a vertex's normal and the direction to the camera. */
function facing(view: View, vertex: number): number {
  const at = pointAbove(view, vertex, 0);
  return -at.reduce((sum, value, axis) => sum + value * view.normals[vertex * 3 + axis]!, 0) / Math.hypot(...at);
}

function isCovered({ silhouette: { frame, size }, mask }: View, point: Point): boolean {
  const [column, row] = pixelOf(frame, point);
  return column >= 0 && row >= 0 && column < size && row < size && mask[row * size + column] === 1;
}

function pointAbove({ silhouette, normals }: View, vertex: number, height: number): Point {
  const at = (axis: number): number => silhouette.vertices[vertex * 3 + axis]! + height * normals[vertex * 3 + axis]!;
  return [at(0), at(1), at(2)];
}

/** V metres inwards: as deep as each vertex must go, and its neighbours' mean where that is deeper. */
function drape(mesh: WeldedMesh, depthOf: (vertex: number) => number): Float32Array {
  const { groups } = mesh;
  const needed = Float32Array.from(groups, (group, vertex) => (group === null ? 0 : depthOf(vertex)));
  const depths = needed.slice();
  for (let sweep = 0; sweep < INWARD_SWEEPS; sweep++) {
    for (let vertex = 0; vertex < depths.length; vertex++) {
      if (groups[vertex] === null) continue;
      depths[vertex] = Math.max(needed[vertex]!, FADE * meanRound(mesh.adjacency, depths, vertex));
    }
  }
  return depths;
}

/** V metres outwards: what the outline says of the hair, evenly spread over neck and scalp, 0 elsewhere. */
function raise(mesh: WeldedMesh, heightOf: (vertex: number) => number | null): Float32Array {
  const { groups, adjacency } = mesh;
  const known = groups.map((group, vertex) => (RISING.some((rising) => rising.group === group) ? heightOf(vertex) : 0));
  const heights = Float32Array.from(known, (height) => height ?? 0);
  const waiting = new Set<SurfaceGroup | null>(RISING.map(({ group }) => group));
  for (const { group, pull } of RISING) {
    waiting.delete(group);
    const counts = groups.map((other) => !waiting.has(other));
    for (let sweep = 0; sweep < OUTWARD_SWEEPS; sweep++) {
      for (let vertex = 0; vertex < heights.length; vertex++) {
        if (groups[vertex] !== group) continue;
        const mean = meanRound(adjacency, heights, vertex, counts);
        const own = known[vertex] ?? null;
        heights[vertex] = own === null ? mean : (mean + pull * own) / (1 + pull);
      }
    }
  }
  return heights;
}

/** Mean of a vertex's neighbours, of those that count; 0 without any. */
function meanRound(
  { starts, neighbours }: VertexAdjacency,
  values: Float32Array,
  vertex: number,
  counts?: readonly boolean[],
): number {
  let [sum, count] = [0, 0];
  for (let at = starts[vertex]!; at < starts[vertex + 1]!; at++) {
    const neighbour = neighbours[at]!;
    if (counts && !counts[neighbour]) continue;
    sum += values[neighbour]!;
    count++;
  }
  return count > 0 ? sum / count : 0;
}
