import type { RegionName } from '../head/head-model.ts';
import { length, pointAt, subtract } from '../head/builtin/vector.ts';
import { metresPerAtlas, RIM, type DetailPatch } from './detail-patch.ts';
import { paintLayer, type FlattenInputs, type PreparedLayer } from './flatten.ts';
import { regionOf, type HeadSurface } from './head-surface.ts';
import { PointGrid } from './point-grid.ts';
import { selectTexels, surfaceTexels, type SurfaceTexels } from './surface-texels.ts';
import { placeGaussians, visibleSurface, type PlacedGaussians } from './visible-surface.ts';

export interface PatchOptions {
  /** Spacing of the finer Gaussians under stickers and sharp strokes, metres. Default 0.0005. */
  readonly detail?: number;
  /** Most finer Gaussians; their spacing grows where more would be needed. Default 120 000. */
  readonly detailCount?: number;
}

/** Coverage below this changes nothing that is seen. */
const FAINTEST = 0.02;
/** Of the base's coverage: where it is less, there is air and not skin beside an edit. */
const LEAST_COVERAGE = 0.5;
/** Parts that fold over others: they get no rim from an edit that only comes near. */
const RIMLESS: readonly RegionName[] = ['lips', 'leftEyelids', 'rightEyelids', 'leftEar', 'rightEar'];
const LARGEST_ATLAS = 4096;

/** What is finer than the avatar's Gaussians, with a rim of unchanged skin; null when nothing is. */
export function makePatch(
  { surface, gaussians, canonicalSizes }: FlattenInputs,
  prepared: readonly PreparedLayer[],
  { detail = 0.0005, detailCount = 120_000 }: PatchOptions,
): DetailPatch | null {
  const triangles = reachedTriangles(surface, prepared);
  if (triangles.length === 0) return null;
  const metres = metresPerAtlas(surface, triangles);
  let size = Math.min(LARGEST_ATLAS, Math.ceil(metres / detail));
  for (;;) {
    const candidates = surfaceTexels(surface, size, { triangles, gutter: 0.5 });
    const distances = editDistances(surface, prepared, candidates);
    const count = distances.reduce((sum, distance) => sum + (distance <= RIM ? 1 : 0), 0);
    if (count === 0) return null;
    if (count > detailCount) {
      size = Math.floor(size * Math.sqrt(detailCount / count) * 0.99);
      continue;
    }
    const keep = distances.map((distance) => (distance <= RIM ? 1 : 0));
    const texels = selectTexels(candidates, keep);
    const kept = distances.filter((distance) => distance <= RIM);
    return colorPatch(surface, placeGaussians(surface, gaussians, canonicalSizes), prepared, texels, kept);
  }
}

function colorPatch(
  surface: HeadSurface,
  placed: PlacedGaussians,
  prepared: readonly PreparedLayer[],
  texels: SurfaceTexels,
  distances: Float32Array,
): DetailPatch {
  const seen = visibleSurface(surface, placed, texels);
  const colors = seen.colors.slice();
  for (const ready of prepared) paintLayer(surface, ready, texels, colors);
  const keep = distances.map((distance, index) => (distance === 0 || seen.coverage[index] > LEAST_COVERAGE ? 1 : 0));
  const take3 = (values: Float32Array): Float32Array => values.filter((_, at) => keep[Math.floor(at / 3)] === 1);
  const take = (values: Float32Array): Float32Array => values.filter((_, index) => keep[index] === 1);
  return {
    texels: selectTexels(texels, keep),
    colors: take3(colors),
    positions: take3(seen.positions),
    distances: take(distances),
  };
}

/** Triangles near enough to a layer's fine parts to hold some of it or of the rim. */
function reachedTriangles({ head, vertices, sheets }: HeadSurface, prepared: readonly PreparedLayer[]): number[] {
  const parts = prepared.flatMap(({ painter }) => painter.fineParts);
  const reached: number[] = [];
  for (let triangle = 0; triangle < head.triangleCount && parts.length > 0; triangle++) {
    const corners = [0, 1, 2].map((corner) => pointAt(vertices, head.triangles[triangle * 3 + corner]));
    const isReached = parts.some(
      ({ centre, radius, sheet }) =>
        sheet === sheets[triangle] &&
        corners.some((corner) => length(subtract(corner, centre)) <= radius + RIM + length(subtract(corners[0], corners[1]))),
    ); // prettier-ignore
    if (isReached) reached.push(triangle);
  }
  return reached;
}

/** N metres to the nearest texel that a fine layer changes; 0 on it, Infinity beyond the rim. */
function editDistances(surface: HeadSurface, prepared: readonly PreparedLayer[], texels: SurfaceTexels): Float32Array {
  const isEdited = new Uint8Array(texels.count);
  const scratch = new Float32Array(texels.count * 3);
  for (const ready of prepared) {
    if (ready.painter.fineParts.length === 0) continue;
    const isFine = ready.painter.isFine?.(texels);
    paintLayer(surface, ready, texels, scratch).forEach((alpha, index) => {
      if (isFine ? isFine[index] === 1 : alpha > FAINTEST) isEdited[index] = 1;
    });
  }
  const edited = selectTexels(texels, isEdited);
  const grid = new PointGrid(edited.positions, RIM / 2);
  const regions = new Set(Array.from(edited.triangles, (triangle) => regionOf(surface.head, triangle)));
  return Float32Array.from(isEdited, (own, index) => {
    if (own) return 0;
    const region = regionOf(surface.head, texels.triangles[index]);
    const mayBeRim = regions.has(region) || !RIMLESS.includes(region);
    return mayBeRim ? grid.distance(pointAt(texels.positions, index), RIM) : Infinity;
  });
}
