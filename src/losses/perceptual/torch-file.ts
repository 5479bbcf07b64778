import { unzipSync } from 'fflate';
import { floatFromHalf, TensorFileError, type Tensor, type TensorFile } from '../../avatar/safetensors.ts';
import { readPickle, type PickledDict } from './pickle.ts';

/** A run of numbers in the file; tensors are views of it. */
class Storage {
  readonly type: string;
  readonly key: string;
  readonly count: number;

  constructor(type: string, key: string, count: number) {
    this.type = type;
    this.key = key;
    this.count = count;
  }
}

/** A tensor before its numbers are read. */
class TensorView {
  readonly storage: Storage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];

  constructor(storage: Storage, offset: number, shape: readonly number[], strides: readonly number[]) {
    this.storage = storage;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }
}

/** Bytes per element, and how they become float32. */
const STORAGES: Readonly<Record<string, readonly [number, (bytes: ArrayBuffer) => Float32Array]>> = {
  'torch.FloatStorage': [4, (bytes) => new Float32Array(bytes)],
  'torch.HalfStorage': [2, (bytes) => Float32Array.from(new Uint16Array(bytes), floatFromHalf)],
  'torch.BFloat16Storage': [
    2,
    (bytes) => new Float32Array(Uint32Array.from(new Uint16Array(bytes), (bits) => bits << 16).buffer),
  ],
  'torch.DoubleStorage': [8, (bytes) => Float32Array.from(new Float64Array(bytes))],
  'torch.LongStorage': [8, (bytes) => Float32Array.from(new BigInt64Array(bytes), Number)],
};

const HANDLERS = {
  reduce(callable: string, args: readonly unknown[]): unknown {
    if (callable === 'collections.OrderedDict') {
      return new Map((args[0] as [unknown, unknown][] | undefined) ?? []);
    }
    if (callable === 'torch._utils._rebuild_tensor_v2' || callable === 'torch._utils._rebuild_tensor') {
      const [storage, offset, shape, strides] = args as [Storage, number, number[], number[]];
      return new TensorView(storage, offset, shape, strides);
    }
    if (callable === 'torch._utils._rebuild_parameter') return args[0];
    throw new Error(`it holds ${callable}, which is no part of a state dict; save the model's state_dict() instead`);
  },
  persistent(id: unknown): unknown {
    const [kind, type, key, , count] = id as [string, { global: string }, string, string, number];
    if (kind !== 'storage') throw new Error(`it refers to a ${String(kind)}`);
    return new Storage(type.global, key, count);
  },
};

/** True for the first bytes of either form that PyTorch writes. */
export function isTorchFile(bytes: Uint8Array): boolean {
  const isZip = bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3 && bytes[3] === 4;
  return isZip || LEGACY_MAGIC.every((byte, index) => bytes[index] === byte);
}

/** `pickle.dumps(0x1950a86a20f9469cfc6c)`, with which files before PyTorch 1.6 begin. */
const LEGACY_MAGIC = [0x80, 2, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

/**
 * The tensors of a PyTorch state dict (`.pth`, `.pt`), as float32, without Python and without running what the file
 * says. Both forms: a zip of `data.pkl` and one file per storage, and, before PyTorch 1.6, pickles with the storages
 * behind them. Only tensors whose name `isWanted` takes are read. Throws `TensorFileError`.
 */
export function decodeTorchFile(
  given: Uint8Array,
  source: string,
  isWanted: (name: string) => boolean = () => true,
): TensorFile {
  const bytes = new Uint8Array(given.buffer, given.byteOffset, given.byteLength);
  try {
    const { dict, read } = bytes[0] === 0x50 ? openZip(bytes) : openLegacy(bytes);
    const tensors = new Map<string, Tensor>();
    for (const [name, value] of stateDictOf(dict)) {
      if (value instanceof TensorView && isWanted(String(name))) tensors.set(String(name), toTensor(value, read));
    }
    return { tensors, metadata: {} };
  } catch (error) {
    const why = (error as Error).message;
    throw new TensorFileError(`${source} is not a readable PyTorch state dict: ${why}. Fetch it again.`, {
      cause: error,
    });
  }
}

type ReadStorage = (storage: Storage) => Uint8Array;

function openZip(bytes: Uint8Array): { dict: unknown; read: ReadStorage } {
  const pickles = unzipSync(bytes, { filter: ({ name }) => name.endsWith('/data.pkl') });
  const [name] = Object.keys(pickles);
  if (!name) throw new Error('the archive holds no data.pkl');
  const folder = name.slice(0, -'data.pkl'.length);
  return {
    dict: readPickle(pickles[name], 0, HANDLERS).value,
    read: ({ key }) => {
      const file = `${folder}data/${key}`;
      const content = unzipSync(bytes, { filter: (entry) => entry.name === file })[file];
      if (!content) throw new Error(`the archive holds no ${file}`);
      return content;
    },
  };
}

/** Magic, protocol, facts of the system, the dict, the storages' keys; then per key its count (int64) and its data. */
function openLegacy(bytes: Uint8Array): { dict: unknown; read: ReadStorage } {
  const types = new Map<string, Storage>();
  const handlers = {
    ...HANDLERS,
    persistent: (id: unknown) => {
      const storage = HANDLERS.persistent(id) as Storage;
      types.set(storage.key, storage);
      return storage;
    },
  };
  let position = 0;
  const next = (): unknown => {
    const { value, end } = readPickle(bytes, position, handlers);
    position = end;
    return value;
  };
  const [, , , dict, keys] = [next(), next(), next(), next(), next()];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const places = new Map<string, [number, number]>();
  for (const key of keys as string[]) {
    const storage = types.get(key);
    const known = STORAGES[storage?.type ?? ''];
    if (!storage || !known) throw new Error(`a storage is of type ${storage?.type ?? 'unknown'}`);
    if (position + 8 > bytes.length) throw new Error('it ends in the middle');
    const length = Number(view.getBigInt64(position, true)) * known[0];
    places.set(key, [position + 8, position + 8 + length]);
    position += 8 + length;
    if (position > bytes.length) throw new Error('it ends in the middle');
  }
  return { dict, read: ({ key }) => bytes.subarray(...places.get(key)!) };
}

/** A checkpoint often keeps the state dict in an entry of that name. */
function stateDictOf(value: unknown): PickledDict {
  if (!(value instanceof Map)) throw new Error('it holds no dict of tensors; save the model’s state_dict() instead');
  const inner: unknown = value.get('state_dict');
  return inner instanceof Map ? inner : value;
}

function toTensor({ storage, offset, shape, strides }: TensorView, read: ReadStorage): Tensor {
  const known = STORAGES[storage.type];
  if (!known) throw new Error(`a tensor is of type ${storage.type}`);
  const [elementBytes, decode] = known;
  const count = shape.reduce((product, extent) => product * extent, 1);
  const bytes = read(storage);
  const isContiguous = shape.every(
    (extent, axis) => extent === 1 || strides[axis] === shape.slice(axis + 1).reduce((a, b) => a * b, 1),
  );
  if (!isContiguous) throw new Error('a tensor is stored transposed; save it with contiguous()');
  const [begin, end] = [offset * elementBytes, (offset + count) * elementBytes];
  if (end > bytes.length) throw new Error('a tensor reaches beyond its storage');
  // A copy is aligned, whatever the place in the file.
  return { shape: [...shape], data: decode(bytes.slice(begin, end).buffer) };
}
