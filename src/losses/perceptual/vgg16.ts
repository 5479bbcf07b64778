import { Graph, type Value } from '../../network/index.ts';
import { conv, maxPool, relu } from '../../network/operations/index.ts';
import { IMAGENET_NORMALISATION, type FeatureGraph, type FeatureLayer, type PerceptualNet } from './perceptual-net.ts';
import {
  isFeatureTensor,
  readStateDict,
  takeConvolutions,
  type ConvolutionPlace,
  type ConvolutionWeights,
  type WeightFile,
} from './state-dict.ts';

/**
 * VGG16 (Simonyan and Zisserman 2015, configuration D) up to relu4_3: 3×3 convolutions of these widths, each followed by
 * a ReLU, with 2×2 max pooling between blocks. Convolutions are at these positions of torchvision's `features`.
 */
export const VGG16_BLOCKS = [
  { positions: [0, 2], width: 64 },
  { positions: [5, 7], width: 128 },
  { positions: [10, 12, 14], width: 256 },
  { positions: [17, 19, 21], width: 512 },
] as const;

/** The last ReLU of each block: relu1_2, relu2_2, relu3_3, relu4_3 (method §3). */
const layerName = (block: number): string => `relu${block + 1}_${VGG16_BLOCKS[block].positions.length}`;

/** Every convolution with its shape, in order. */
export const VGG16_CONVOLUTIONS: readonly ConvolutionPlace[] = VGG16_BLOCKS.flatMap(({ positions, width }, block) =>
  positions.map((position, index): ConvolutionPlace => {
    const inputs = index > 0 ? width : block > 0 ? VGG16_BLOCKS[block - 1].width : 3;
    return { position, shape: [width, inputs, 3, 3] };
  }),
);

/**
 * VGG16 as a perceptual net, from a state dict in safetensors or PyTorch's own form with torchvision's names. Throws
 * `ModelError` or `TensorFileError` for another file.
 */
export function vgg16FromStateDict(file: WeightFile): PerceptualNet {
  const tensors = readStateDict(file, isFeatureTensor);
  return vgg16(`VGG16 (${file.name})`, takeConvolutions(tensors, file.name, 'VGG16', VGG16_CONVOLUTIONS));
}

/** VGG16 with the weights of its first ten convolutions. */
export function vgg16(name: string, weights: readonly ConvolutionWeights[]): PerceptualNet {
  return {
    name,
    normalisation: IMAGENET_NORMALISATION,
    comparison: 'l1',
    minimumSize: 8,
    build: (height, width) => buildBlocks(height, width, VGG16_BLOCKS, weights, layerName),
  };
}

/** The plain sequence of blocks that VGG16 is; tests build a smaller one of the same shape. */
export function buildBlocks(
  height: number,
  width: number,
  blocks: readonly { readonly positions: readonly number[]; readonly width: number }[],
  weights: readonly ConvolutionWeights[],
  nameOf: (block: number) => string,
): FeatureGraph {
  const graph = new Graph();
  const image = graph.input('image', [1, 3, height, width]);
  const layers: FeatureLayer[] = [];
  let value: Value = image;
  let channels = 3;
  let next = 0;
  for (const [block, { positions, width: outputs }] of blocks.entries()) {
    if (block > 0) value = maxPool(value, { kernel: 2, strides: 2 });
    for (const position of positions) {
      const { kernel, bias } = weights[next++];
      value = relu(
        conv(value, graph.weight(`features.${position}.weight`, [outputs, channels, 3, 3], kernel), {
          bias: graph.weight(`features.${position}.bias`, [outputs], bias),
          pads: 1,
        }),
      );
      channels = outputs;
    }
    layers.push({ name: nameOf(block), features: value });
  }
  return { graph, image, layers };
}
