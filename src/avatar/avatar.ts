import type { GaussianSet } from '../gaussians/layout.ts';
import type { HeadModel, JointName, RegionName, SparseRow } from '../head/head-model.ts';
import { packPose, unpackPose, type HeadPose } from '../head/pose.ts';
import type { TrackCorrection } from '../tracking/track-correction.ts';
import type { Camera } from '../tracking/track.ts';
import {
  decodeTensors,
  encodeTensors,
  takeTensor,
  TensorFileError,
  type Tensor,
  type TensorFile,
} from './safetensors.ts';

/**
 * A fitted avatar: a head model made personal (identity, ΔE and ΔP are folded into its template and bases, so it has no
 * identity basis left) and the Gaussians bound to it. Everything needed to pose and render it.
 */
export interface Avatar {
  readonly head: HeadModel;
  /** V×3 metres: Δvertex, added to the template after the joints are regressed from it. */
  readonly vertexOffset: Float32Array;
  readonly gaussians: GaussianSet;
  /** T: size of each triangle in the canonical pose, metres: the denominator of k (eq 3). */
  readonly canonicalSizes: Float32Array;
  /** The pose that the clip has on average, looking straight at the camera: what pictures show as neutral. */
  readonly neutralPose: HeadPose;
  /** The training camera: a default for pictures. */
  readonly camera: Camera;
  readonly identityCoefficients: Float32Array;
  /** For poses that this project's tracker found in the same clip; null when the fit learned none. */
  readonly trackCorrection: TrackCorrection | null;
}

const FORMAT = 'fate-avatar';
const VERSION = 1;

/** Encodes an avatar as one safetensors file; equal avatars give equal bytes. */
export function encodeAvatar(avatar: Avatar): Uint8Array {
  const { head, gaussians, neutralPose, camera } = avatar;
  const tensors: [string, Tensor][] = [];
  const put = (name: string, data: Tensor['data'], ...shape: number[]): number => tensors.push([name, { shape, data }]);
  const N = gaussians.count;
  put('gaussians.triangleIndices', gaussians.triangleIndices, N);
  put('gaussians.barycentrics', gaussians.barycentrics, N, 3);
  put('gaussians.localRotation', gaussians.localRotation, N, 4);
  put('gaussians.logScale', gaussians.logScale, N, 3);
  put('gaussians.opacityLogit', gaussians.opacityLogit, N);
  put('gaussians.color', gaussians.color, N, 3);
  put('gaussians.normalOffset', gaussians.normalOffset, N);
  const { vertexCount: V, triangleCount: T } = head;
  put('head.templateVertices', head.templateVertices, V, 3);
  put('head.vertexOffset', avatar.vertexOffset, V, 3);
  put('head.triangles', head.triangles, T, 3);
  put('head.uvs', head.uvs, head.uvs.length / 2, 2);
  put('head.uvTriangles', head.uvTriangles, T, 3);
  put('head.triangleRegions', head.triangleRegions, T);
  put('head.skinningWeights', head.skinningWeights, V, head.joints.length);
  put('head.expressionLimits', head.expressionLimits, head.expressionNames.length, 2);
  put('head.landmarkTriangles', head.landmarks.triangleIndices, head.landmarks.triangleIndices.length);
  put('head.landmarkBarycentrics', head.landmarks.barycentrics, head.landmarks.triangleIndices.length, 3);
  put('head.canonicalSizes', avatar.canonicalSizes, T);
  putSparseVectors(tensors, 'head.expressionBasis', head.expressionBasis, V);
  if (head.poseCorrectives) putSparseVectors(tensors, 'head.poseCorrectives', head.poseCorrectives, V);
  head.jointRegressor.forEach((row, joint) => {
    put(`head.jointRegressor.${joint}.indices`, row.indices, row.indices.length);
    put(`head.jointRegressor.${joint}.weights`, row.weights, row.weights.length);
  });
  const neutral = packPose(neutralPose);
  put('neutralPose', neutral, neutral.length);
  put('identityCoefficients', avatar.identityCoefficients, avatar.identityCoefficients.length);
  const correction = avatar.trackCorrection;
  if (correction) {
    const size = correction.mean.length;
    put('trackCorrection.mean', correction.mean, size);
    put('trackCorrection.deviation', correction.deviation, size);
    put('trackCorrection.offset', correction.offset, size);
    put('trackCorrection.matrix', correction.matrix, size, size);
  }
  return encodeTensors(tensors, {
    format: FORMAT,
    version: String(VERSION),
    headName: head.name,
    expressionNames: JSON.stringify(head.expressionNames),
    regionNames: JSON.stringify(head.regionNames),
    joints: JSON.stringify(head.joints),
    camera: JSON.stringify(camera),
  });
}

/** Reads what `encodeAvatar` wrote. `source` names the file in errors. */
export function decodeAvatar(bytes: Uint8Array, source: string): Avatar {
  const file = decodeTensors(bytes, source);
  if (file.metadata['format'] !== FORMAT) {
    throw new TensorFileError(`${source} is a tensor file but not a fate-avatar: make one with \`fate create\`.`);
  }
  if (Number(file.metadata['version']) !== VERSION) {
    throw new TensorFileError(
      `${source} has avatar version ${file.metadata['version']}, this program reads ${VERSION}: fit it again with \`fate fit\`.`,
    );
  }
  const floats = (name: string): Float32Array => takeTensor(file, name, Float32Array);
  const uints = (name: string): Uint32Array => takeTensor(file, name, Uint32Array);
  const text = <T>(name: string): T => JSON.parse(file.metadata[name] ?? 'null') as T;
  const triangleIndices = uints('gaussians.triangleIndices');
  const joints = text<{ name: JointName; parent: number }[]>('joints');
  const templateVertices = floats('head.templateVertices');
  const triangles = uints('head.triangles');
  const head: HeadModel = {
    name: file.metadata['headName'] ?? 'unknown',
    vertexCount: templateVertices.length / 3,
    triangleCount: triangles.length / 3,
    templateVertices,
    triangles,
    uvs: floats('head.uvs'),
    uvTriangles: uints('head.uvTriangles'),
    identityBasis: new Float32Array(0),
    identityNames: [],
    expressionBasis: takeSparseVectors(file, 'head.expressionBasis'),
    expressionNames: text('expressionNames'),
    expressionLimits: floats('head.expressionLimits'),
    poseCorrectives: file.tensors.has('head.poseCorrectives.values')
      ? takeSparseVectors(file, 'head.poseCorrectives')
      : null,
    joints,
    jointRegressor: joints.map((_, joint): SparseRow => ({
      indices: uints(`head.jointRegressor.${joint}.indices`),
      weights: floats(`head.jointRegressor.${joint}.weights`),
    })),
    skinningWeights: floats('head.skinningWeights'),
    regionNames: text<RegionName[]>('regionNames'),
    triangleRegions: takeTensor(file, 'head.triangleRegions', Uint8Array),
    landmarks: { triangleIndices: uints('head.landmarkTriangles'), barycentrics: floats('head.landmarkBarycentrics') },
  };
  return {
    head,
    vertexOffset: floats('head.vertexOffset'),
    gaussians: {
      count: triangleIndices.length,
      triangleIndices,
      barycentrics: floats('gaussians.barycentrics'),
      localRotation: floats('gaussians.localRotation'),
      logScale: floats('gaussians.logScale'),
      opacityLogit: floats('gaussians.opacityLogit'),
      color: floats('gaussians.color'),
      normalOffset: floats('gaussians.normalOffset'),
    },
    canonicalSizes: floats('head.canonicalSizes'),
    neutralPose: unpackPose(floats('neutralPose')),
    camera: text<Camera>('camera'),
    identityCoefficients: floats('identityCoefficients'),
    trackCorrection: file.tensors.has('trackCorrection.matrix')
      ? {
          mean: floats('trackCorrection.mean'),
          deviation: floats('trackCorrection.deviation'),
          offset: floats('trackCorrection.offset'),
          matrix: floats('trackCorrection.matrix'),
        }
      : null,
  };
}

/** Stores a K×V×3 basis by its moved vertices only: most expressions move a part of the head. */
function putSparseVectors(tensors: [string, Tensor][], name: string, basis: Float32Array, vertexCount: number): void {
  const indices: number[] = [];
  const values: number[] = [];
  for (let entry = 0; entry < basis.length / 3; entry++) {
    const [x, y, z] = [basis[entry * 3]!, basis[entry * 3 + 1]!, basis[entry * 3 + 2]!];
    if (x === 0 && y === 0 && z === 0) continue;
    indices.push(entry);
    values.push(x, y, z);
  }
  tensors.push([`${name}.entries`, { shape: [indices.length], data: new Uint32Array(indices) }]);
  tensors.push([`${name}.values`, { shape: [indices.length, 3], data: new Float32Array(values) }]);
  tensors.push([`${name}.shape`, { shape: [2], data: new Uint32Array([basis.length / 3 / vertexCount, vertexCount]) }]);
}

function takeSparseVectors(file: TensorFile, name: string): Float32Array {
  const [count, vertexCount] = takeTensor(file, `${name}.shape`, Uint32Array);
  const entries = takeTensor(file, `${name}.entries`, Uint32Array);
  const values = takeTensor(file, `${name}.values`, Float32Array);
  const basis = new Float32Array(count! * vertexCount! * 3);
  entries.forEach((entry, index) => basis.set(values.subarray(index * 3, index * 3 + 3), entry * 3));
  return basis;
}
