import { randomNormal, randomUniform } from '../../src/math/random.ts';
import { IDENTITY_VIEW, type CameraView } from '../../src/rasterizer/camera.ts';
import type { WorldAttribute } from '../../src/gaussians/layout.ts';

export interface BenchmarkScene {
  readonly name: string;
  readonly count: number;
  readonly view: CameraView;
  readonly gaussians: Readonly<Record<WorldAttribute, Float32Array>>;
}

/**
 * A head-sized ellipsoid shell, 0.24 m tall, 0.7 m before the camera and 80 % of the image's height: Gaussians spread
 * evenly over it, front and back, standard deviation about `pixelDeviation` in the image, opacity 0.1–0.9.
 */
export function shellScene(count: number, size: number, pixelDeviation: number): BenchmarkScene {
  const distance = 0.7;
  const focal = (0.8 * size * distance) / 0.24;
  const camera = {
    width: size,
    height: size,
    focalX: focal,
    focalY: focal,
    principalX: size / 2,
    principalY: size / 2,
  };
  const gaussians = {
    meanOpacity: new Float32Array(count * 4),
    rotation: new Float32Array(count * 4),
    scale: new Float32Array(count * 4),
    rgb: new Float32Array(count * 4),
  };
  const normals = (stream: number, i: number, n: number): number[] => {
    const values = Array.from({ length: n }, (_, k) => randomNormal(1, stream, i * n + k));
    const length = Math.hypot(...values);
    return values.map((value) => value / length);
  };
  const uniform = (stream: number, index: number, low: number, high: number): number =>
    low + (high - low) * randomUniform(1, stream, index);
  for (let i = 0; i < count; i++) {
    const [x, y, z] = normals(1, i, 3) as [number, number, number];
    gaussians.meanOpacity.set([0.08 * x, 0.12 * y, distance + 0.1 * z, uniform(2, i, 0.1, 0.9)], i * 4);
    gaussians.rotation.set(normals(3, i, 4), i * 4);
    const deviation = (pixelDeviation * distance) / focal;
    gaussians.scale.set(
      [0, 1, 2].map((k) => deviation * uniform(4, i * 3 + k, 0.7, 1.3)),
      i * 4,
    );
    gaussians.rgb.set(
      [0, 1, 2].map((k) => uniform(5, i * 3 + k, 0, 1)),
      i * 4,
    );
  }
  const view = { camera, cameraFromWorld: IDENTITY_VIEW };
  return { name: `${Math.floor(count / 1000)}k at ${size}²`, count, view, gaussians };
}

/** The two scenes of the project's targets. */
export const benchmarkScenes = (): BenchmarkScene[] => [shellScene(10_000, 256, 1.5), shellScene(65_536, 512, 2)];
