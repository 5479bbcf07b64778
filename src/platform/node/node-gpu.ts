import { create, globals } from 'webgpu';
import { createGpu, NoAdapterError, type Gpu } from '../../gpu/gpu.ts';

Object.assign(globalThis, globals); // GPUBufferUsage and friends, as in a browser

// Dawn's instance must outlive every device: on globalThis, since an unused module constant is collected and the
// process then dies in ProcessEvents.
const holder = globalThis as { fateAvatarDawn?: GPU };

/** The way to a software adapter on machines without a GPU; shown whenever none is found. */
export const ADAPTER_HELP =
  'No WebGPU adapter was found. On Debian or Ubuntu install a Vulkan driver (as root: `npm run setup`, or the package ' +
  'mesa-vulkan-drivers, version 24 or newer, for software rendering). `fate doctor` shows what is there.';

/** Opens a GPU in Node through Dawn. Throws `NoAdapterError` when there is none. */
export async function createNodeGpu(): Promise<Gpu> {
  holder.fateAvatarDawn ??= create([]);
  const adapter = await holder.fateAvatarDawn.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw new NoAdapterError(ADAPTER_HELP);
  return createGpu(adapter, waitWithoutSpinning);
}

const pause = new Int32Array(new SharedArrayBuffer(4));

/**
 * Dawn's own wait polls at full speed and takes a core from a software driver (6.3 against 3.2 ms for one kernel on two
 * cores). Sleep a millisecond, let Dawn tick, look again.
 */
async function waitWithoutSpinning<T>(promise: Promise<T>): Promise<T> {
  let settled = false;
  const mark = (): void => {
    settled = true;
  };
  promise.then(mark, mark);
  await new Promise((resolve) => setImmediate(resolve));
  while (!settled) {
    Atomics.wait(pause, 0, 0, 1);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return promise;
}
