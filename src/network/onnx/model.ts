import { ProtobufWriter, protobufFields } from './protobuf.ts';

/** An ONNX file (onnx.proto, IR version 8) as plain data: only what inference needs. */
export interface OnnxModel {
  /** Version of the operators of the standard domain. */
  readonly opset: number;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly inputs: readonly OnnxPort[];
  readonly outputs: readonly OnnxPort[];
}

export interface OnnxNode {
  readonly type: string;
  readonly name: string;
  /** Empty for the standard domain. */
  readonly domain: string;
  /** Names; an empty one is an optional input left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

export type OnnxAttribute =
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'tensor'; readonly value: OnnxTensor }
  | { readonly kind: 'floats'; readonly value: readonly number[] }
  | { readonly kind: 'ints'; readonly value: readonly number[] }
  | { readonly kind: 'strings'; readonly value: readonly string[] }
  /** A subgraph or a list that we do not use. */
  | { readonly kind: 'other' };

/** Element types by their number in `TensorProto.DataType`. */
export const ONNX_TYPES = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
} as const;
export type OnnxType = keyof typeof ONNX_TYPES;

export interface OnnxTensor {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: readonly number[];
  /** Numbers of any type: 64-bit ones as far as a double holds them. */
  readonly data: Float32Array | Float64Array;
}

/** An input or output; a size that the file leaves open is its name, or null. */
export interface OnnxPort {
  readonly name: string;
  readonly type: OnnxType | null;
  readonly shape: readonly (number | string | null)[] | null;
}

const ATTRIBUTE = { float: 1, int: 2, string: 3, tensor: 4, floats: 6, ints: 7, strings: 8 } as const;

/** Bytes of an ONNX file. */
export function encodeOnnx(model: OnnxModel): Uint8Array {
  const writer = new ProtobufWriter();
  writer.integer(1, 8); // ir_version
  writer.text(2, 'fate-avatar');
  writer.message(8, (opset) => opset.integer(2, model.opset));
  writer.message(7, (graph) => {
    for (const node of model.nodes) graph.message(1, (inner) => writeNode(inner, node));
    graph.text(2, 'network');
    for (const tensor of model.initializers) graph.message(5, (inner) => writeTensor(inner, tensor));
    for (const port of model.inputs) graph.message(11, (inner) => writePort(inner, port));
    for (const port of model.outputs) graph.message(12, (inner) => writePort(inner, port));
  });
  return writer.finish();
}

function writeNode(writer: ProtobufWriter, node: OnnxNode): void {
  for (const input of node.inputs) writer.text(1, input);
  for (const output of node.outputs) writer.text(2, output);
  writer.text(3, node.name);
  writer.text(4, node.type);
  if (node.domain) writer.text(7, node.domain);
  for (const [name, attribute] of Object.entries(node.attributes)) {
    writer.message(5, (inner) => writeAttribute(inner, name, attribute));
  }
}

function writeAttribute(writer: ProtobufWriter, name: string, attribute: OnnxAttribute): void {
  if (attribute.kind === 'other') throw new TypeError(`attribute "${name}" is of a kind that is not written`);
  writer.text(1, name);
  writer.integer(20, ATTRIBUTE[attribute.kind]);
  if (attribute.kind === 'float') writer.float(2, attribute.value);
  if (attribute.kind === 'int') writer.integer(3, attribute.value);
  if (attribute.kind === 'string') writer.text(4, attribute.value);
  if (attribute.kind === 'tensor') writer.message(5, (inner) => writeTensor(inner, attribute.value));
  if (attribute.kind === 'floats') for (const value of attribute.value) writer.float(7, value);
  if (attribute.kind === 'ints') for (const value of attribute.value) writer.integer(8, value);
  if (attribute.kind === 'strings') for (const value of attribute.value) writer.text(9, value);
}

function writeTensor(writer: ProtobufWriter, { name, type, shape, data }: OnnxTensor): void {
  for (const size of shape) writer.integer(1, size);
  writer.integer(2, ONNX_TYPES[type]);
  writer.text(8, name);
  writer.bytes(9, rawBytes(type, data));
}

function rawBytes(type: OnnxType, data: ArrayLike<number>): Uint8Array {
  const bytesOf = (array: ArrayBufferView): Uint8Array =>
    new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  if (type === 'float32') return bytesOf(data instanceof Float32Array ? data : Float32Array.from(data));
  if (type === 'int64') return bytesOf(BigInt64Array.from(Array.from(data, BigInt)));
  if (type === 'bool') return Uint8Array.from(data, (value) => (value ? 1 : 0));
  throw new TypeError(`tensors of type ${type} are not written`);
}

function writePort(writer: ProtobufWriter, { name, type, shape }: OnnxPort): void {
  writer.text(1, name);
  writer.message(2, (kind) => {
    kind.message(1, (tensor) => {
      tensor.integer(1, ONNX_TYPES[type ?? 'float32']);
      tensor.message(2, (sizes) => {
        for (const size of shape ?? []) {
          sizes.message(1, (dimension) => {
            if (typeof size === 'number') dimension.integer(1, size);
            else if (size !== null) dimension.text(2, size);
          });
        }
      });
    });
  });
}

/** Reads an ONNX file. Throws `SyntaxError` saying what is wrong with the bytes. */
export function decodeOnnx(bytes: Uint8Array): OnnxModel {
  let opset = 0;
  let graph: Uint8Array | null = null;
  for (const field of protobufFields(bytes)) {
    if (field.number === 7) graph = field.bytes;
    if (field.number === 8) {
      const { domain, version } = readOpset(field.bytes);
      if (domain === '' || domain === 'ai.onnx') opset = version;
    }
  }
  if (!graph) throw new SyntaxError('holds no graph');
  if (opset === 0) throw new SyntaxError('names no version of the standard operators');
  const nodes: OnnxNode[] = [];
  const initializers: OnnxTensor[] = [];
  const inputs: OnnxPort[] = [];
  const outputs: OnnxPort[] = [];
  for (const field of protobufFields(graph)) {
    if (field.number === 1) nodes.push(readNode(field.bytes));
    if (field.number === 5) initializers.push(readTensor(field.bytes));
    if (field.number === 11) inputs.push(readPort(field.bytes));
    if (field.number === 12) outputs.push(readPort(field.bytes));
    if (field.number === 15) throw new SyntaxError('holds sparse weights, which are not supported');
  }
  return { opset, nodes, initializers, inputs, outputs };
}

function readOpset(bytes: Uint8Array): { domain: string; version: number } {
  let [domain, version] = ['', 0];
  for (const field of protobufFields(bytes)) {
    if (field.number === 1) domain = field.text;
    if (field.number === 2) version = field.integer;
  }
  return { domain, version };
}

function readNode(bytes: Uint8Array): OnnxNode {
  const node = { type: '', name: '', domain: '', inputs: [] as string[], outputs: [] as string[] };
  const attributes: Record<string, OnnxAttribute> = {};
  for (const field of protobufFields(bytes)) {
    if (field.number === 1) node.inputs.push(field.text);
    if (field.number === 2) node.outputs.push(field.text);
    if (field.number === 3) node.name = field.text;
    if (field.number === 4) node.type = field.text;
    if (field.number === 7) node.domain = field.text === 'ai.onnx' ? '' : field.text;
    if (field.number === 5) {
      const [name, attribute] = readAttribute(field.bytes);
      attributes[name] = attribute;
    }
  }
  return { ...node, attributes };
}

function readAttribute(bytes: Uint8Array): [string, OnnxAttribute] {
  let name = '';
  let type = 0;
  let [float, int] = [0, 0];
  let text = '';
  let tensor: OnnxTensor | null = null;
  const floats: number[] = [];
  const ints: number[] = [];
  const strings: string[] = [];
  for (const field of protobufFields(bytes)) {
    if (field.number === 1) name = field.text;
    if (field.number === 2) float = field.float;
    if (field.number === 3) int = field.integer;
    if (field.number === 4) text = field.text;
    if (field.number === 5) tensor = readTensor(field.bytes);
    if (field.number === 7) floats.push(...field.floats(4));
    if (field.number === 8) ints.push(...field.integers);
    if (field.number === 9) strings.push(field.text);
    if (field.number === 20) type = field.integer;
  }
  if (type === ATTRIBUTE.float) return [name, { kind: 'float', value: float }];
  if (type === ATTRIBUTE.int) return [name, { kind: 'int', value: int }];
  if (type === ATTRIBUTE.string) return [name, { kind: 'string', value: text }];
  if (type === ATTRIBUTE.tensor && tensor) return [name, { kind: 'tensor', value: tensor }];
  if (type === ATTRIBUTE.floats) return [name, { kind: 'floats', value: floats }];
  if (type === ATTRIBUTE.ints) return [name, { kind: 'ints', value: ints }];
  if (type === ATTRIBUTE.strings) return [name, { kind: 'strings', value: strings }];
  return [name, { kind: 'other' }];
}

function readTensor(bytes: Uint8Array): OnnxTensor {
  let name = '';
  let typeNumber = 0;
  const shape: number[] = [];
  let raw: Uint8Array | null = null;
  const listed: number[] = [];
  for (const field of protobufFields(bytes)) {
    if (field.number === 1) shape.push(...field.integers);
    if (field.number === 2) typeNumber = field.integer;
    if (field.number === 4) for (const value of field.floats(4)) listed.push(value);
    if (field.number === 5 || field.number === 7 || field.number === 11) {
      for (const value of field.integers) listed.push(value);
    }
    if (field.number === 8) name = field.text;
    if (field.number === 9) raw = field.bytes;
    if (field.number === 10) for (const value of field.floats(8)) listed.push(value);
    if (field.number === 14 && field.integer === 1) {
      throw new SyntaxError(
        `keeps the weight "${name}" in a file beside it; save the model as one file (onnx.save(model, path, save_as_external_data=False))`,
      );
    }
  }
  const type = typeOf(typeNumber);
  if (!type) throw new SyntaxError(`has the tensor "${name}" of the unsupported type ${typeNumber}`);
  const data = raw ? fromRaw(type, raw) : fromListed(type, listed);
  const size = shape.reduce((product, length) => product * length, 1);
  if (data.length !== size) {
    throw new SyntaxError(`has ${data.length} values in the tensor "${name}" of shape [${shape.join(', ')}]`);
  }
  return { name, type, shape, data };
}

const typeOf = (number: number): OnnxType | null =>
  (Object.keys(ONNX_TYPES) as OnnxType[]).find((type) => ONNX_TYPES[type] === number) ?? null;

function fromListed(type: OnnxType, values: readonly number[]): OnnxTensor['data'] {
  // float16 stands as its bits in int32_data.
  if (type === 'float16') return Float32Array.from(values, float16);
  if (type === 'bfloat16') return Float32Array.from(values, bfloat16);
  return type === 'float32' ? Float32Array.from(values) : Float64Array.from(values);
}

function fromRaw(type: OnnxType, raw: Uint8Array): OnnxTensor['data'] {
  // A copy, since elements of a file are not aligned.
  const copy = raw.slice().buffer;
  if (type === 'float32') return new Float32Array(copy, 0, Math.floor(raw.length / 4));
  if (type === 'float16') return Float32Array.from(new Uint16Array(copy, 0, Math.floor(raw.length / 2)), float16);
  if (type === 'bfloat16') return Float32Array.from(new Uint16Array(copy, 0, Math.floor(raw.length / 2)), bfloat16);
  if (type === 'int64' || type === 'uint64') {
    const limit = BigInt(Number.MAX_SAFE_INTEGER);
    return Float64Array.from(new BigInt64Array(copy, 0, Math.floor(raw.length / 8)), (value) =>
      Number(value > limit ? limit : value < -limit ? -limit : value),
    );
  }
  const arrays = {
    float64: Float64Array,
    int32: Int32Array,
    uint32: Uint32Array,
    int16: Int16Array,
    uint16: Uint16Array,
    int8: Int8Array,
    uint8: Uint8Array,
    bool: Uint8Array,
  };
  const array = arrays[type];
  return Float64Array.from(new array(copy, 0, Math.floor(raw.length / array.BYTES_PER_ELEMENT)));
}

/** IEEE half precision from its bits. */
export function float16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function bfloat16(bits: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, bits << 16);
  return view.getFloat32(0);
}

function readPort(bytes: Uint8Array): OnnxPort {
  let name = '';
  let type: OnnxType | null = null;
  let shape: (number | string | null)[] | null = null;
  for (const field of protobufFields(bytes)) {
    if (field.number === 1) name = field.text;
    if (field.number !== 2) continue;
    for (const kind of protobufFields(field.bytes)) {
      if (kind.number !== 1) continue;
      for (const part of protobufFields(kind.bytes)) {
        if (part.number === 1) type = typeOf(part.integer);
        if (part.number === 2) shape = readSizes(part.bytes);
      }
    }
  }
  return { name, type, shape };
}

function readSizes(bytes: Uint8Array): (number | string | null)[] {
  return [...protobufFields(bytes)]
    .filter((field) => field.number === 1)
    .map((field) => {
      let size: number | string | null = null;
      for (const part of protobufFields(field.bytes)) {
        if (part.number === 1) size = part.integer;
        if (part.number === 2) size = part.text;
      }
      return size;
    });
}
