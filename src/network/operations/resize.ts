import type { Operation, Shape, Value } from '../graph.ts';
import type { NodeReader, NodeRule } from '../onnx/node-reader.ts';
import { elementAt, tensor64 } from '../tensor64.ts';
import { scale } from './arithmetic.ts';
import { averagePool } from './average-pool.ts';
import { matMul } from './matmul.ts';
import { requireImage } from './shape-rules.ts';
import { transposeMatrix } from './transpose.ts';

export type ResizeMode = 'nearest' | 'linear';
export type CoordinateMode = 'half_pixel' | 'asymmetric' | 'align_corners' | 'pytorch_half_pixel';
export type NearestMode = 'floor' | 'ceil' | 'round_prefer_floor' | 'round_prefer_ceil';

interface ResizeAttributes {
  readonly size: readonly [number, number];
  /** Output pixels per input pixel: [rows, columns]. */
  readonly scales: readonly [number, number];
  readonly mode: ResizeMode;
  readonly coordinates: CoordinateMode;
  readonly nearest: NearestMode;
}

/** Samples an image at another size. Along each axis it is a linear map, and the axes are independent. */
const RESIZE: Operation<ResizeAttributes> = {
  name: 'Resize',
  isCheap: true,
  shapes([image], { size }) {
    requireImage('Resize', image!);
    return [[image![0]!, image![1]!, ...size]];
  },
  lower(writer, node) {
    const { mode, coordinates, nearest, size, scales } = node.attributes;
    const attributes = { mode, coordinate_transformation_mode: coordinates, nearest_mode: nearest };
    const [, , height, width] = node.inputs[0]!.shape as [number, number, number, number];
    // The file holds either; sizes say exactly what is meant, unless the scales were rounded down to get them.
    const isBySize = scales[0] === size[0] / height && scales[1] === size[1] / width;
    const sizing = isBySize ? ['', writer.integers(node.outputs[0]!.shape)] : [writer.floats([1, 1, ...scales], [4])];
    writer.node('Resize', node, attributes, ['', ...sizing]);
  },
  backward({ inputs: [image], attributes }, [gradient]) {
    const factors = repeats(image!.shape, attributes);
    // Each pixel was repeated in a block: its gradient is the block's sum.
    if (factors) {
      return [scale(averagePool(gradient!, { kernel: factors, strides: factors }), factors[0] * factors[1])];
    }
    const matrix = (axis: 0 | 1): Value => {
      const [input, output] = [image!.shape[axis + 2]!, attributes.size[axis]];
      return image!.graph.constant(samplingMatrix(input, output, attributes.scales[axis], attributes), [output, input]);
    };
    const columns = attributes.size[1] === image!.shape[3] ? gradient! : matMul(gradient!, matrix(1));
    return [attributes.size[0] === image!.shape[2] ? columns : matMul(transposeMatrix(matrix(0)), columns)];
  },
  reference([image], attributes, [shape]) {
    const [rows, columns] = ([0, 1] as const).map((axis) => {
      const [input, output] = [image!.shape[axis + 2]!, attributes.size[axis]];
      return { input, matrix: samplingMatrix(input, output, attributes.scales[axis], attributes) };
    }) as [{ input: number; matrix: number[] }, { input: number; matrix: number[] }];
    return [
      tensor64(shape!, ([sample, channel, row, column]) => {
        let sum = 0;
        for (let y = 0; y < rows.input; y++) {
          const weight = rows.matrix[row! * rows.input + y]!;
          if (weight === 0) continue;
          for (let x = 0; x < columns.input; x++) {
            const other = columns.matrix[column! * columns.input + x]!;
            if (other !== 0) sum += weight * other * elementAt(image!, [sample!, channel!, y, x]);
          }
        }
        return sum;
      }),
    ];
  },
};

/** Pixels per block when the resize only repeats pixels a whole number of times, else null. */
function repeats(image: Shape, attributes: ResizeAttributes): readonly [number, number] | null {
  const { mode, size } = attributes;
  const factors = [size[0] / image[2]!, size[1] / image[3]!] as const;
  if (mode !== 'nearest' || !factors.every((factor) => Number.isInteger(factor))) return null;
  const isBlock = ([0, 1] as const).every((axis) =>
    Array.from({ length: size[axis] }).every(
      (_, at) =>
        sourcesOf(at, image[axis + 2]!, size[axis], attributes.scales[axis], attributes)[0]![0] ===
        Math.floor(at / factors[axis]),
    ),
  );
  return isBlock ? factors : null;
}

/** output × input: the weight of each input pixel in each output pixel. */
function samplingMatrix(input: number, output: number, factor: number, attributes: ResizeAttributes): number[] {
  const matrix = Array<number>(output * input).fill(0);
  for (let at = 0; at < output; at++) {
    for (const [pixel, weight] of sourcesOf(at, input, output, factor, attributes))
      matrix[at * input + pixel]! += weight;
  }
  return matrix;
}

/** The pixels that an output pixel reads, with their weights. Formulas: ONNX, operator Resize. */
function sourcesOf(
  at: number,
  input: number,
  output: number,
  factor: number,
  { mode, coordinates, nearest }: ResizeAttributes,
): (readonly [number, number])[] {
  const clamp = (pixel: number): number => Math.max(0, Math.min(input - 1, pixel));
  const place = sourcePlace(at, input, output, factor, coordinates);
  if (mode === 'linear') {
    const low = Math.floor(clamp(place));
    const share = clamp(place) - low;
    return share === 0
      ? [[low, 1]]
      : [
          [low, 1 - share],
          [clamp(low + 1), share],
        ];
  }
  const round = {
    floor: Math.floor,
    ceil: Math.ceil,
    round_prefer_floor: (value: number) => Math.ceil(value - 0.5),
    round_prefer_ceil: (value: number) => Math.floor(value + 0.5),
  }[nearest];
  return [[clamp(round(place)), 1]];
}

function sourcePlace(at: number, input: number, output: number, factor: number, coordinates: CoordinateMode): number {
  if (coordinates === 'asymmetric') return at / factor;
  if (coordinates === 'align_corners') return output === 1 ? 0 : (at * (input - 1)) / (output - 1);
  if (coordinates === 'pytorch_half_pixel' && output === 1) return 0;
  return (at + 0.5) / factor - 0.5;
}

export interface ResizeOptions {
  /** Output size [rows, columns]; or `scales`. */
  readonly size?: readonly [number, number];
  /** Output pixels per input pixel, one number for both axes or [rows, columns]. */
  readonly scales?: number | readonly [number, number];
  /** Default nearest. */
  readonly mode?: ResizeMode;
  /** Which place of the input an output pixel reads. Default half_pixel. */
  readonly coordinates?: CoordinateMode;
  /** Default round_prefer_floor. */
  readonly nearest?: NearestMode;
}

/** Samples an N×C×H×W image at another size. */
export function resize(image: Value, options: ResizeOptions): Value {
  const { mode = 'nearest', coordinates = 'half_pixel', nearest = 'round_prefer_floor' } = options;
  requireImage('Resize', image.shape);
  const [, , height, width] = image.shape as [number, number, number, number];
  const { scales: given, size: wanted } = options;
  if ((given === undefined) === (wanted === undefined)) throw new TypeError('Resize: give either size or scales.');
  const pair = typeof given === 'number' ? ([given, given] as const) : given;
  const size = wanted ?? ([Math.floor(height * pair![0]), Math.floor(width * pair![1])] as const);
  const scales = pair ?? ([size[0] / height, size[1] / width] as const);
  return image.graph.add(RESIZE, [image], { size, scales, mode, coordinates, nearest })[0]!;
}

const COORDINATES: readonly string[] = ['half_pixel', 'asymmetric', 'align_corners', 'pytorch_half_pixel'];
const NEAREST: readonly string[] = ['floor', 'ceil', 'round_prefer_floor', 'round_prefer_ceil'];

function readScales(node: NodeReader, scales: readonly number[]): readonly [number, number] {
  if (scales.length !== 4 || scales[0] !== 1 || scales[1] !== 1) {
    node.fail(`scales by [${scales.join(', ')}]; only rows and columns of N×C×H×W are supported`);
  }
  return [scales[2]!, scales[3]!];
}

function readMode(node: NodeReader): ResizeMode {
  const mode = node.text('mode', 'nearest');
  if (mode !== 'nearest' && mode !== 'linear') node.fail(`has the unsupported mode "${mode}"`);
  return mode as ResizeMode;
}

/** Upsample and Resize before opset 11: asymmetric, nearest by floor. */
function readUpsample(node: NodeReader): Value {
  const scales = node.opset < 9 ? [1, 1, node.float('height_scale'), node.float('width_scale')] : node.numbers(1);
  return resize(node.value(0), {
    scales: readScales(node, scales),
    mode: readMode(node),
    coordinates: 'asymmetric',
    nearest: 'floor',
  });
}

export const resizeRules: Readonly<Record<string, NodeRule>> = {
  Upsample: readUpsample,
  Resize(node) {
    if (node.opset < 11) return readUpsample(node);
    const image = node.value(0);
    const coordinates = node.text('coordinate_transformation_mode', 'half_pixel');
    const nearest = node.text('nearest_mode', 'round_prefer_floor');
    if (!COORDINATES.includes(coordinates)) node.fail(`has the unsupported coordinate mode "${coordinates}"`);
    if (!NEAREST.includes(nearest)) node.fail(`has the unsupported nearest mode "${nearest}"`);
    if (node.int('antialias', 0) !== 0) node.fail('smooths while shrinking (antialias), which is not supported');
    const common = {
      mode: readMode(node),
      coordinates: coordinates as CoordinateMode,
      nearest: nearest as NearestMode,
    };
    const sizes = node.has(3) ? node.numbers(3) : null;
    if (!sizes) return resize(image, { ...common, scales: readScales(node, node.numbers(2)) });
    const size = sizes.slice(-2) as [number, number];
    return resize(image, { ...common, size });
  },
};
