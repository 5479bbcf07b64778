import { chromaHeight, chromaWidth, type Picture } from './picture.ts';

/** How a video's YCbCr samples become sRGB. Complete: `resolveColor` fills what the file leaves open. */
export interface VideoColor {
  readonly matrix: 'bt601' | 'bt709' | 'bt2020' | 'rgb';
  readonly fullRange: boolean;
  /** BT.2020 primaries are mapped to sRGB's; the smaller differences among the others are not. */
  readonly widePrimaries: boolean;
  /** `pq` and `hlg` are high dynamic range and tone mapped; every other curve is taken for sRGB, as browsers do. */
  readonly transfer: 'standard' | 'pq' | 'hlg';
}

/** What a container may say (WebCodecs names). */
export interface ContainerColor {
  readonly primaries?: string | null;
  readonly transfer?: string | null;
  readonly matrix?: string | null;
  readonly fullRange?: boolean | null;
}

/**
 * Completes a file's colour description. The one default: limited range; matrix BT.709 from 720 lines up (the shorter
 * side counts, so that a rotated video is not taken for a small one) and BT.601 below.
 */
export function resolveColor(
  container: ContainerColor,
  width: number,
  height: number,
  bitstreamFullRange: boolean | null,
): VideoColor {
  return {
    matrix: matrixOf(container.matrix, Math.min(width, height)),
    fullRange: container.fullRange === true || bitstreamFullRange === true,
    widePrimaries: container.primaries === 'bt2020',
    transfer:
      container.transfer === 'pq' || container.transfer === 'smpte2084'
        ? 'pq'
        : container.transfer === 'hlg'
          ? 'hlg'
          : 'standard',
  };
}

function matrixOf(name: string | null | undefined, shorterSide: number): VideoColor['matrix'] {
  if (name === 'bt709' || name === 'rgb') return name;
  if (name === 'bt2020-ncl' || name === 'bt2020-cl') return 'bt2020';
  if (name === 'smpte170m' || name === 'bt470bg' || name === 'fcc') return 'bt601';
  return shorterSide >= 720 ? 'bt709' : 'bt601';
}

/** Luma weights (Kr, Kb) of ITU-R BT.601, BT.709 and BT.2020. */
const LUMA_WEIGHTS = { bt601: [0.299, 0.114], bt709: [0.2126, 0.0722], bt2020: [0.2627, 0.0593] } as const;

const FRACTION_BITS = 14;

/** Converts a picture to 8-bit sRGB, interleaved, in the picture's own orientation. */
export function convertToRgb(picture: Picture, color: VideoColor): Uint8Array {
  const rgb = new Uint8ClampedArray(picture.width * picture.height * 3);
  const samples =
    picture.bitDepth > 8
      ? new Uint16Array(picture.data.buffer, picture.data.byteOffset, picture.data.byteLength >> 1)
      : picture.data;
  if (!picture.hasChroma) convertLuma(picture, samples, color, rgb);
  else convertPlanes(picture, samples, color, rgb);
  const bytes = new Uint8Array(rgb.buffer);
  if (color.transfer !== 'standard' || color.widePrimaries) mapToStandardGamut(bytes, color);
  return bytes;
}

function lumaScale(bitDepth: number, fullRange: boolean): { offset: number; scale: number } {
  const maximum = (1 << bitDepth) - 1;
  const unit = 1 << (bitDepth - 8);
  return fullRange ? { offset: 0, scale: 255 / maximum } : { offset: 16 * unit, scale: 255 / (219 * unit) };
}

function convertLuma(
  picture: Picture,
  samples: Uint8Array | Uint16Array,
  color: VideoColor,
  rgb: Uint8ClampedArray,
): void {
  const { offset, scale } = lumaScale(picture.bitDepth, color.fullRange);
  for (let i = 0; i < picture.width * picture.height; i++) {
    const gray = (samples[i] - offset) * scale;
    rgb[3 * i] = gray;
    rgb[3 * i + 1] = gray;
    rgb[3 * i + 2] = gray;
  }
}

/**
 * YCbCr → RGB in fixed point. Chroma is interpolated linearly: horizontally its samples sit on the left luma sample of
 * each pair and vertically halfway (H.264's default siting).
 */
function convertPlanes(
  picture: Picture,
  samples: Uint8Array | Uint16Array,
  color: VideoColor,
  rgb: Uint8ClampedArray,
): void {
  const { width, height, chromaShiftX, chromaShiftY, bitDepth } = picture;
  const planeWidth = chromaWidth(picture);
  const planeHeight = chromaHeight(picture);
  const blue = width * height;
  const red = blue + planeWidth * planeHeight;
  const middle = 1 << (bitDepth - 1);
  const { offset, scale } = lumaScale(bitDepth, color.fullRange);
  const one = 1 << FRACTION_BITS;
  const half = one >> 1;
  const lumaFactor = Math.round(scale * one);
  const factors = chromaFactors(color, bitDepth).map((factor) => Math.round(factor * one));
  const [redFromCr, greenFromCb, greenFromCr, blueFromCb] = factors;
  // One row of chroma, already interpolated vertically, in quarters of a sample.
  const rowCb = new Int32Array(planeWidth + 1);
  const rowCr = new Int32Array(planeWidth + 1);
  for (let y = 0; y < height; y++) {
    const near = y >> chromaShiftY;
    const far = chromaShiftY === 0 ? near : Math.min(Math.max(near + ((y & 1) === 0 ? -1 : 1), 0), planeHeight - 1);
    for (let x = 0; x < planeWidth; x++) {
      rowCb[x] = 3 * samples[blue + near * planeWidth + x] + samples[blue + far * planeWidth + x] - 4 * middle;
      rowCr[x] = 3 * samples[red + near * planeWidth + x] + samples[red + far * planeWidth + x] - 4 * middle;
    }
    rowCb[planeWidth] = rowCb[planeWidth - 1];
    rowCr[planeWidth] = rowCr[planeWidth - 1];
    const row = y * width;
    for (let x = 0; x < width; x++) {
      const left = x >> chromaShiftX;
      const between = chromaShiftX !== 0 && (x & 1) === 1;
      const cb = (between ? (rowCb[left] + rowCb[left + 1]) * 0.5 : rowCb[left]) * 0.25;
      const cr = (between ? (rowCr[left] + rowCr[left + 1]) * 0.5 : rowCr[left]) * 0.25;
      const luma = (samples[row + x] - offset) * lumaFactor + half;
      const at = (row + x) * 3;
      rgb[at] = (luma + redFromCr * cr) >> FRACTION_BITS;
      rgb[at + 1] = (luma + greenFromCb * cb + greenFromCr * cr) >> FRACTION_BITS;
      rgb[at + 2] = (luma + blueFromCb * cb) >> FRACTION_BITS;
    }
  }
  if (color.matrix === 'rgb') restoreIdentityPlanes(picture, samples, color, rgb);
}

/** [red from Cr, green from Cb, green from Cr, blue from Cb], in output units per sample. */
function chromaFactors(color: VideoColor, bitDepth: number): [number, number, number, number] {
  const [kr, kb] = LUMA_WEIGHTS[color.matrix === 'rgb' ? 'bt709' : color.matrix];
  const kg = 1 - kr - kb;
  const unit = 1 << (bitDepth - 8);
  const scale = color.fullRange ? 255 / ((1 << bitDepth) - 1) : 255 / (224 * unit);
  return [
    2 * (1 - kr) * scale,
    (-2 * kb * (1 - kb) * scale) / kg,
    (-2 * kr * (1 - kr) * scale) / kg,
    2 * (1 - kb) * scale,
  ];
}

/** Matrix coefficients "identity": the planes are G, B, R (H.264 RGB, always 4:4:4). */
function restoreIdentityPlanes(
  picture: Picture,
  samples: Uint8Array | Uint16Array,
  color: VideoColor,
  rgb: Uint8ClampedArray,
): void {
  const count = picture.width * picture.height;
  if (picture.chromaShiftX !== 0 || picture.chromaShiftY !== 0) return;
  const { offset, scale } = lumaScale(picture.bitDepth, color.fullRange);
  for (let i = 0; i < count; i++) {
    rgb[3 * i] = (samples[2 * count + i] - offset) * scale;
    rgb[3 * i + 1] = (samples[i] - offset) * scale;
    rgb[3 * i + 2] = (samples[count + i] - offset) * scale;
  }
}

/** Linear BT.2020 → linear sRGB (ITU-R BT.2087). */
const SRGB_FROM_BT2020 = [1.6605, -0.5876, -0.0728, -0.1246, 1.1329, -0.0083, -0.0182, -0.1006, 1.1187];

/** Light of diffuse white in an HDR picture, cd/m² (ITU-R BT.2408). */
const HDR_WHITE = 203;

/** BT.2020 primaries and HDR curves to sRGB: linear light, matrix, a soft shoulder for HDR, encode. In place. */
function mapToStandardGamut(rgb: Uint8Array, color: VideoColor): void {
  const linear = new Float32Array(256);
  for (let i = 0; i < 256; i++) linear[i] = linearLight(i / 255, color.transfer);
  const encoded = new Uint8Array(4096);
  for (let i = 0; i < 4096; i++) encoded[i] = Math.round(255 * encodeSrgb(i / 4095));
  const m = color.widePrimaries ? SRGB_FROM_BT2020 : [1, 0, 0, 0, 1, 0, 0, 0, 1];
  const isHdr = color.transfer !== 'standard';
  for (let i = 0; i < rgb.length; i += 3) {
    const r = linear[rgb[i]];
    const g = linear[rgb[i + 1]];
    const b = linear[rgb[i + 2]];
    for (let channel = 0; channel < 3; channel++) {
      const value = m[3 * channel] * r + m[3 * channel + 1] * g + m[3 * channel + 2] * b;
      const light = isHdr ? shoulder(value) : value;
      rgb[i + channel] = encoded[Math.round(Math.min(Math.max(light, 0), 1) * 4095)];
    }
  }
}

/** Keeps light up to 0.7 as it is and bends all above towards 1. */
function shoulder(light: number): number {
  if (light <= 0.7) return light;
  const above = (light - 0.7) / 0.3;
  return 0.7 + (0.3 * above) / (1 + above);
}

/** Encoded value → linear light; 1 is diffuse white. */
function linearLight(value: number, transfer: VideoColor['transfer']): number {
  if (transfer === 'pq') {
    const power = value ** (1 / 78.84375);
    const light = (Math.max(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)) ** (1 / 0.1593017578125);
    return (light * 10_000) / HDR_WHITE;
  }
  if (transfer === 'hlg') {
    const scene = value <= 0.5 ? (value * value) / 3 : (Math.exp((value - 0.55991073) / 0.17883277) + 0.28466892) / 12;
    return (1000 * scene ** 1.2) / HDR_WHITE; // system gamma of a 1000 cd/m² display
  }
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}

function encodeSrgb(light: number): number {
  return light <= 0.0031308 ? 12.92 * light : 1.055 * light ** (1 / 2.4) - 0.055;
}
