import type { Image } from '../../src/video/frame.ts';

/** Pictures for stickers, drawn by code: each pixel's coverage is the mean over 4×4 points. */

type Point = readonly [number, number];
type Rgb = readonly [number, number, number];

const SAMPLES = 4;

/** RGBA of a shape: `shade` gives the colour at a point (pixels) or null outside. */
function draw(width: number, height: number, shade: (x: number, y: number) => Rgb | null): Image {
  const data = new Uint8Array(width * height * 4);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const sum = [0, 0, 0];
    let covered = 0;
    for (let sample = 0; sample < SAMPLES * SAMPLES; sample++) {
      const x = (pixel % width) + ((sample % SAMPLES) + 0.5) / SAMPLES;
      const y = Math.floor(pixel / width) + (Math.floor(sample / SAMPLES) + 0.5) / SAMPLES;
      const color = shade(x, y);
      if (!color) continue;
      covered++;
      for (let k = 0; k < 3; k++) sum[k] += color[k];
    }
    if (covered === 0) continue;
    data.set(sum.map((value) => Math.round(value / covered)), pixel * 4); // prettier-ignore
    data[pixel * 4 + 3] = Math.round((255 * covered) / SAMPLES ** 2);
  }
  return { width, height, channels: 4, data };
}

export const CHECKER_DARK = 20;
export const CHECKER_LIGHT = 235;

/** `squares`² squares; the one at the top left is dark. */
export function checkerboard(squares: number, pixels = 24): Image {
  return draw(squares * pixels, squares * pixels, (x, y) => {
    const value = (Math.floor(x / pixels) + Math.floor(y / pixels)) % 2 === 0 ? CHECKER_DARK : CHECKER_LIGHT;
    return [value, value, value];
  });
}

/** A handlebar moustache, twice as wide as high. */
export function moustache(width = 400): Image {
  const height = width / 2;
  return draw(width, height, (x, y) => {
    const across = Math.abs(x / width - 0.5) * 2;
    const up = 1 - y / height;
    // The middle line falls from under the nose and curls up at the end; thick in the middle, pointed at the end.
    const line = 0.52 - 0.55 * across + 0.95 * across ** 3.2;
    const thickness = 0.2 * Math.sqrt(Math.max(0, 1 - across ** 2.2)) * (across < 0.06 ? 0.45 + 9 * across : 1);
    const offset = (up - line) / Math.max(1e-3, thickness);
    if (across > 0.98 || Math.abs(offset) > 1) return null;
    const strand = 0.5 + 0.5 * Math.sin(70 * across + 9 * offset);
    return [46 + 22 * strand, 28 + 14 * strand, 16 + 8 * strand];
  });
}

/** A round logo: a ring, a star and a bar, three flat colours with sharp edges. */
export function logo(size = 300): Image {
  const star = starCorners(size / 2, size / 2, size * 0.31, size * 0.13);
  return draw(size, size, (x, y) => {
    const distance = Math.hypot(x - size / 2, y - size / 2) / (size / 2);
    if (distance > 0.98) return null;
    if (distance > 0.8) return [196, 30, 58];
    if (isInside(star, x, y)) return [255, 205, 40];
    return [24, 44, 110];
  });
}

function starCorners(x: number, y: number, outer: number, inner: number): Point[] {
  return Array.from({ length: 10 }, (_, index) => {
    const angle = -Math.PI / 2 + (index * Math.PI) / 5;
    const radius = index % 2 === 0 ? outer : inner;
    return [x + radius * Math.cos(angle), y + radius * Math.sin(angle)] as const;
  });
}

function isInside(corners: readonly Point[], x: number, y: number): boolean {
  return corners.reduce((inside, [ax, ay], index) => {
    const [bx, by] = corners[(index + 1) % corners.length];
    return ay > y !== by > y && x < ax + ((bx - ax) * (y - ay)) / (by - ay) ? !inside : inside;
  }, false);
}
