import type { BlendSupport } from './blend-support.ts';

/** Root mean square of a coefficient over the clip from which on its delta learns at the full rate. */
const FULL_ACTIVITY = 0.15;
/** Share of a coefficient's largest displacement from which on a vertex learns at the full rate, and the least factor. */
const FULL_SHARE = 0.05;
const LEAST_FACTOR = 0.1;

/**
 * M factors on the delta rate. Adam moves every parameter as fast, however small its gradient: the delta of a blink that
 * the clip hardly shows would grow as far as that of a smile, from noise, and tear the head when the blink is driven.
 * So a delta learns in proportion to how much its coefficient is used (`activity`, C: root mean square over the clip),
 * and less where the coefficient itself moves the head little.
 */
export function deltaEntryRates(support: BlendSupport, activity: ArrayLike<number>): Float32Array {
  const { coefficients, displacements, entryCount } = support;
  const length = (entry: number): number =>
    Math.hypot(displacements[entry * 3], displacements[entry * 3 + 1], displacements[entry * 3 + 2]);
  const largest = new Float64Array(support.coefficientCount);
  for (let entry = 0; entry < entryCount; entry++) {
    largest[coefficients[entry]] = Math.max(largest[coefficients[entry]], length(entry));
  }
  return Float32Array.from({ length: entryCount }, (_, entry) => {
    const coefficient = coefficients[entry];
    const use = Math.min(1, activity[coefficient] / FULL_ACTIVITY);
    // A coefficient without a basis of its own (a learned pose corrective) has no near and far.
    const near = largest[coefficient] > 0 ? length(entry) / (FULL_SHARE * largest[coefficient]) : 1;
    return use * Math.max(LEAST_FACTOR, Math.min(1, near));
  });
}
