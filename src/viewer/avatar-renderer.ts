import type { Avatar } from '../avatar/avatar.ts';
import { createPlacement, type Placement } from '../binding/placement.ts';
import type { WorldGaussianArrays } from '../export/ply.ts';
import { LOCAL_ATTRIBUTES, type LocalGaussians } from '../gaussians/layout.ts';
import { createStorageBuffer, Ownership, readFloats, writeBuffer } from '../gpu/buffer.ts';
import { Commands } from '../gpu/commands.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { createDeformation, type Deformation } from '../head/deformation/deformation.ts';
import { padVertices, poseRecordStride } from '../head/deformation/layout.ts';
import { packPose, type HeadPose } from '../head/pose.ts';
import { CAMERA_STRIDE, IDENTITY_VIEW, packCamera } from '../rasterizer/camera.ts';
import { createRasterizer, type Rasterizer } from '../rasterizer/rasterizer.ts';
import type { Camera } from '../tracking/track.ts';
import type { Image } from '../video/frame.ts';

export interface RenderOptions {
  /** sRGB-encoded 0…1. Default white. */
  readonly background?: readonly [number, number, number];
  /** Keep the head's coverage as alpha (straight colour) instead of a background. Default false. */
  readonly transparent?: boolean;
}

/** RGB of 0…1, row-major. */
export interface FloatImage {
  readonly width: number;
  readonly height: number;
  readonly channels: 3;
  readonly data: Float32Array;
}

/** Draws an avatar in any pose; holds its buffers on the GPU. Bundles without the fitting. */
export class AvatarRenderer {
  readonly avatar: Avatar;
  readonly #gpu: Gpu;
  readonly #owned = new Ownership();
  readonly #deformation: Deformation;
  readonly #placement: Placement;
  readonly #count: GPUBuffer;
  readonly #pose: GPUBuffer;
  readonly #camera: GPUBuffer;
  #rasterizer: Rasterizer | null = null;
  #size: readonly [number, number] = [0, 0];
  #intersectionCapacity: number;

  private constructor(gpu: Gpu, avatar: Avatar, deformation: Deformation, placement: Placement, count: GPUBuffer) {
    this.#gpu = gpu;
    this.avatar = avatar;
    this.#deformation = deformation;
    this.#placement = placement;
    this.#count = count;
    this.#intersectionCapacity = avatar.gaussians.count * 8 + 65_536;
    this.#pose = this.#owned.own(
      createStorageBuffer(gpu, 'pose', poseRecordStride(avatar.head.expressionNames.length)),
    );
    this.#camera = this.#owned.own(
      gpu.device.createBuffer({
        label: 'camera',
        size: CAMERA_STRIDE,
        usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
      }),
    );
  }

  static async create(gpu: Gpu, avatar: Avatar): Promise<AvatarRenderer> {
    const { head, gaussians } = avatar;
    // The basis was sparse when it was stored: what is not zero is its support.
    const deformation = await createDeformation(gpu, head, { identityCoefficients: [], supportThreshold: 0 });
    writeBuffer(gpu, deformation.vertexOffset, padVertices(avatar.vertexOffset));
    const count = createStorageBuffer(gpu, 'gaussian count', Uint32Array.of(gaussians.count));
    const local = Object.fromEntries(
      LOCAL_ATTRIBUTES.map((name) => [name, createStorageBuffer(gpu, name, gaussians[name])]),
    ) as unknown as LocalGaussians;
    const triangleIndices = createStorageBuffer(gpu, 'triangle indices', gaussians.triangleIndices);
    const barycentrics = createStorageBuffer(gpu, 'barycentrics', gaussians.barycentrics);
    const placement = await createPlacement(gpu, {
      triangles: head.triangles,
      vertexCount: head.vertexCount,
      posedVertices: deformation.posedVertices,
      gaussianCapacity: Math.max(1, gaussians.count),
      count,
      triangleIndices,
      barycentrics,
      local,
      canonicalSizes: avatar.canonicalSizes,
    });
    const renderer = new AvatarRenderer(gpu, avatar, deformation, placement, count);
    for (const buffer of [count, triangleIndices, barycentrics, ...Object.values(local)]) renderer.#owned.own(buffer);
    const commands = new Commands(gpu);
    placement.rebuildIndex(commands);
    commands.submit();
    return renderer;
  }

  /**
   * Records drawing a pose and returns the buffer that will hold it: H×W vec4f, row-major, colour over the background
   * and the transmittance left. For a canvas or a video encoder; `render` reads it back instead. A close-up may need
   * more room than there is and then lacks Gaussians: see `makeRoom`.
   */
  async record(commands: Commands, pose: HeadPose, camera: Camera, options: RenderOptions = {}): Promise<GPUBuffer> {
    const rasterizer = await this.#rasterizerFor(camera);
    const background = options.transparent ? [0, 0, 0] : (options.background ?? [1, 1, 1]);
    writeBuffer(this.#gpu, this.#pose, packPose(pose));
    writeBuffer(this.#gpu, this.#camera, packCamera({ camera, cameraFromWorld: IDENTITY_VIEW, background }));
    this.#deformation.forward(commands, { buffer: this.#pose });
    this.#placement.forward(commands);
    rasterizer.forward(commands, {
      gaussians: this.#placement.world,
      count: this.#count,
      camera: { buffer: this.#camera, size: CAMERA_STRIDE },
    });
    return rasterizer.image;
  }

  /**
   * Whether the last picture lacked Gaussians for want of room; the next one will have it, so draw again. Reads four
   * bytes back: `render` calls it always, a viewer after its camera came closer.
   */
  async makeRoom(): Promise<boolean> {
    if (!this.#rasterizer) return false;
    const needed = await this.#rasterizer.neededIntersections();
    if (needed <= this.#rasterizer.intersectionCapacity) return false;
    this.#intersectionCapacity = Math.ceil(needed * 1.5);
    this.#rasterizer.destroy();
    this.#rasterizer = null;
    return true;
  }

  /** Draws a pose and reads the picture back: RGB over the background, or RGBA with coverage. */
  async render(pose: HeadPose, camera: Camera, options: RenderOptions = {}): Promise<Image> {
    const pixels = await this.#pixels(pose, camera, options);
    return toImage(pixels, camera.width, camera.height, options.transparent ?? false);
  }

  /** As `render`, unrounded: RGB 0…1, over the background. What scores are computed on. */
  async renderFloat(pose: HeadPose, camera: Camera, options: RenderOptions = {}): Promise<FloatImage> {
    const pixels = await this.#pixels(pose, camera, options);
    const data = new Float32Array(camera.width * camera.height * 3);
    for (let index = 0; index < data.length; index++) {
      data[index] = Math.max(0, Math.min(1, pixels[Math.floor(index / 3) * 4 + (index % 3)]!));
    }
    return { width: camera.width, height: camera.height, channels: 3, data };
  }

  async #pixels(pose: HeadPose, camera: Camera, options: RenderOptions): Promise<Float32Array> {
    const commands = new Commands(this.#gpu);
    const image = await this.record(commands, pose, camera, options);
    commands.submit();
    const pixels = await readFloats(this.#gpu, image, camera.width * camera.height * 4);
    return (await this.makeRoom()) ? this.#pixels(pose, camera, options) : pixels;
  }

  /** World Gaussians of a pose, read back: for exports. */
  async worldGaussians(pose: HeadPose): Promise<WorldGaussianArrays> {
    const commands = new Commands(this.#gpu);
    writeBuffer(this.#gpu, this.#pose, packPose(pose));
    this.#deformation.forward(commands, { buffer: this.#pose });
    this.#placement.forward(commands);
    commands.submit();
    const { count } = this.avatar.gaussians;
    const { world } = this.#placement;
    return {
      count,
      meanOpacity: await readFloats(this.#gpu, world.meanOpacity, count * 4),
      rotation: await readFloats(this.#gpu, world.rotation, count * 4),
      scale: await readFloats(this.#gpu, world.scale, count * 4),
      rgb: await readFloats(this.#gpu, world.rgb, count * 4),
    };
  }

  dispose(): void {
    this.#rasterizer?.destroy();
    this.#placement.dispose();
    this.#deformation.dispose();
    this.#owned.destroy();
  }

  async #rasterizerFor({ width, height }: Camera): Promise<Rasterizer> {
    if (this.#rasterizer && this.#size[0] === width && this.#size[1] === height) return this.#rasterizer;
    this.#rasterizer?.destroy();
    this.#rasterizer = await createRasterizer(this.#gpu, {
      width,
      height,
      gaussianCapacity: Math.max(1, this.avatar.gaussians.count),
      intersectionCapacity: this.#intersectionCapacity,
      differentiable: false,
    });
    this.#size = [width, height];
    return this.#rasterizer;
  }
}

/** Pixels of the rasteriser as an 8-bit image. */
export function toImage(pixels: Float32Array, width: number, height: number, transparent: boolean): Image {
  const channels = transparent ? 4 : 3;
  const data = new Uint8Array(width * height * channels);
  const byte = (value: number): number => Math.max(0, Math.min(255, Math.round(value * 255)));
  for (let pixel = 0; pixel < width * height; pixel++) {
    const alpha = 1 - pixels[pixel * 4 + 3]!;
    const scale = transparent && alpha > 1e-4 ? 1 / alpha : 1;
    for (let channel = 0; channel < 3; channel++)
      data[pixel * channels + channel] = byte(pixels[pixel * 4 + channel]! * scale);
    if (transparent) data[pixel * 4 + 3] = byte(alpha);
  }
  return { width, height, channels, data };
}
