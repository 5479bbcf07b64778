/**
 * The rasteriser in float64 with plain loops: what the kernels compute, written to be read. Method: 3D Gaussian
 * Splatting (Kerbl et al. 2023, §4–6), with every pixel visiting every Gaussian.
 */
import { ALPHA_MAX, ALPHA_MIN, COVARIANCE_DILATION, EXTENT_LIMIT, TRANSMITTANCE_MIN } from './layout.ts';
import type { CameraView } from './camera.ts';
import { NEAR } from './camera.ts';

/** World Gaussians in host memory; records of `gaussians/layout.ts`. */
export interface ReferenceGaussians {
  readonly meanOpacity: Float64Array;
  readonly rotation: Float64Array;
  readonly scale: Float64Array;
  readonly rgb: Float64Array;
}

/** One Gaussian on the image, with what its backward needs. Matrices are row-major. */
export interface Projection {
  readonly index: number;
  readonly mean2d: readonly [number, number];
  readonly opacity: number;
  readonly rgb: readonly [number, number, number];
  /** Inverse of the image-space covariance: xx, xy, yy. */
  readonly conic: readonly [number, number, number];
  readonly meanCamera: readonly [number, number, number];
  /** meanCamera with x/z and y/z held near the image, where the projection's linearisation is trusted. */
  readonly linearised: { readonly x: number; readonly y: number; readonly xIsFree: boolean; readonly yIsFree: boolean };
  /** J: 2×3, image from camera. */
  readonly jacobian: readonly number[];
  /** J·W: 2×3, image from world. */
  readonly imageFromWorld: readonly number[];
  /** R: 3×3. */
  readonly rotationMatrix: readonly number[];
}

export interface ReferenceOptions {
  /** Cut-off of alpha; tests lower it to smooth the function. */
  readonly alphaMin?: number;
}

/** H×W×4 image, and each pixel's Gaussians are recomputed by the backward. */
export function rasterizeReference(
  gaussians: ReferenceGaussians,
  view: CameraView,
  options: ReferenceOptions = {},
): Float64Array {
  const { width, height } = view.camera;
  const background = view.background ?? [1, 1, 1];
  const image = new Float64Array(width * height * 4);
  const ordered = projectAll(gaussians, view, options);
  for (let pixel = 0; pixel < width * height; pixel++) {
    let transmittance = 1;
    for (const { projection, alpha } of contributions(ordered, pixel, width, options)) {
      for (let c = 0; c < 3; c++) image[pixel * 4 + c]! += projection.rgb[c]! * alpha * transmittance;
      transmittance *= 1 - alpha;
    }
    for (let c = 0; c < 3; c++) image[pixel * 4 + c]! += background[c]! * transmittance;
    image[pixel * 4 + 3] = transmittance;
  }
  return image;
}

export interface ReferenceGradients extends ReferenceGaussians {
  /** N×2, pixels. */
  readonly mean2d: Float64Array;
  /** 12: ∂loss/∂cameraFromWorld. */
  readonly cameraFromWorld: Float64Array;
}

/** `imageGradient`: H×W×4, ∂loss/∂(red, green, blue, transmittance). */
export function rasterizeReferenceBackward(
  gaussians: ReferenceGaussians,
  view: CameraView,
  imageGradient: Float64Array,
  options: ReferenceOptions = {},
): ReferenceGradients {
  const { width, height } = view.camera;
  const count = gaussians.meanOpacity.length / 4;
  const background = view.background ?? [1, 1, 1];
  const gradients: ReferenceGradients = {
    meanOpacity: new Float64Array(count * 4),
    rotation: new Float64Array(count * 4),
    scale: new Float64Array(count * 4),
    rgb: new Float64Array(count * 4),
    mean2d: new Float64Array(count * 2),
    cameraFromWorld: new Float64Array(12),
  };
  const conicGradients = new Float64Array(count * 3);
  const ordered = projectAll(gaussians, view, options);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const gradient = imageGradient.subarray(pixel * 4, pixel * 4 + 4);
    const list = [...contributions(ordered, pixel, width, options)];
    const before: number[] = [];
    let transmittance = 1;
    for (const { alpha } of list) {
      before.push(transmittance);
      transmittance *= 1 - alpha;
    }
    // Back to front: `behind` is the colour seen through a hole in the Gaussian at hand, as a loss per unit of light.
    let behind = dot3(gradient, background) + gradient[3]!;
    for (let k = list.length - 1; k >= 0; k--) {
      const { projection, alpha, falloff, dx, dy } = list[k]!;
      const { index, conic, rgb, opacity } = projection;
      for (let c = 0; c < 3; c++) gradients.rgb[index * 4 + c]! += gradient[c]! * alpha * before[k]!;
      const own = dot3(gradient, rgb);
      const alphaGradient = before[k]! * (own - behind);
      behind = alpha * own + (1 - alpha) * behind;
      if (opacity * falloff > ALPHA_MAX) continue;
      gradients.meanOpacity[index * 4 + 3]! += alphaGradient * falloff;
      const exponentGradient = alphaGradient * alpha;
      gradients.mean2d[index * 2]! += exponentGradient * (conic[0] * dx + conic[1] * dy);
      gradients.mean2d[index * 2 + 1]! += exponentGradient * (conic[1] * dx + conic[2] * dy);
      conicGradients[index * 3]! += -0.5 * exponentGradient * dx * dx;
      conicGradients[index * 3 + 1]! += -exponentGradient * dx * dy;
      conicGradients[index * 3 + 2]! += -0.5 * exponentGradient * dy * dy;
    }
  }
  for (const projection of ordered) projectBackward(gaussians, view, projection, conicGradients, gradients);
  return gradients;
}

/** Visible Gaussians by depth, then by index. */
export function projectAll(
  gaussians: ReferenceGaussians,
  view: CameraView,
  { alphaMin = ALPHA_MIN }: ReferenceOptions = {},
): Projection[] {
  const visible: Projection[] = [];
  for (let index = 0; index < gaussians.meanOpacity.length / 4; index++) {
    const projection = projectGaussian(gaussians, index, view, alphaMin);
    if (projection) visible.push(projection);
  }
  return visible.sort((a, b) => a.meanCamera[2] - b.meanCamera[2] || a.index - b.index);
}

/** Equation: Σ' = J W R S Sᵀ Rᵀ Wᵀ Jᵀ + 0.3·I. Null when the Gaussian is culled. */
function projectGaussian(
  gaussians: ReferenceGaussians,
  index: number,
  view: CameraView,
  alphaMin: number,
): Projection | null {
  const [meanX, meanY, meanZ, opacity] = gaussians.meanOpacity.subarray(index * 4, index * 4 + 4) as never as number[];
  const quaternion = gaussians.rotation.subarray(index * 4, index * 4 + 4);
  const scale = gaussians.scale.subarray(index * 4, index * 4 + 3);
  const rgb = gaussians.rgb.subarray(index * 4, index * 4 + 3);
  if (![meanX, meanY, meanZ, opacity, ...quaternion, ...scale, ...rgb].every(Number.isFinite)) return null;
  const { camera, cameraFromWorld: w, near = NEAR } = view;
  const [x, y, z] = [0, 4, 8].map(
    (row) => w[row]! * meanX! + w[row + 1]! * meanY! + w[row + 2]! * meanZ! + w[row + 3]!,
  );
  if (z! <= near || opacity! < alphaMin) return null;

  // The linearisation is held within 0.3 half-fields of view around the image (3DGS: 1.3·tan(fov/2)).
  const marginX = (0.3 * 0.5 * camera.width) / camera.focalX;
  const marginY = (0.3 * 0.5 * camera.height) / camera.focalY;
  const slopeX = x! / z!;
  const slopeY = y! / z!;
  const heldX = clamp(
    slopeX,
    -camera.principalX / camera.focalX - marginX,
    (camera.width - camera.principalX) / camera.focalX + marginX,
  );
  const heldY = clamp(
    slopeY,
    -camera.principalY / camera.focalY - marginY,
    (camera.height - camera.principalY) / camera.focalY + marginY,
  );
  const jacobian = [
    camera.focalX / z!, 0, (-camera.focalX * heldX) / z!,
    0, camera.focalY / z!, (-camera.focalY * heldY) / z!,
  ]; // prettier-ignore
  const worldRotation = [w[0]!, w[1]!, w[2]!, w[4]!, w[5]!, w[6]!, w[8]!, w[9]!, w[10]!];
  const imageFromWorld = multiply(jacobian, worldRotation, 2, 3, 3);
  const rotationMatrix = matrixOfQuaternion(quaternion);
  const spread = multiply(imageFromWorld, rotationMatrix, 2, 3, 3).map((value, k) => value * scale[k % 3]!);
  const xx = dot3(spread, spread) + COVARIANCE_DILATION;
  const xy = spread[0]! * spread[3]! + spread[1]! * spread[4]! + spread[2]! * spread[5]!;
  const yy = spread[3]! ** 2 + spread[4]! ** 2 + spread[5]! ** 2 + COVARIANCE_DILATION;
  const reach = Math.sqrt(Math.max(0, 2 * Math.log(opacity! / alphaMin)));
  if (!(reach * Math.sqrt(Math.max(xx, yy)) < EXTENT_LIMIT)) return null;
  const determinant = xx * yy - xy * xy;
  return {
    index,
    mean2d: [camera.focalX * slopeX + camera.principalX, camera.focalY * slopeY + camera.principalY],
    opacity: opacity!,
    rgb: [rgb[0]!, rgb[1]!, rgb[2]!],
    conic: [yy / determinant, -xy / determinant, xx / determinant],
    meanCamera: [x!, y!, z!],
    linearised: { x: heldX, y: heldY, xIsFree: heldX === slopeX, yIsFree: heldY === slopeY },
    jacobian,
    imageFromWorld,
    rotationMatrix,
  };
}

interface Contribution {
  readonly projection: Projection;
  readonly alpha: number;
  readonly falloff: number;
  readonly dx: number;
  readonly dy: number;
}

/** The Gaussians that a pixel takes, front to back. */
function* contributions(
  ordered: readonly Projection[],
  pixel: number,
  width: number,
  { alphaMin = ALPHA_MIN }: ReferenceOptions,
): Generator<Contribution> {
  let transmittance = 1;
  for (const projection of ordered) {
    if (transmittance < TRANSMITTANCE_MIN) return;
    const dx = (pixel % width) + 0.5 - projection.mean2d[0];
    const dy = Math.floor(pixel / width) + 0.5 - projection.mean2d[1];
    const [xx, xy, yy] = projection.conic;
    const falloff = Math.exp(-0.5 * (xx * dx * dx + yy * dy * dy) - xy * dx * dy);
    const alpha = Math.min(ALPHA_MAX, projection.opacity * falloff);
    if (alpha < alphaMin) continue;
    yield { projection, alpha, falloff, dx, dy };
    transmittance *= 1 - alpha;
  }
}

/** From ∂loss/∂(mean2d, conic) to the world attributes and the camera. */
function projectBackward(
  gaussians: ReferenceGaussians,
  view: CameraView,
  projection: Projection,
  conicGradients: Float64Array,
  gradients: ReferenceGradients,
): void {
  const { index, conic, meanCamera, linearised, jacobian, imageFromWorld, rotationMatrix } = projection;
  const { camera, cameraFromWorld: w } = view;
  const scale = gaussians.scale.subarray(index * 4, index * 4 + 3);
  const quaternion = gaussians.rotation.subarray(index * 4, index * 4 + 4);
  const [gx, gy] = [gradients.mean2d[index * 2]!, gradients.mean2d[index * 2 + 1]!];

  // ∂loss/∂covariance = −conic · ∂loss/∂conic · conic.
  const conicMatrix = [conic[0], conic[1], conic[1], conic[2]];
  const half = conicGradients[index * 3 + 1]! / 2;
  const conicGradient = [conicGradients[index * 3]!, half, half, conicGradients[index * 3 + 2]!];
  const covarianceGradient = multiply(multiply(conicMatrix, conicGradient, 2, 2, 2), conicMatrix, 2, 2, 2).map(
    (v) => -v,
  );

  // covariance = M Mᵀ with M = (J W) R S.
  const oriented = multiply(imageFromWorld, rotationMatrix, 2, 3, 3);
  const spread = oriented.map((value, k) => value * scale[k % 3]!);
  const spreadGradient = multiply(covarianceGradient, spread, 2, 2, 3).map((value) => 2 * value);
  for (let j = 0; j < 3; j++) {
    gradients.scale[index * 4 + j] = spreadGradient[j]! * oriented[j]! + spreadGradient[3 + j]! * oriented[3 + j]!;
  }
  const orientedGradient = spreadGradient.map((value, k) => value * scale[k % 3]!);
  const rotationMatrixGradient = multiply(transpose(imageFromWorld, 2, 3), orientedGradient, 3, 2, 3);
  gradients.rotation.set(quaternionGradient(quaternion, rotationMatrixGradient), index * 4);
  const imageFromWorldGradient = multiply(orientedGradient, transpose(rotationMatrix, 3, 3), 2, 3, 3);
  const worldRotation = [w[0]!, w[1]!, w[2]!, w[4]!, w[5]!, w[6]!, w[8]!, w[9]!, w[10]!];
  const jacobianGradient = multiply(imageFromWorldGradient, transpose(worldRotation, 3, 3), 2, 3, 3);

  // J and mean2d to the mean in camera space.
  const [x, y, z] = meanCamera;
  const heldXGradient = (-jacobianGradient[2]! * camera.focalX) / z;
  const heldYGradient = (-jacobianGradient[5]! * camera.focalY) / z;
  const slopeXGradient = gx * camera.focalX + (linearised.xIsFree ? heldXGradient : 0);
  const slopeYGradient = gy * camera.focalY + (linearised.yIsFree ? heldYGradient : 0);
  const inverseDepthGradient =
    camera.focalX * (jacobianGradient[0]! - jacobianGradient[2]! * linearised.x) +
    camera.focalY * (jacobianGradient[4]! - jacobianGradient[5]! * linearised.y);
  const meanCameraGradient = [
    slopeXGradient / z,
    slopeYGradient / z,
    -(slopeXGradient * x + slopeYGradient * y + inverseDepthGradient) / (z * z),
  ];

  const mean = gaussians.meanOpacity.subarray(index * 4, index * 4 + 3);
  const fromJacobian = multiply(transpose(jacobian, 2, 3), imageFromWorldGradient, 3, 2, 3);
  for (let column = 0; column < 3; column++) {
    for (let row = 0; row < 3; row++) {
      gradients.meanOpacity[index * 4 + column]! += w[row * 4 + column]! * meanCameraGradient[row]!;
      gradients.cameraFromWorld[row * 4 + column]! +=
        fromJacobian[row * 3 + column]! + meanCameraGradient[row]! * mean[column]!;
    }
  }
  for (let row = 0; row < 3; row++) gradients.cameraFromWorld[row * 4 + 3]! += meanCameraGradient[row]!;
}

/** Row-major rotation matrix of a unit quaternion wxyz. */
function matrixOfQuaternion(quaternion: ArrayLike<number>): number[] {
  const [w, x, y, z] = [quaternion[0]!, quaternion[1]!, quaternion[2]!, quaternion[3]!];
  return [
    1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
    2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
    2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y),
  ]; // prettier-ignore
}

/** Of the formula above as it stands: no normalisation, whose gradient belongs to whoever normalised. */
function quaternionGradient(quaternion: ArrayLike<number>, g: readonly number[]): number[] {
  const [w, x, y, z] = [quaternion[0]!, quaternion[1]!, quaternion[2]!, quaternion[3]!];
  const [g00, g01, g02, g10, g11, g12, g20, g21, g22] = g as unknown as [
    number, number, number, number, number, number, number, number, number,
  ]; // prettier-ignore
  return [
    2 * (-z * g01 + y * g02 + z * g10 - x * g12 - y * g20 + x * g21),
    2 * (y * g01 + z * g02 + y * g10 - 2 * x * g11 - w * g12 + z * g20 + w * g21 - 2 * x * g22),
    2 * (-2 * y * g00 + x * g01 + w * g02 + x * g10 + z * g12 - w * g20 + z * g21 - 2 * y * g22),
    2 * (-2 * z * g00 - w * g01 + x * g02 + w * g10 - 2 * z * g11 + y * g12 + x * g20 + y * g21),
  ];
}

function multiply(a: readonly number[], b: readonly number[], rows: number, inner: number, columns: number): number[] {
  const product = new Array<number>(rows * columns).fill(0);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      for (let k = 0; k < inner; k++) product[i * columns + j]! += a[i * inner + k]! * b[k * columns + j]!;
    }
  }
  return product;
}

function transpose(a: readonly number[], rows: number, columns: number): number[] {
  return Array.from({ length: rows * columns }, (_, k) => a[(k % rows) * columns + Math.floor(k / rows)]!);
}

function dot3(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return a[0]! * b[0]! + a[1]! * b[1]! + a[2]! * b[2]!;
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
