/**
 * A WebGPU device with what the kernels need beside it: how to wait for it without spinning, and what it can do.
 *
 * The library never creates a device by itself: the platform edge (`platform/node`, `platform/browser`) does, and
 * hands it in.
 */
export interface Gpu {
  readonly device: GPUDevice;
  readonly adapter: AdapterFacts;
  /** Waits for a promise that the device will settle (`mapAsync`, `onSubmittedWorkDone`). */
  readonly wait: <T>(promise: Promise<T>) => Promise<T>;
  /** Rejects with `DeviceLostError` when the device goes away; never resolves. */
  readonly lost: Promise<never>;
  dispose(): void;
}

/** What the adapter says of itself. */
export interface AdapterFacts {
  readonly vendor: string;
  readonly architecture: string;
  readonly description: string;
  /** True for a driver that runs on the processor (lavapipe, SwiftShader): kernels choose their shape by it. */
  readonly isSoftware: boolean;
  /** True when `timestamp-query` was granted. */
  readonly hasTimestamps: boolean;
  /** True when `subgroups` was granted. */
  readonly hasSubgroups: boolean;
  /** Smallest and largest subgroup size, 0 when unknown. */
  readonly subgroupSize: readonly [number, number];
}

/** The GPU went away: a driver reset, a crash or an unplugged device. Work since the last checkpoint is lost. */
export class DeviceLostError extends Error {
  override readonly name = 'DeviceLostError';
  constructor(reason: string) {
    super(`The GPU device was lost (${reason}). Run the same command again: it resumes from the last checkpoint.`);
  }
}

/** No WebGPU adapter was found. The message says how to get one. */
export class NoAdapterError extends Error {
  override readonly name = 'NoAdapterError';
}

const SOFTWARE = /llvmpipe|lavapipe|swiftshader|software|basic render/i;

/** Requests a device from an adapter with every optional feature that our kernels can use. */
export async function createGpu(adapter: GPUAdapter, wait: Gpu['wait'] = (promise) => promise): Promise<Gpu> {
  const wanted: GPUFeatureName[] = ['timestamp-query', 'subgroups' as GPUFeatureName];
  const requiredFeatures = wanted.filter((feature) => adapter.features.has(feature));
  const limits = adapter.limits;
  const device = await adapter.requestDevice({
    label: 'fate-avatar',
    requiredFeatures,
    requiredLimits: {
      maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
      maxBufferSize: limits.maxBufferSize,
      maxStorageBuffersPerShaderStage: limits.maxStorageBuffersPerShaderStage,
      maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
      maxComputeInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
      maxComputeWorkgroupSizeX: limits.maxComputeWorkgroupSizeX,
    },
  });
  const info = adapter.info as GPUAdapterInfo & { subgroupMinSize?: number; subgroupMaxSize?: number };
  let disposed = false;
  const lost = device.lost.then((loss) => {
    if (disposed) return new Promise<never>(() => {});
    throw new DeviceLostError(loss.message || loss.reason);
  });
  lost.catch(() => {}); // whoever races against it sees the rejection; nobody else must crash by it
  return {
    device,
    adapter: {
      vendor: info.vendor,
      architecture: info.architecture,
      description: [info.description, info.device].filter(Boolean).join(' '),
      isSoftware: SOFTWARE.test(`${info.vendor} ${info.architecture} ${info.device} ${info.description}`),
      hasTimestamps: requiredFeatures.includes('timestamp-query'),
      hasSubgroups: requiredFeatures.includes('subgroups' as GPUFeatureName),
      subgroupSize: [info.subgroupMinSize ?? 0, info.subgroupMaxSize ?? 0],
    },
    wait: (promise) => wait(Promise.race([promise, lost])),
    lost,
    dispose() {
      disposed = true;
      device.destroy();
    },
  };
}
