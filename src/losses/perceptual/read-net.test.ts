import { describe, expect, it } from 'vitest';
import { encodeTensors, type Tensor } from '../../avatar/safetensors.ts';
import { Graph } from '../../network/index.ts';
import { decodeOnnx, encodeOnnx } from '../../network/onnx/model.ts';
import { writeOnnx } from '../../network/onnx/write-onnx.ts';
import { conv, relu, softmax } from '../../network/operations/index.ts';
import { ALEXNET_LAYERS, readLpips } from './lpips.ts';
import { readPerceptualNet } from './read-net.ts';
import type { ConvolutionPlace } from './state-dict.ts';
import { VGG16_CONVOLUTIONS } from './vgg16.ts';

type Tensors = Map<string, Tensor>;

const filled = (shape: readonly number[], value: number): Tensor => ({
  shape,
  data: new Float32Array(shape.reduce((product, extent) => product * extent, 1)).fill(value),
});

/** A state dict of convolutions, each filled with its own number, so that an exchange would be seen. */
function stateDict(places: readonly ConvolutionPlace[], nameOf: (position: number, part: string) => string): Tensors {
  return new Map(
    places.flatMap(({ position, shape }) => [
      [nameOf(position, 'weight'), filled(shape, position + 1)] as const,
      [nameOf(position, 'bias'), filled([shape[0]], -position - 1)] as const,
    ]),
  );
}
const torchvisionName = (position: number, part: string): string => `features.${position}.${part}`;
const headTensors = (nameOf: (layer: number) => string): Tensors =>
  new Map(ALEXNET_LAYERS.map(({ shape }, layer) => [nameOf(layer), filled([1, shape[0], 1, 1], layer + 1)]));
const headName = (layer: number): string => `lin${layer}.model.1.weight`;

const file = (name: string, tensors: Tensors) => ({ name, bytes: encodeTensors(tensors) });
const vggTensors = (): Tensors => stateDict(VGG16_CONVOLUTIONS, torchvisionName);
const alexTensors = (): Tensors => stateDict(ALEXNET_LAYERS, torchvisionName);

describe('readPerceptualNet', () => {
  it('reads VGG16 by torchvision’s names, and leaves the classifier alone', () => {
    const tensors = vggTensors()
      .set('classifier.0.weight', filled([2], NaN))
      .set('head.fc.bias', filled([1], 1));
    const net = readPerceptualNet(file('vgg16.safetensors', tensors));
    expect(net.name).toBe('VGG16 (vgg16.safetensors)');
    const { layers, graph } = net.build(32, 48);
    expect(layers.map(({ name, features }) => [name, features.shape])).toEqual([
      ['relu1_2', [1, 64, 32, 48]],
      ['relu2_2', [1, 128, 16, 24]],
      ['relu3_3', [1, 256, 8, 12]],
      ['relu4_3', [1, 512, 4, 6]],
    ]);
    const starts = graph.weights.map(({ name, origin }) => [name, (origin as { start: Float32Array }).start[0]]);
    expect(starts.slice(0, 4)).toEqual([
      ['features.0.weight', 1],
      ['features.0.bias', -1],
      ['features.2.weight', 3],
      ['features.2.bias', -3],
    ]);
    expect(starts.at(-1)).toEqual(['features.21.bias', -22]);
  });

  it.each([
    ['of a wrapped model', (position: number, part: string) => `module.features.${position}.${part}`],
    ['of the lpips package', (position: number, part: string) => `net.slice3.${position}.${part}`],
  ])('takes the names %s', (_, nameOf) => {
    const net = readPerceptualNet(file('a.safetensors', stateDict(VGG16_CONVOLUTIONS, nameOf)));
    expect(net.build(8, 8).layers).toHaveLength(4);
  });

  it('reads VGG16 from an export to ONNX', () => {
    const { graph, layers } = readPerceptualNet(file('vgg16.safetensors', vggTensors())).build(16, 16);
    const weights = new Map(graph.weights.map((value) => [value, (value.origin as { start: Float32Array }).start]));
    const { model } = writeOnnx({ outputs: layers.map(({ features }) => features), weights });
    const net = readPerceptualNet({ name: 'vgg16.onnx', bytes: model });
    // Each is filled with one number: comparing all seven million would take a minute.
    const first = net.build(16, 16).graph.weights.map(({ origin }) => (origin as { start: Float32Array }).start[0]);
    expect(first).toEqual([...weights.values()].map((values) => values[0]));
  });

  it.each([
    [
      'an AlexNet',
      () => alexTensors(),
      /^a\.safetensors is no VGG16: it lacks features\.2\.weight, .* \(it has features\.0\.weight,/,
    ],
    ['nothing of a net', () => new Map([['colors', filled([3], 1)]]), /it has no features\.N\.weight at all/],
    [
      'a VGG16 of other widths',
      () => vggTensors().set('features.5.weight', filled([64, 64, 3, 3], 1)),
      /"features\.5\.weight" is 64×64×3×3, expected 128×64×3×3/,
    ],
    [
      'NaN',
      () => vggTensors().set('features.7.bias', { shape: [128], data: new Float32Array(128).fill(1).fill(NaN, 5, 6) }),
      /"features\.7\.bias" holds NaN at position 5; the file is damaged/,
    ],
    ['zeros', () => vggTensors().set('features.12.weight', filled([256, 256, 3, 3], 0)), /nothing but zeros/],
    ['no bias', () => new Map([...vggTensors()].filter(([name]) => name !== 'features.0.bias')), /features\.0\.bias/],
  ])('says what is wrong with a file of %s', (_, tensors, message) => {
    const given = file('a.safetensors', tensors());
    expect(() => readPerceptualNet(given)).toThrow(
      expect.objectContaining({ name: 'ModelError', message: expect.stringMatching(message) }),
    );
  });

  it.each([
    ['text', 'a.safetensors', new TextEncoder().encode('not a tensor file at all'), 'TensorFileError'],
    ['nothing', 'a.safetensors', new Uint8Array(), 'TensorFileError'],
    ['text named .onnx', 'a.onnx', new TextEncoder().encode('not a model at all'), 'ModelError'],
    ['nothing named .onnx', 'a.onnx', new Uint8Array(), 'ModelError'],
  ])('refuses a file of %s', (_, name, bytes, error) => {
    expect(() => readPerceptualNet({ name, bytes })).toThrow(expect.objectContaining({ name: error }));
    expect(() => readPerceptualNet({ name, bytes })).toThrow(new RegExp(name.replace('.', '\\.')));
  });
});

describe('another net with layer names', () => {
  /** Two convolutions, then an operation that no feature needs. */
  function smallNet(): { bytes: Uint8Array; layers: string[] } {
    const graph = new Graph();
    const image = graph.input('pixels', [1, 3, 8, 8]);
    const kernel = new Float32Array(4 * 27).fill(0.1);
    const first = relu(conv(image, graph.constant(kernel, [4, 3, 3, 3]), { pads: 1 }));
    const second = relu(
      conv(first, graph.constant(new Float32Array(2 * 4 * 4).fill(0.2), [2, 4, 2, 2]), { strides: 2 }),
    );
    const { model } = writeOnnx({ outputs: [softmax(second, 1)], weights: new Map() });
    return { bytes: model, layers: [first.name, second.name] };
  }

  it('has the tensors of those names as features, at any image size', () => {
    const { bytes, layers } = smallNet();
    const net = readPerceptualNet({ name: 'small.onnx', bytes }, layers);
    expect(net.name).toBe(`the net of small.onnx (${layers.join(', ')})`);
    expect(net.build(12, 20).layers.map(({ features }) => features.shape)).toEqual([
      [1, 4, 12, 20],
      [1, 2, 6, 10],
    ]);
  });

  it('is refused without such tensors, with NaN, with another input, and as VGG16', () => {
    const { bytes, layers } = smallNet();
    const small = { name: 'small.onnx', bytes };
    expect(() => readPerceptualNet(small, ['conv9'])).toThrow(
      new RegExp(`no tensor named conv9\\. Name tensors of the file, e\\.g\\. ${layers.join(', ')}`),
    );
    expect(() => readPerceptualNet(small)).toThrow(/is no VGG16: it has 2 convolutions, expected at least 10/);
    const model = decodeOnnx(bytes);
    const withNaN = model.initializers.map((tensor) => ({ ...tensor, data: new Float32Array(tensor.data).fill(NaN) }));
    const broken = encodeOnnx({ ...model, initializers: withNaN });
    expect(() => readPerceptualNet({ name: 'nan.onnx', bytes: broken }, layers)).toThrow(
      /holds NaN; the file is damaged/,
    );
    const gray = encodeOnnx({ ...model, inputs: [{ name: 'pixels', type: 'float32', shape: [1, 1, 8, 8] }] });
    expect(() => readPerceptualNet({ name: 'gray.onnx', bytes: gray }, layers)).toThrow(
      /takes pixels \(1×1×8×8\); a perceptual net takes one image/,
    );
  });
});

describe('readLpips', () => {
  it('reads trunk and heads from two files, and from one of the whole module', () => {
    const two = readLpips([
      file('alexnet.safetensors', alexTensors()),
      file('alex.safetensors', headTensors(headName)),
    ]);
    expect(two.name).toBe('LPIPS v0.1 with AlexNet (alexnet.safetensors and alex.safetensors)');
    const whole = new Map([
      ...stateDict(ALEXNET_LAYERS, (position, part) => `net.slice1.${position}.${part}`),
      ...headTensors(headName),
      ...headTensors((layer) => `lins.${layer}.model.1.weight`),
      ['scaling_layer.shift', filled([1, 3, 1, 1], 0)] as const,
    ]);
    for (const net of [two, readLpips([file('lpips-alex.safetensors', whole)])]) {
      const { layers } = net.build(64, 64);
      expect(layers.map(({ features, head }) => [features.shape, head!.length, head![0]])).toEqual([
        [[1, 64, 15, 15], 64, 1],
        [[1, 192, 7, 7], 192, 2],
        [[1, 384, 3, 3], 384, 3],
        [[1, 256, 3, 3], 256, 4],
        [[1, 256, 3, 3], 256, 5],
      ]);
    }
  });

  it.each([
    ['heads alone', () => [file('alex.safetensors', headTensors(headName))], /no AlexNet there/],
    ['a trunk alone', () => [file('alexnet.safetensors', alexTensors())], /no heads of LPIPS there .*alex\.pth/],
    ['VGG16', () => [file('v.safetensors', vggTensors())], /is no AlexNet: it lacks features\.3\.weight/],
    [
      'heads of another net',
      () => [
        file('a.safetensors', alexTensors()),
        file('vgg.safetensors', headTensors(headName).set(headName(1), filled([1, 128, 1, 1], 1))),
      ],
      /"lin1\.model\.1\.weight" is 1×128×1×1, expected 1×192×1×1/,
    ],
    [
      'a missing head',
      () => [
        file('a.safetensors', alexTensors()),
        file('h.safetensors', new Map([...headTensors(headName)].slice(0, 4))),
      ],
      /h\.safetensors lacks lin4\.model\.1\.weight; it has lin0/,
    ],
  ])('says what is wrong with %s', (_, files, message) => {
    expect(() => readLpips(files())).toThrow(
      expect.objectContaining({ name: 'ModelError', message: expect.stringMatching(message) }),
    );
  });
});
