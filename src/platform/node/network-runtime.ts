import type { Gpu } from '../../gpu/gpu.ts';
import { createOrtRuntime, type OrtModule } from '../../network/ort-runtime.ts';
import type { NetworkRuntime } from '../../network/runtime.ts';

export interface NodeNetworkRuntimeOptions {
  /** The device whose buffers networks may read and write. */
  readonly gpu?: Gpu | null;
  /** Threads of the processor. Default: as many as there are cores. */
  readonly threads?: number;
}

/** Runs networks on the processor by `onnxruntime-node`. */
export async function createNodeNetworkRuntime({
  gpu = null,
  threads = 0,
}: NodeNetworkRuntimeOptions = {}): Promise<NetworkRuntime> {
  const ort = await import('onnxruntime-node');
  return createOrtRuntime({
    ort: ort as unknown as OrtModule,
    name: `ONNX Runtime ${ort.env.versions.node ?? ''} on the processor`,
    home: 'memory',
    gpu,
    sessionOptions: {
      executionProviders: ['cpu'],
      intraOpNumThreads: threads,
      logSeverityLevel: 3,
      extra: { session: { intra_op: { allow_spinning: '0' } } },
    },
  });
}
