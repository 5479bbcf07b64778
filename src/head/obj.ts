import { HeadModelError } from './head-model.ts';

/** A Wavefront OBJ mesh. Indices count from 0. */
export interface ObjMesh {
  /** V×3, in the file's own unit. */
  readonly vertices: Float32Array;
  /** U×2 as in the file: v grows upwards. */
  readonly uvs: Float32Array;
  /** Per polygon, its first corner in the corner lists; one entry more than there are polygons. */
  readonly polygonStarts: Uint32Array;
  readonly cornerVertices: Uint32Array;
  /** Index into `uvs`; 0 throughout when the file has no texture coordinates. */
  readonly cornerUvs: Uint32Array;
}

/** Reads positions, texture coordinates and polygons. `name` is for messages. Throws `HeadModelError` on indices out of range. */
export function parseObj(name: string, bytes: Uint8Array): ObjMesh {
  const vertices: number[] = [];
  const uvs: number[] = [];
  const polygonStarts: number[] = [0];
  const cornerVertices: number[] = [];
  const cornerUvs: number[] = [];
  for (const line of new TextDecoder().decode(bytes).split('\n')) {
    const fields = line.trim().split(/\s+/);
    if (fields[0] === 'v') vertices.push(Number(fields[1]), Number(fields[2]), Number(fields[3]));
    else if (fields[0] === 'vt') uvs.push(Number(fields[1]), Number(fields[2]));
    else if (fields[0] === 'f') {
      for (const corner of fields.slice(1)) {
        const [vertex, uv] = corner.split('/');
        cornerVertices.push(resolveIndex(Number(vertex), vertices.length / 3));
        cornerUvs.push(uv ? resolveIndex(Number(uv), uvs.length / 2) : 0);
      }
      polygonStarts.push(cornerVertices.length);
    }
  }
  const mesh = {
    vertices: Float32Array.from(vertices),
    uvs: Float32Array.from(uvs),
    polygonStarts: Uint32Array.from(polygonStarts),
    cornerVertices: Uint32Array.from(cornerVertices),
    cornerUvs: Uint32Array.from(cornerUvs),
  };
  const vertexCount = vertices.length / 3;
  if (
    vertexCount === 0 ||
    vertices.some(Number.isNaN) ||
    cornerVertices.some((index) => !(index >= 0 && index < vertexCount))
  ) {
    throw new HeadModelError(
      `${name} is not a readable OBJ mesh: no vertices, a number that cannot be read, or a face that names a missing vertex.`,
    );
  }
  return mesh;
}

/** OBJ counts from 1; a negative index counts back from the last. */
function resolveIndex(index: number, count: number): number {
  return index < 0 ? count + index : index - 1;
}

/**
 * Positions alone, by a byte scanner: a head model is up to 158 files of 2.5 MB of which nothing else is wanted, and
 * splitting strings takes ten times as long. Throws `HeadModelError` when the count is not `vertexCount`.
 */
export function parseObjPositions(name: string, bytes: Uint8Array, vertexCount: number): Float32Array {
  const positions = new Float32Array(vertexCount * 3);
  const cursor = { at: 0 };
  let filled = 0;
  while (cursor.at < bytes.length) {
    if (bytes[cursor.at] === 0x76 && isBlank(bytes[cursor.at + 1])) {
      cursor.at += 1;
      for (let axis = 0; axis < 3; axis++, filled++) {
        const value = scanNumber(bytes, cursor);
        if (filled < positions.length) positions[filled] = value;
      }
    }
    const next = bytes.indexOf(0x0a, cursor.at);
    cursor.at = next < 0 ? bytes.length : next + 1;
  }
  if (filled !== positions.length || positions.some(Number.isNaN)) {
    throw new HeadModelError(
      `${name} holds ${filled / 3} readable vertices where ${vertexCount} were expected; fetch the file again.`,
    );
  }
  return positions;
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09;
}

/** Decimal number at the cursor, which ends behind it; NaN when there is none. */
function scanNumber(bytes: Uint8Array, cursor: { at: number }): number {
  let at = cursor.at;
  while (isBlank(bytes[at])) at++;
  const start = at;
  while (at < bytes.length && bytes[at]! > 0x20) at++;
  cursor.at = at;
  let sign = 1;
  let digit = start;
  if (bytes[digit] === 0x2d) {
    sign = -1;
    digit++;
  }
  let mantissa = 0;
  let divisor = 1;
  let inFraction = false;
  for (; digit < at; digit++) {
    const byte = bytes[digit]!;
    if (byte === 0x2e && !inFraction) inFraction = true;
    else if (byte >= 0x30 && byte <= 0x39) {
      mantissa = mantissa * 10 + (byte - 0x30);
      if (inFraction) divisor *= 10;
    } else return start === at ? NaN : Number(new TextDecoder().decode(bytes.subarray(start, at))); // exponents and the like
  }
  return start === at ? NaN : (sign * mantissa) / divisor;
}
