import { readFileSync } from 'node:fs';
import { unzipSync } from 'fflate';
import { floatFromHalf } from '../src/avatar/safetensors.ts';
import { IMAGENET_NORMALISATION } from '../src/losses/perceptual/perceptual-net.ts';
import { Graph, type Value } from '../src/network/index.ts';
import { writeOnnx } from '../src/network/onnx/write-onnx.ts';
import { concat, conv, maxPool, relu } from '../src/network/operations/index.ts';
import { sharedPath } from './shared.ts';

/**
 * SqueezeNet 1.0 (Iandola et al. 2016) as a net that a user might give: an ONNX file with names for some of its
 * activations. It stands in for a perceptual net in tests, and nothing computed with it is called VGG16 or LPIPS. Null
 * where its weights (shared/data/perceptual) are absent.
 */
export function squeezeNetOnnx(size: number): { readonly bytes: Uint8Array; readonly layers: string[] } | null {
  const path = sharedPath('data/perceptual/squeezenet-1.0/squeezenet_v1.0_decoded_f16.npz');
  if (!path) return null;
  const arrays = readNpz(readFileSync(path));
  const graph = new Graph();
  const weights = (name: string): { kernel: Value; bias: Value } => {
    const { kernel, bias, shape } = name === 'conv1' ? foldNormalisation(arrays) : plainWeights(arrays, name);
    return {
      kernel: graph.weight(`${name}.weight`, shape, kernel),
      bias: graph.weight(`${name}.bias`, [shape[0]], bias),
    };
  };
  const convolved = (value: Value, name: string, pads: number, strides = 1): Value => {
    const { kernel, bias } = weights(name);
    return relu(conv(value, kernel, { bias, pads, strides }));
  };
  const fire = (value: Value, name: string): Value => {
    const squeezed = convolved(value, `${name}/conv1x1_1`, 0);
    return concat([convolved(squeezed, `${name}/conv1x1_2`, 0), convolved(squeezed, `${name}/conv3x3_2`, 1)], 1);
  };
  const pooled = (value: Value): Value => maxPool(value, { kernel: 3, strides: 2, ceilMode: true });
  const fires = (value: Value, ...places: number[]): Value =>
    places.reduce((current, place) => fire(current, `fire${place}`), value);

  const image = graph.input('image', [1, 3, size, size]);
  const conv1 = convolved(image, 'conv1', 0, 2);
  const fire3 = fires(pooled(conv1), 2, 3);
  const fire4 = fires(fire3, 4);
  const fire7 = fires(pooled(fire4), 5, 6, 7);
  const outputs = [conv1, fire3, fire7];
  const plan = writeOnnx({
    outputs,
    weights: new Map(graph.weights.map((value) => [value, (value.origin as { start: Float32Array }).start])),
  });
  return { bytes: plan.model, layers: plan.outputs.map(({ name }) => name) };
}

interface NumpyArray {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

function plainWeights(arrays: ReadonlyMap<string, NumpyArray>, name: string) {
  const { shape, data } = arrays.get(`${name}.w`)!;
  return { shape, kernel: data, bias: arrays.get(`${name}.b`)!.data };
}

/** Mean of Caffe's nets, blue, green, red, 0…255. */
const CAFFE_MEAN = [104, 117, 123];

/**
 * The first convolution for RGB normalised by ImageNet's statistics, instead of blue, green, red of 0…255 without the
 * mean. Exact, since it has no padding.
 */
function foldNormalisation(arrays: ReadonlyMap<string, NumpyArray>) {
  const { shape, kernel, bias } = plainWeights(arrays, 'conv1');
  const [outputs, , height, width] = shape as [number, number, number, number];
  const folded = new Float32Array(kernel.length);
  const shifted = Float32Array.from(bias);
  const { scale, offset } = IMAGENET_NORMALISATION;
  for (let out = 0; out < outputs; out++) {
    for (let channel = 0; channel < 3; channel++) {
      for (let tap = 0; tap < height * width; tap++) {
        const weight = kernel[(out * 3 + 2 - channel) * height * width + tap]!;
        // 255·rgb − mean = 255·(normalised − offset) / scale − mean
        folded[(out * 3 + channel) * height * width + tap] = (weight * 255) / scale[channel]!;
        shifted[out]! += weight * ((-255 * offset[channel]!) / scale[channel]! - CAFFE_MEAN[2 - channel]!);
      }
    }
  }
  return { shape, kernel: folded, bias: shifted };
}

/** Arrays of NumPy's archive: half or single precision. */
function readNpz(bytes: Uint8Array): Map<string, NumpyArray> {
  const files = unzipSync(new Uint8Array(bytes));
  return new Map(Object.entries(files).map(([name, file]) => [name.replace(/\.npy$/, ''), readNpy(file)]));
}

function readNpy(file: Uint8Array): NumpyArray {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const length = view.getUint16(8, true);
  const header = new TextDecoder().decode(file.subarray(10, 10 + length));
  const shape = /'shape': \(([^)]*)\)/
    .exec(header)![1]!
    .split(',')
    .filter((size) => size.trim())
    .map(Number);
  const bytes = file.slice(10 + length).buffer;
  const isHalf = header.includes("'<f2'");
  return { shape, data: isHalf ? Float32Array.from(new Uint16Array(bytes), floatFromHalf) : new Float32Array(bytes) };
}
