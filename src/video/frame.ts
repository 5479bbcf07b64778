/** An 8-bit image, row-major, top row first. RGB is sRGB-encoded; alpha, where there is one, is coverage, not premultiplied. */
export interface Image {
  readonly width: number;
  readonly height: number;
  /** 3 (RGB) or 4 (RGBA). */
  readonly channels: 3 | 4;
  readonly data: Uint8Array;
}

/** A decoded video frame, upright (rotation applied), in sRGB. */
export interface Frame {
  /** Position in decoding order, from 0. */
  readonly index: number;
  /** Seconds from the start. */
  readonly timestamp: number;
  readonly image: Image;
}

/** Progress of a long stage. `done` of `total` in the stage's own unit; the caller shows bars and estimates. */
export interface Progress {
  readonly stage: string;
  readonly done: number;
  readonly total: number;
  /** A short fact worth showing, e.g. the current loss. */
  readonly note?: string;
}
export type OnProgress = (progress: Progress) => void;
