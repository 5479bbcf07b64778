import { NORMAL_OFFSET_LIMIT, SH_C0 } from '../gaussians/layout.ts';
import {
  multiplyQuaternions,
  normalizeQuaternion,
  quaternionFromMatrix,
  type QuaternionWxyz,
} from '../math/rotation.ts';

/** FATE eqs 2–4 in float64 with plain loops, forward and backward; what the kernels are tested against. */
export interface PlacementSurface {
  /** T×3 vertices. */
  readonly triangles: Uint32Array;
  /** T metres. */
  readonly canonicalSizes: ArrayLike<number>;
  /** N. */
  readonly triangleIndices: Uint32Array;
  /** N×3. */
  readonly barycentrics: ArrayLike<number>;
}

/** V×3 metres, then the stored attributes in their layouts. */
export interface PlacementInputs {
  readonly posedVertices: Float64Array;
  readonly localRotation: Float64Array;
  readonly logScale: Float64Array;
  readonly opacityLogit: Float64Array;
  readonly color: Float64Array;
  readonly normalOffset: Float64Array;
}

/** Records of four, as in gaussians/layout.ts. */
export interface PlacementOutputs {
  readonly meanOpacity: Float64Array;
  readonly rotation: Float64Array;
  readonly scale: Float64Array;
  readonly rgb: Float64Array;
}

type Vector = readonly [number, number, number];
const add = (a: Vector, b: Vector): Vector => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
const times = (s: number, a: Vector): Vector => [s * a[0], s * a[1], s * a[2]];
const subtract = (a: Vector, b: Vector): Vector => add(a, times(-1, b));
const dot = (a: Vector, b: Vector): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const cross = (a: Vector, b: Vector): Vector => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];
const vectorAt = (values: ArrayLike<number>, at: number): Vector => [values[at], values[at + 1], values[at + 2]];

/** Metres: a shorter edge or height makes a triangle degenerate; as in triangle-frame.wgsl. */
const SMALLEST_EDGE = 1e-6;

interface TriangleFrame {
  readonly tangent: Vector;
  readonly normal: Vector;
  readonly bitangent: Vector;
  readonly edge: Vector;
  readonly side: Vector;
  readonly edgeLength: number;
  readonly doubleArea: number;
  readonly size: number;
  readonly isDegenerate: boolean;
}

function triangleFrame(v0: Vector, v1: Vector, v2: Vector): TriangleFrame {
  const edge = subtract(v1, v0);
  const side = subtract(v2, v0);
  const product = cross(edge, side);
  const edgeLength = Math.hypot(...edge);
  const doubleArea = Math.hypot(...product);
  const height = doubleArea / Math.max(edgeLength, SMALLEST_EDGE);
  const size = Math.max((edgeLength + height) / 2, SMALLEST_EDGE);
  const isDegenerate = edgeLength < SMALLEST_EDGE || height < SMALLEST_EDGE;
  const tangent: Vector = isDegenerate ? [1, 0, 0] : times(1 / edgeLength, edge);
  const normal: Vector = isDegenerate ? [0, 1, 0] : times(1 / doubleArea, product);
  return { tangent, normal, bitangent: cross(tangent, normal), edge, side, edgeLength, doubleArea, size, isDegenerate };
}

/** T metres: mean of the edge's length and the height over it, of V×3 vertices. */
export function triangleSizesReference(triangles: Uint32Array, vertices: ArrayLike<number>): Float64Array {
  return Float64Array.from({ length: triangles.length / 3 }, (_, triangle) => {
    const corner = (k: number): Vector => vectorAt(vertices, triangles[triangle * 3 + k] * 3);
    return triangleFrame(corner(0), corner(1), corner(2)).size;
  });
}

function frameRotation({ tangent: t, normal: n, bitangent: b }: TriangleFrame): QuaternionWxyz {
  return quaternionFromMatrix([t[0], n[0], b[0], t[1], n[1], b[1], t[2], n[2], b[2]]);
}

/** What forward and backward both need of one Gaussian. */
function gaussianAt(surface: PlacementSurface, inputs: PlacementInputs, i: number) {
  const triangle = surface.triangleIndices[i];
  const vertices = [0, 1, 2].map((corner) => surface.triangles[triangle * 3 + corner]);
  const corners = vertices.map((vertex) => vectorAt(inputs.posedVertices, vertex * 3));
  const frame = triangleFrame(corners[0], corners[1], corners[2]);
  const canonicalSize = surface.canonicalSizes[triangle];
  const bounded = Math.tanh(inputs.normalOffset[i]);
  return {
    vertices,
    corners,
    weights: vectorAt(surface.barycentrics, i * 3),
    frame,
    canonicalSize,
    growth: frame.size / canonicalSize,
    bounded,
    offset: NORMAL_OFFSET_LIMIT * bounded,
    frameRotation: frameRotation(frame),
    own: normalizeQuaternion(inputs.localRotation, i * 4),
    extent: vectorAt(inputs.logScale, i * 3).map(Math.exp) as unknown as Vector,
    opacity: 1 / (1 + Math.exp(-inputs.opacityLogit[i])),
  };
}

/** World Gaussians from posed vertices and stored attributes. */
export function placeReference(surface: PlacementSurface, inputs: PlacementInputs): PlacementOutputs {
  const count = surface.triangleIndices.length;
  const outputs = {
    meanOpacity: new Float64Array(count * 4),
    rotation: new Float64Array(count * 4),
    scale: new Float64Array(count * 4),
    rgb: new Float64Array(count * 4),
  };
  for (let i = 0; i < count; i++) {
    const g = gaussianAt(surface, inputs, i);
    const onSurface = g.corners.reduce((sum, corner, k) => add(sum, times(g.weights[k], corner)), [0, 0, 0] as Vector);
    outputs.meanOpacity.set([...add(onSurface, times(g.offset * g.growth, g.frame.normal)), g.opacity], i * 4);
    outputs.rotation.set(multiplyQuaternions(g.frameRotation, g.own), i * 4);
    outputs.scale.set(times(g.growth, g.extent), i * 4);
    outputs.rgb.set(
      vectorAt(inputs.color, i * 3).map((c) => Math.max(0, 0.5 + SH_C0 * c)),
      i * 4,
    );
  }
  return outputs;
}

/** ∂loss/∂inputs. */
export function placeReferenceBackward(
  surface: PlacementSurface,
  inputs: PlacementInputs,
  gradients: PlacementOutputs,
): PlacementInputs {
  const result = {
    posedVertices: new Float64Array(inputs.posedVertices.length),
    localRotation: new Float64Array(inputs.localRotation.length),
    logScale: new Float64Array(inputs.logScale.length),
    opacityLogit: new Float64Array(inputs.opacityLogit.length),
    color: new Float64Array(inputs.color.length),
    normalOffset: new Float64Array(inputs.normalOffset.length),
  };
  for (let i = 0; i < surface.triangleIndices.length; i++) {
    const g = gaussianAt(surface, inputs, i);
    const mean = vectorAt(gradients.meanOpacity, i * 4);
    const scale = vectorAt(gradients.scale, i * 4);
    result.opacityLogit[i] = g.opacity * (1 - g.opacity) * gradients.meanOpacity[i * 4 + 3];
    result.normalOffset[i] = NORMAL_OFFSET_LIMIT * (1 - g.bounded ** 2) * g.growth * dot(mean, g.frame.normal);
    for (let axis = 0; axis < 3; axis++) {
      result.logScale[i * 3 + axis] = g.growth * g.extent[axis] * scale[axis];
      const isLit = 0.5 + SH_C0 * inputs.color[i * 3 + axis] > 0;
      result.color[i * 3 + axis] = isLit ? SH_C0 * gradients.rgb[i * 4 + axis] : 0;
    }
    const rotation = gradients.rotation.slice(i * 4, i * 4 + 4);
    result.localRotation.set(storedRotationGradient(inputs.localRotation.slice(i * 4, i * 4 + 4), g, rotation), i * 4);
    const sizeGradient = (dot(g.extent, scale) + g.offset * dot(mean, g.frame.normal)) / g.canonicalSize;
    const corners = cornerGradients(g, rotation, times(g.growth * g.offset, mean), sizeGradient);
    g.vertices.forEach((vertex, corner) => {
      const sum = add(corners[corner], times(g.weights[corner], mean));
      for (let axis = 0; axis < 3; axis++) result.posedVertices[vertex * 3 + axis] += sum[axis];
    });
  }
  return result;
}

/** Through world = frame ⊗ stored/|stored|. */
function storedRotationGradient(
  stored: Float64Array,
  g: { frameRotation: QuaternionWxyz; own: QuaternionWxyz },
  worldGradient: Float64Array,
): Float64Array {
  const length = Math.hypot(...stored);
  if (length < 1e-12) return new Float64Array(4);
  const [w, x, y, z] = g.frameRotation;
  const own = multiplyQuaternions([w, -x, -y, -z], worldGradient);
  const along = own.reduce((sum, value, k) => sum + value * g.own[k], 0);
  return own.map((value, k) => (value - along * g.own[k]) / length);
}

/** How the frame and its size pull on the corners: derivation in place.backward.wgsl. */
function cornerGradients(
  { frame, frameRotation, own }: { frame: TriangleFrame; frameRotation: QuaternionWxyz; own: QuaternionWxyz },
  rotationGradient: Float64Array,
  offsetNormalGradient: Vector,
  sizeGradient: number,
): readonly [Vector, Vector, Vector] {
  if (frame.isDegenerate) return [[0, 0, 0], [0, 0, 0], [0, 0, 0]]; // prettier-ignore
  const { tangent, normal, bitangent, edge, side, edgeLength, doubleArea } = frame;
  const [w, x, y, z] = multiplyQuaternions(frameRotation, own);
  const torque = times(0.5, vectorAt(multiplyQuaternions(rotationGradient, [w, -x, -y, -z]), 1));
  const tangentGradient = subtract(times(dot(torque, bitangent), normal), times(dot(torque, normal), bitangent));
  const normalGradient = add(times(dot(torque, tangent), bitangent), offsetNormalGradient);
  const productGradient = add(
    times(1 / doubleArea, subtract(normalGradient, times(dot(normalGradient, normal), normal))),
    times((0.5 * sizeGradient) / edgeLength, normal),
  );
  const lengthGradient = 0.5 * sizeGradient * (1 - doubleArea / edgeLength ** 2);
  const edgeGradient = add(
    add(times(1 / edgeLength, tangentGradient), times(lengthGradient, tangent)),
    cross(side, productGradient),
  );
  const sideGradient = cross(productGradient, edge);
  return [times(-1, add(edgeGradient, sideGradient)), edgeGradient, sideGradient];
}
