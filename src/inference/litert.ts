import { loadAndCompile, Tensor, type CompiledModel } from '@litertjs/core';
import { Flatbuffer } from './flatbuffer.ts';
import { ModelError, tensorSize, type Inference, type Model, type TensorSpecification } from './model.ts';

/** LiteRT (TensorFlow Lite) on WebAssembly. The platform must have loaded the runtime before the first `load`. */
export const litertInference: Inference = {
  async load(bytes, name) {
    // A TensorFlow Lite file carries its mark at byte 4; anything else can stop the runtime for good.
    if (bytes.length < 8 || String.fromCharCode(...bytes.subarray(4, 8)) !== 'TFL3') {
      throw new ModelError(`${name} is not a TensorFlow Lite model. Fetch it again.`);
    }
    const compiled = await loadAndCompile(withFixedSizes(bytes, name), { accelerator: 'wasm' }).catch(
      (error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error);
        throw new ModelError(`${name} cannot be loaded (${reason}): the file is damaged or too new. Fetch it again.`, {
          cause: error,
        });
      },
    );
    return new LitertModel(name, compiled);
  },
};

/**
 * LiteRT.js refuses tensors of open size (batch −1), which `face_landmarker.task` has. The file's own fallback for such a
 * size is 1: write that into the tensors' signatures (Model.subgraphs[].tensors[].shape_signature).
 */
function withFixedSizes(bytes: Uint8Array, name: string): Uint8Array {
  const file = new Flatbuffer(bytes.slice());
  try {
    for (const subgraph of file.tables(file.root, 2)) {
      for (const tensor of file.tables(subgraph, 0)) {
        const { start, length } = file.vector(tensor, 7);
        for (let i = 0; i < length; i++)
          if (file.view.getInt32(start + 4 * i, true) === -1) file.view.setInt32(start + 4 * i, 1, true);
      }
    }
  } catch (error) {
    throw new ModelError(`${name} is damaged: it ends early. Fetch it again.`, { cause: error });
  }
  return file.bytes;
}

class LitertModel implements Model {
  readonly inputs: readonly TensorSpecification[];
  readonly outputs: readonly TensorSpecification[];

  constructor(
    readonly name: string,
    private readonly compiled: CompiledModel,
  ) {
    const specify = (detail: { name: string; shape: Int32Array }): TensorSpecification => ({
      name: detail.name,
      shape: [...detail.shape],
    });
    this.inputs = compiled.getInputDetails().map(specify);
    this.outputs = compiled.getOutputDetails().map(specify);
  }

  async run(inputs: readonly Float32Array[]): Promise<Float32Array[]> {
    inputs.forEach((input, i) => {
      const size = tensorSize(this.inputs[i]);
      if (input.length !== size)
        throw new RangeError(`${this.name} takes ${size} values as input ${this.inputs[i].name}, not ${input.length}.`);
    });
    const tensors = inputs.map((input, i) => new Tensor(input, [...this.inputs[i].shape]));
    try {
      const results = await this.compiled.run(tensors);
      return results.map((result) => {
        // A copy: the tensor's memory is freed with it.
        const values = Float32Array.from(result.toTypedArray());
        result.delete();
        return values;
      });
    } finally {
      for (const tensor of tensors) tensor.delete();
    }
  }

  close(): void {
    this.compiled.delete();
  }
}
