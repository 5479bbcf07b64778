/**
 * Picks at most `maximum` of `frameCount` frames, evenly spaced, the first always among them. Ascending.
 * Throws `RangeError` when `maximum` is not a positive whole number.
 */
export function chooseFrames(frameCount: number, maximum: number): number[] {
  if (!Number.isInteger(maximum) || maximum < 1) {
    throw new RangeError(`The most frames to use is ${maximum}; give a whole number of at least 1.`);
  }
  const count = Math.min(frameCount, maximum);
  const step = frameCount / Math.max(count, 1);
  return Array.from({ length: count }, (_, i) => Math.floor(i * step));
}
