import { createUniformBuffer, writeBuffer } from '../gpu/buffer.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { ShaderError } from '../gpu/kernel.ts';
import type { Camera } from '../tracking/track.ts';
import type { Image } from '../video/frame.ts';
import { CORNER_FLOATS, packCorners, type MeshPart } from './mesh-corners.ts';
import shaderText from './mesh-renderer.wgsl?raw';

export type { Material, Mesh, MeshPart } from './mesh-corners.ts';

/** Light on a scene. Directions point towards the light and need no particular length; colours are linear RGB. */
export interface Lighting {
  /** `camera`: lights stand still relative to the camera (x right, y down, z forward); `world`: relative to the scene. */
  readonly space: 'camera' | 'world';
  readonly keyDirection: Vector3;
  readonly keyColor: Vector3;
  readonly fillDirection: Vector3;
  readonly fillColor: Vector3;
  readonly upDirection: Vector3;
  readonly skyColor: Vector3;
  readonly groundColor: Vector3;
  /** How far diffuse light reaches past the terminator, 0 (hard) … 1 (soft). */
  readonly wrap: number;
}
type Vector3 = readonly [number, number, number];

/** A soft portrait light: key from the upper left of the image, fill from the right. */
export const PORTRAIT_LIGHTING: Lighting = {
  space: 'camera',
  keyDirection: [-0.5, -0.6, -0.8],
  keyColor: [0.85, 0.82, 0.78],
  fillDirection: [0.9, -0.1, -0.5],
  fillColor: [0.16, 0.18, 0.21],
  upDirection: [0, -1, 0],
  skyColor: [0.3, 0.31, 0.33],
  groundColor: [0.12, 0.11, 0.1],
  wrap: 0.25,
};

/** From where and how a scene is drawn. */
export interface MeshView {
  readonly camera: Camera;
  /** 4×4, row-major. */
  readonly cameraFromWorld: ArrayLike<number>;
  readonly lighting?: Lighting;
  /** Samples per pixel along each axis; 2 gives four samples a pixel. Default 2. */
  readonly supersampling?: number;
}

/** What lies under each pixel's centre. */
export interface SurfaceImage {
  readonly width: number;
  readonly height: number;
  /** Index of the part, −1 where nothing is. */
  readonly partIndices: Int32Array;
  /** Triangle within the part, −1 where nothing is. */
  readonly triangleIndices: Int32Array;
  /** H×W×2. */
  readonly uvs: Float32Array;
  /** H×W metres along the camera's z axis; 0 where nothing is. */
  readonly depths: Float32Array;
}

/** Draws meshes on the GPU, on software drivers too. */
export interface MeshRenderer {
  /** Lit picture, RGBA8 with straight alpha = coverage. */
  render(parts: readonly MeshPart[], view: MeshView): Promise<Image>;
  /** Triangle, texture coordinate and depth per pixel, one sample at the pixel's centre. */
  renderSurface(parts: readonly MeshPart[], view: MeshView): Promise<SurfaceImage>;
  dispose(): void;
}

const NEAR = 0.05; // metres
const FAR = 20; // metres
const VIEW_BYTES = 4 * 48;
const PART_BYTES = 16;

/** Compiles the pipelines; a WGSL error throws `ShaderError` with its line. */
export async function createMeshRenderer(gpu: Gpu): Promise<MeshRenderer> {
  const { device } = gpu;
  const module = device.createShaderModule({ label: 'mesh renderer', code: shaderText });
  const compilation = await gpu.wait(module.getCompilationInfo());
  const errors = compilation.messages.filter((message) => message.type === 'error');
  if (errors.length > 0) {
    throw new ShaderError(errors.map((error) => `mesh-renderer.wgsl:${error.lineNum} ${error.message}`).join('\n'));
  }
  const viewLayout = device.createBindGroupLayout({
    label: 'mesh view',
    entries: [{ binding: 0, visibility: GPUShaderStage.VERTEX | GPUShaderStage.FRAGMENT, buffer: { type: 'uniform' } }],
  });
  const partLayout = device.createBindGroupLayout({
    label: 'mesh part',
    entries: [
      { binding: 0, visibility: GPUShaderStage.FRAGMENT, buffer: { type: 'uniform' } },
      { binding: 1, visibility: GPUShaderStage.FRAGMENT, texture: { sampleType: 'float' } },
      { binding: 2, visibility: GPUShaderStage.FRAGMENT, sampler: { type: 'filtering' } },
    ],
  });
  const layout = device.createPipelineLayout({ bindGroupLayouts: [viewLayout, partLayout] });
  const pipelineFor = (entryPoint: string, format: GPUTextureFormat, cullMode: GPUCullMode): GPURenderPipeline =>
    device.createRenderPipeline({
      label: `mesh ${entryPoint}`,
      layout,
      vertex: {
        module,
        entryPoint: 'project',
        buffers: [
          {
            arrayStride: CORNER_FLOATS * 4,
            attributes: [
              { shaderLocation: 0, offset: 0, format: 'float32x3' },
              { shaderLocation: 1, offset: 12, format: 'float32x3' },
              { shaderLocation: 2, offset: 24, format: 'float32x2' },
              { shaderLocation: 3, offset: 32, format: 'float32x3' },
              { shaderLocation: 4, offset: 44, format: 'float32' },
            ],
          },
        ],
      },
      fragment: { module, entryPoint, targets: [{ format }] },
      // Triangles are counter-clockwise seen from outside, in a y-up world; the projection keeps that on screen.
      primitive: { topology: 'triangle-list', frontFace: 'ccw', cullMode },
      depthStencil: { format: 'depth32float', depthWriteEnabled: true, depthCompare: 'less' },
    });
  const pipelines = {
    shade: { back: pipelineFor('shade', 'rgba8unorm', 'back'), none: pipelineFor('shade', 'rgba8unorm', 'none') },
    surface: {
      back: pipelineFor('surface', 'rgba32float', 'back'),
      none: pipelineFor('surface', 'rgba32float', 'none'),
    },
  };
  const sampler = device.createSampler({ magFilter: 'linear', minFilter: 'linear' });
  const white: Image = { width: 1, height: 1, channels: 4, data: new Uint8Array([255, 255, 255, 255]) };
  const textures = new Map<Image, GPUTexture>();
  const textureOf = (image: Image): GPUTexture => {
    const known = textures.get(image);
    if (known) return known;
    const texture = uploadImage(gpu, image);
    textures.set(image, texture);
    return texture;
  };

  /** Draws all parts into one target of `scale` times the camera's size and reads it back, row-major, unpadded. */
  async function draw(
    kind: 'shade' | 'surface',
    parts: readonly MeshPart[],
    view: MeshView,
    scale: number,
  ): Promise<ArrayBuffer> {
    const width = view.camera.width * scale;
    const height = view.camera.height * scale;
    const transient: { destroy(): void }[] = [];
    const own = <T extends { destroy(): void }>(resource: T): T => (transient.push(resource), resource);
    const viewBuffer = own(createUniformBuffer(gpu, 'mesh view', VIEW_BYTES));
    writeBuffer(gpu, viewBuffer, packView(view, scale));
    const target = own(
      device.createTexture({
        label: `mesh ${kind}`,
        size: [width, height],
        format: kind === 'shade' ? 'rgba8unorm' : 'rgba32float',
        usage: GPUTextureUsage.RENDER_ATTACHMENT | GPUTextureUsage.COPY_SRC,
      }),
    );
    const depth = own(
      device.createTexture({
        label: 'mesh depth',
        size: [width, height],
        format: 'depth32float',
        usage: GPUTextureUsage.RENDER_ATTACHMENT,
      }),
    );
    const encoder = device.createCommandEncoder({ label: `mesh ${kind}` });
    const pass = encoder.beginRenderPass({
      colorAttachments: [{ view: target.createView(), loadOp: 'clear', storeOp: 'store', clearValue: [0, 0, 0, 0] }],
      depthStencilAttachment: {
        view: depth.createView(),
        depthLoadOp: 'clear',
        depthStoreOp: 'discard',
        depthClearValue: 1,
      },
    });
    pass.setBindGroup(
      0,
      device.createBindGroup({
        layout: viewLayout,
        entries: [{ binding: 0, resource: { buffer: viewBuffer } }],
      }),
    );
    for (const part of parts) {
      const corners = packCorners(part);
      const cornerBuffer = own(
        device.createBuffer({
          label: 'mesh corners',
          size: Math.max(16, corners.byteLength),
          usage: GPUBufferUsage.VERTEX | GPUBufferUsage.COPY_DST,
        }),
      );
      writeBuffer(gpu, cornerBuffer, corners);
      const partBuffer = own(createUniformBuffer(gpu, 'mesh part', PART_BYTES));
      const { albedo, shininess = 20 } = part.material ?? {};
      const alphaCutoff = albedo?.channels === 4 ? 0.5 : 0;
      writeBuffer(gpu, partBuffer, new Float32Array([albedo ? 1 : 0, shininess, alphaCutoff, 0]));
      pass.setPipeline(pipelines[kind][part.material?.isDoubleSided ? 'none' : 'back']);
      pass.setBindGroup(
        1,
        device.createBindGroup({
          layout: partLayout,
          entries: [
            { binding: 0, resource: { buffer: partBuffer } },
            { binding: 1, resource: textureOf(albedo ?? white).createView() },
            { binding: 2, resource: sampler },
          ],
        }),
      );
      pass.setVertexBuffer(0, cornerBuffer);
      pass.draw(corners.length / CORNER_FLOATS);
    }
    pass.end();
    device.queue.submit([encoder.finish()]);
    const pixels = await readTexture(gpu, target, width, height, kind === 'shade' ? 4 : 16);
    for (const resource of transient) resource.destroy();
    return pixels;
  }

  return {
    async render(parts, view) {
      const scale = view.supersampling ?? 2;
      if (!Number.isInteger(scale) || scale < 1) {
        throw new RangeError(`supersampling is ${scale}; give a whole number, 1 or more.`);
      }
      const fine = new Uint8Array(await draw('shade', parts, view, scale));
      return averageBlocks(fine, view.camera.width, view.camera.height, scale);
    },
    async renderSurface(parts, view) {
      // One draw per part and a depth test here: a triangle index then needs no part index packed beside it.
      const { width, height } = view.camera;
      const result: SurfaceImage = {
        width,
        height,
        partIndices: new Int32Array(width * height).fill(-1),
        triangleIndices: new Int32Array(width * height).fill(-1),
        uvs: new Float32Array(width * height * 2),
        depths: new Float32Array(width * height),
      };
      for (const [partIndex, part] of parts.entries()) {
        mergeSurface(result, new Float32Array(await draw('surface', [part], view, 1)), partIndex);
      }
      return result;
    },
    dispose() {
      for (const texture of textures.values()) texture.destroy();
      textures.clear();
    },
  };
}

function packView(view: MeshView, scale: number): Float32Array {
  const { camera, cameraFromWorld, lighting = PORTRAIT_LIGHTING } = view;
  if (cameraFromWorld.length !== 16) {
    throw new TypeError(`cameraFromWorld has ${cameraFromWorld.length} entries; give a 4×4 row-major matrix (16).`);
  }
  const packed = new Float32Array(VIEW_BYTES / 4);
  packed.set(Array.from(cameraFromWorld).slice(0, 12), 0);
  packed.set([camera.focalX * scale, camera.focalY * scale, camera.principalX * scale, camera.principalY * scale], 12);
  packed.set([camera.width * scale, camera.height * scale, NEAR, FAR], 16);
  const direction = (vector: Vector3): number[] => {
    const turned =
      lighting.space === 'camera'
        ? [...vector]
        : [0, 4, 8].map((row) => [0, 1, 2].reduce((sum, k) => sum + cameraFromWorld[row + k] * vector[k], 0));
    const length = Math.hypot(...turned) || 1;
    return turned.map((value) => value / length);
  };
  packed.set([...direction(lighting.keyDirection), lighting.wrap], 20);
  packed.set(lighting.keyColor, 24);
  packed.set(direction(lighting.fillDirection), 28);
  packed.set(lighting.fillColor, 32);
  packed.set(direction(lighting.upDirection), 36);
  packed.set(lighting.skyColor, 40);
  packed.set(lighting.groundColor, 44);
  return packed;
}

function uploadImage(gpu: Gpu, image: Image): GPUTexture {
  const texture = gpu.device.createTexture({
    label: 'mesh albedo',
    size: [image.width, image.height],
    format: 'rgba8unorm',
    usage: GPUTextureUsage.TEXTURE_BINDING | GPUTextureUsage.COPY_DST,
  });
  let rgba = image.data;
  if (image.channels === 3) {
    rgba = new Uint8Array(image.width * image.height * 4).fill(255);
    for (let pixel = 0; pixel < image.width * image.height; pixel++) {
      rgba.set(image.data.subarray(pixel * 3, pixel * 3 + 3), pixel * 4);
    }
  }
  gpu.device.queue.writeTexture({ texture }, rgba as Uint8Array<ArrayBuffer>, { bytesPerRow: image.width * 4 }, [
    image.width,
    image.height,
  ]);
  return texture;
}

/** Copies a texture to host memory without the row padding that WebGPU asks for. */
async function readTexture(
  gpu: Gpu,
  texture: GPUTexture,
  width: number,
  height: number,
  bytesPerPixel: number,
): Promise<ArrayBuffer> {
  const rowBytes = width * bytesPerPixel;
  const paddedRowBytes = Math.ceil(rowBytes / 256) * 256;
  const staging = gpu.device.createBuffer({
    label: `${texture.label} read-back`,
    size: paddedRowBytes * height,
    usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  });
  const encoder = gpu.device.createCommandEncoder({ label: `read ${texture.label}` });
  encoder.copyTextureToBuffer({ texture }, { buffer: staging, bytesPerRow: paddedRowBytes }, [width, height]);
  gpu.device.queue.submit([encoder.finish()]);
  await gpu.wait(staging.mapAsync(GPUMapMode.READ));
  const padded = new Uint8Array(staging.getMappedRange());
  const pixels = new Uint8Array(rowBytes * height);
  for (let row = 0; row < height; row++) {
    pixels.set(padded.subarray(row * paddedRowBytes, row * paddedRowBytes + rowBytes), row * rowBytes);
  }
  staging.destroy();
  return pixels.buffer;
}

/** Mean of each scale×scale block: alpha is the covered share, colour the mean of the covered samples. */
function averageBlocks(fine: Uint8Array, width: number, height: number, scale: number): Image {
  const data = new Uint8Array(width * height * 4);
  const fineWidth = width * scale;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let red = 0;
      let green = 0;
      let blue = 0;
      let covered = 0;
      for (let dy = 0; dy < scale; dy++) {
        for (let dx = 0; dx < scale; dx++) {
          const at = ((y * scale + dy) * fineWidth + x * scale + dx) * 4;
          if (fine[at + 3] === 0) continue;
          red += fine[at];
          green += fine[at + 1];
          blue += fine[at + 2];
          covered++;
        }
      }
      if (covered === 0) continue;
      const at = (y * width + x) * 4;
      data[at] = Math.round(red / covered);
      data[at + 1] = Math.round(green / covered);
      data[at + 2] = Math.round(blue / covered);
      data[at + 3] = Math.round((255 * covered) / (scale * scale));
    }
  }
  return { width, height, channels: 4, data };
}

function mergeSurface(result: SurfaceImage, drawn: Float32Array, partIndex: number): void {
  for (let pixel = 0; pixel < result.depths.length; pixel++) {
    const index = drawn[pixel * 4];
    const depth = drawn[pixel * 4 + 3];
    if (index === 0 || (result.partIndices[pixel] >= 0 && result.depths[pixel] <= depth)) continue;
    result.partIndices[pixel] = partIndex;
    result.triangleIndices[pixel] = index - 1;
    result.uvs[pixel * 2] = drawn[pixel * 4 + 1];
    result.uvs[pixel * 2 + 1] = drawn[pixel * 4 + 2];
    result.depths[pixel] = depth;
  }
}
