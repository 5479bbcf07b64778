import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { sharedPath } from '../../../test/shared.ts';
import { createNodeNetworkRuntime } from '../../platform/node/network-runtime.ts';
import { compileGraph, differentiate, evaluateReference, readOnnx, reduceSum, mul, type Value } from '../index.ts';
import { normalNumbers, smallUNet } from '../../../test/small-unet.ts';
import { initialWeights } from '../initial-weights.ts';
import { decodeOnnx, encodeOnnx, float16, type OnnxModel, type OnnxNode, type OnnxTensor } from './model.ts';
import { writeOnnx } from './write-onnx.ts';

const node = (
  type: string,
  inputs: string[],
  output: string,
  attributes: OnnxNode['attributes'] = {},
  domain = '',
): OnnxNode => ({ type, name: `the ${type}`, domain, inputs, outputs: [output], attributes });
const floats = (name: string, shape: number[], values: number[]): OnnxTensor => ({
  name,
  type: 'float32',
  shape,
  data: Float32Array.from(values),
});
const integers = (name: string, values: number[]): OnnxTensor => ({
  name,
  type: 'int64',
  shape: [values.length],
  data: Float64Array.from(values),
});
const ints = (value: number[]) => ({ kind: 'ints', value }) as const;

/** A file from x (1×2×4×4 unless given) to y. */
function file(nodes: OnnxNode[], initializers: OnnxTensor[] = [], more: Partial<OnnxModel> = {}): Uint8Array {
  return encodeOnnx({
    opset: 13,
    nodes,
    initializers,
    inputs: [{ name: 'x', type: 'float32', shape: [1, 2, 4, 4] }],
    outputs: [{ name: 'y', type: 'float32', shape: null }],
    ...more,
  });
}

const x = normalNumbers([1, 2, 4, 4], 3);
const evaluate = (bytes: Uint8Array): { shape: readonly number[]; data: Float64Array } => {
  const { outputs } = readOnnx(bytes);
  const weights = outputs['y']!.graph.weights.map(
    (weight) => [weight.name, Float64Array.from(initialWeights([weight]).get(weight)!)] as const,
  );
  const given = { x: Float64Array.from(x), ...Object.fromEntries(weights) };
  return evaluateReference([outputs['y']!], given)[0]!;
};

describe('readOnnx', () => {
  it('reads back what we wrote', async () => {
    const { graph, maps, noise } = smallUNet();
    const { model } = writeOnnx({ outputs: [maps], weights: initialWeights(graph.weights, 3) });
    const read = readOnnx(model);
    // Weights of a file are made when a node first reads them: the order may be another.
    const named = (weights: readonly Value[]): string[] =>
      weights.map(({ name, shape }) => `${name} ${shape}`).toSorted();
    expect(named(read.graph.weights)).toEqual(named(graph.weights));
    const runtime = await createNodeNetworkRuntime({ threads: 1 });
    const run = async (value: Value): Promise<unknown> => {
      const compiled = await compileGraph(runtime, { outputs: { value }, seed: 3 });
      const results = await compiled.run({ noise: normalNumbers(noise.shape, 1) });
      await compiled.dispose();
      return results['value'];
    };
    expect(await run(Object.values(read.outputs)[0]!)).toEqual(await run(maps));
    expect(encodeOnnx(decodeOnnx(model))).toEqual(model);
  });

  it('computes shapes and constants while reading, as exporters write them', () => {
    // Reshape to (batch, channels · height, −1), the numbers from Shape, Gather, Mul and Concat.
    const bytes = file(
      [
        node('Shape', ['x'], 'shape'),
        node('Gather', ['shape', 'zero'], 'batch'),
        node('Slice', ['shape', 'one', 'three'], 'middle'),
        node('ReduceProd', ['middle'], 'product', { keepdims: { kind: 'int', value: 1 } }),
        node('Unsqueeze', ['batch', 'zeros'], 'batch1'),
        node('Concat', ['batch1', 'product', 'rest'], 'sizes', { axis: { kind: 'int', value: 0 } }),
        node('Cast', ['sizes'], 'sizes64', { to: { kind: 'int', value: 7 } }),
        node('Reshape', ['x', 'sizes64'], 'y'),
      ],
      [
        { ...integers('zero', [0]), shape: [] },
        integers('one', [1]),
        integers('three', [3]),
        integers('zeros', [0]),
        integers('rest', [-1]),
      ],
    );
    expect(evaluate(bytes).shape).toEqual([1, 8, 4]);
  });

  it('reads old forms: Upsample, attributes instead of inputs', () => {
    const scales = floats('scales', [4], [1, 1, 2, 2]);
    const upsampled = evaluate(file([node('Upsample', ['x', 'scales'], 'y')], [scales], { opset: 9 }));
    expect(upsampled.shape).toEqual([1, 2, 8, 8]);
    expect([...upsampled.data.slice(0, 4)]).toEqual([x[0], x[0], x[1], x[1]]);
    const sliced = file(
      [node('Slice', ['x'], 'y', { starts: ints([1, -2]), ends: ints([2 ** 40, 4]), axes: ints([2, 3]) })],
      [],
      { opset: 9 },
    );
    expect(evaluate(sliced).shape).toEqual([1, 2, 3, 2]);
    const padded = file(
      [node('Pad', ['x'], 'y', { pads: ints([0, 0, 1, 1, 0, 0, 1, 1]), mode: { kind: 'string', value: 'reflect' } })],
      [],
      { opset: 10 },
    );
    expect(evaluate(padded).data[0]).toBe(x[5]);
  });

  it('reads half precision', () => {
    expect([0x3c00, 0xc000, 0x0001, 0x7c00, 0x3555].map(float16)).toEqual([1, -2, 2 ** -24, Infinity, 0.333251953125]);
  });

  it('names an operator that is not supported, and its node', () => {
    expect(() => readOnnx(file([node('GRU', ['x'], 'y')]), { name: 'style.onnx' })).toThrow(
      /style\.onnx: the operator GRU of node "the GRU" is not supported; supported are .*Conv/,
    );
    expect(() => readOnnx(file([node('Conv', ['x'], 'y', {}, 'com.microsoft')]))).toThrow(/com\.microsoft\.Conv/);
    const mode = { mode: { kind: 'string', value: 'cubic' } } as const;
    const scales = floats('s', [4], [1, 1, 2, 2]);
    expect(() => readOnnx(file([node('Resize', ['x', '', 's'], 'y', mode)], [scales]))).toThrow(
      /node Resize "the Resize" has the unsupported mode "cubic"/,
    );
  });

  it('tells wrong shapes, missing tensors and open sizes', () => {
    const weight = floats('w', [1, 3, 1, 1], [1, 2, 3]);
    expect(() => readOnnx(file([node('Conv', ['x', 'w'], 'y')], [weight]))).toThrow(
      /node Conv "the Conv" cannot be built \(Conv: an image of shape \[1, 2, 4, 4\] does not fit kernels/,
    );
    expect(() => readOnnx(file([node('Relu', ['z'], 'y')]))).toThrow(/reads "z", which nothing computes/);
    expect(() => readOnnx(file([node('Relu', ['x'], 'z')]))).toThrow(/names the output "y", but no node computes it/);
    const open = file([node('Relu', ['x'], 'y')], [], {
      inputs: [{ name: 'x', type: 'float32', shape: ['batch', 3, null, 4] }],
    });
    expect(() => readOnnx(open)).toThrow(/open \(\[batch, 3, \?, 4\]\); give it as inputShapes/);
    expect(readOnnx(open, { inputShapes: { x: [1, 3, 8, 4] } }).outputs['y']!.shape).toEqual([1, 3, 8, 4]);
    expect(() => readOnnx(open, { inputShapes: { x: [3, 8] } })).toThrow(/has 4 axes, not 2/);
    expect(() => readOnnx(open, { inputShapes: { image: [1] } })).toThrow(/no input "image"; its inputs are "x"/);
  });

  it('refuses damaged files at whatever byte they break', () => {
    const bytes = file([node('Relu', ['x'], 'y')], [floats('w', [4], [1, 2, 3, 4])]);
    expect(() => readOnnx(new Uint8Array(0))).toThrow(/holds no graph/);
    expect(() => readOnnx(new TextEncoder().encode('<html>not found</html>'))).toThrow(/no ONNX file/);
    for (let length = 1; length < bytes.length; length++) {
      expect(() => readOnnx(bytes.subarray(0, length)), `cut at ${length}`).toThrow(/no ONNX file|no node|nothing/);
    }
  });
});

const netFile = sharedPath('data/models/face_landmark.onnx');
describe("a user's network (shared test data)", () => {
  it.skipIf(!netFile)('runs as ONNX Runtime runs the file itself, and is differentiated', async () => {
    const bytes = new Uint8Array(readFileSync(netFile!));
    const read = readOnnx(bytes, { name: 'face_landmark.onnx' });
    const [inputName] = Object.keys(read.inputs);
    const image = normalNumbers(read.inputs[inputName!]!.shape, 4).map((value) => 0.5 + 0.2 * value);
    const [points] = Object.values(read.outputs);
    const direction = read.graph.constant(normalNumbers(points!.shape, 5), points!.shape);
    const loss = reduceSum(mul(points!, direction));
    const input = read.inputs[inputName!]!;
    const [gradient] = differentiate([{ output: loss, gradient: read.graph.constant(1, []) }], [input]);
    const runtime = await createNodeNetworkRuntime({ threads: 1 });
    const compiled = await compileGraph(runtime, { outputs: { points: points!, loss, gradient: gradient! } });
    const result = (await compiled.run({ [inputName!]: image })) as Record<string, Float32Array>;

    const ort = await import('onnxruntime-node');
    const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 3, intraOpNumThreads: 1 });
    const feeds = { [inputName!]: new ort.Tensor('float32', image, input.shape) };
    const own = (await session.run(feeds))[Object.keys(read.outputs)[0]!]!.data as Float32Array;
    await session.release();
    // Measured: the same numbers to the bit.
    own.forEach((value, i) => expect(Math.abs(result['points']![i]! - value)).toBeLessThan(1e-3));

    // Along the gradient the loss grows by its length; differences in float32 and kinks leave a few per cent.
    const length = Math.sqrt(result['gradient']!.reduce((sum, value) => sum + value * value, 0));
    const step = 0.02;
    const at = async (sign: number): Promise<number> => {
      const moved = image.map((value, i) => value + (sign * step * result['gradient']![i]!) / length);
      return ((await compiled.run({ [inputName!]: moved })) as Record<string, Float32Array>)['loss']![0]!;
    };
    const numeric = ((await at(1)) - (await at(-1))) / (2 * step);
    expect(Math.abs(numeric / length - 1)).toBeLessThan(0.05);
    await compiled.dispose();
  });
});
