import type { Gpu } from '../../gpu/gpu.ts';
import { createOrtRuntime, type OrtModule } from '../../network/ort-runtime.ts';
import type { NetworkRuntime } from '../../network/runtime.ts';

export interface BrowserNetworkRuntimeOptions {
  /** The device whose buffers networks may read and write. */
  readonly gpu?: Gpu | null;
  /** Where the page serves `onnxruntime-web/dist`. */
  readonly wasmFolder: string;
  /** Default: WebGPU on `gpu` when it is a real one, else WebAssembly. */
  readonly backend?: 'webgpu' | 'wasm';
}

/** Runs networks by `onnxruntime-web`: on our own WebGPU device, or on WebAssembly. */
export async function createBrowserNetworkRuntime({
  gpu = null,
  wasmFolder,
  backend = gpu && !gpu.adapter.isSoftware ? 'webgpu' : 'wasm',
}: BrowserNetworkRuntimeOptions): Promise<NetworkRuntime> {
  if (backend === 'webgpu' && !gpu) throw new TypeError('backend is "webgpu", but gpu is missing; give the device.');
  const ort = await import('onnxruntime-web/webgpu');
  ort.env.wasm.wasmPaths = wasmFolder.endsWith('/') ? wasmFolder : `${wasmFolder}/`;
  // More threads want a page that is isolated from other origins.
  if (!globalThis.crossOriginIsolated) ort.env.wasm.numThreads = 1;
  const version = ort.env.versions.web ?? '';
  return createOrtRuntime({
    ort: ort as unknown as OrtModule,
    name: `ONNX Runtime ${version} on ${backend === 'webgpu' ? 'WebGPU' : 'WebAssembly'}`,
    home: backend === 'webgpu' ? 'device' : 'memory',
    gpu,
    fillsArrays: backend === 'webgpu',
    sessionOptions: {
      executionProviders: [backend === 'webgpu' ? { name: 'webgpu', device: gpu!.device } : 'wasm'],
      logSeverityLevel: 3,
    },
  });
}
