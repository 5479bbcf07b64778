/** One decoded picture as the decoder stores it: planar YCbCr, or luma alone, not yet rotated. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** log2 of how much smaller the chroma planes are: 4:2:0 is (1, 1), 4:2:2 (1, 0), 4:4:4 (0, 0). */
  readonly chromaShiftX: number;
  readonly chromaShiftY: number;
  /** False for grayscale: `data` then holds luma alone. */
  readonly hasChroma: boolean;
  /** Bits per sample, 8…16. Above 8 a sample takes two bytes, little endian. */
  readonly bitDepth: number;
  /** Planes Y, Cb, Cr, one after another without padding. */
  readonly data: Uint8Array;
  /** What the bitstream says of its range; null when it does not. */
  readonly fullRange: boolean | null;
  /** Presentation time in seconds, as in the file. */
  readonly timestamp: number;
}

/** Bytes of the planes of a picture of this format. */
export function pictureBytes(
  format: Pick<Picture, 'width' | 'height' | 'chromaShiftX' | 'chromaShiftY' | 'hasChroma' | 'bitDepth'>,
): number {
  const chroma = format.hasChroma ? 2 * chromaWidth(format) * chromaHeight(format) : 0;
  return (format.width * format.height + chroma) * (format.bitDepth > 8 ? 2 : 1);
}

/** Samples per row of a chroma plane. */
export function chromaWidth(format: Pick<Picture, 'width' | 'chromaShiftX'>): number {
  return (format.width + (1 << format.chromaShiftX) - 1) >> format.chromaShiftX;
}

/** Rows of a chroma plane. */
export function chromaHeight(format: Pick<Picture, 'height' | 'chromaShiftY'>): number {
  return (format.height + (1 << format.chromaShiftY) - 1) >> format.chromaShiftY;
}
