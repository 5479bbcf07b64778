import { decodeTensors, encodeTensors, takeTensor, TensorFileError, type Tensor } from '../avatar/safetensors.ts';
import { readBytes, writeBuffer } from '../gpu/buffer.ts';
import type { Gpu } from '../gpu/gpu.ts';

/** A GPU buffer that outlives a step: parameters, moments, counts. */
export interface PersistentBuffer {
  readonly name: string;
  readonly buffer: GPUBuffer;
}

/** Where checkpoints go; `write` must be atomic, so that a kill at any moment leaves the last whole one. */
export interface CheckpointStore {
  read(): Promise<Uint8Array | null>;
  write(bytes: Uint8Array): Promise<void>;
}

/** A fit at the end of `step`, and the key of the options and data that it belongs to. */
export interface Checkpoint {
  readonly step: number;
  readonly key: string;
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Small host-side state, such as the update counts of single frames. */
  readonly notes: Readonly<Record<string, string>>;
}

/** Counts up when the buffers' content is laid out anew: an older checkpoint is then not resumed. */
const FORMAT = 'fate-checkpoint-3';

/** Copies every buffer to the host, bit for bit. */
export async function captureCheckpoint(
  gpu: Gpu,
  buffers: readonly PersistentBuffer[],
  facts: { step: number; key: string; notes?: Record<string, string> },
): Promise<Checkpoint> {
  const tensors = new Map<string, Tensor>();
  for (const { name, buffer } of buffers) {
    const data = new Uint32Array(await readBytes(gpu, buffer));
    tensors.set(name, { shape: [data.length], data });
  }
  return { step: facts.step, key: facts.key, tensors, notes: facts.notes ?? {} };
}

/** Writes a checkpoint's content back into buffers of the same names and sizes. */
export function restoreCheckpoint(gpu: Gpu, buffers: readonly PersistentBuffer[], checkpoint: Checkpoint): void {
  for (const { name, buffer } of buffers) {
    const data = takeTensor({ tensors: checkpoint.tensors, metadata: {} }, name, Uint32Array);
    if (data.byteLength !== buffer.size) {
      throw new TensorFileError(
        `checkpoint: "${name}" has ${data.byteLength} bytes, the fit needs ${buffer.size}; delete the checkpoint to start afresh`,
      );
    }
    writeBuffer(gpu, buffer, data);
  }
}

export function encodeCheckpoint({ step, key, tensors, notes }: Checkpoint): Uint8Array {
  return encodeTensors(tensors, { format: FORMAT, step: String(step), key, notes: JSON.stringify(notes) });
}

/** Reads a checkpoint. One of other options, data or version, or a broken one, is null: the fit then starts afresh. */
export function decodeCheckpoint(bytes: Uint8Array, key: string): Checkpoint | null {
  try {
    const { tensors, metadata } = decodeTensors(bytes, 'the checkpoint');
    if (metadata['format'] !== FORMAT || metadata['key'] !== key) return null;
    return {
      step: Number(metadata['step']),
      key,
      tensors,
      notes: JSON.parse(metadata['notes']!) as Record<string, string>,
    };
  } catch (error) {
    if (error instanceof TensorFileError) return null;
    throw error;
  }
}
