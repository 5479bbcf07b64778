import type { Avatar } from '../avatar/avatar.ts';
import { NORMAL_OFFSET_LIMIT, SH_C0, type GaussianSet } from '../gaussians/layout.ts';
import { cross, dot, length, normalize, pointAt, subtract, type Vector } from '../head/builtin/vector.ts';
import { triangleSizesReference } from '../binding/placement.reference.ts';
import { extendHead } from './extend-head.ts';
import type { HeadSurface } from './head-surface.ts';
import { PointGrid } from './point-grid.ts';
import type { PlacedGaussians } from './visible-surface.ts';
import type { SurfaceTexels } from './surface-texels.ts';

/** Part of the surface that is drawn by one small Gaussian per texel, because edits are finer there than the avatar. */
export interface DetailPatch {
  readonly texels: SurfaceTexels;
  /** N×3, sRGB-encoded: base and layers. */
  readonly colors: Float32Array;
  /** N×3 metres, head space: where they are seen. Not on the mesh, from which hair and the fit's corrections stand off. */
  readonly positions: Float32Array;
  /** N metres to the nearest texel that an edit changed; 0 on it. The rest is a rim of unchanged skin. */
  readonly distances: Float32Array;
}

/** Standard deviation over the texels' spacing: neighbours leave at most 1.3 % of light through at 0.7. */
const TEXEL_DEVIATION = 0.7;
/** Standard deviation along the normal, metres. */
const THICKNESS = 0.00015;
const OPAQUE_LOGIT = 7;
/** Share of the rim's width from which on it fades. */
const FADING = 0.7;
/** Logit at the rim's outer end, where it gives way to the avatar's own Gaussians. */
const RIM_LOGIT = -2;
/** Width of the rim of unchanged skin that is drawn finely, metres. */
export const RIM = 0.009;
/** Gaussians of the avatar bound this near to an edit give way to the patch. */
const CLEARED = 0.003;
/** How far a foot may lie outside its triangle, in weights. */
const FOOT_OUTSIDE = 0.4;
/** A Gaussian beside an edit may reach over it with less than exp(−½·2.5²) = 4 % of its opacity. */
const REACH_DEVIATIONS = 2.5;

/**
 * The avatar with the patch in place of its own Gaussians there; those beside it do not reach over it. The patch is bound
 * to a copy of the surface's smooth mesh, which the avatar's head gets in addition.
 */
export function withPatch(avatar: Avatar, surface: HeadSurface, placed: PlacedGaussians, patch: DetailPatch): Avatar {
  const extended = extendHead(avatar, surface, patch.texels.triangles);
  const cleared = makeRoom(avatar, surface, placed, patch);
  return {
    ...extended.avatar,
    gaussians: concatenate(cleared, texelGaussians(surface, extended.triangleOf, patch)),
  };
}

/** The avatar's Gaussians without those below the patch, and with those beside it made too small to reach over it. */
function makeRoom(
  { gaussians, canonicalSizes, head }: Avatar,
  surface: HeadSurface,
  placed: PlacedGaussians,
  { texels, distances }: DetailPatch,
): GaussianSet {
  const edited = [...distances.keys()].filter((index) => distances[index] === 0);
  const places = new Float32Array(edited.length * 3);
  edited.forEach((index, at) => places.set(texels.positions.subarray(index * 3, index * 3 + 3), at * 3));
  const grid = new PointGrid(places, RIM / 2);
  const regions = new Set(Array.from(texels.triangles, (triangle) => head.triangleRegions[triangle]));
  const editedSheets = new Set(edited.map((index) => surface.sheets[texels.triangles[index]]));
  const sizes = triangleSizesReference(head.triangles, surface.fittedVertices);
  const logScale = gaussians.logScale.slice();
  const kept: number[] = [];
  for (let index = 0; index < gaussians.count; index++) {
    const triangle = gaussians.triangleIndices[index];
    const isNear = editedSheets.has(placed.sheets[index]);
    const distance = isNear ? grid.distance(pointAt(placed.anchors, index), 2 * RIM) : Infinity;
    if (distance < CLEARED && regions.has(head.triangleRegions[triangle])) continue;
    kept.push(index);
    if (distance === Infinity) continue;
    const growth = sizes[triangle] / canonicalSizes[triangle];
    const largest = Math.log(largestBeside(distance) / growth);
    for (let axis = index * 3; axis < index * 3 + 3; axis++) logScale[axis] = Math.min(logScale[axis], largest);
  }
  return selectGaussians({ ...gaussians, logScale }, kept);
}

/** Metres: standard deviation allowed at a distance from an edit; any at twice the rim, where shrinking would open holes. */
function largestBeside(distance: number): number {
  const beyond = Math.max(0, (distance - RIM) / RIM);
  return Math.max(CLEARED, distance) / REACH_DEVIATIONS / Math.max(1e-3, 1 - beyond);
}

function texelGaussians(
  surface: HeadSurface,
  triangleOf: ReadonlyMap<number, number>,
  { texels, colors, positions, distances }: DetailPatch,
): GaussianSet {
  const { count } = texels;
  const barycentrics = new Float32Array(count * 3);
  const localRotation = new Float32Array(count * 4);
  const logScale = new Float32Array(count * 3);
  const normalOffset = new Float32Array(count);
  const shapes = new Map<number, TexelShape>();
  for (let index = 0; index < count; index++) {
    const triangle = texels.triangles[index];
    let shape = shapes.get(triangle);
    if (!shape) shapes.set(triangle, (shape = texelShape(surface, triangle, texels.size)));
    // Its foot on the triangle's plane: triangles tilt against each other, so feet straight below would leave cracks.
    const foot = footOn(shape.frame, pointAt(positions, index));
    barycentrics.set(foot.barycentric, index * 3);
    // A turn about the frame's second axis, the normal.
    localRotation.set([Math.cos(shape.angle / 2), 0, Math.sin(shape.angle / 2), 0], index * 4);
    logScale.set([Math.log(shape.major), Math.log(THICKNESS), Math.log(shape.minor)], index * 3);
    normalOffset[index] = storedOffset(foot.height);
  }
  return {
    count,
    triangleIndices: texels.triangles.map((triangle) => triangleOf.get(triangle)!),
    barycentrics,
    localRotation,
    logScale,
    opacityLogit: distances.map(rimLogit),
    color: colors.map((value) => (value - 0.5) / SH_C0),
    normalOffset,
  };
}

/** Opaque, then fading towards the rim's outer end. */
function rimLogit(distance: number): number {
  const part = Math.max(0, (distance - FADING * RIM) / (RIM - FADING * RIM));
  return OPAQUE_LOGIT + part * (RIM_LOGIT - OPAQUE_LOGIT);
}

/** The ellipse that a texel's square makes on the surface, in the triangle's frame (tangent, bitangent). */
interface TexelShape {
  /** Standard deviations, metres. */
  readonly major: number;
  readonly minor: number;
  /** Turn about the normal that takes the tangent to the major axis. */
  readonly angle: number;
  readonly frame: TriangleFrame;
}

interface TriangleFrame {
  readonly origin: Vector;
  /** v0→v1 and v0→v2. */
  readonly edge: Vector;
  readonly side: Vector;
  readonly normal: Vector;
}

function triangleFrame({ head, vertices }: HeadSurface, triangle: number): TriangleFrame {
  const [a, b, c] = [0, 1, 2].map((corner) => pointAt(vertices, head.triangles[triangle * 3 + corner]));
  const [edge, side] = [subtract(b, a), subtract(c, a)];
  return { origin: a, edge, side, normal: normalize(cross(edge, side)) };
}

/** Weights of the corners at the point of a triangle's plane below a place, and how high the place is, metres. */
function footOn({ origin, edge, side, normal }: TriangleFrame, place: Vector): { barycentric: Vector; height: number } {
  const step = subtract(place, origin);
  const [ee, es, ss] = [dot(edge, edge), dot(edge, side), dot(side, side)];
  const [pe, ps] = [dot(step, edge), dot(step, side)];
  const determinant = Math.max(1e-20, ee * ss - es * es);
  const wb = (ss * pe - es * ps) / determinant;
  const wc = (ee * ps - es * pe) / determinant;
  // A thin triangle's plane reaches far: what hangs on it by a long arm would fly off when it turns.
  const weights = [1 - wb - wc, wb, wc].map((weight) => Math.min(1 + FOOT_OUTSIDE, Math.max(-FOOT_OUTSIDE, weight)));
  const sum = weights[0] + weights[1] + weights[2];
  return { barycentric: [weights[0] / sum, weights[1] / sum, weights[2] / sum], height: dot(step, normal) };
}

function texelShape(surface: HeadSurface, triangle: number, size: number): TexelShape {
  const { head } = surface;
  const frame = triangleFrame(surface, triangle);
  const { edge, side, normal } = frame;
  const [p, q, r] = [0, 1, 2].map((corner) => head.uvTriangles[triangle * 3 + corner] * 2);
  const { uvs } = head;
  const [bu, bv, cu, cv] = [uvs[q] - uvs[p], uvs[q + 1] - uvs[p + 1], uvs[r] - uvs[p], uvs[r + 1] - uvs[p + 1]];
  const area = bu * cv - bv * cu;
  const combine = (s: number, t: number): Vector => [s * edge[0] + t * side[0], s * edge[1] + t * side[1], s * edge[2] + t * side[2]]; // prettier-ignore
  const perU = combine(cv / area, -bv / area);
  const perV = combine(-cu / area, bu / area);
  const tangent = normalize(edge);
  const bitangent = cross(tangent, normal);
  const factor = (TEXEL_DEVIATION / size) ** 2;
  const sum = (x: Vector, y: Vector): number => factor * (dot(perU, x) * dot(perU, y) + dot(perV, x) * dot(perV, y));
  const [xx, xy, yy] = [sum(tangent, tangent), sum(tangent, bitangent), sum(bitangent, bitangent)];
  const middle = (xx + yy) / 2;
  const spread = Math.hypot((xx - yy) / 2, xy);
  // Turning by +angle about the normal takes the tangent towards −bitangent: tangent × normal = bitangent.
  return {
    major: Math.sqrt(middle + spread),
    minor: Math.sqrt(Math.max(middle - spread, 1e-12)),
    angle: -Math.atan2(2 * xy, xx - yy) / 2,
    frame,
  };
}

/** `normalOffset` as stored for an offset in metres of canonical size. */
function storedOffset(metres: number): number {
  const limit = NORMAL_OFFSET_LIMIT * 0.999;
  return Math.atanh(Math.max(-limit, Math.min(limit, metres)) / NORMAL_OFFSET_LIMIT);
}

function selectGaussians(gaussians: GaussianSet, kept: readonly number[]): GaussianSet {
  const take = (values: Float32Array, floats: number): Float32Array => {
    const taken = new Float32Array(kept.length * floats);
    kept.forEach((index, at) => taken.set(values.subarray(index * floats, (index + 1) * floats), at * floats));
    return taken;
  };
  return {
    count: kept.length,
    triangleIndices: Uint32Array.from(kept, (index) => gaussians.triangleIndices[index]),
    barycentrics: take(gaussians.barycentrics, 3),
    localRotation: take(gaussians.localRotation, 4),
    logScale: take(gaussians.logScale, 3),
    opacityLogit: take(gaussians.opacityLogit, 1),
    color: take(gaussians.color, 3),
    normalOffset: take(gaussians.normalOffset, 1),
  };
}

function concatenate(a: GaussianSet, b: GaussianSet): GaussianSet {
  const join = (x: Float32Array, y: Float32Array): Float32Array => {
    const joined = new Float32Array(x.length + y.length);
    joined.set(x);
    joined.set(y, x.length);
    return joined;
  };
  return {
    count: a.count + b.count,
    triangleIndices: Uint32Array.from([...a.triangleIndices, ...b.triangleIndices]),
    barycentrics: join(a.barycentrics, b.barycentrics),
    localRotation: join(a.localRotation, b.localRotation),
    logScale: join(a.logScale, b.logScale),
    opacityLogit: join(a.opacityLogit, b.opacityLogit),
    color: join(a.color, b.color),
    normalOffset: join(a.normalOffset, b.normalOffset),
  };
}

/** Metres on the surface per unit of the atlas, over some triangles: their middle one's. */
export function metresPerAtlas({ head, vertices }: HeadSurface, triangles: readonly number[]): number {
  const ratios = triangles.map((triangle) => {
    const [a, b, c] = [0, 1, 2].map((corner) => pointAt(vertices, head.triangles[triangle * 3 + corner]));
    const [p, q, r] = [0, 1, 2].map((corner) => head.uvTriangles[triangle * 3 + corner] * 2);
    const { uvs } = head;
    const flat = Math.abs((uvs[q] - uvs[p]) * (uvs[r + 1] - uvs[p + 1]) - (uvs[q + 1] - uvs[p + 1]) * (uvs[r] - uvs[p])); // prettier-ignore
    const area = length(cross(subtract(b, a), subtract(c, a)));
    return flat > 0 ? Math.sqrt(area / flat) : 0;
  });
  ratios.sort((x, y) => x - y);
  return ratios[Math.floor(ratios.length / 2)] ?? 0;
}
