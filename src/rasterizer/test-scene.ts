import { randomNormal, randomUniform } from '../math/random.ts';
import { IDENTITY_VIEW, type CameraView } from './camera.ts';
import type { ReferenceGaussians } from './rasterizer.reference.ts';

export interface TestScene {
  readonly gaussians: ReferenceGaussians;
  readonly view: CameraView;
}

export interface TestSceneOptions {
  readonly count: number;
  readonly width: number;
  readonly height: number;
  readonly seed: number;
  /** Range of standard deviations, in pixels. */
  readonly pixelDeviation?: readonly [number, number];
  readonly opacity?: readonly [number, number];
  /** How far means reach, in half image sizes. */
  readonly spread?: number;
  readonly cameraFromWorld?: ArrayLike<number>;
}

/** Random Gaussians around 0.7 m before a camera with an off-centre principal point; float32 numbers. */
export function testScene({
  count,
  width,
  height,
  seed,
  pixelDeviation = [0.8, 3],
  opacity = [0.1, 0.9],
  spread = 1,
  cameraFromWorld = IDENTITY_VIEW,
}: TestSceneOptions): TestScene {
  const focal = 2.4 * Math.max(width, height);
  const camera = {
    width,
    height,
    focalX: focal,
    focalY: focal * 1.07,
    principalX: width * 0.43,
    principalY: height * 0.56,
  };
  // Evenly spaced depths in random order: small steps of a test then never swap two Gaussians.
  const order = Array.from({ length: count }, (_, i) => i).sort(
    (a, b) => randomUniform(seed, 1, a) - randomUniform(seed, 1, b),
  );
  const depths = Array.from({ length: count }, (_, i) => 0.6 + (0.2 * order[i]!) / count);
  const between = ([low, high]: readonly [number, number], stream: number, index: number): number =>
    low + (high - low) * randomUniform(seed, stream, index);
  const gaussians = {
    meanOpacity: new Float64Array(count * 4),
    rotation: new Float64Array(count * 4),
    scale: new Float64Array(count * 4),
    rgb: new Float64Array(count * 4),
  };
  for (let i = 0; i < count; i++) {
    const depth = depths[i]!;
    const x = width * (0.5 + spread * (randomUniform(seed, 2, i) - 0.5));
    const y = height * (0.5 + spread * (randomUniform(seed, 3, i) - 0.5));
    const world = worldFromCamera(cameraFromWorld, [
      ((x - camera.principalX) / camera.focalX) * depth,
      ((y - camera.principalY) / camera.focalY) * depth,
      depth,
    ]);
    gaussians.meanOpacity.set([...world, between(opacity, 4, i)].map(Math.fround), i * 4);
    const quaternion = [0, 1, 2, 3].map((k) => randomNormal(seed, 5, i * 4 + k));
    const length = Math.hypot(...quaternion);
    gaussians.rotation.set(
      quaternion.map((value) => Math.fround(value / length)),
      i * 4,
    );
    const scale = [0, 1, 2].map((k) => (between(pixelDeviation, 6, i * 3 + k) * depth) / focal);
    gaussians.scale.set(scale.map(Math.fround), i * 4);
    gaussians.rgb.set(
      [0, 1, 2].map((k) => Math.fround(randomUniform(seed, 7, i * 3 + k))),
      i * 4,
    );
  }
  return { gaussians, view: { camera, cameraFromWorld, background: [0.2, 0.6, 1] } };
}

/** For a rotation with a translation: Rᵀ(p − t). */
function worldFromCamera(view: ArrayLike<number>, point: readonly number[]): number[] {
  return [0, 1, 2].map((column) =>
    [0, 1, 2].reduce((sum, row) => sum + view[row * 4 + column]! * (point[row]! - view[row * 4 + 3]!), 0),
  );
}
