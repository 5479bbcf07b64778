/** A network's input or output. */
export interface TensorSpecification {
  readonly name: string;
  readonly shape: readonly number[];
}

/** A loaded network with float inputs and outputs. One run at a time. */
export interface Model {
  readonly name: string;
  readonly inputs: readonly TensorSpecification[];
  readonly outputs: readonly TensorSpecification[];
  /** Runs the network. Results belong to the caller, in the order of `outputs`. */
  run(inputs: readonly Float32Array[]): Promise<Float32Array[]>;
  close(): void;
}

/** Loads networks; injected by the platform. */
export interface Inference {
  /** Throws `ModelError` when the bytes are no network that runs here. */
  load(bytes: Uint8Array, name: string): Promise<Model>;
}

/** A model file is missing, damaged, or another than expected. The message says which and what to do. */
export class ModelError extends Error {
  override readonly name = 'ModelError';
}

/** Number of values in a tensor. */
export function tensorSize(specification: TensorSpecification): number {
  return specification.shape.reduce((product, size) => product * size, 1);
}

/** What a model must look like to be used for a purpose. */
export interface ModelExpectation {
  /** Sizes of the single input. */
  readonly input: readonly number[];
  /** Number of values of each output, in any order. */
  readonly outputSizes: readonly number[];
}

/**
 * Compares a model with what it should be and runs it on a drawn face. A network whose operations the runtime does not
 * know can load without an error and then yield zeros: that, like any output without variation or with NaN, is refused.
 * Throws `ModelError`.
 */
export async function checkModel(model: Model, expectation: ModelExpectation): Promise<void> {
  const [input] = model.inputs;
  const hasShape = model.inputs.length === 1 && input.shape.join() === expectation.input.join();
  const sizes = model.outputs.map(tensorSize);
  const missing = expectation.outputSizes.filter((size) => !sizes.includes(size));
  if (!hasShape || missing.length > 0) {
    const found = `${model.inputs.map((i) => i.shape.join('×')).join(', ')} → ${sizes.join(', ')} values`;
    const wanted = `${expectation.input.join('×')} → ${expectation.outputSizes.join(', ')} values`;
    throw new ModelError(
      `${model.name} is another network than expected (${found}; wanted ${wanted}). Fetch it again.`,
    );
  }
  const outputs = await model.run([drawnFace(expectation.input)]);
  outputs.forEach((output, i) => {
    const unusable = output.some((value) => !Number.isFinite(value))
      ? 'NaN or infinity'
      : output.every((value) => value === 0)
        ? 'nothing but zeros'
        : output.length > 1 && output.every((value) => value === output[0])
          ? 'one and the same value everywhere'
          : null;
    if (unusable) {
      throw new ModelError(
        `${model.name} yields ${unusable} (output ${model.outputs[i].name}): the file is damaged, or needs operations that this runtime lacks. Fetch it again.`,
      );
    }
  });
}

/** A face drawn with a few ellipses, 0…1, in NHWC; for inputs that are not images, a ramp. */
function drawnFace(shape: readonly number[]): Float32Array {
  const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
  if (shape.length !== 4) return data.map((_, i) => 100 + ((i * 37) % 101));
  const [, height, width, channels] = shape;
  const isInside = (
    x: number,
    y: number,
    centerX: number,
    centerY: number,
    radiusX: number,
    radiusY: number,
  ): boolean => ((x - centerX) / radiusX) ** 2 + ((y - centerY) / radiusY) ** 2 < 1;
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const x = column / width;
      const y = row / height;
      let color = [0.55, 0.6, 0.65];
      if (isInside(x, y, 0.5, 0.45, 0.3, 0.4)) color = [0.2, 0.15, 0.1];
      if (isInside(x, y, 0.5, 0.52, 0.24, 0.34)) color = [0.85, 0.65, 0.55];
      if (isInside(x, y, 0.4, 0.45, 0.05, 0.03) || isInside(x, y, 0.6, 0.45, 0.05, 0.03)) color = [0.1, 0.1, 0.1];
      if (isInside(x, y, 0.5, 0.7, 0.09, 0.03)) color = [0.6, 0.2, 0.2];
      for (let channel = 0; channel < Math.min(channels, 3); channel++)
        data[(row * width + column) * channels + channel] = color[channel];
    }
  }
  return data;
}
