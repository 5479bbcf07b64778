import type { Gpu } from './gpu.ts';
import { createStorageBuffer } from './buffer.ts';
import { createKernel } from './kernel.ts';
import text from './scan.wgsl?raw';

/** Compiled prefix sum; `over` ties it to buffers. */
export interface Scan {
  /**
   * In place, `values[0…n)` becomes the sum of the values before each, and `values[n]` the total (modulo 2³²), where n
   * is the uint32 in `count[0]`, at most the length of `values` − 1.
   */
  over(values: GPUBuffer, count: GPUBuffer): BoundScan;
}

export interface BoundScan {
  record(pass: GPUComputePassEncoder): void;
  destroy(): void;
}

/** Exclusive prefix sum over uint32, deterministic; the number of values is known to the GPU alone. */
export async function createScan(gpu: Gpu, label = 'scan'): Promise<Scan> {
  // Few parts keep a processor's caches warm; a GPU wants threads.
  const partCount = gpu.adapter.isSoftware ? 128 : 1024;
  const common = {
    files: [{ name: 'gpu/scan.wgsl', text }],
    bindings: { count: 'read', values: 'readWrite', partSums: 'readWrite' },
    constants: { partCount },
  } as const;
  const reduce = await createKernel(gpu, { ...common, label: `${label}: reduce`, entryPoint: 'reduce' });
  const scan = await createKernel(gpu, { ...common, label: `${label}: scan`, entryPoint: 'scan' });
  return {
    over(values, count) {
      const partSums = createStorageBuffer(gpu, `${label}: part sums`, partCount * 4);
      const reduceGroup = reduce.bind({ count, values, partSums });
      const scanGroup = scan.bind({ count, values, partSums });
      return {
        record(pass) {
          reduce.dispatch(pass, reduceGroup, partCount / 64);
          scan.dispatch(pass, scanGroup, partCount / 64);
        },
        destroy: () => partSums.destroy(),
      };
    },
  };
}
