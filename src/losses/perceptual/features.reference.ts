/**
 * Convolutional features and their distances in float64, with plain loops and independent of the network code: what the
 * tests hold the nets against.
 */

/** C×H×W. */
export interface Planes {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly data: Float64Array;
}

/** Cross-correlation with a square kernel (out×in×edge×edge), zeros around the image, then max(·, 0). */
export function convolvedReference(
  input: Planes,
  kernel: ArrayLike<number>,
  bias: ArrayLike<number>,
  { edge, stride, pad }: { readonly edge: number; readonly stride: number; readonly pad: number },
): Planes {
  const channels = bias.length;
  const height = Math.floor((input.height + 2 * pad - edge) / stride) + 1;
  const width = Math.floor((input.width + 2 * pad - edge) / stride) + 1;
  const data = new Float64Array(channels * height * width);
  for (let out = 0, at = 0; out < channels; out++) {
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++, at++) {
        let sum = bias[out];
        for (let channel = 0; channel < input.channels; channel++) {
          for (let y = 0; y < edge; y++) {
            for (let x = 0; x < edge; x++) {
              const [sourceRow, sourceColumn] = [row * stride + y - pad, column * stride + x - pad];
              if (sourceRow < 0 || sourceRow >= input.height || sourceColumn < 0 || sourceColumn >= input.width)
                continue;
              const value = input.data[(channel * input.height + sourceRow) * input.width + sourceColumn];
              sum += value * kernel[((out * input.channels + channel) * edge + y) * edge + x];
            }
          }
        }
        data[at] = Math.max(sum, 0);
      }
    }
  }
  return { channels, height, width, data };
}

/** The largest value of each window; windows lie inside the image. */
export function pooledReference(input: Planes, { edge, stride }: { edge: number; stride: number }): Planes {
  const height = Math.floor((input.height - edge) / stride) + 1;
  const width = Math.floor((input.width - edge) / stride) + 1;
  const data = new Float64Array(input.channels * height * width).fill(-Infinity);
  for (let channel = 0, at = 0; channel < input.channels; channel++) {
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++, at++) {
        for (let y = 0; y < edge; y++) {
          for (let x = 0; x < edge; x++) {
            const source = (channel * input.height + row * stride + y) * input.width + column * stride + x;
            data[at] = Math.max(data[at], input.data[source]);
          }
        }
      }
    }
  }
  return { ...input, height, width, data };
}

/** Mean absolute difference. */
export function absoluteDistanceReference(a: Planes, b: Planes): number {
  return a.data.reduce((sum, value, index) => sum + Math.abs(value - b.data[index]), 0) / a.data.length;
}

/** LPIPS's distance of one layer (Zhang et al. 2018, eq 1). */
export function weightedDistanceReference(a: Planes, b: Planes, head: ArrayLike<number>): number {
  const places = a.height * a.width;
  const length = ({ data, channels }: Planes, place: number): number => {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) sum += data[channel * places + place] ** 2;
    return Math.sqrt(sum) + 1e-10;
  };
  let total = 0;
  for (let place = 0; place < places; place++) {
    const [lengthA, lengthB] = [length(a, place), length(b, place)];
    for (let channel = 0; channel < a.channels; channel++) {
      const at = channel * places + place;
      total += head[channel] * (a.data[at] / lengthA - b.data[at] / lengthB) ** 2;
    }
  }
  return total / places;
}
