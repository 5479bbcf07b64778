/** The part of protocol buffers' wire format that ONNX files use: enough to write a message and to walk through one. */

const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;
const FIXED32 = 5;

/** Collects the fields of one message. */
export class ProtobufWriter {
  readonly #chunks: Uint8Array[] = [];
  #length = 0;

  /** A whole number of either sign, up to 2⁵³. */
  integer(field: number, value: number): void {
    this.#tag(field, VARINT);
    this.#append(varint(BigInt.asUintN(64, BigInt(value))));
  }

  float(field: number, value: number): void {
    this.#tag(field, FIXED32);
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    this.#append(bytes);
  }

  bytes(field: number, value: Uint8Array): void {
    this.#tag(field, LENGTH);
    this.#append(varint(BigInt(value.length)));
    this.#append(value);
  }

  text(field: number, value: string): void {
    this.bytes(field, new TextEncoder().encode(value));
  }

  message(field: number, write: (writer: ProtobufWriter) => void): void {
    const inner = new ProtobufWriter();
    write(inner);
    this.#tag(field, LENGTH);
    this.#append(varint(BigInt(inner.#length)));
    for (const chunk of inner.#chunks) this.#append(chunk);
  }

  finish(): Uint8Array {
    const result = new Uint8Array(this.#length);
    let offset = 0;
    for (const chunk of this.#chunks) {
      result.set(chunk, offset);
      offset += chunk.length;
    }
    return result;
  }

  #tag(field: number, wire: number): void {
    this.#append(varint(BigInt(field * 8 + wire)));
  }

  #append(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }
}

function varint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  do {
    const low = Number(value & 127n);
    value >>= 7n;
    bytes.push(value > 0n ? low | 128 : low);
  } while (value > 0n);
  return Uint8Array.from(bytes);
}

/** One field as it stands in the file: a number (fixed or varint) or a range of bytes. */
export class ProtobufField {
  constructor(
    readonly number: number,
    readonly wire: number,
    private readonly bits: bigint,
    private readonly range: Uint8Array | null,
  ) {}

  /** A signed 64-bit integer; numbers beyond 2⁵³ are clamped (ONNX writes 2⁶³ − 1 for "to the end"). */
  get integer(): number {
    return clampInteger(this.bits);
  }

  get float(): number {
    const view = new DataView(new ArrayBuffer(8));
    view.setBigUint64(0, this.bits, true);
    return this.wire === FIXED64 ? view.getFloat64(0, true) : view.getFloat32(0, true);
  }

  get bytes(): Uint8Array {
    if (!this.range) throw new SyntaxError(`field ${this.number} holds a number where bytes are expected`);
    return this.range;
  }

  get text(): string {
    return new TextDecoder().decode(this.bytes);
  }

  /** A repeated integer: packed, or one element of it. */
  get integers(): number[] {
    if (!this.range) return [this.integer];
    const result: number[] = [];
    const cursor = { at: 0 };
    while (cursor.at < this.range.length) result.push(clampInteger(readVarint(this.range, cursor)));
    return result;
  }

  /** A repeated float (`bytesEach` 4) or double (8): packed, or one element of it. */
  floats(bytesEach: 4 | 8): number[] {
    if (!this.range) return [this.float];
    const view = new DataView(this.range.buffer, this.range.byteOffset, this.range.byteLength);
    return Array.from({ length: Math.floor(this.range.length / bytesEach) }, (_, i) =>
      bytesEach === 8 ? view.getFloat64(i * 8, true) : view.getFloat32(i * 4, true),
    );
  }
}

/** The fields of a message in their order. Throws `SyntaxError` where the bytes are no message. */
export function* protobufFields(bytes: Uint8Array): Generator<ProtobufField> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const cursor = { at: 0 };
  const take = (length: number): number => {
    const start = cursor.at;
    if (length > bytes.length - start) throw new SyntaxError(`ends within a field at byte ${start}`);
    cursor.at += length;
    return start;
  };
  while (cursor.at < bytes.length) {
    const tag = Number(readVarint(bytes, cursor));
    const [field, wire] = [Math.floor(tag / 8), tag % 8];
    if (field === 0) throw new SyntaxError(`holds no field at byte ${cursor.at}`);
    if (wire === VARINT) yield new ProtobufField(field, wire, readVarint(bytes, cursor), null);
    else if (wire === FIXED64) yield new ProtobufField(field, wire, view.getBigUint64(take(8), true), null);
    else if (wire === FIXED32) yield new ProtobufField(field, wire, BigInt(view.getUint32(take(4), true)), null);
    else if (wire === LENGTH) {
      const length = Number(readVarint(bytes, cursor));
      const start = take(length);
      yield new ProtobufField(field, wire, 0n, bytes.subarray(start, start + length));
    } else throw new SyntaxError(`has a field of unknown kind ${wire} at byte ${cursor.at}`);
  }
}

function readVarint(bytes: Uint8Array, cursor: { at: number }): bigint {
  let result = 0n;
  for (let shift = 0n; shift < 70n; shift += 7n) {
    if (cursor.at >= bytes.length) throw new SyntaxError(`ends within a number at byte ${cursor.at}`);
    const byte = bytes[cursor.at++]!;
    result |= BigInt(byte & 127) << shift;
    if (byte < 128) return result;
  }
  throw new SyntaxError(`has a number of more than ten bytes at byte ${cursor.at}`);
}

function clampInteger(bits: bigint): number {
  const value = BigInt.asIntN(64, bits);
  const limit = BigInt(Number.MAX_SAFE_INTEGER);
  return Number(value > limit ? limit : value < -limit ? -limit : value);
}
