import { ModelError } from '../../inference/model.ts';
import { readOnnx } from '../../network/index.ts';
import { decodeOnnx, encodeOnnx, type OnnxModel, type OnnxNode } from '../../network/onnx/model.ts';
import { IMAGENET_NORMALISATION, type PerceptualNet } from './perceptual-net.ts';
import { checkWeights, type ConvolutionPlace, type ConvolutionWeights, type WeightFile } from './state-dict.ts';

/** Smallest edge at which a user's net is tried. */
const MINIMUM_SIZE = 32;

/**
 * Any net as a perceptual net: the named tensors of an ONNX file are its features, compared by mean absolute difference.
 * Its first input takes RGB (1×3×H×W) normalised by ImageNet's mean and deviation, as torchvision's nets do. Throws
 * `ModelError`; operations that cannot be differentiated are named when it is built (`NetworkError`).
 */
export function netFromOnnx(file: WeightFile, layers: readonly string[]): PerceptualNet {
  const model = decoded(file);
  const made = new Set(model.nodes.flatMap((node) => node.outputs));
  const missing = layers.filter((layer) => !made.has(layer));
  if (layers.length === 0 || missing.length > 0) {
    const problem = layers.length === 0 ? 'no layers are named' : `it has no tensor named ${missing.join(', ')}`;
    const known = model.nodes.filter(({ type }) => type === 'Relu').flatMap((node) => node.outputs);
    throw new ModelError(
      `${file.name}: ${problem}. Name tensors of the file, e.g. ${[...(known.length > 0 ? known : made)].slice(0, 8).join(', ')}.`,
    );
  }
  const input = imageInput(model, file);
  for (const { name, data } of model.initializers) {
    const faulty = data.find((value) => !Number.isFinite(value));
    if (faulty !== undefined)
      throw new ModelError(`${file.name}: "${name}" holds ${faulty}; the file is damaged. Fetch it again.`);
  }
  // Only what the layers need is read: what follows them may hold any operation.
  const outputs = layers.map((name) => ({ name, type: 'float32' as const, shape: null }));
  const bytes = encodeOnnx({ ...model, nodes: neededFor(model.nodes, layers), outputs });
  return {
    name: `the net of ${file.name} (${layers.join(', ')})`,
    normalisation: IMAGENET_NORMALISATION,
    comparison: 'l1',
    minimumSize: MINIMUM_SIZE,
    build(height, width) {
      const read = readOnnx(bytes, { inputShapes: { [input]: [1, 3, height, width] }, name: file.name });
      const features = layers.map((name) => ({ name, features: read.outputs[name] }));
      return { graph: read.graph, image: read.inputs[input], layers: features };
    },
  };
}

/**
 * The weights of a net's convolutions from an ONNX export of it: the file's first convolutions, in order. Throws
 * `ModelError` that says what `net` needs and the file has.
 */
export function convolutionsOfOnnx(
  file: WeightFile,
  net: string,
  places: readonly ConvolutionPlace[],
): ConvolutionWeights[] {
  const model = decoded(file);
  const tensors = new Map(model.initializers.map((tensor) => [tensor.name, tensor]));
  for (const { type, outputs, attributes } of model.nodes) {
    const value = type === 'Constant' ? attributes['value'] : undefined;
    if (value?.kind === 'tensor') tensors.set(outputs[0], value.value);
  }
  const convolutions = model.nodes.filter(({ type }) => type === 'Conv');
  if (convolutions.length < places.length) {
    throw new ModelError(
      `${file.name} is no ${net}: it has ${convolutions.length} convolutions, expected at least ${places.length}. Give an export of that net, or name layers of this one.`,
    );
  }
  return places.map(({ shape, position }, index) => {
    const [, kernelName, biasName] = convolutions[index].inputs;
    const [kernel, bias] = [tensors.get(kernelName), tensors.get(biasName ?? '')];
    if (kernel?.shape.join() !== shape.join() || bias?.shape.join() !== String(shape[0])) {
      const found = `${kernel?.shape.join('×') ?? 'no fixed weights'}${bias ? '' : ' without bias'}`;
      throw new ModelError(
        `${file.name} is no ${net}: its convolution ${index + 1} is ${found}, expected ${shape.join('×')} with bias. Give an export of that net, or name layers of this one.`,
      );
    }
    return {
      kernel: checkWeights(kernel.data, `features.${position}.weight`, file.name),
      bias: checkWeights(bias.data, `features.${position}.bias`, file.name),
    };
  });
}

function decoded({ name, bytes }: WeightFile): OnnxModel {
  try {
    return decodeOnnx(bytes);
  } catch (error) {
    throw new ModelError(`${name} is no readable ONNX file: ${(error as Error).message}. Fetch it again.`, {
      cause: error,
    });
  }
}

/** Name of the input that takes the image; older files list their weights among the inputs too. */
function imageInput({ inputs, initializers }: OnnxModel, file: WeightFile): string {
  const weights = new Set(initializers.map(({ name }) => name));
  const [input, ...others] = inputs.filter(({ name }) => !weights.has(name));
  const shape = input?.shape;
  const isImage = shape?.length === 4 && (shape[1] === 3 || typeof shape[1] !== 'number');
  if (!input || others.length > 0 || (shape && !isImage)) {
    const found = [input, ...others].flatMap((port) => (port ? `${port.name} (${port.shape?.join('×')})` : []));
    throw new ModelError(
      `${file.name} takes ${found.join(', ') || 'nothing'}; a perceptual net takes one image of N×3×H×W. Give another file.`,
    );
  }
  return input.name;
}

/** The nodes that the tensors need, in the file's order. */
function neededFor(nodes: readonly OnnxNode[], names: readonly string[]): OnnxNode[] {
  const wanted = new Set(names);
  const needed = new Set<OnnxNode>();
  for (const node of nodes.toReversed()) {
    if (!node.outputs.some((name) => wanted.has(name))) continue;
    needed.add(node);
    for (const name of node.inputs) wanted.add(name);
  }
  return nodes.filter((node) => needed.has(node));
}
