import type { Gpu } from './gpu.ts';

/** How a kernel sees a buffer. The order of declaration is the binding index, in group 0. */
export type BindingKind = 'uniform' | 'read' | 'readWrite';

/** One WGSL source file: `name` is its path, for error messages; `text` comes from `import text from './x.wgsl?raw'`. */
export interface WgslFile {
  readonly name: string;
  readonly text: string;
}

export interface KernelOptions<Name extends string> {
  readonly label: string;
  /** Joined in order; a shared function stands in one file that several kernels list. */
  readonly files: readonly WgslFile[];
  readonly entryPoint?: string;
  readonly bindings: Readonly<Record<Name, BindingKind>>;
  /** Pipeline-overridable constants. */
  readonly constants?: Readonly<Record<string, number>>;
}

/** A compiled compute shader. `bind` takes buffers by the names that were declared; `dispatch` runs it in a pass. */
export interface Kernel<Name extends string> {
  readonly label: string;
  bind(buffers: Readonly<Record<Name, GPUBuffer | GPUBufferBinding>>): GPUBindGroup;
  dispatch(pass: GPUComputePassEncoder, group: GPUBindGroup, x: number, y?: number, z?: number): void;
  /** Workgroup counts come from `buffer` (three uint32 at `byteOffset`): sizes that only the GPU knows. */
  dispatchIndirect(pass: GPUComputePassEncoder, group: GPUBindGroup, buffer: GPUBuffer, byteOffset?: number): void;
}

/** A WGSL error, told by the file and line it was written in. */
export class ShaderError extends Error {
  override readonly name = 'ShaderError';
}

const BUFFER_TYPE: Record<BindingKind, GPUBufferBindingType> = {
  uniform: 'uniform',
  read: 'read-only-storage',
  readWrite: 'storage',
};

/** Compiles a kernel; a compile error names the `.wgsl` file and line. */
export async function createKernel<Name extends string>(gpu: Gpu, options: KernelOptions<Name>): Promise<Kernel<Name>> {
  const { device } = gpu;
  const { label, files, entryPoint = 'main', bindings, constants } = options;
  const names = Object.keys(bindings) as Name[];
  const module = device.createShaderModule({ label, code: files.map((file) => file.text).join('\n') });
  const layout = device.createBindGroupLayout({
    label,
    entries: names.map((name, binding) => ({
      binding,
      visibility: GPUShaderStage.COMPUTE,
      buffer: { type: BUFFER_TYPE[bindings[name]] },
    })),
  });
  device.pushErrorScope('validation');
  const pipelinePromise = device.createComputePipelineAsync({
    label,
    layout: device.createPipelineLayout({ label, bindGroupLayouts: [layout] }),
    compute: { module, entryPoint, ...(constants ? { constants: { ...constants } } : {}) },
  });
  const scope = device.popErrorScope();
  const [pipeline, compilation] = await Promise.all([
    pipelinePromise.catch((error: unknown) => error as Error),
    gpu.wait(module.getCompilationInfo()),
    scope,
  ]);
  const errors = compilation.messages.filter((message) => message.type === 'error');
  if (errors.length > 0 || pipeline instanceof Error) {
    const places = errors.map((message) => `${placeOf(files, message.lineNum)}:${message.linePos} ${message.message}`);
    throw new ShaderError(`kernel "${label}" does not compile:\n${places.join('\n') || (pipeline as Error).message}`);
  }
  return {
    label,
    bind(buffers) {
      return device.createBindGroup({
        label,
        layout,
        entries: names.map((name, binding) => {
          const given: GPUBuffer | GPUBufferBinding | undefined = buffers[name];
          if (!given) throw new TypeError(`kernel "${label}": no buffer was given for "${name}"`);
          const resource: GPUBufferBinding = 'buffer' in given ? given : { buffer: given };
          return { binding, resource };
        }),
      });
    },
    dispatch(pass, group, x, y = 1, z = 1) {
      pass.setPipeline(pipeline as GPUComputePipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(x, y, z);
    },
    dispatchIndirect(pass, group, buffer, byteOffset = 0) {
      pass.setPipeline(pipeline as GPUComputePipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroupsIndirect(buffer, byteOffset);
    },
  };
}

/** Maps a line of the joined source back to the file that it came from. */
export function placeOf(files: readonly WgslFile[], joinedLine: number): string {
  let line = joinedLine;
  for (const file of files) {
    const count = file.text.split('\n').length;
    if (line <= count) return `${file.name}:${line}`;
    line -= count;
  }
  return `joined source:${joinedLine}`;
}
