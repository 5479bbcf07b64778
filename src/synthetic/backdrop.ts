import type { Image } from '../video/frame.ts';
import { createNoise, fractal, mix, smoothstep } from './noise.ts';

/** A wall in soft light with a blurred lamp and shelf: what stands behind the subject, still throughout. RGB, size². */
export function createBackdrop(size: number, seed: number): Image {
  const plaster = fractal(createNoise(seed + 61), 3);
  const data = new Uint8Array(size * size * 3);
  const shapes = [
    { x: 0.14, y: 0.3, width: 0.2, height: 0.5, color: [0.42, 0.36, 0.31] },
    { x: 0.12, y: 0.22, width: 0.1, height: 0.12, color: [0.62, 0.47, 0.34] },
    { x: 0.17, y: 0.42, width: 0.08, height: 0.1, color: [0.36, 0.44, 0.45] },
    { x: 0.9, y: 0.34, width: 0.14, height: 0.75, color: [0.66, 0.68, 0.69] },
  ];
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const [x, y] = [(column + 0.5) / size, (row + 0.5) / size];
      const light = 1 - 0.35 * Math.hypot(x - 0.35, y - 0.25) + 0.012 * plaster(x * 6, y * 6, 0);
      const color = [0.6 * light, 0.615 * light, 0.61 * light];
      for (const shape of shapes) {
        const inside =
          smoothstep(shape.width / 2 + 0.03, shape.width / 2 - 0.03, Math.abs(x - shape.x)) *
          smoothstep(shape.height / 2 + 0.03, shape.height / 2 - 0.03, Math.abs(y - shape.y));
        for (let k = 0; k < 3; k++) color[k] = mix(color[k], shape.color[k] * light, 0.75 * inside);
      }
      for (let k = 0; k < 3; k++) data[(row * size + column) * 3 + k] = Math.round(255 * Math.min(1, color[k]));
    }
  }
  return { width: size, height: size, channels: 3, data };
}
