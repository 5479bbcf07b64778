import { cornerNodes, findCharts, surfaceArea, uvArea, type Chart, type UvMesh } from './charts.ts';
import { packSkyline } from './skyline.ts';

export interface PackAtlasOptions {
  /** Texel density of a triangle, relative and linear: 2 gets four times the area in UV. Its chart takes the mean. */
  readonly density?: (triangle: number) => number;
  /** Gap between charts and to the border, in units of the whole atlas: 1/256 leaves two texels at 512². */
  readonly padding?: number;
}

export interface Atlas {
  /** U×2 in 0…1, v downwards; charts do not overlap. */
  readonly uvs: Float32Array;
  /** T×3 into `uvs`. */
  readonly uvTriangles: Uint32Array;
  readonly chartCount: number;
}

const DEFAULT_PADDING = 1 / 256;
/** A chart with more than this share of the area stays upright, so that a face is a face in the texture. */
const UPRIGHT_SHARE = 0.08;
const SCALE_STEPS = 24;

/**
 * Lays the charts of a mesh out in one 0…1 atlas without overlaps. Inside a chart the parametrisation is kept (only
 * scaled, turned by 90° and un-mirrored); between charts the sizes follow surface area times density squared. The same
 * input gives the same bytes.
 */
export function packAtlas(
  mesh: UvMesh,
  { density = () => 1, padding = DEFAULT_PADDING }: PackAtlasOptions = {},
): Atlas {
  const boxes = findCharts(mesh).map((chart) => measureChart(mesh, chart, density));
  const totalArea = boxes.reduce((sum, box) => sum + box.area, 0);
  const order = boxes.toSorted(
    (a, b) => Math.max(b.height, b.width) - Math.max(a.height, a.width) || a.index - b.index,
  );
  const place = (scale: number) =>
    packSkyline(
      order.map(({ width, height, area }) => ({
        width: width * scale + padding,
        height: height * scale + padding,
        mayTurn: area < UPRIGHT_SHARE * totalArea,
      })),
      1 - padding,
      1 - padding,
    );

  let fitting = 0;
  let tooLarge = 1 / Math.sqrt(totalArea); // the charts alone would fill the atlas
  let placements = null;
  for (let step = 0; step < SCALE_STEPS; step++) {
    const scale = (fitting + tooLarge) / 2;
    const attempt = place(scale);
    if (attempt) [fitting, placements] = [scale, attempt];
    else tooLarge = scale;
  }
  if (!placements) {
    throw new RangeError(`padding ${padding} leaves no room for ${boxes.length} charts; give a smaller padding.`);
  }

  const nodes = cornerNodes(mesh);
  const uvs: number[] = [];
  const uvTriangles = new Uint32Array(mesh.uvTriangles.length);
  order.forEach((box, i) => {
    const { x, y, turned } = placements[i];
    const uvOfNode = new Map<number, number>();
    for (const triangle of box.chart.triangles) {
      for (let corner = triangle * 3; corner < triangle * 3 + 3; corner++) {
        let uv = uvOfNode.get(nodes[corner]);
        if (uv === undefined) {
          uvOfNode.set(nodes[corner], (uv = uvs.length / 2));
          const source = mesh.uvTriangles[corner] * 2;
          const across =
            (box.chart.mirrored ? box.maxU - mesh.uvs[source] : mesh.uvs[source] - box.minU) * box.scale * fitting;
          const down = (mesh.uvs[source + 1] - box.minV) * box.scale * fitting;
          // A quarter turn, not a swap of axes, which would mirror the chart.
          const [u, v] = turned ? [box.height * fitting - down, across] : [across, down];
          uvs.push(padding + x + u, padding + y + v);
        }
        uvTriangles[corner] = uv;
      }
    }
  });
  return { uvs: Float32Array.from(uvs), uvTriangles, chartCount: boxes.length };
}

interface ChartBox {
  readonly index: number;
  readonly chart: Chart;
  readonly minU: number;
  readonly maxU: number;
  readonly minV: number;
  /** Atlas units before the common scale, per unit of the chart's own UV. */
  readonly scale: number;
  readonly width: number;
  readonly height: number;
  /** Surface area × density², in square metres. */
  readonly area: number;
}

function measureChart(mesh: UvMesh, chart: Chart, density: (triangle: number) => number): ChartBox {
  let [minU, maxU, minV, maxV] = [Infinity, -Infinity, Infinity, -Infinity];
  let [surface, weighted, flat] = [0, 0, 0];
  for (const triangle of chart.triangles) {
    const area = surfaceArea(mesh, triangle);
    surface += area;
    weighted += area * density(triangle);
    flat += uvArea(mesh, triangle);
    for (let corner = triangle * 3; corner < triangle * 3 + 3; corner++) {
      const uv = mesh.uvTriangles[corner] * 2;
      [minU, maxU] = [Math.min(minU, mesh.uvs[uv]), Math.max(maxU, mesh.uvs[uv])];
      [minV, maxV] = [Math.min(minV, mesh.uvs[uv + 1]), Math.max(maxV, mesh.uvs[uv + 1])];
    }
  }
  const area = surface > 0 ? weighted ** 2 / surface : 0;
  const scale = flat > 0 ? Math.sqrt(area / flat) : 0;
  return {
    index: chart.triangles[0],
    chart,
    minU,
    maxU,
    minV,
    scale,
    width: (maxU - minU) * scale,
    height: (maxV - minV) * scale,
    area,
  };
}
