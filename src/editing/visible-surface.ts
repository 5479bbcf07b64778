import { placeReference } from '../binding/placement.reference.ts';
import { surfacePositions } from '../binding/sampling.ts';
import type { GaussianSet } from '../gaussians/layout.ts';
import { cross, dot, normalize, pointAt, subtract, type Vector } from '../head/builtin/vector.ts';
import { matrixFromQuaternion } from '../math/rotation.ts';
import type { HeadSurface } from './head-surface.ts';
import { PointGrid } from './point-grid.ts';
import { texelNormal, type SurfaceTexels } from './surface-texels.ts';

/** Gaussians on the head that edits are measured on, with what it takes to look at them from any side. */
export interface PlacedGaussians {
  readonly count: number;
  /** N×3 metres: where they are bound, on the smooth surface. */
  readonly anchors: Float32Array;
  /** N×3 metres: where they are. */
  readonly means: Float32Array;
  /** N×6 square metres: xx, xy, xz, yy, yz, zz. */
  readonly covariances: Float32Array;
  /** N×3, sRGB-encoded. */
  readonly colors: Float32Array;
  readonly opacities: Float32Array;
  /** N: `HeadSurface.sheets` number. */
  readonly sheets: Uint8Array;
}

export function placeGaussians(
  surface: HeadSurface,
  gaussians: GaussianSet,
  canonicalSizes: Float32Array,
): PlacedGaussians {
  const { count, triangleIndices, barycentrics } = gaussians;
  const { triangles } = surface.head;
  const world = placeReference(
    { triangles, canonicalSizes, triangleIndices, barycentrics },
    {
      posedVertices: Float64Array.from(surface.fittedVertices),
      localRotation: Float64Array.from(gaussians.localRotation),
      logScale: Float64Array.from(gaussians.logScale),
      opacityLogit: Float64Array.from(gaussians.opacityLogit),
      color: Float64Array.from(gaussians.color),
      normalOffset: Float64Array.from(gaussians.normalOffset),
    },
  );
  const means = new Float32Array(count * 3);
  const colors = new Float32Array(count * 3);
  const covariances = new Float32Array(count * 6);
  for (let index = 0; index < count; index++) {
    means.set(world.meanOpacity.subarray(index * 4, index * 4 + 3), index * 3);
    colors.set(world.rgb.subarray(index * 4, index * 4 + 3), index * 3);
    const rotation = matrixFromQuaternion(world.rotation, index * 4);
    let at = index * 6;
    for (let row = 0; row < 3; row++) {
      for (let column = row; column < 3; column++, at++) {
        for (let k = 0; k < 3; k++)
          covariances[at] += rotation[row * 3 + k] * rotation[column * 3 + k] * world.scale[index * 4 + k] ** 2;
      }
    }
  }
  return {
    count,
    anchors: surfacePositions(surface.vertices, triangles, triangleIndices, barycentrics),
    means,
    covariances,
    colors,
    opacities: Float32Array.from({ length: count }, (_, index) => world.meanOpacity[index * 4 + 3]),
    sheets: Uint8Array.from(triangleIndices, (triangle) => surface.sheets[triangle]),
  };
}

/** What is seen of the head at some texels by one who looks straight down on each. */
export interface VisibleSurface {
  /** N×3 metres: where it is, evened out over a few millimetres. */
  readonly positions: Float32Array;
  /** N×3, sRGB-encoded. */
  readonly colors: Float32Array;
  /** N: how much of it is not see-through, 0…1. */
  readonly coverage: Float32Array;
}

/** Gaussians bound further away than this, metres, belong to something that hangs over the place, such as hair. */
const NEIGHBOURHOOD = 0.012;
/** The height is looked at this much more coarsely than the colour, metres (standard deviation). */
const HEIGHT_BLUR = 0.0025;
const COLOR_BLUR = 0.0003;
/** Heights are averaged over this distance, metres. */
const HEIGHT_SMOOTHING = 0.007;

/** Composites the Gaussians bound near each texel along the surface's normal, from outside in. */
export function visibleSurface(
  surface: HeadSurface,
  gaussians: PlacedGaussians,
  texels: SurfaceTexels,
): VisibleSurface {
  const grid = new PointGrid(gaussians.anchors, NEIGHBOURHOOD / 2);
  const heights = new Float32Array(texels.count);
  const normals = new Float32Array(texels.count * 3);
  const colors = new Float32Array(texels.count * 3);
  const coverage = new Float32Array(texels.count);
  for (let index = 0; index < texels.count; index++) {
    const position = pointAt(texels.positions, index);
    const sheet = surface.sheets[texels.triangles[index]];
    const near = grid.within(position, NEIGHBOURHOOD).filter((other) => gaussians.sheets[other] === sheet);
    const normal = texelNormal(surface, texels, index);
    const seen = look(gaussians, near, position, normal);
    normals.set(normal, index * 3);
    heights[index] = seen.height;
    coverage[index] = seen.coverage;
    colors.set(seen.color, index * 3);
  }
  return { positions: evenedOut(texels, heights, normals), colors, coverage };
}

/** N×3 metres: the mean height around each texel, above the surface: single Gaussians' heights would bend what is laid on. */
function evenedOut(texels: SurfaceTexels, heights: Float32Array, normals: Float32Array): Float32Array {
  const grid = new PointGrid(texels.positions, HEIGHT_SMOOTHING / 2);
  const positions = texels.positions.slice();
  for (let index = 0; index < texels.count; index++) {
    const normal = pointAt(normals, index);
    let [sum, count] = [0, 0];
    for (const other of grid.within(pointAt(texels.positions, index), HEIGHT_SMOOTHING)) {
      if (dot(pointAt(normals, other), normal) < 0.5) continue;
      sum += heights[other];
      count++;
    }
    for (let axis = 0; axis < 3; axis++) positions[index * 3 + axis] += (sum / count) * normal[axis];
  }
  return positions;
}

function look(
  { means, covariances, colors, opacities }: PlacedGaussians,
  members: readonly number[],
  position: Vector,
  normal: Vector,
): { height: number; color: Vector; coverage: number } {
  const tangent = normalize(cross(Math.abs(normal[0]) < 0.7 ? [1, 0, 0] : [0, 1, 0], normal));
  const bitangent = cross(normal, tangent);
  const layers = members.map((index) => {
    const step = subtract(pointAt(means, index), position);
    const [x, y] = [dot(step, tangent), dot(step, bitangent)];
    const xx = quadratic(covariances, index, tangent, tangent);
    const xy = quadratic(covariances, index, tangent, bitangent);
    const yy = quadratic(covariances, index, bitangent, bitangent);
    const alphaWith = (blur: number): number => {
      const [a, c] = [xx + blur * blur, yy + blur * blur];
      const squared = (c * x * x - 2 * xy * x * y + a * y * y) / Math.max(1e-18, a * c - xy * xy);
      return Math.min(0.99, opacities[index] * Math.exp(-squared / 2));
    };
    return { index, height: dot(step, normal), fine: alphaWith(COLOR_BLUR), coarse: alphaWith(HEIGHT_BLUR) };
  });
  layers.sort((a, b) => b.height - a.height || a.index - b.index);
  let [fineLeft, coarseLeft, height] = [1, 1, 0];
  const color: [number, number, number] = [0, 0, 0];
  for (const layer of layers) {
    for (let k = 0; k < 3; k++) color[k] += fineLeft * layer.fine * colors[layer.index * 3 + k];
    height += coarseLeft * layer.coarse * layer.height;
    fineLeft *= 1 - layer.fine;
    coarseLeft *= 1 - layer.coarse;
  }
  const shown = Math.max(1e-6, 1 - fineLeft);
  return {
    height: height / Math.max(1e-6, 1 - coarseLeft),
    color: [color[0] / shown, color[1] / shown, color[2] / shown],
    coverage: 1 - fineLeft,
  };
}

/** aᵀ Σ b. */
function quadratic(covariances: Float32Array, index: number, a: Vector, b: Vector): number {
  const at = index * 6;
  const [xx, xy, xz, yy, yz, zz] = covariances.subarray(at, at + 6);
  return (
    a[0] * (xx * b[0] + xy * b[1] + xz * b[2]) +
    a[1] * (xy * b[0] + yy * b[1] + yz * b[2]) +
    a[2] * (xz * b[0] + yz * b[1] + zz * b[2])
  );
}
