import { describe, expect, it } from 'vitest';
import { createNodeNetworkRuntime } from '../../platform/node/network-runtime.ts';
import { compileGraph } from '../compiled-graph.ts';
import type { NetworkRuntime } from '../runtime.ts';
import { buildCase, referenceError, differenceError, operationCases } from './operation-cases.ts';

let shared: Promise<NetworkRuntime> | undefined;
const runtime = (): Promise<NetworkRuntime> => (shared ??= createNodeNetworkRuntime({ threads: 1 }));

describe('backward rules', () => {
  // Measured worst: 6e-8 (a slope that is stored in float32); the promise is 1e-4.
  it.each(operationCases)('$name: gradient graph = central differences in float64', (operationCase) => {
    expect(differenceError(buildCase(operationCase))).toBeLessThan(1e-6);
  });

  // The gradient is a graph of the same operations, so it has a gradient. Measured worst: 1.4e-8.
  it.each(operationCases.filter((one) => one.isSmooth))('$name: gradient of the gradient', (operationCase) => {
    expect(differenceError(buildCase(operationCase, { order: 2 }))).toBeLessThan(1e-6);
  });
});

describe('ONNX Runtime on the processor', () => {
  it.each(operationCases)('$name: value and gradients = reference', async (operationCase) => {
    const built = buildCase(operationCase);
    const compiled = await compileGraph(await runtime(), { outputs: built.outputs });
    try {
      // Measured worst: 1e-6.
      expect(await referenceError(compiled, built)).toBeLessThan(2e-5);
    } finally {
      await compiled.dispose();
    }
  });
});
