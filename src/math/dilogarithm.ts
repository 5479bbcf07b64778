const TERMS = 40;

/**
 * Li₂(x) for 0 ≤ x ≤ 1: the optical depth of a Gaussian of opacity x, summed over its footprint, is 2π·σx·σy·Li₂(x).
 * Optical depths of layers add up, which makes this what must stay when one Gaussian gives way to others.
 */
export function dilogarithm(x: number): number {
  if (x <= 0) return 0;
  if (x > 0.5) return Math.PI ** 2 / 6 - (x < 1 ? Math.log(x) * Math.log1p(-x) : 0) - dilogarithm(1 - x);
  let [sum, power] = [0, 1];
  for (let k = 1; k <= TERMS; k++) {
    power *= x;
    sum += power / (k * k);
  }
  return sum;
}

/** The x whose Li₂ is given; 1 where it is out of reach. */
export function inverseDilogarithm(value: number): number {
  if (value >= Math.PI ** 2 / 6) return 1;
  let [low, high] = [0, 1];
  for (let step = 0; step < 48; step++) {
    const middle = (low + high) / 2;
    if (dilogarithm(middle) < value) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
