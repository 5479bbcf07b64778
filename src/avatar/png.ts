import { unzlibSync, zlibSync } from 'fflate';

/**
 * PNG in plain code, 8 and 16 bits per channel: a browser's canvas reads PNGs with 8 bits only and premultiplies them,
 * and equal rasters must give equal bytes on every platform. Written and read: grey, RGB and RGBA, not interlaced, no
 * palette. Format: https://www.w3.org/TR/png-3/ (chunks, §5; filters, §9).
 */
export interface Raster {
  readonly width: number;
  readonly height: number;
  /** 1 (grey), 3 (RGB) or 4 (RGBA, straight alpha). */
  readonly channels: 1 | 3 | 4;
  readonly bitDepth: 8 | 16;
  /** H×W×channels, interleaved; 0…255 or 0…65535. */
  readonly data: Uint8Array | Uint16Array;
}

/** The bytes are no PNG, a damaged one, or of a kind that is not read here. */
export class PngError extends Error {
  override readonly name = 'PngError';
}

const SIGNATURE = Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10);
const COLOR_TYPES = { 1: 0, 3: 2, 4: 6 } as const;
const CHANNELS_OF_TYPE: Readonly<Record<number, Raster['channels']>> = { 0: 1, 2: 3, 6: 4 };
/** Keeps a broken header from asking for gigabytes. */
const LARGEST_EDGE = 16384;

/** Encodes a raster; equal rasters give equal bytes. 8-bit RGB is marked as sRGB. */
export function encodePngRaster(raster: Raster): Uint8Array {
  const { width, height, channels, bitDepth, data } = raster;
  if (data.length !== width * height * channels)
    throw new RangeError(`the raster is ${width}×${height}×${channels}, but ${data.length} values were given.`);
  if ((data instanceof Uint16Array ? 16 : 8) !== bitDepth)
    throw new TypeError(`the raster's bitDepth is ${bitDepth}, its data a ${data.constructor.name}.`);
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([bitDepth, COLOR_TYPES[channels], 0, 0, 0], 8);
  const rows = filterRows(bigEndianBytes(data), (width * channels * bitDepth) / 8, height, (channels * bitDepth) / 8);
  const isPicture = bitDepth === 8 && channels >= 3;
  return concatenate([
    SIGNATURE,
    chunk('IHDR', header),
    ...(isPicture ? [chunk('sRGB', Uint8Array.of(0))] : []),
    chunk('IDAT', zlibSync(rows, { level: 9 })),
    chunk('IEND', new Uint8Array(0)),
  ]);
}

/** Decodes what `encodePngRaster` writes and other plain PNGs. `source` names the file in errors. Throws `PngError`. */
export function decodePngRaster(bytes: Uint8Array, source: string): Raster {
  const broken = (why: string): PngError =>
    new PngError(`${source} is not a readable PNG: ${why}. Write it again, or restore it from a copy.`);
  if (SIGNATURE.some((value, index) => bytes[index] !== value)) throw broken('it does not start as one');
  const parts: Uint8Array[] = [];
  let header: DataView | null = null;
  let hasEnd = false;
  for (const { type, body } of chunks(bytes, broken)) {
    if (type === 'IHDR') header = new DataView(body.buffer, body.byteOffset, body.byteLength);
    if (type === 'IDAT') parts.push(body);
    if (type === 'IEND') hasEnd = true;
  }
  if (!header || header.byteLength !== 13 || parts.length === 0 || !hasEnd) throw broken('it is cut short');
  const [width, height, bitDepth, colorType, interlace] = [
    header.getUint32(0),
    header.getUint32(4),
    header.getUint8(8),
    header.getUint8(9),
    header.getUint8(12),
  ];
  const channels = CHANNELS_OF_TYPE[colorType];
  if ((bitDepth !== 8 && bitDepth !== 16) || !channels || interlace !== 0) {
    throw new PngError(
      `${source} is a PNG with ${bitDepth} bits, colour type ${colorType}${interlace ? ', interlaced' : ''}; ` +
        'save it as grey, RGB or RGBA with 8 or 16 bits per channel, not interlaced and without a palette.',
    );
  }
  if (width < 1 || height < 1 || width > LARGEST_EDGE || height > LARGEST_EDGE)
    throw broken(`its size is ${width}×${height}`);
  const rowLength = (width * channels * bitDepth) / 8;
  const raw = inflate(concatenate(parts), (rowLength + 1) * height, broken);
  const data = unfilterRows(raw, rowLength, height, (channels * bitDepth) / 8, broken);
  return { width, height, channels, bitDepth, data: bitDepth === 8 ? data : uint16FromBigEndian(data) };
}

function inflate(parts: Uint8Array, length: number, broken: (why: string) => PngError): Uint8Array {
  let raw: Uint8Array;
  try {
    raw = unzlibSync(parts, { out: new Uint8Array(length) });
  } catch {
    throw broken('its pixels are damaged');
  }
  if (raw.length !== length) throw broken(`it holds ${raw.length} of ${length} bytes of pixels`);
  return raw;
}

function* chunks(
  bytes: Uint8Array,
  broken: (why: string) => PngError,
): Generator<{ readonly type: string; readonly body: Uint8Array }> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = SIGNATURE.length;
  while (at + 12 <= bytes.length) {
    const length = view.getUint32(at);
    if (at + 12 + length > bytes.length) throw broken('it is cut short');
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (crc32(bytes.subarray(at + 4, at + 8 + length)) !== view.getUint32(at + 8 + length))
      throw broken(`its ${type} chunk is damaged`);
    yield { type, body: bytes.subarray(at + 8, at + 8 + length) };
    at += 12 + length;
  }
}

function chunk(type: string, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, body.length);
  for (let index = 0; index < 4; index++) bytes[4 + index] = type.charCodeAt(index);
  bytes.set(body, 8);
  view.setUint32(8 + body.length, crc32(bytes.subarray(4, 8 + body.length)));
  return bytes;
}

/** The five predictors: of the byte to the left, above, and above left. */
const PREDICT: readonly ((left: number, up: number, corner: number) => number)[] = [
  () => 0,
  (left) => left,
  (_, up) => up,
  (left, up) => (left + up) >> 1,
  (left, up, corner) => {
    const [toLeft, toUp, toCorner] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)];
    if (toLeft <= toUp && toLeft <= toCorner) return left;
    return toUp <= toCorner ? up : corner;
  },
];

/** Each row with the filter whose differences are smallest in sum, as the format's authors advise (§12.7). */
function filterRows(pixels: Uint8Array, rowLength: number, height: number, step: number): Uint8Array {
  const filtered = new Uint8Array((rowLength + 1) * height);
  const attempt = new Uint8Array(rowLength);
  for (let row = 0; row < height; row++) {
    const start = row * rowLength;
    let least = Infinity;
    PREDICT.forEach((predict, filter) => {
      let sum = 0;
      for (let index = 0; index < rowLength; index++) {
        const left = index >= step ? pixels[start + index - step] : 0;
        const up = row > 0 ? pixels[start + index - rowLength] : 0;
        const corner = index >= step && row > 0 ? pixels[start + index - rowLength - step] : 0;
        const difference = (pixels[start + index] - predict(left, up, corner)) & 255;
        attempt[index] = difference;
        sum += difference < 128 ? difference : 256 - difference;
      }
      if (sum >= least) return;
      least = sum;
      filtered[row * (rowLength + 1)] = filter;
      filtered.set(attempt, row * (rowLength + 1) + 1);
    });
  }
  return filtered;
}

function unfilterRows(
  raw: Uint8Array,
  rowLength: number,
  height: number,
  step: number,
  broken: (why: string) => PngError,
): Uint8Array {
  const pixels = new Uint8Array(rowLength * height);
  for (let row = 0; row < height; row++) {
    const predict = PREDICT[raw[row * (rowLength + 1)]];
    if (!predict) throw broken(`row ${row} has the unknown filter ${raw[row * (rowLength + 1)]}`);
    const start = row * rowLength;
    for (let index = 0; index < rowLength; index++) {
      const left = index >= step ? pixels[start + index - step] : 0;
      const up = row > 0 ? pixels[start + index - rowLength] : 0;
      const corner = index >= step && row > 0 ? pixels[start + index - rowLength - step] : 0;
      pixels[start + index] = raw[row * (rowLength + 1) + 1 + index] + predict(left, up, corner);
    }
  }
  return pixels;
}

function bigEndianBytes(data: Uint8Array | Uint16Array): Uint8Array {
  if (data instanceof Uint8Array) return data;
  const bytes = new Uint8Array(data.length * 2);
  for (let index = 0; index < data.length; index++) {
    bytes[index * 2] = data[index] >> 8;
    bytes[index * 2 + 1] = data[index] & 255;
  }
  return bytes;
}

function uint16FromBigEndian(bytes: Uint8Array): Uint16Array {
  return Uint16Array.from({ length: bytes.length / 2 }, (_, index) => (bytes[index * 2] << 8) | bytes[index * 2 + 1]);
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = CRC_TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}
