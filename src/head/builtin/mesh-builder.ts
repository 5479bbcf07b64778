import type { RegionName } from '../head-model.ts';

/** Regions in the order of their indices. */
export const REGION_NAMES: readonly RegionName[] = [
  'face',
  'scalp',
  'neck',
  'leftEar',
  'rightEar',
  'lips',
  'leftEyelids',
  'rightEyelids',
  'leftEyeSocket',
  'rightEyeSocket',
  'leftEyeball',
  'rightEyeball',
  'mouthCavity',
  'gums',
  'upperTeeth',
  'lowerTeeth',
  'tongue',
];

/** A rectangle of the atlas, and where a chart's own coordinates (0…1) fall in it. */
export interface Chart {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Collects triangles, regions and texture coordinates. Positions are placed later, by the part that owns the vertices. */
export class MeshBuilder {
  vertexCount = 0;
  readonly triangles: number[] = [];
  readonly uvs: number[] = [];
  readonly uvTriangles: number[] = [];
  readonly triangleRegions: number[] = [];

  /** Indices of `count` new vertices. */
  addVertices(count: number): number[] {
    const first = this.vertexCount;
    this.vertexCount += count;
    return Array.from({ length: count }, (_, i) => first + i);
  }

  /** Index of a new texture coordinate at (u, v) of a chart. */
  addUv(chart: Chart, u: number, v: number): number {
    this.uvs.push(chart.x + u * chart.width, chart.y + v * chart.height);
    return this.uvs.length / 2 - 1;
  }

  addTriangle(region: RegionName, vertices: readonly number[], uvs: readonly number[]): void {
    this.triangles.push(...vertices);
    this.uvTriangles.push(...uvs);
    this.triangleRegions.push(REGION_NAMES.indexOf(region));
  }

  /**
   * Joins two rows of equally many points by quads. Seen from outside, `upper` lies to the left when one walks along the
   * rows; `isClosed` joins the last point to the first.
   */
  addStrip(region: RegionName, lower: Row, upper: Row, isClosed: boolean): void {
    const count = lower.vertices.length;
    const quads = isClosed ? count : count - 1;
    for (let i = 0; i < quads; i++) {
      const j = (i + 1) % count;
      const k = isClosed ? i + 1 : j; // closed rows of texture coordinates may hold one more: the seam
      const uvJ = k < lower.uvs.length ? k : j;
      // Diagonals mirror about the middle of the row, so that mirror-symmetric parts have mirrored triangles.
      if (i < quads / 2) {
        this.addTriangle(
          region,
          [lower.vertices[i], lower.vertices[j], upper.vertices[j]],
          [lower.uvs[i], lower.uvs[uvJ], upper.uvs[uvJ]],
        );
        this.addTriangle(
          region,
          [lower.vertices[i], upper.vertices[j], upper.vertices[i]],
          [lower.uvs[i], upper.uvs[uvJ], upper.uvs[i]],
        );
      } else {
        this.addTriangle(
          region,
          [lower.vertices[i], lower.vertices[j], upper.vertices[i]],
          [lower.uvs[i], lower.uvs[uvJ], upper.uvs[i]],
        );
        this.addTriangle(
          region,
          [lower.vertices[j], upper.vertices[j], upper.vertices[i]],
          [lower.uvs[uvJ], upper.uvs[uvJ], upper.uvs[i]],
        );
      }
    }
  }

  /** Closes a ring with one vertex in its middle. */
  addFan(region: RegionName, ring: Row, vertex: number, uv: number): void {
    ring.vertices.forEach((_, i) => {
      const j = (i + 1) % ring.vertices.length;
      this.addTriangle(region, [ring.vertices[i], ring.vertices[j], vertex], [ring.uvs[i], ring.uvs[j], uv]);
    });
  }

  /** Texture coordinates of a ring around a chart's middle; `radius` 0…1, one turn for `count` points. */
  addUvRing(chart: Chart, radius: number, count: number, direction: 1 | -1): number[] {
    return Array.from({ length: count }, (_, i) => {
      const angle = (direction * 2 * Math.PI * i) / count;
      return this.addUv(chart, 0.5 + 0.5 * radius * Math.cos(angle), 0.5 + 0.5 * radius * Math.sin(angle));
    });
  }
}

/** A row of points with their texture coordinates. */
export interface Row {
  readonly vertices: readonly number[];
  readonly uvs: readonly number[];
}
