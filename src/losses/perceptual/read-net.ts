import { convolutionsOfOnnx, netFromOnnx } from './onnx-net.ts';
import type { PerceptualNet } from './perceptual-net.ts';
import { isOnnxName, type WeightFile } from './state-dict.ts';
import { vgg16, VGG16_CONVOLUTIONS, vgg16FromStateDict } from './vgg16.ts';

/**
 * The net of a user's file. VGG16: an export to ONNX (`.onnx`), or a state dict with torchvision's names (safetensors,
 * or PyTorch's own form). With `layers`, any ONNX file, whose tensors of those names are the features. Throws
 * `ModelError`, `TensorFileError`.
 */
export function readPerceptualNet(file: WeightFile, layers: readonly string[] = []): PerceptualNet {
  if (layers.length > 0) return netFromOnnx(file, layers);
  if (!isOnnxName(file.name)) return vgg16FromStateDict(file);
  return vgg16(`VGG16 (${file.name})`, convolutionsOfOnnx(file, 'VGG16', VGG16_CONVOLUTIONS));
}
