import { add, dot, length, pointAt, scale, smoothstep, subtract, type Vector } from '../head/builtin/vector.ts';
import { SurfaceSearch } from '../head/landmarks/surface-search.ts';
import { parseColor } from './colors.ts';
import { placeAtUv, placeNormal, placePosition, type HeadSurface } from './head-surface.ts';
import type { LayerPainter } from './layer-painter.ts';
import { EditError, type StrokeLayer } from './layers.ts';
import { PointGrid } from './point-grid.ts';
import { texelNormal } from './surface-texels.ts';

/** From this hardness on the edge is finer than the Gaussians. */
const SHARP = 0.4;
/** A dab paints no surface that faces away from its own by more than this (cosine). */
const FACING_LIMIT = 0.1;
const SEARCH_REACH = 0.03;

interface Dab {
  readonly position: Vector;
  readonly normal: Vector;
}

/** A line of dabs over the surface: between two points it runs along the chord, laid onto the skin. */
export function strokePainter(surface: HeadSurface, layer: StrokeLayer): LayerPainter {
  const { radius, hardness } = layer;
  const { dabs, sheet } = dabsOf(surface, layer);
  const rgb = parseColor(layer.color);
  const grid = new PointGrid(Float32Array.from(dabs.flatMap(({ position }) => [...position])), radius);
  return {
    fineParts: hardness >= SHARP ? dabs.map(({ position }) => ({ centre: position, radius, sheet })) : [],
    paint(texels) {
      const color = new Float32Array(texels.count * 3);
      const alpha = new Float32Array(texels.count);
      for (let index = 0; index < texels.count; index++) {
        if (surface.sheets[texels.triangles[index]] !== sheet) continue;
        const position = pointAt(texels.positions, index);
        const near = grid.within(position, radius);
        if (near.length === 0) continue;
        const normal = texelNormal(surface, texels, index);
        for (const dab of near) {
          if (dot(dabs[dab].normal, normal) < FACING_LIMIT) continue;
          const distance = length(subtract(position, dabs[dab].position)) / radius;
          // The softest brush fades from its middle; the hardest keeps 4 % of its radius to smooth the edge.
          const strength = smoothstep(1, Math.min(0.96, hardness), distance);
          alpha[index] = Math.max(alpha[index], strength);
        }
        color.set(rgb, index * 3);
      }
      return { color, alpha };
    },
  };
}

function dabsOf(surface: HeadSurface, layer: StrokeLayer): { dabs: Dab[]; sheet: number } {
  const places = layer.points.map(([u, v], index) => {
    const place = placeAtUv(surface.head, u, v);
    if (place) return place;
    throw new EditError(
      `stroke "${layer.name}": point ${index + 1}, uv ${u},${v}, lies outside the charts of the atlas, where no head is`,
    );
  });
  const sheet = surface.sheets[places[0].triangle];
  const strayed = places.findIndex(({ triangle }) => surface.sheets[triangle] !== sheet);
  if (strayed >= 0) {
    throw new EditError(
      `stroke "${layer.name}": point ${strayed + 1} lies on another surface (skin, eye or mouth) than point 1; make it two strokes`,
    );
  }
  const own = [...surface.sheets.keys()].filter((triangle) => surface.sheets[triangle] === sheet);
  const search = new SurfaceSearch(surface.vertices, surface.head.triangles, own, 0.006);
  const dabs: Dab[] = [];
  for (const [index, place] of places.entries()) {
    const to = placePosition(surface, place);
    const from = index === 0 ? to : placePosition(surface, places[index - 1]);
    const steps = Math.max(1, Math.ceil(length(subtract(to, from)) / (layer.radius * layer.spacing)));
    for (let step = index === 0 ? steps : 1; step <= steps; step++) {
      const along = add(from, scale(subtract(to, from), step / steps));
      const found = search.closest(along, SEARCH_REACH);
      if (found) dabs.push({ position: found.position, normal: placeNormal(surface, found) });
    }
  }
  return { dabs, sheet };
}
