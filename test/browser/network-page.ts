// Runs in Chromium: a small network, trained by ONNX Runtime on WebAssembly or on the browser's own WebGPU.
import { createGpu } from 'fate-avatar/viewer';
import { createTrainableNetwork } from '../../src/network/index.ts';
import { createBrowserNetworkRuntime } from 'fate-avatar/browser';
import { smallUNet, trainSmallUNet, type SmallTraining } from '../small-unet.ts';

async function trainNetwork(backend: 'wasm' | 'webgpu', steps: number): Promise<SmallTraining & { runtime: string }> {
  const adapter = backend === 'webgpu' ? await navigator.gpu.requestAdapter() : null;
  if (backend === 'webgpu' && !adapter) throw new Error('the browser gives no WebGPU adapter');
  const gpu = adapter ? await createGpu(adapter) : null;
  const runtime = await createBrowserNetworkRuntime({ gpu, wasmFolder: '/ort', backend });
  const network = await createTrainableNetwork(runtime, { outputs: { maps: smallUNet().maps }, seed: 5 });
  try {
    return { ...(await trainSmallUNet(network, steps)), runtime: runtime.name };
  } finally {
    await network.dispose();
    gpu?.dispose();
  }
}

Object.assign(globalThis, { trainNetwork });
