import type { Camera } from '../tracking/track.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { writeBuffer } from '../gpu/buffer.ts';

/** Floats of a camera record (`struct Camera` in camera.wgsl). */
export const CAMERA_FLOATS = 24;
/** Bytes from one camera to the next in a buffer of many: WebGPU's alignment of binding offsets. */
export const CAMERA_STRIDE = 256;

export interface CameraView {
  /** Pinhole camera in pixels of the rendered image. */
  readonly camera: Camera;
  /** Row-major 3×4: metres in the world to metres in OpenCV camera axes. */
  readonly cameraFromWorld: ArrayLike<number>;
  /** Gaussians at this depth or nearer are culled, metres. Default 0.05. */
  readonly near?: number;
  /** Colour behind the Gaussians, 0…1. Default white. */
  readonly background?: ArrayLike<number>;
}

/** World = camera space: the camera stands at the origin, as it does in fitting. */
export const IDENTITY_VIEW = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0] as const;
/** Nearest depth drawn, metres. */
export const NEAR = 0.05;

/** The record that the rasteriser's kernels read; `CAMERA_STRIDE` bytes long, to be laid one after the other. */
export function packCamera({ camera, cameraFromWorld, near = NEAR, background = [1, 1, 1] }: CameraView): Float32Array {
  if (cameraFromWorld.length !== 12) {
    throw new RangeError(`cameraFromWorld has ${cameraFromWorld.length} numbers; give a row-major 3×4 matrix (12)`);
  }
  if (!(near > 0)) throw new RangeError(`near is ${near}; give a distance above 0 metres`);
  const record = new Float32Array(CAMERA_STRIDE / 4);
  record.set(Array.from(cameraFromWorld), 0);
  record.set([camera.focalX, camera.focalY, camera.principalX, camera.principalY], 12);
  record.set([camera.width, camera.height, near, 0], 16);
  record.set([background[0]!, background[1]!, background[2]!, 0], 20);
  return record;
}

/** A buffer of cameras; camera i is `{ buffer, offset: i * CAMERA_STRIDE, size: CAMERA_STRIDE }`. */
export function createCameraBuffer(gpu: Gpu, views: readonly CameraView[]): GPUBuffer {
  const buffer = gpu.device.createBuffer({
    label: 'cameras',
    size: Math.max(1, views.length) * CAMERA_STRIDE,
    usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC,
  });
  views.forEach((view, index) => writeBuffer(gpu, buffer, packCamera(view), index * CAMERA_STRIDE));
  return buffer;
}

/** Binding of camera `index` in a buffer of `createCameraBuffer`. */
export function cameraBinding(buffer: GPUBuffer, index = 0): GPUBufferBinding {
  return { buffer, offset: index * CAMERA_STRIDE, size: CAMERA_STRIDE };
}
