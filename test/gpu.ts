import { createNodeGpu } from '../src/platform/node/node-gpu.ts';
import type { Gpu } from '../src/gpu/gpu.ts';

let shared: Promise<Gpu> | undefined;

/** One GPU for a test file. A missing adapter fails the test: it is never a silent skip. */
export function testGpu(): Promise<Gpu> {
  shared ??= createNodeGpu();
  return shared;
}
