/**
 * Numbers laid out so that deflate finds little in them: each as its difference from the one a record earlier, zigzag
 * coded (0, −1, 1, −2, 2 …), its bytes in planes (all lowest bytes, then all second ones …). Floats are first rounded to
 * multiples of a step; that is the only loss.
 */
export interface PackedNumbers {
  /** planes × count bytes. */
  readonly bytes: Uint8Array;
  readonly count: number;
  /** Numbers per record. */
  readonly stride: number;
  /** What one unit stands for; null for integers. */
  readonly step: number | null;
}

const LARGEST = 2 ** 30;

export function packIntegers(values: ArrayLike<number>, stride: number, step: number | null = null): PackedNumbers {
  const count = values.length;
  const coded = new Uint32Array(count);
  let most = 0;
  for (let index = 0; index < count; index++) {
    const difference = values[index] - (index >= stride ? values[index - stride] : 0);
    if (!(Math.abs(difference) < LARGEST))
      throw new RangeError(`value ${index} is ${values[index]}, which cannot be packed; numbers below 2^29 can.`);
    coded[index] = difference < 0 ? -2 * difference - 1 : 2 * difference;
    most = Math.max(most, coded[index]);
  }
  const planes = Math.max(1, Math.ceil(Math.log2(most + 1) / 8));
  const bytes = new Uint8Array(planes * count);
  for (let plane = 0; plane < planes; plane++) {
    for (let index = 0; index < count; index++) bytes[plane * count + index] = coded[index] >>> (8 * plane);
  }
  return { bytes, count, stride, step };
}

/** Floats to the nearest multiple of `step`: off by half a step at most. */
export function packFloats(values: ArrayLike<number>, stride: number, step: number): PackedNumbers {
  return packIntegers(
    Float64Array.from(values, (value) => Math.round(value / step)),
    stride,
    step,
  );
}

/** Inverse of `packIntegers`. Throws `RangeError` where the bytes do not fit the count. */
export function unpackIntegers({ bytes, count, stride }: PackedNumbers): Int32Array {
  const planes = count === 0 ? 0 : bytes.length / count;
  if (!Number.isInteger(planes) || planes > 4)
    throw new RangeError(`${bytes.length} bytes were packed, which is no whole number of planes of ${count} values.`);
  const values = new Int32Array(count);
  for (let index = 0; index < count; index++) {
    let coded = 0;
    for (let plane = 0; plane < planes; plane++) coded += bytes[plane * count + index] * 2 ** (8 * plane);
    const difference = coded % 2 === 1 ? -(coded + 1) / 2 : coded / 2;
    values[index] = difference + (index >= stride ? values[index - stride] : 0);
  }
  return values;
}

/** Inverse of `packFloats`. */
export function unpackFloats(packed: PackedNumbers): Float32Array {
  return Float32Array.from(unpackIntegers(packed), (value) => value * (packed.step ?? 1));
}
