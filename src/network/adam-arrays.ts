import { adamNumbers, type AdamUpdate } from './adam.ts';

/** Weights, gradients and moments as flat arrays, and Adam over them in place. */
export interface AdamArrays {
  readonly weights: Float32Array;
  readonly gradients: Float32Array;
  readonly firstMoments: Float32Array;
  readonly secondMoments: Float32Array;
  update(update: AdamUpdate): void;
}

/** The arrays lie one behind the other in a memory of WebAssembly, all zero. */
export function createAdamArrays(count: number): AdamArrays {
  // Whole vectors of four floats.
  const stride = Math.ceil(count / 4) * 16;
  const memory = new WebAssembly.Memory({ initial: Math.ceil((4 * stride) / PAGE) });
  const array = (index: number): Float32Array => new Float32Array(memory.buffer, index * stride, count);
  const loop = instantiate(memory);
  return {
    weights: array(0),
    gradients: array(1),
    firstMoments: array(2),
    secondMoments: array(3),
    update(update) {
      const { decay1, decay2, rate, correction } = adamNumbers(update);
      const { epsilon, gradientScale } = update;
      const decays = [decay1, 1 - decay1, decay2, 1 - decay2];
      loop(0, stride, 2 * stride, 3 * stride, stride, ...decays, rate, correction, epsilon, gradientScale);
    },
  };
}

const PAGE = 65536;

/*
 * The loop is a WebAssembly function of 128-bit vectors, put together below: JavaScript has no arithmetic in float32, and
 * its loop took seven times as long (7.5 to 12 ms for 2 million weights, as the compiler pleased; now 1.1). It takes the
 * byte offsets of the four arrays and of the end of the weights, then the eight numbers of an update.
 */

/** Locals: the parameters, each number as a vector of four, then the vectors of a turn. */
const [WEIGHTS, GRADIENTS, FIRST_MOMENTS, SECOND_MOMENTS, END, FIRST_NUMBER] = [0, 1, 2, 3, 4, 5];
const NUMBERS = 8;
const [DECAY1, REST1, DECAY2, REST2, RATE, CORRECTION, EPSILON, SCALE, GRADIENT, FIRST, SECOND] = Array.from(
  { length: NUMBERS + 3 },
  (_, i) => FIRST_NUMBER + NUMBERS + i,
) as [number, number, number, number, number, number, number, number, number, number, number];

const [I32, F32, V128] = [0x7f, 0x7d, 0x7b];
type Code = readonly number[];

const get = (local: number): Code => [0x20, local];
const set = (local: number, ...code: Code[]): Code => [...code.flat(), 0x21, local];
const vector = (...opcode: number[]): Code => [0xfd, ...opcode];
const binary =
  (...opcode: number[]) =>
  (left: Code, right: Code): Code => [...left, ...right, ...vector(...opcode)];
const add = binary(0xe4, 0x01);
const sub = binary(0xe5, 0x01);
const mul = binary(0xe6, 0x01);
const div = binary(0xe7, 0x01);
const less = binary(0x43);
const and = binary(0x4e);
const sqrt = (value: Code): Code => [...value, ...vector(0xe3, 0x01)];
const abs = (value: Code): Code => [...value, ...vector(0xe0, 0x01)];
const splat = (value: Code): Code => [...value, ...vector(0x13)];
const float = (value: number): Code => [0x43, ...new Uint8Array(Float32Array.of(value).buffer)];
const load = (pointer: number): Code => [...get(pointer), ...vector(0x00, 4, 0)];
const store = (pointer: number, value: Code): Code => [...get(pointer), ...value, ...vector(0x0b, 4, 0)];
const advance = (pointer: number): Code => set(pointer, get(pointer), [0x41, 16, 0x6a]);

const LOOP: Code = [
  set(GRADIENT, mul(load(GRADIENTS), get(SCALE))),
  // What is not finite counts as zero.
  set(GRADIENT, and(get(GRADIENT), less(abs(get(GRADIENT)), splat(float(1e18))))),
  set(FIRST, add(mul(get(DECAY1), load(FIRST_MOMENTS)), mul(get(REST1), get(GRADIENT)))),
  set(SECOND, add(mul(get(DECAY2), load(SECOND_MOMENTS)), mul(mul(get(REST2), get(GRADIENT)), get(GRADIENT)))),
  store(FIRST_MOMENTS, get(FIRST)),
  store(SECOND_MOMENTS, get(SECOND)),
  store(
    WEIGHTS,
    sub(load(WEIGHTS), div(mul(get(RATE), get(FIRST)), add(mul(sqrt(get(SECOND)), get(CORRECTION)), get(EPSILON)))),
  ),
  ...[WEIGHTS, GRADIENTS, FIRST_MOMENTS, SECOND_MOMENTS].map(advance),
].flat();

const BODY: Code = [
  // One kind of local beyond the parameters.
  ...[1, NUMBERS + 3, V128],
  ...Array.from({ length: NUMBERS }, (_, i) => set(FIRST_NUMBER + NUMBERS + i, splat(get(FIRST_NUMBER + i)))).flat(),
  // loop … br_if (weights < end) … end, end of the function
  ...[0x03, 0x40, ...LOOP, ...get(WEIGHTS), ...get(END), 0x49, 0x0d, 0, 0x0b, 0x0b],
];

/** A length as LEB128. */
const lengthOf = ({ length }: Code): Code => (length < 128 ? [length] : [(length & 127) | 128, length >> 7]);
const sized = (code: Code): Code => [...lengthOf(code), ...code];
const named = (name: string): Code => sized([...new TextEncoder().encode(name)]);
const section = (id: number, code: Code): Code => [id, ...sized([1, ...code])];

const MODULE = Uint8Array.from([
  ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...section(1, [0x60, ...sized([...Array<number>(5).fill(I32), ...Array<number>(NUMBERS).fill(F32)]), 0]),
  ...section(2, [...named('adam'), ...named('memory'), 0x02, 0x00, 1]),
  ...section(3, [0]),
  ...section(7, [...named('update'), 0x00, 0]),
  ...section(10, sized(BODY)),
]);

function instantiate(memory: WebAssembly.Memory): (...parameters: number[]) => void {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(MODULE), { adam: { memory } });
  return exports['update'] as (...parameters: number[]) => void;
}
