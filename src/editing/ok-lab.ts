/**
 * OKLab (Björn Ottosson, 2020): lightness and two chroma axes in which equal steps look equal, so that a colour can be
 * changed without changing how light it looks. RGB is sRGB-encoded 0…1.
 */
export type Triple = readonly [number, number, number];

/** sRGB-encoded 0…1 to OKLab (L 0…1). */
export function okLabFromRgb(red: number, green: number, blue: number): [number, number, number] {
  const [r, g, b] = [decode(red), decode(green), decode(blue)];
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

/** OKLab to sRGB-encoded values, which leave 0…1 for colours that a screen cannot show. */
export function rgbFromOkLab(lightness: number, a: number, b: number): [number, number, number] {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    encode(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    encode(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    encode(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  ];
}

/** OKLab to RGB within 0…1: a colour out of gamut keeps lightness and hue and loses chroma. */
export function displayableRgb(lightness: number, a: number, b: number): [number, number, number] {
  const light = Math.min(1, Math.max(0, lightness));
  const whole = rgbFromOkLab(light, a, b);
  if (isDisplayable(whole)) return whole;
  let [low, high] = [0, 1];
  for (let step = 0; step < 12; step++) {
    const middle = (low + high) / 2;
    if (isDisplayable(rgbFromOkLab(light, a * middle, b * middle))) low = middle;
    else high = middle;
  }
  const [red, green, blue] = rgbFromOkLab(light, a * low, b * low);
  const clamp = (value: number): number => Math.min(1, Math.max(0, value));
  return [clamp(red), clamp(green), clamp(blue)];
}

function isDisplayable(rgb: Triple): boolean {
  return rgb.every((value) => value >= -1e-4 && value <= 1.0001);
}

function decode(value: number): number {
  if (value <= 0.04045) return value / 12.92; // also below zero, where the power has no value
  return ((value + 0.055) / 1.055) ** 2.4;
}

function encode(value: number): number {
  if (value <= 0.0031308) return value * 12.92;
  return 1.055 * value ** (1 / 2.4) - 0.055;
}
