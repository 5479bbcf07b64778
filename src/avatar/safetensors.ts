/**
 * The safetensors container: 8 bytes of header length, a JSON header that names each tensor's type, shape and bytes,
 * then the data. Open, trivially parsed, and it cannot carry code. Used for avatars and checkpoints.
 */
export type TensorData = Float32Array | Uint32Array | Int32Array | Uint16Array | Int16Array | Uint8Array;

export interface Tensor {
  readonly shape: readonly number[];
  readonly data: TensorData;
}

export interface TensorFile {
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** String pairs, as the format has it. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** The bytes are no safetensors file, or a tensor is missing or of another kind. */
export class TensorFileError extends Error {
  override readonly name = 'TensorFileError';
}

const TYPES = {
  F32: Float32Array,
  U32: Uint32Array,
  I32: Int32Array,
  U16: Uint16Array,
  I16: Int16Array,
  U8: Uint8Array,
} as const;
type TypeName = keyof typeof TYPES;

/** Types that other writers use for weights: read into float32, never written. */
const WIDENED: Readonly<Record<string, (bytes: ArrayBuffer) => Float32Array>> = {
  F16: (bytes) => Float32Array.from(new Uint16Array(bytes), floatFromHalf),
  BF16: (bytes) => new Float32Array(Uint32Array.from(new Uint16Array(bytes), (bits) => bits << 16).buffer),
  F64: (bytes) => Float32Array.from(new Float64Array(bytes)),
};

interface HeaderEntry {
  readonly dtype: TypeName | (string & {});
  readonly shape: number[];
  readonly data_offsets: [number, number];
}

/** Encodes tensors in the order given. Tensors start at multiples of 4 bytes. */
export function encodeTensors(
  tensors: Iterable<readonly [string, Tensor]>,
  metadata: Record<string, string> = {},
): Uint8Array {
  const header: Record<string, HeaderEntry | Record<string, string>> = { __metadata__: metadata };
  const parts: { data: TensorData; offset: number }[] = [];
  let size = 0;
  // Widest types first, so that every tensor is aligned without gaps (the format forbids gaps).
  const ordered = [...tensors].sort((a, b) => b[1].data.BYTES_PER_ELEMENT - a[1].data.BYTES_PER_ELEMENT);
  for (const [name, { data, shape }] of ordered) {
    const count = shape.reduce((product, extent) => product * extent, 1);
    if (count !== data.length) {
      throw new RangeError(
        `tensor "${name}": shape [${shape.join(', ')}] holds ${count} values, but ${data.length} were given`,
      );
    }
    header[name] = { dtype: typeNameOf(data), shape: [...shape], data_offsets: [size, size + data.byteLength] };
    parts.push({ data, offset: size });
    size += data.byteLength;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const start = 8 + Math.ceil(json.length / 8) * 8;
  const file = new Uint8Array(start + size).fill(0x20, 8, start);
  new DataView(file.buffer).setBigUint64(0, BigInt(start - 8), true);
  file.set(json, 8);
  for (const { data, offset } of parts) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), start + offset);
  }
  return file;
}

/**
 * Decodes a file made by `encodeTensors` or any other writer that uses the types above; F16, BF16 and F64 become
 * float32. `source` names it in errors. Only tensors whose name `isWanted` takes are read: a classifier of 400 MB
 * behind the layers that are used costs nothing, nor do types that nobody asked for.
 */
export function decodeTensors(
  given: Uint8Array,
  source: string,
  isWanted: (name: string) => boolean = () => true,
): TensorFile {
  // Node's Buffer is a Uint8Array whose `slice` does not copy; tensors need bytes of their own, aligned.
  const file = new Uint8Array(given.buffer, given.byteOffset, given.byteLength);
  const broken = (why: string): TensorFileError =>
    new TensorFileError(`${source} is not a readable tensor file: ${why}. Make it again, or restore it from a copy.`);
  if (file.byteLength < 8) throw broken(`it has only ${file.byteLength} bytes`);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const headerLength = Number(view.getBigUint64(0, true));
  if (headerLength > file.byteLength - 8) throw broken('it ends inside its header');
  let header: Record<string, HeaderEntry | Record<string, string>>;
  try {
    header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + headerLength))) as typeof header;
  } catch {
    throw broken('its header is not JSON');
  }
  const tensors = new Map<string, Tensor>();
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__' || !isWanted(name)) continue;
    const entry = value as HeaderEntry;
    const type = TYPES[entry.dtype as TypeName];
    const widen = WIDENED[entry.dtype];
    if (!type && !widen) throw broken(`tensor "${name}" has the unsupported type ${String(entry.dtype)}`);
    const [begin, end] = entry.data_offsets;
    if (8 + headerLength + end > file.byteLength) throw broken(`it ends inside tensor "${name}"`);
    const bytes = file.slice(8 + headerLength + begin, 8 + headerLength + end);
    tensors.set(name, { shape: entry.shape, data: widen ? widen(bytes.buffer) : new type(bytes.buffer) });
  }
  return { tensors, metadata: (header['__metadata__'] as Record<string, string> | undefined) ?? {} };
}

/** The value of an IEEE half-precision number. */
export function floatFromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** One tensor of a file as the type that the caller expects; an error names what is there instead. */
export function takeTensor<T extends TensorData>(
  file: TensorFile,
  name: string,
  type: abstract new (...args: never[]) => T,
): T {
  const tensor = file.tensors.get(name);
  if (!tensor)
    throw new TensorFileError(`tensor "${name}" is missing; the file has: ${[...file.tensors.keys()].join(', ')}`);
  if (!(tensor.data instanceof type)) {
    throw new TensorFileError(`tensor "${name}" is ${tensor.data.constructor.name}, expected ${type.name}`);
  }
  return tensor.data;
}

function typeNameOf(data: TensorData): TypeName {
  for (const [name, type] of Object.entries(TYPES)) if (data instanceof type) return name as TypeName;
  throw new TypeError(`a tensor cannot hold a ${(data as object).constructor.name}`);
}
