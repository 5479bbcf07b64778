import type { Gpu } from '../../gpu/gpu.ts';
import { createOrtRuntime, type OrtModule } from '../../network/ort-runtime.ts';
import { release } from '../../network/release.ts';
import type { NetworkRuntime } from '../../network/runtime.ts';

export interface NodeNetworkRuntimeOptions {
  /** The device whose buffers networks may read and write. */
  readonly gpu?: Gpu | null;
  /** Threads of the processor. Default: as many as there are cores. */
  readonly threads?: number;
  /**
   * Where networks run. Default: on `gpu` when it is a real one, else on the processor: a software GPU
   * reaches 8 GFLOP/s at this, the processor 150 and more.
   */
  readonly backend?: 'processor' | 'webgpu';
}

/** Runs networks by `onnxruntime-node` on the processor, or by `onnxruntime-web` on our own WebGPU device. */
export async function createNodeNetworkRuntime({
  gpu = null,
  threads = 0,
  backend = gpu && !gpu.adapter.isSoftware ? 'webgpu' : 'processor',
}: NodeNetworkRuntimeOptions = {}): Promise<NetworkRuntime> {
  if (backend === 'webgpu') {
    if (!gpu) throw new TypeError('backend is "webgpu", but gpu is missing; give the device of createNodeGpu.');
    return createWebgpuRuntime(gpu);
  }
  const ort = await import('onnxruntime-node');
  keepFreedMemory();
  return createOrtRuntime({
    ort: ort as unknown as OrtModule,
    name: `ONNX Runtime ${ort.env.versions.node ?? ''} on the processor`,
    home: 'memory',
    gpu,
    sessionOptions: {
      executionProviders: ['cpu'],
      intraOpNumThreads: threads,
      logSeverityLevel: 3,
      // Threads that wait sleep after 20 µs: at once costs 9 ms more of a step of 144 ms on a quiet machine, and a millisecond
      // takes the cores from other programs. None spins between runs, when a software GPU has its turn.
      extra: {
        session: { intra_op: { allow_spinning: '1', spin_duration_us: '20' }, force_spinning_stop: '1' },
      },
    },
  });
}

/**
 * glibc hands the free end of its memory to the system where that is longer than twice the largest block freed so far
 * (mallopt(3), M_MMAP_THRESHOLD), and a training step would fetch 33 MB of it again page by page (12 ms). After one block
 * of almost the largest size that counts it keeps 64 MB. Other allocators do nothing here.
 */
const keepFreedMemory = (): void => release([new ArrayBuffer(2 ** 25 - 2 ** 16)]);

async function createWebgpuRuntime(gpu: Gpu): Promise<NetworkRuntime> {
  const ort = await loadWebgpu();
  acceptSharedMemory(gpu.device.queue);
  return createOrtRuntime({
    ort: ort as unknown as OrtModule,
    name: `ONNX Runtime ${ort.env.versions.web ?? ''} on WebGPU (${gpu.adapter.description || gpu.adapter.vendor})`,
    home: 'device',
    gpu,
    sessionOptions: { executionProviders: [{ name: 'webgpu', device: gpu.device }], logSeverityLevel: 3 },
    perform: performAlone,
  });
}

let previous: Promise<unknown> = Promise.resolve();

/**
 * The web build can wait for the device in one call at a time: calls are lined up. While it waits, nothing else may be
 * due in Node; without a timer Node then sleeps and Dawn never answers.
 */
function performAlone<T>(start: () => Promise<T>): Promise<T> {
  const current = previous.then(async () => {
    const timer = setInterval(() => undefined, 1);
    try {
      return await start();
    } finally {
      clearInterval(timer);
    }
  });
  previous = current.catch(() => undefined);
  return current;
}

let loading: Promise<typeof import('onnxruntime-web')> | undefined;

/** The web build asks for a browser's `navigator.gpu` once, while it starts; the device that it uses is ours. */
function loadWebgpu(): Promise<typeof import('onnxruntime-web')> {
  loading ??= import('onnxruntime-web/webgpu').then((ort) => {
    ort.env.wasm.numThreads = 1;
    const scope = globalThis as { navigator?: object; fateAvatarDawn?: GPU };
    if (!scope.navigator) Object.defineProperty(globalThis, 'navigator', { value: {}, configurable: true });
    if (!('gpu' in scope.navigator!)) {
      Object.defineProperty(scope.navigator, 'gpu', { get: () => scope.fateAvatarDawn, configurable: true });
    }
    return ort;
  });
  return loading;
}

const accepting = new WeakSet<GPUQueue>();

/** Dawn's `writeBuffer` refuses views of a SharedArrayBuffer, which is what the web build's memory is. */
function acceptSharedMemory(queue: GPUQueue): void {
  if (accepting.has(queue)) return;
  accepting.add(queue);
  const writeBuffer = queue.writeBuffer.bind(queue);
  queue.writeBuffer = (buffer, bufferOffset, data, dataOffset = 0, size) => {
    const memory = ArrayBuffer.isView(data) ? data.buffer : data;
    if (!(memory instanceof SharedArrayBuffer)) {
      if (size === undefined) writeBuffer(buffer, bufferOffset, data, dataOffset);
      else writeBuffer(buffer, bufferOffset, data, dataOffset, size);
      return;
    }
    const unit = ArrayBuffer.isView(data) && 'BYTES_PER_ELEMENT' in data ? Number(data.BYTES_PER_ELEMENT) : 1;
    const start = (ArrayBuffer.isView(data) ? data.byteOffset : 0) + dataOffset * unit;
    const length = size === undefined ? data.byteLength - dataOffset * unit : size * unit;
    writeBuffer(buffer, bufferOffset, new Uint8Array(memory, start, length).slice());
  };
}
