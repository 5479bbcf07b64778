import type { GaussianSet } from '../gaussians/layout.ts';
import type { HeadModel, JointName, RegionName, SparseRow } from '../head/head-model.ts';
import { packPose, unpackPose } from '../head/pose.ts';
import type { Camera } from '../tracking/track.ts';
import type { Avatar } from './avatar.ts';
import { packFloats, packIntegers, unpackFloats, unpackIntegers, type PackedNumbers } from './packed-numbers.ts';
import {
  decodeTensors,
  encodeTensors,
  takeTensor,
  TensorFileError,
  type Tensor,
  type TensorFile,
} from './safetensors.ts';

/**
 * What an avatar is shown with, in about a quarter of the bytes once deflated: geometry rounded to steps far below what
 * a picture shows, indices as differences. Attributes that come from maps are not in it.
 */
const FORMAT = 'fate-avatar compact';
export const COMPACT_VERSION = 1;

/** Largest rounding error is half of each. `docs/decisions/maps-on-disk.md` has what they cost in PSNR. */
const STEPS = {
  /** Metres: a pixel of a 256² portrait is about 1.5 mm. */
  vertex: 2e-6,
  /** Metres at coefficient 1. */
  basis: 4e-6,
  uv: 2 ** -17,
  barycentric: 2 ** -12,
  skinningWeight: 2 ** -12,
  /** Natural logarithm. */
  canonicalSize: 5e-4,
  quaternion: 2 ** -11,
  logScale: 2 ** -8,
  normalOffset: 2e-4,
} as const;

/** Which of the Gaussians' attributes the file has to hold. */
export type CompactGeometry = 'places' | 'geometry';

/**
 * Encodes an avatar; `geometry` keeps rotation, scale and offset per Gaussian (for maps of appearance alone), `places`
 * only where each sits. Deflate the bytes: they are laid out for it.
 */
export function encodeCompactAvatar(avatar: Avatar, gaussians: CompactGeometry): Uint8Array {
  const file = new CompactWriter();
  const { head } = avatar;
  putGaussians(file, avatar.gaussians, gaussians);
  file.floats('head.templateVertices', head.templateVertices, 3, STEPS.vertex);
  file.floats('head.vertexOffset', avatar.vertexOffset, 3, STEPS.vertex);
  putTopology(file, head);
  file.floats('head.uvs', head.uvs, 2, STEPS.uv);
  file.integers('head.triangleRegions', head.triangleRegions, 1);
  file.floats('head.skinningWeights', head.skinningWeights, head.joints.length, STEPS.skinningWeight);
  file.floats('head.canonicalSizes', avatar.canonicalSizes.map((size) => Math.log(Math.max(size, 1e-9))), 1, STEPS.canonicalSize); // prettier-ignore
  putBasis(file, 'head.expressionBasis', head.expressionBasis);
  if (head.poseCorrectives) putBasis(file, 'head.poseCorrectives', head.poseCorrectives);
  file.exact('head.expressionLimits', head.expressionLimits);
  file.integers('head.landmarkTriangles', head.landmarks.triangleIndices, 1);
  file.floats('head.landmarkBarycentrics', head.landmarks.barycentrics, 3, STEPS.barycentric);
  head.jointRegressor.forEach((row, joint) => {
    file.integers(`head.jointRegressor.${joint}.indices`, row.indices, 1);
    file.exact(`head.jointRegressor.${joint}.weights`, row.weights);
  });
  file.exact('neutralPose', packPose(avatar.neutralPose));
  file.exact('identityCoefficients', avatar.identityCoefficients);
  for (const [name, values] of Object.entries(avatar.trackCorrection ?? {}))
    file.exact(`trackCorrection.${name}`, values as Float32Array);
  return file.finish({
    format: FORMAT,
    version: String(COMPACT_VERSION),
    headName: head.name,
    expressionNames: JSON.stringify(head.expressionNames),
    regionNames: JSON.stringify(head.regionNames),
    joints: JSON.stringify(head.joints),
    camera: JSON.stringify(avatar.camera),
  });
}

/**
 * Reads what `encodeCompactAvatar` wrote; attributes that it does not hold are at rest (no rotation, scale 1 mm, opacity
 * one half, grey). Throws `TensorFileError` for damaged files and those of another version.
 */
export function decodeCompactAvatar(bytes: Uint8Array, source: string): Avatar {
  const file = new CompactReader(decodeTensors(bytes, source), source);
  const joints = file.text<{ name: JointName; parent: number }[]>('joints');
  const templateVertices = file.floats('head.templateVertices');
  const { triangles, uvTriangles } = takeTopology(file);
  const vertexCount = templateVertices.length / 3;
  const poseCorrectives = file.has('head.poseCorrectives') ? takeBasis(file, 'head.poseCorrectives') : null;
  const head: HeadModel = {
    name: file.metadata['headName'] ?? 'unknown',
    vertexCount,
    triangleCount: triangles.length / 3,
    templateVertices,
    triangles,
    uvs: file.floats('head.uvs'),
    uvTriangles,
    identityBasis: new Float32Array(0),
    identityNames: [],
    expressionBasis: takeBasis(file, 'head.expressionBasis'),
    expressionNames: file.text('expressionNames'),
    expressionLimits: file.exact('head.expressionLimits'),
    poseCorrectives,
    joints,
    jointRegressor: joints.map((_, joint): SparseRow => ({
      indices: file.uints(`head.jointRegressor.${joint}.indices`),
      weights: file.exact(`head.jointRegressor.${joint}.weights`),
    })),
    skinningWeights: normaliseRows(file.floats('head.skinningWeights'), joints.length),
    regionNames: file.text<RegionName[]>('regionNames'),
    triangleRegions: Uint8Array.from(file.integers('head.triangleRegions')),
    landmarks: {
      triangleIndices: file.uints('head.landmarkTriangles'),
      barycentrics: file.floats('head.landmarkBarycentrics'),
    },
  };
  const correction = (name: string): Float32Array => file.exact(`trackCorrection.${name}`);
  return {
    head,
    vertexOffset: file.floats('head.vertexOffset'),
    gaussians: takeGaussians(file),
    canonicalSizes: file.floats('head.canonicalSizes').map((value) => Math.exp(value)),
    neutralPose: unpackPose(file.exact('neutralPose')),
    camera: file.text<Camera>('camera'),
    identityCoefficients: file.exact('identityCoefficients'),
    trackCorrection: file.has('trackCorrection.matrix')
      ? { mean: correction('mean'), deviation: correction('deviation'), offset: correction('offset'), matrix: correction('matrix') }
      : null,
  }; // prettier-ignore
}

function putGaussians(file: CompactWriter, gaussians: GaussianSet, kept: CompactGeometry): void {
  file.integers('gaussians.triangleIndices', gaussians.triangleIndices, 1);
  // The third weight is what is left to 1.
  const pairs = gaussians.barycentrics.filter((_, index) => index % 3 < 2);
  file.floats('gaussians.barycentrics', pairs, 2, STEPS.barycentric);
  if (kept === 'places') return;
  file.floats('gaussians.localRotation', gaussians.localRotation, 4, STEPS.quaternion);
  file.floats('gaussians.logScale', gaussians.logScale, 3, STEPS.logScale);
  file.floats('gaussians.normalOffset', gaussians.normalOffset, 1, STEPS.normalOffset);
}

const MILLIMETRE = Math.log(1e-3);

function takeGaussians(file: CompactReader): GaussianSet {
  const triangleIndices = file.uints('gaussians.triangleIndices');
  const pairs = file.floats('gaussians.barycentrics');
  const count = triangleIndices.length;
  const hasGeometry = file.has('gaussians.logScale');
  const identity = Float32Array.from({ length: count * 4 }, (_, index) => (index % 4 === 0 ? 1 : 0));
  return {
    count,
    triangleIndices,
    barycentrics: Float32Array.from({ length: count * 3 }, (_, index) => {
      const at = Math.floor(index / 3) * 2;
      return index % 3 < 2 ? pairs[at + (index % 3)] : Math.max(0, 1 - pairs[at] - pairs[at + 1]);
    }),
    localRotation: hasGeometry ? unitRows(file.floats('gaussians.localRotation'), 4) : identity,
    logScale: hasGeometry ? file.floats('gaussians.logScale') : new Float32Array(count * 3).fill(MILLIMETRE),
    opacityLogit: new Float32Array(count),
    color: new Float32Array(count * 3),
    normalOffset: hasGeometry ? file.floats('gaussians.normalOffset') : new Float32Array(count),
  };
}

/** Every UV belongs to one vertex, so that corners need be stored once; where one does not, both are. */
function putTopology(file: CompactWriter, { triangles, uvTriangles, uvs }: HeadModel): void {
  const vertexOfUv = new Uint32Array(uvs.length / 2);
  uvTriangles.forEach((uv, corner) => (vertexOfUv[uv] = triangles[corner]));
  file.integers('head.uvTriangles', uvTriangles, 3);
  if (uvTriangles.every((uv, corner) => vertexOfUv[uv] === triangles[corner]))
    file.integers('head.vertexOfUv', vertexOfUv, 1);
  else file.integers('head.triangles', triangles, 3);
}

function takeTopology(file: CompactReader): Pick<HeadModel, 'triangles' | 'uvTriangles'> {
  const uvTriangles = file.uints('head.uvTriangles');
  if (file.has('head.triangles')) return { uvTriangles, triangles: file.uints('head.triangles') };
  const vertexOfUv = file.uints('head.vertexOfUv');
  return { uvTriangles, triangles: uvTriangles.map((uv) => vertexOfUv[uv]) };
}

/** A K×V×3 basis by the vertices that move by at least half a step. */
function putBasis(file: CompactWriter, name: string, basis: Float32Array): void {
  const entries: number[] = [];
  const values: number[] = [];
  for (let entry = 0; entry < basis.length / 3; entry++) {
    const moved = [0, 1, 2].map((axis) => Math.round(basis[entry * 3 + axis] / STEPS.basis));
    if (moved.every((value) => value === 0)) continue;
    entries.push(entry);
    values.push(...moved);
  }
  file.integers(`${name}.entries`, entries, 1);
  file.integers(name, values, 3, STEPS.basis);
  file.exact(`${name}.length`, Float32Array.of(basis.length));
}

function takeBasis(file: CompactReader, name: string): Float32Array {
  const basis = new Float32Array(file.exact(`${name}.length`)[0]);
  const values = file.floats(name);
  file
    .uints(`${name}.entries`)
    .forEach((entry, index) => basis.set(values.subarray(index * 3, index * 3 + 3), entry * 3));
  return basis;
}

function normaliseRows(rows: Float32Array, width: number): Float32Array {
  return rows.map((value, index) => {
    const start = index - (index % width);
    let sum = 0;
    for (let column = 0; column < width; column++) sum += rows[start + column];
    return value / (sum || 1);
  });
}

function unitRows(rows: Float32Array, width: number): Float32Array {
  return rows.map((value, index) => {
    const start = index - (index % width);
    return value / (Math.hypot(...rows.subarray(start, start + width)) || 1);
  });
}

/** What the file's metadata says of a packed tensor; its bytes stand under the same name. */
type Description = Pick<PackedNumbers, 'count' | 'stride' | 'step'>;

class CompactWriter {
  readonly #tensors: [string, Tensor][] = [];
  readonly #packed: Record<string, Description> = {};

  exact(name: string, data: Float32Array): void {
    this.#tensors.push([name, { shape: [data.length], data }]);
  }

  integers(name: string, values: ArrayLike<number>, stride: number, step: number | null = null): void {
    this.#put(name, packIntegers(values, stride, step));
  }

  floats(name: string, values: ArrayLike<number>, stride: number, step: number): void {
    this.#put(name, packFloats(values, stride, step));
  }

  finish(metadata: Record<string, string>): Uint8Array {
    return encodeTensors(this.#tensors, { ...metadata, packed: JSON.stringify(this.#packed) });
  }

  #put(name: string, { bytes, count, stride, step }: PackedNumbers): void {
    this.#tensors.push([name, { shape: [bytes.length], data: bytes }]);
    this.#packed[name] = { count, stride, step };
  }
}

class CompactReader {
  readonly metadata: Readonly<Record<string, string>>;
  readonly #file: TensorFile;
  readonly #packed: Readonly<Record<string, Description>>;
  readonly #source: string;

  constructor(file: TensorFile, source: string) {
    this.#file = file;
    this.#source = source;
    this.metadata = file.metadata;
    if (file.metadata['format'] !== FORMAT)
      throw new TensorFileError(
        `${source} is a tensor file but no compact avatar: export it again with \`fate export\`.`,
      );
    if (Number(file.metadata['version']) !== COMPACT_VERSION) {
      throw new TensorFileError(
        `${source} has compact avatar version ${file.metadata['version']}, this program reads ${COMPACT_VERSION}: export it again with \`fate export\`.`,
      );
    }
    this.#packed = JSON.parse(file.metadata['packed'] ?? '{}') as Record<string, Description>;
  }

  has(name: string): boolean {
    return this.#file.tensors.has(name);
  }

  text<T>(name: string): T {
    return JSON.parse(this.metadata[name] ?? 'null') as T;
  }

  exact(name: string): Float32Array {
    return takeTensor(this.#file, name, Float32Array);
  }

  integers(name: string): Int32Array {
    return unpackIntegers(this.#take(name));
  }

  uints(name: string): Uint32Array {
    return Uint32Array.from(this.integers(name));
  }

  floats(name: string): Float32Array {
    return unpackFloats(this.#take(name));
  }

  #take(name: string): PackedNumbers {
    const bytes = takeTensor(this.#file, name, Uint8Array);
    const description = this.#packed[name];
    if (!description)
      throw new TensorFileError(
        `${this.#source} does not describe tensor "${name}"; export it again with \`fate export\`.`,
      );
    return { bytes, ...description };
  }
}
