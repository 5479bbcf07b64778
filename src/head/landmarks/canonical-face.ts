/**
 * MediaPipe's canonical face mesh: 468 points in metric space, with texture coordinates and triangles, as stored in
 * `geometry_pipeline_metadata_landmarks.binarypb` (Apache-2.0, part of the npm package `@mediapipe/face_mesh`).
 */
export interface CanonicalFace {
  /** 468×3 metres; y up, z out of the face, x towards the subject's left. */
  readonly positions: Float32Array;
  /** 468×2, origin at the top left. */
  readonly uvs: Float32Array;
  /** T×3, counter-clockwise seen from outside. */
  readonly triangles: Uint32Array;
  /** 468 weights of the rigid alignment that MediaPipe uses; 0 for points that take no part. */
  readonly alignmentWeights: Float32Array;
}

/** Number of points of the face mesh (the irises' ten more are not part of it). */
export const CANONICAL_POINT_COUNT = 468;

const METRES_PER_UNIT = 0.01;

/**
 * Reads the protocol buffer `GeometryPipelineMetadata` (mediapipe/modules/face_geometry/protos): 1 = canonical mesh
 * {1 vertex type, 2 primitive type, 3 vertex floats xyzuv, 4 indices}, 2 = alignment basis {1 landmark, 2 weight}.
 * Throws a `RangeError` when the bytes are not such a file.
 */
export function parseCanonicalFace(bytes: Uint8Array): CanonicalFace {
  const vertexFloats: number[] = [];
  const indices: number[] = [];
  const alignmentWeights = new Float32Array(CANONICAL_POINT_COUNT);
  for (const field of readFields(bytes)) {
    if (!field.bytes) continue;
    if (field.number === 1) {
      for (const inner of readFields(field.bytes)) {
        if (inner.number === 3) vertexFloats.push(...floatsOf(inner));
        if (inner.number === 4) indices.push(...integersOf(inner));
      }
    }
    if (field.number === 2) {
      const entry = [...readFields(field.bytes)];
      const landmark = entry.find((inner) => inner.number === 1)?.integer ?? 0;
      alignmentWeights[landmark] = entry.find((inner) => inner.number === 2)?.float ?? 0;
    }
  }
  if (vertexFloats.length !== CANONICAL_POINT_COUNT * 5 || indices.length === 0 || indices.length % 3 !== 0) {
    throw new RangeError(
      `canonical face: found ${vertexFloats.length / 5} points and ${indices.length / 3} triangles where ` +
        `${CANONICAL_POINT_COUNT} points were expected. Reinstall the package @mediapipe/face_mesh.`,
    );
  }
  const positions = new Float32Array(CANONICAL_POINT_COUNT * 3);
  const uvs = new Float32Array(CANONICAL_POINT_COUNT * 2);
  for (let point = 0; point < CANONICAL_POINT_COUNT; point++) {
    for (let k = 0; k < 3; k++) positions[point * 3 + k] = vertexFloats[point * 5 + k] * METRES_PER_UNIT;
    for (let k = 0; k < 2; k++) uvs[point * 2 + k] = vertexFloats[point * 5 + 3 + k];
  }
  return { positions, uvs, triangles: Uint32Array.from(indices), alignmentWeights };
}

/** One field of a protocol buffer message, by its wire type. */
interface Field {
  readonly number: number;
  readonly integer?: number;
  readonly float?: number;
  readonly bytes?: Uint8Array;
}

function* readFields(bytes: Uint8Array): Generator<Field> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const readVarint = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      if (at >= bytes.length) throw new RangeError('canonical face: the file is cut short.');
      const byte = bytes[at++];
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = readVarint();
    const number = Math.floor(key / 8);
    const wireType = key % 8;
    if (wireType === 0) yield { number, integer: readVarint() };
    else if (wireType === 5 && at + 4 <= bytes.length) yield { number, float: view.getFloat32((at += 4) - 4, true) };
    else if (wireType === 2) {
      const length = readVarint();
      if (at + length > bytes.length) throw new RangeError('canonical face: the file is cut short.');
      yield { number, bytes: bytes.subarray(at, (at += length)) };
    } else throw new RangeError(`canonical face: unexpected wire type ${wireType} at byte ${at}.`);
  }
}

/** A repeated number may be packed into one byte string or come one field at a time. */
function floatsOf(field: Field): number[] {
  if (field.float !== undefined) return [field.float];
  const bytes = field.bytes ?? new Uint8Array();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / 4 }, (_, index) => view.getFloat32(index * 4, true));
}

function integersOf(field: Field): number[] {
  if (field.integer !== undefined) return [field.integer];
  const values: number[] = [];
  let value = 0;
  let factor = 1;
  for (const byte of field.bytes ?? []) {
    value += (byte & 127) * factor;
    factor *= 128;
    if (byte >= 128) continue;
    values.push(value);
    value = 0;
    factor = 1;
  }
  return values;
}
