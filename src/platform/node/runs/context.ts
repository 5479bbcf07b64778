import { resolve } from 'node:path';
import { createNodeGpu } from '../node-gpu.ts';
import type { Gpu } from '../../../gpu/gpu.ts';
import type { OnProgress } from '../../../video/frame.ts';

/** What every command's function takes beside its options. */
export interface RunContext {
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
  readonly log?: (line: string) => void;
  /** A device to use; by default one is opened for the call and closed after it. */
  readonly gpu?: Gpu;
  /** See `FitContext`. */
  readonly checkpointSteps?: number;
}

/** Runs `work` with the context's device, or with one of its own. */
export async function withGpu<T>(context: RunContext, work: (gpu: Gpu) => Promise<T>): Promise<T> {
  if (context.gpu) return work(context.gpu);
  const gpu = await createNodeGpu();
  try {
    return await Promise.race([work(gpu), gpu.lost]);
  } finally {
    gpu.dispose();
  }
}

/** The head's name with an absolute folder, so that a run means the same from any working directory. */
export function absoluteHead(head: string): string {
  return head.startsWith('ict:') ? `ict:${resolve(head.slice(4))}` : head;
}
