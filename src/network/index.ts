/**
 * Networks: a graph of operations with static shapes, its gradient as a graph again, both run by ONNX Runtime.
 *
 * Build, train:
 * ```ts
 * const graph = new Graph();
 * const noise = graph.input('noise', [1, 8, 64, 64]);
 * const kernel = graph.weight('kernel', [11, 8, 3, 3], heNormal([11, 8, 3, 3]));
 * const bias = graph.weight('bias', [11], { kind: 'constant', value: 0 });
 * const maps = conv(noise, kernel, { bias, pads: 1 });
 * const network = await createTrainableNetwork(runtime, { outputs: { maps }, seed: 1 });
 * const { maps: values } = await network.forward({ noise: noiseValues });     // Float32Array
 * await network.backward({ maps: mapGradient });                              // Float32Array or GPUBuffer
 * await network.step({ learningRate: 1e-3 });
 * ```
 * `forward(inputs, { maps: buffer })` writes into a GPUBuffer of `runtime.gpu` instead; gradients may come from one.
 *
 * A loss inside the graph, frozen weights, gradient with respect to an input (a perceptual loss):
 * ```ts
 * const loss = reduceMean(square(sub(features(image), target)));              // a scalar
 * const [imageGradient] = differentiate([{ output: loss, gradient: graph.constant(1, loss.shape) }], [image]);
 * const compiled = await compileGraph(runtime, { outputs: { loss, imageGradient } });
 * const { imageGradient: gradient } = await compiled.run({ image: pixels, target: wantedFeatures });
 * ```
 *
 * A user's file: `const { graph, inputs, outputs } = readOnnx(bytes, { inputShapes: { image: [1, 3, 256, 256] } })`, then
 * as above. The runtime comes from the platform: `createNodeNetworkRuntime({ gpu })` of `fate-avatar/node`, or
 * `createBrowserNetworkRuntime`.
 */
export { Graph, heNormal, sizeOf, type Shape, type Value, type WeightStart } from './graph.ts';
export * from './operations/index.ts';
export { differentiate, type OutputGradient } from './differentiate.ts';
export { NetworkError, type NetworkRuntime, type NetworkSession, type TensorData } from './runtime.ts';
export { compileGraph, type CompiledGraph, type CompileOptions } from './compiled-graph.ts';
export type { NamedTensors } from './tensor-transfer.ts';
export type { NetworkState, WeightSlot } from './weight-store.ts';
export {
  createTrainableNetwork,
  type StepOptions,
  type TrainableNetwork,
  type TrainableNetworkOptions,
} from './trainable-network.ts';
export { readOnnx, type OnnxGraph, type ReadOptions } from './onnx/read-onnx.ts';
export { SUPPORTED_OPERATORS } from './onnx/node-rules.ts';
export { evaluateReference } from './reference.ts';
