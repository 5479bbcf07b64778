import type { Image } from '../video/frame.ts';

const CELLS = 24;
/** Mean change of a cell, 0…255, below which two frames belong to one shot whatever came before. */
const MINIMUM_CHANGE = 30;
/** A cut changes the picture this many times as much as the frames before it did. */
const CHANGE_RATIO = 4;
const HISTORY = 15;

/** Tells where a video cuts from one shot to another, by how much a small copy of the picture changes. */
export class CutDetector {
  private previous: Float32Array | null = null;
  private readonly changes: number[] = [];

  /** True when this frame begins another shot. */
  next(image: Image): boolean {
    const current = thumbnail(image);
    const { previous } = this;
    this.previous = current;
    if (!previous) return false;
    let change = 0;
    for (let i = 0; i < current.length; i++) change += Math.abs(current[i] - previous[i]);
    change /= current.length;
    const usual = this.changes.length > 0 ? this.changes.toSorted((a, b) => a - b)[this.changes.length >> 1] : 0;
    const isCut = change > MINIMUM_CHANGE && change > CHANGE_RATIO * usual;
    if (isCut) this.changes.length = 0;
    else {
      this.changes.push(change);
      if (this.changes.length > HISTORY) this.changes.shift();
    }
    return isCut;
  }
}

/** Mean colours of a coarse grid, from at most 8×8 pixels per cell. */
function thumbnail(image: Image): Float32Array {
  const cells = new Float32Array(CELLS * CELLS * 3);
  const stepX = Math.max(Math.floor(image.width / CELLS / 8), 1);
  const stepY = Math.max(Math.floor(image.height / CELLS / 8), 1);
  const counts = new Uint32Array(CELLS * CELLS);
  for (let y = 0; y < image.height; y += stepY) {
    const row = Math.floor((y * CELLS) / image.height) * CELLS;
    for (let x = 0; x < image.width; x += stepX) {
      const cell = row + Math.floor((x * CELLS) / image.width);
      const at = (y * image.width + x) * image.channels;
      counts[cell]++;
      for (let channel = 0; channel < 3; channel++) cells[3 * cell + channel] += image.data[at + channel];
    }
  }
  for (let i = 0; i < cells.length; i++) cells[i] /= Math.max(counts[Math.floor(i / 3)], 1);
  return cells;
}
