import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { litertInference } from '../../inference/litert.ts';
import type { Inference } from '../../inference/model.ts';

let loading: Promise<Inference> | undefined;

/** LiteRT in Node, loaded once per process (about 60 ms). */
export function createNodeInference(): Promise<Inference> {
  loading ??= loadRuntime();
  return loading;
}

/** What the runtime's script takes for granted: it was built for a browser's worker or for CommonJS. */
const BORROWED = ['require', '__dirname', 'self', 'importScripts', 'Module', 'ModuleFactory'] as const;

async function loadRuntime(): Promise<Inference> {
  const { loadLiteRt } = await import('@litertjs/core');
  const require = createRequire(import.meta.url);
  const folder = join(dirname(require.resolve('@litertjs/core')), '../wasm');
  const scope = globalThis as Record<string, unknown>;
  const before = new Map(BORROWED.map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)]));
  const warn = console.warn;
  Object.assign(scope, {
    require,
    __dirname: folder,
    self: globalThis,
    importScripts: (file: string) => (0, eval)(readFileSync(file, 'utf8')),
    // The runtime reports every step of loading a model; problems come as exceptions.
    Module: { print: () => undefined, printErr: () => undefined },
  });
  // It looks for a WebGPU device that it is not to use and warns when there is none.
  console.warn = (...parts: unknown[]) => {
    if (!String(parts[0]).startsWith('Failed to create default WebGPU device')) warn(...parts);
  };
  try {
    await loadLiteRt(folder, { threads: false });
  } finally {
    console.warn = warn;
    for (const [name, descriptor] of before) {
      delete scope[name];
      if (descriptor) Object.defineProperty(globalThis, name, descriptor);
    }
  }
  return litertInference;
}
