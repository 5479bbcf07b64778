import { loadLiteRt } from '@litertjs/core';
import { litertInference } from '../../inference/litert.ts';
import type { Inference } from '../../inference/model.ts';

let loading: Promise<Inference> | undefined;

/** LiteRT in a browser. `wasmFolder` is where the page serves `@litertjs/core/wasm`. */
export function createBrowserInference(wasmFolder: string): Promise<Inference> {
  loading ??= loadLiteRt(wasmFolder, { threads: false }).then(() => litertInference);
  return loading;
}
