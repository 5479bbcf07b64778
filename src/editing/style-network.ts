import { compileGraph, NetworkError, type CompiledGraph, type NetworkRuntime } from '../network/index.ts';
import { decodeOnnx } from '../network/onnx/model.ts';
import { readOnnx } from '../network/onnx/read-onnx.ts';
import type { OnProgress } from '../video/frame.ts';
import { EditError } from './layers.ts';
import { STYLE_RANGES, type StyleRange } from './style-ranges.ts';

const LIMITS: Readonly<Record<StyleRange, readonly [number, number]>> = {
  '0..1': [0, 1],
  '0..255': [0, 255],
  '-1..1': [-1, 1],
};

export interface StyleInputs {
  /** An image-to-image network: one input and one output of 1×3×H×W, H and W fixed or open. */
  readonly network: Uint8Array;
  /** Names the network in errors. */
  readonly name: string;
  /** 3×size×size, 0…1. */
  readonly colorMap: Float32Array;
  readonly size: number;
  readonly range?: StyleRange;
  readonly onProgress?: OnProgress;
}

/** Networks that halve their input up to five times need sizes that divide so. */
const OPEN_SIZE_STEP = 32;
/** Part of a tile that it shares with the next one on each side, where both are mixed. */
const OVERLAP = 0.25;
/** A network of another range gives values this far outside its own, in whole ranges. */
const FAR_OUTSIDE = 2;

/**
 * Runs a style network over a colour map: at once where it takes any size, in overlapping tiles where its size is fixed.
 * Gives 3×size×size, 0…1. Throws `EditError` for other shapes than an image in and the same image out, `NetworkError` for
 * a file that cannot be read or run.
 */
export async function styleColorMap(runtime: NetworkRuntime, inputs: StyleInputs): Promise<Float32Array> {
  const { name, size } = inputs;
  const port = imageInput(inputs.network, name);
  const tile = (open: number | null): number => open ?? Math.ceil(size / OPEN_SIZE_STEP) * OPEN_SIZE_STEP;
  const [height, width] = [tile(port.height), tile(port.width)];
  const { outputs } = readOnnx(inputs.network, { name, inputShapes: { [port.name]: [1, 3, height, width] } });
  const [[outputName, output], ...others] = Object.entries(outputs);
  const wanted = [1, 3, height, width];
  if (others.length > 0 || output.shape.length !== 4 || output.shape.some((length, axis) => length !== wanted[axis])) {
    throw new EditError(
      `${name} makes ${Object.entries(outputs).map(([own, value]) => `"${own}" of ${value.shape.join('×')}`).join(', ')} from an image of 1×3×${height}×${width}; a style network must give one image of the same size`,
    ); // prettier-ignore
  }
  const compiled = await compileGraph(runtime, { outputs: { [outputName]: output } });
  try {
    return await runTiles(compiled, { ...inputs, inputName: port.name, outputName, width, height });
  } finally {
    await compiled.dispose();
  }
}

/** The network's only input, if it is an image. */
function imageInput(bytes: Uint8Array, name: string): { name: string; height: number | null; width: number | null } {
  const model = decode(bytes, name);
  const fixed = new Set(model.initializers.map((tensor) => tensor.name));
  const ports = model.inputs.filter((port) => !fixed.has(port.name));
  const describe = ports.map((port) => `"${port.name}" of ${port.shape?.map((length) => length ?? '?').join('×') ?? 'any shape'}`).join(', '); // prettier-ignore
  const [port, ...others] = ports;
  const shape = port?.shape ?? null;
  // A size without a number, or with a name, is open.
  const [batch = null, channels = null, height = null, width = null] = (shape ?? []).map((length) => (typeof length === 'number' && length > 0 ? length : null)); // prettier-ignore
  const isImage = shape?.length === 4 && (batch ?? 1) === 1 && (channels ?? 3) === 3;
  if (!port || others.length > 0 || !isImage) {
    throw new EditError(`${name} takes ${describe || 'nothing'}; a style network must take one RGB image, 1×3×H×W`);
  }
  return { name: port.name, height, width };
}

function decode(bytes: Uint8Array, name: string): ReturnType<typeof decodeOnnx> {
  try {
    return decodeOnnx(bytes);
  } catch (error) {
    throw new NetworkError(`${name} is no ONNX file that can be read: it ${(error as Error).message}.`, {
      cause: error,
    });
  }
}

interface TileRun extends StyleInputs {
  readonly inputName: string;
  readonly outputName: string;
  readonly width: number;
  readonly height: number;
}

async function runTiles(compiled: CompiledGraph, run: TileRun): Promise<Float32Array> {
  const { size, width, height, colorMap, onProgress } = run;
  const sums = new Float32Array(colorMap.length);
  const weights = new Float32Array(size * size);
  const lefts = tileStarts(size, width);
  const tiles = tileStarts(size, height).flatMap((top) => lefts.map((left) => [left, top] as const));
  for (const [index, [left, top]] of tiles.entries()) {
    onProgress?.({ stage: 'style', done: index, total: tiles.length });
    const styled = await runTile(compiled, run, left, top);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        if (left + x >= size || top + y >= size) continue;
        const texel = (top + y) * size + left + x;
        const weight = ramp(x, width) * ramp(y, height);
        weights[texel] += weight;
        for (let k = 0; k < 3; k++) sums[k * size * size + texel] += weight * styled[(k * height + y) * width + x];
      }
    }
  }
  onProgress?.({ stage: 'style', done: tiles.length, total: tiles.length });
  return sums.map((sum, index) => Math.min(1, Math.max(0, sum / weights[index % (size * size)])));
}

/** 3×height×width, 0…1: the network's picture of a tile; beyond the map's border the border goes on. */
async function runTile(compiled: CompiledGraph, run: TileRun, left: number, top: number): Promise<Float32Array> {
  const { size, width, height, colorMap, range = '0..1', name } = run;
  const [low, high] = LIMITS[range];
  const tile = new Float32Array(3 * height * width);
  for (let index = 0; index < tile.length; index++) {
    const x = Math.min(size - 1, left + (index % width));
    const y = Math.min(size - 1, top + (Math.floor(index / width) % height));
    const value = colorMap[Math.floor(index / (height * width)) * size * size + y * size + x];
    tile[index] = low + (high - low) * Math.min(1, Math.max(0, value));
  }
  const output = (await compiled.run({ [run.inputName]: tile }))[run.outputName] as Float32Array;
  let reach = 0;
  const styled = output.map((value) => {
    const unit = (value - low) / (high - low);
    reach = Math.max(reach, Math.abs(unit - 0.5) - 0.5);
    return unit;
  });
  if (!(reach < FAR_OUTSIDE)) {
    throw new EditError(
      `${name} gives values far outside ${range}; say which values it takes with --style-range ${STYLE_RANGES.filter((other) => other !== range).join(' or ')}`,
    );
  }
  return styled;
}

/** First positions of tiles that cover `size` and overlap by at least `OVERLAP`. */
function tileStarts(size: number, tile: number): number[] {
  if (tile >= size) return [0];
  const count = Math.ceil((size - tile * OVERLAP) / (tile * (1 - OVERLAP)));
  return Array.from({ length: count }, (_, index) => Math.round((index * (size - tile)) / Math.max(1, count - 1)));
}

/** Weight across a tile: up over its first quarter, down over its last; never 0. */
function ramp(position: number, length: number): number {
  const edge = Math.max(1, length * OVERLAP);
  return Math.min(1, (position + 0.5) / edge, (length - position - 0.5) / edge);
}
