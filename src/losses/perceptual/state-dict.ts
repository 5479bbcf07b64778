import { decodeTensors, type Tensor, type TensorFile } from '../../avatar/safetensors.ts';
import { ModelError } from '../../inference/model.ts';
import { decodeTorchFile, isTorchFile } from './torch-file.ts';

/** A user's weight file. */
export interface WeightFile {
  /** For messages and reports. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Weights of one convolution. */
export interface ConvolutionWeights {
  /** out×in×height×width. */
  readonly kernel: Float32Array;
  readonly bias: Float32Array;
}

/** What a convolution of a net must look like. */
export interface ConvolutionPlace {
  /** Position in torchvision's `features` sequence. */
  readonly position: number;
  /** out, in, height, width. */
  readonly shape: readonly [number, number, number, number];
}

/** ONNX files have no mark at their start: they are told by their name. */
export const isOnnxName = (name: string): boolean => name.toLowerCase().endsWith('.onnx');

/** Tensors of a state dict by name: safetensors, or PyTorch's own file. Only those that `isWanted` takes. */
export function readStateDict({ name, bytes }: WeightFile, isWanted: (tensor: string) => boolean): TensorFile {
  return isTorchFile(bytes) ? decodeTorchFile(bytes, name, isWanted) : decodeTensors(bytes, name, isWanted);
}

/**
 * Names of a feature extractor's tensors, whatever stands in front: torchvision's and timm's `features.0.weight`, and
 * `net.slice1.0.weight` of the lpips package, which keeps the same positions.
 */
const FEATURE_NAME = /(?:^|\.)(?:features|slice\d)\.(\d+)\.(weight|bias)$/;

/** Names of LPIPS's heads: `lin0.model.1.weight` of its own files, `lins.0.…` of its whole module. */
const HEAD_NAME = /(?:^|\.)lin(?:s\.)?(\d)\.model\.1\.weight$/;

export const isFeatureTensor = (name: string): boolean => FEATURE_NAME.test(name);
export const isHeadTensor = (name: string): boolean => HEAD_NAME.test(name);

/** The weights of a net's convolutions. Throws `ModelError` that says what `net` needs and the file has instead. */
export function takeConvolutions(
  file: TensorFile,
  source: string,
  net: string,
  places: readonly ConvolutionPlace[],
): ConvolutionWeights[] {
  const found = new Map<string, Tensor>();
  for (const [name, tensor] of file.tensors) {
    const match = FEATURE_NAME.exec(name);
    if (match) found.set(`${match[1]}.${match[2]}`, tensor);
  }
  const missing = places.flatMap(({ position }) =>
    ['weight', 'bias'].map((part) => `${position}.${part}`).filter((name) => !found.has(name)),
  );
  if (missing.length > 0) {
    throw new ModelError(
      `${source} is no ${net}: it lacks ${listed(missing.map((name) => `features.${name}`))} ` +
        `(it has ${found.size > 0 ? listed([...found.keys()].map((name) => `features.${name}`)) : 'no features.N.weight at all'}). ` +
        'Give a state dict with the names of torchvision.',
    );
  }
  return places.map(({ position, shape }) => ({
    kernel: checked(found.get(`${position}.weight`)!, shape, `features.${position}.weight`, source, net),
    bias: checked(found.get(`${position}.bias`)!, [shape[0]], `features.${position}.bias`, source, net),
  }));
}

/** LPIPS's heads, one value per channel of each layer; null when the file has none. Throws `ModelError`. */
export function takeHeads(file: TensorFile, source: string, channels: readonly number[]): Float32Array[] | null {
  const found = new Map<number, Tensor>();
  for (const [name, tensor] of file.tensors) {
    const match = HEAD_NAME.exec(name);
    if (match) found.set(Number(match[1]), tensor);
  }
  if (found.size === 0) return null;
  return channels.map((count, layer) => {
    const tensor = found.get(layer);
    const name = `lin${layer}.model.1.weight`;
    if (!tensor) {
      throw new ModelError(
        `${source} lacks ${name}; it has ${listed([...found.keys()].map((k) => `lin${k}.model.1.weight`))}. ` +
          'Give the heads of LPIPS v0.1 for AlexNet (lpips/weights/v0.1/alex.pth).',
      );
    }
    return checked(tensor, [1, count, 1, 1], name, source, 'LPIPS with AlexNet');
  });
}

function checked(
  { shape, data }: Tensor,
  wanted: readonly number[],
  name: string,
  source: string,
  net: string,
): Float32Array {
  if (shape.join() !== wanted.join()) {
    throw new ModelError(
      `${source} is no ${net}: "${name}" is ${shape.join('×')}, expected ${wanted.join('×')}. Give the weights of that net.`,
    );
  }
  return checkWeights(data, name, source);
}

/** The values as float32. Throws `ModelError` for NaN, infinity, or nothing but zeros. */
export function checkWeights(data: ArrayLike<number>, name: string, source: string): Float32Array {
  const values = data instanceof Float32Array ? data : Float32Array.from(data);
  const faulty = values.findIndex((value) => !Number.isFinite(value));
  const fault =
    faulty >= 0
      ? `holds ${values[faulty]} at position ${faulty}`
      : values.every((value) => value === 0)
        ? 'holds nothing but zeros'
        : null;
  if (fault) throw new ModelError(`${source}: "${name}" ${fault}; the file is damaged. Fetch it again.`);
  return values;
}

/** At most six names, and how many more there are. */
function listed(names: readonly string[]): string {
  const shown = names.slice(0, 6).join(', ');
  return names.length > 6 ? `${shown} and ${names.length - 6} more` : shown;
}
