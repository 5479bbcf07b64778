import { ModelError } from '../../inference/model.ts';
import { Graph, type Value } from '../../network/index.ts';
import { conv, maxPool, relu } from '../../network/operations/index.ts';
import { convolutionsOfOnnx } from './onnx-net.ts';
import { normalisationOf, type FeatureLayer, type PerceptualNet, type PixelNormalisation } from './perceptual-net.ts';
import {
  isFeatureTensor,
  isHeadTensor,
  isOnnxName,
  readStateDict,
  takeConvolutions,
  takeHeads,
  type ConvolutionPlace,
  type ConvolutionWeights,
  type WeightFile,
} from './state-dict.ts';

/** A convolution of AlexNet, and whether 3×3 max pooling with stride 2 stands before it. */
interface AlexNetLayer extends ConvolutionPlace {
  readonly stride: number;
  readonly pad: number;
  readonly pooled: boolean;
}

/** AlexNet as torchvision has it (Krizhevsky 2014, one column); LPIPS compares what each ReLU gives. */
export const ALEXNET_LAYERS: readonly AlexNetLayer[] = [
  { position: 0, shape: [64, 3, 11, 11], stride: 4, pad: 2, pooled: false },
  { position: 3, shape: [192, 64, 5, 5], stride: 1, pad: 2, pooled: true },
  { position: 6, shape: [384, 192, 3, 3], stride: 1, pad: 1, pooled: true },
  { position: 8, shape: [256, 384, 3, 3], stride: 1, pad: 1, pooled: false },
  { position: 10, shape: [256, 256, 3, 3], stride: 1, pad: 1, pooled: false },
];

/**
 * LPIPS's scaling layer for RGB of −1…1: (x − shift) / scale, with the constants of its authors' code
 * (richzhang/PerceptualSimilarity, `ScalingLayer`), here for RGB of 0…1.
 */
const SHIFT = [-0.03, -0.088, -0.188] as const;
const SCALE = [0.458, 0.448, 0.45] as const;
export const LPIPS_NORMALISATION: PixelNormalisation = normalisationOf(
  SHIFT.map((shift) => (1 + shift) / 2) as [number, number, number],
  SCALE.map((scale) => scale / 2) as [number, number, number],
);

/** Smallest image of which the last layer still has a pixel. */
const MINIMUM_SIZE = 31;

/**
 * LPIPS v0.1 with AlexNet (Zhang et al. 2018) from its weights: one state dict with both, or the trunk's file
 * (torchvision's names, or an export to ONNX) and the heads' (`lin0.model.1.weight` …). Throws `ModelError` or
 * `TensorFileError` that says what is missing.
 */
export function readLpips(files: readonly WeightFile[]): PerceptualNet {
  const names = files.map(({ name }) => name).join(' and ');
  const isWanted = (name: string): boolean => isFeatureTensor(name) || isHeadTensor(name);
  const [exported] = files.filter(({ name }) => isOnnxName(name));
  const stateDicts = files
    .filter((file) => file !== exported)
    .map((file) => ({ source: file.name, tensors: readStateDict(file, isWanted) }));
  const trunk = stateDicts.find(({ tensors }) => [...tensors.tensors.keys()].some(isFeatureTensor));
  if (!exported && !trunk) {
    throw new ModelError(
      `${names}: no AlexNet there (features.0.weight …). Give torchvision’s AlexNet (alexnet-owt-7be5be79.pth), or a file with both.`,
    );
  }
  const weights = exported
    ? convolutionsOfOnnx(exported, 'AlexNet', ALEXNET_LAYERS)
    : takeConvolutions(trunk!.tensors, trunk!.source, 'AlexNet', ALEXNET_LAYERS);
  const channels = ALEXNET_LAYERS.map(({ shape }) => shape[0]);
  const heads = stateDicts.map(({ source, tensors }) => takeHeads(tensors, source, channels)).find((found) => found);
  if (!heads) {
    throw new ModelError(
      `${names}: no heads of LPIPS there (lin0.model.1.weight …). Give those of v0.1 beside the AlexNet (lpips/weights/v0.1/alex.pth).`,
    );
  }
  return lpips(`LPIPS v0.1 with AlexNet (${names})`, ALEXNET_LAYERS, weights, heads);
}

/** The net from its layers; tests build a smaller one of the same shape. */
export function lpips(
  name: string,
  layers: readonly AlexNetLayer[],
  weights: readonly ConvolutionWeights[],
  heads: readonly Float32Array[],
): PerceptualNet {
  return {
    name,
    normalisation: LPIPS_NORMALISATION,
    comparison: 'weighted',
    minimumSize: MINIMUM_SIZE,
    build(height, width) {
      const graph = new Graph();
      const image = graph.input('image', [1, 3, height, width]);
      const features: FeatureLayer[] = [];
      let value: Value = image;
      for (const [index, { position, shape, stride, pad, pooled }] of layers.entries()) {
        if (pooled) value = maxPool(value, { kernel: 3, strides: 2 });
        const kernel = graph.weight(`features.${position}.weight`, shape, weights[index].kernel);
        const bias = graph.weight(`features.${position}.bias`, [shape[0]], weights[index].bias);
        value = relu(conv(value, kernel, { bias, strides: stride, pads: pad }));
        features.push({ name: `relu${index + 1}`, features: value, head: heads[index] });
      }
      return { graph, image, layers: features };
    },
  };
}
