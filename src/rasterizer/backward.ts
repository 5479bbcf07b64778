import type { Gpu } from '../gpu/gpu.ts';
import type { Commands } from '../gpu/commands.ts';
import { WORLD_ATTRIBUTES, WORLD_STRIDE, type WorldGaussians } from '../gaussians/layout.ts';
import { createStorageBuffer, Ownership } from '../gpu/buffer.ts';
import { BindGroups } from './bind-groups.ts';
import type { ForwardBuffers } from './forward.ts';
import { createBackwardKernels, type BackwardKernels } from './kernels.ts';
import { MOMENT_STRIDE, tileCountOf, type RasterizerShape } from './layout.ts';
import type { RasterizerBackwardInput } from './rasterizer.ts';

/** Parts that the camera's gradient is summed in (camera.backward.wgsl). */
const CAMERA_PARTS = 256;

type BackwardBuffers = Readonly<
  Record<
    'mean2dGradient' | 'cameraGradient' | 'parts' | 'intersectionGradients' | 'covarianceOpacityGradient',
    GPUBuffer
  >
> & { readonly gradients: WorldGaussians };

/** The way back: composite, gather, project. Each method is one step. */
export class BackwardPasses {
  readonly buffers: BackwardBuffers;
  readonly #kernels: BackwardKernels;
  readonly #shape: RasterizerShape;
  readonly #all: ForwardBuffers & BackwardBuffers;
  readonly #groups = new BindGroups();

  private constructor(
    kernels: BackwardKernels,
    shape: RasterizerShape,
    forward: ForwardBuffers,
    buffers: BackwardBuffers,
  ) {
    this.#kernels = kernels;
    this.#shape = shape;
    this.buffers = buffers;
    this.#all = { ...forward, ...buffers };
  }

  static async create(
    gpu: Gpu,
    shape: RasterizerShape,
    forward: ForwardBuffers,
    owned: Ownership,
  ): Promise<BackwardPasses> {
    const { gaussianCapacity, intersectionCapacity } = shape;
    const buffer = (label: string, floats: number): GPUBuffer => owned.own(createStorageBuffer(gpu, label, floats * 4));
    const gradients = Object.fromEntries(
      WORLD_ATTRIBUTES.map((name) => [name, buffer(`${name}Gradient`, gaussianCapacity * WORLD_STRIDE)]),
    ) as unknown as WorldGaussians;
    const buffers = {
      gradients,
      mean2dGradient: buffer('mean2dGradient', gaussianCapacity * 2),
      cameraGradient: buffer('cameraGradient', 12),
      parts: buffer('cameraGradient parts', CAMERA_PARTS * 12),
      intersectionGradients: buffer('intersectionGradients', intersectionCapacity * MOMENT_STRIDE),
      covarianceOpacityGradient: buffer('covarianceOpacityGradient', gaussianCapacity * 4),
    };
    return new BackwardPasses(await createBackwardKernels(gpu, shape), shape, forward, buffers);
  }

  record(commands: Commands, input: RasterizerBackwardInput, withCamera: boolean): void {
    this.#composite(commands, input);
    this.#gather(commands);
    this.#project(commands, input, withCamera);
  }

  #composite(commands: Commands, { imageGradient }: RasterizerBackwardInput): void {
    const { compositeBackward } = this.#kernels;
    const group = this.#groups.get('composite', [imageGradient], () =>
      compositeBackward.bind({ ...this.#all, imageGradient }),
    );
    const workgroups = tileCountOf(this.#shape);
    commands.pass('rasterise: backward', (pass) => compositeBackward.dispatch(pass, group, workgroups));
  }

  #gather(commands: Commands): void {
    const { gather } = this.#kernels;
    const group = this.#groups.get('gather', [], () =>
      gather.bind({ ...this.#all, rgbGradient: this.buffers.gradients.rgb }),
    );
    const workgroups = Math.ceil(this.#shape.gaussianCapacity / 64);
    commands.pass('rasterise: gather', (pass) => gather.dispatch(pass, group, workgroups));
  }

  #project(commands: Commands, { gaussians, camera }: RasterizerBackwardInput, withCamera: boolean): void {
    const { projectBackward, sumCameraParts, sumCamera } = this.#kernels;
    const { gradients } = this.buffers;
    const outside = [camera, gaussians.meanOpacity, gaussians.rotation, gaussians.scale];
    const given = { ...this.#all, ...gaussians, camera };
    const group = this.#groups.get('project', outside, () =>
      projectBackward.bind({
        ...given,
        meanOpacityGradient: gradients.meanOpacity,
        rotationGradient: gradients.rotation,
        scaleGradient: gradients.scale,
      }),
    );
    commands.pass('rasterise: project backward', (pass) => {
      projectBackward.dispatch(pass, group, Math.ceil(this.#shape.gaussianCapacity / 64));
      if (!withCamera) return;
      const partsGroup = this.#groups.get('camera parts', outside, () => sumCameraParts.bind(given));
      sumCameraParts.dispatch(pass, partsGroup, CAMERA_PARTS / 64);
      sumCamera.dispatch(
        pass,
        this.#groups.get('camera', outside, () => sumCamera.bind(given)),
        1,
      );
    });
  }
}
