import { LOCAL_ATTRIBUTES, type LocalAttribute, type LocalGaussians } from '../../gaussians/layout.ts';
import { createStorageBuffer, Ownership } from '../../gpu/buffer.ts';
import type { Commands } from '../../gpu/commands.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import { createKernel } from '../../gpu/kernel.ts';
import type { MappedAttributes } from '../attribute-maps.ts';
import gatherText from './gather.wgsl?raw';
import recordText from './record.wgsl?raw';
import backwardText from './sample.backward.wgsl?raw';
import forwardText from './sample.wgsl?raw';
import type { MapTaps } from './taps.ts';

/** Floats of one Gaussian's record in `samples` and `sampleGradient`: 11 channels and one unused. */
export const SAMPLE_STRIDE = 12;

export interface SampleOptions {
  readonly taps: MapTaps;
  readonly mapped: MappedAttributes;
  /** 11×size² float32, channel-planar. */
  readonly maps: GPUBuffer;
  /** 11×size²: ∂loss/∂maps, written by `gather`. */
  readonly mapGradient: GPUBuffer;
  /** Written by `forward`; in `appearance`, colour and opacity alone. */
  readonly local: LocalGaussians;
  /** Read by `backward`. */
  readonly localGradients: LocalGaussians;
}

/**
 * Attribute maps to the local attributes of Gaussians that stay where they are, and back. Frames that share the maps
 * each call `backward`; one `gather` then turns their summed gradient into the maps'.
 */
export interface MapSampling {
  /** N×12: what each Gaussian read, and the sum of the gradients of it; records as in record.wgsl. */
  readonly samples: GPUBuffer;
  readonly sampleGradient: GPUBuffer;
  forward(commands: Commands): void;
  /** Adds the frame's gradient to `sampleGradient`. */
  backward(commands: Commands): void;
  /** Writes `mapGradient` from `sampleGradient`, and clears the latter. */
  gather(commands: Commands): void;
  dispose(): void;
}

const GROUP_WIDTH = 64;

export async function createMapSampling(gpu: Gpu, options: SampleOptions): Promise<MapSampling> {
  const { taps, mapped, maps, mapGradient, local, localGradients } = options;
  const { gaussianCount, size } = taps;
  const texelCount = size * size;
  const withGeometry = mapped === 'all' ? 1 : 0;
  const record = { name: 'src/baking/sample/record.wgsl', text: recordText };
  const forward = await createKernel(gpu, {
    label: 'sample maps',
    files: [record, { name: 'src/baking/sample/sample.wgsl', text: forwardText }],
    bindings: {
      texels: 'read',
      weights: 'read',
      maps: 'read',
      samples: 'readWrite',
      localRotation: 'readWrite',
      logScale: 'readWrite',
      opacityLogit: 'readWrite',
      color: 'readWrite',
      normalOffset: 'readWrite',
    },
    constants: { gaussianCount, texelCount, withGeometry },
  });
  const backward = await createKernel(gpu, {
    label: 'sample maps backward',
    files: [record, { name: 'src/baking/sample/sample.backward.wgsl', text: backwardText }],
    bindings: {
      samples: 'read',
      localRotationGradient: 'read',
      logScaleGradient: 'read',
      opacityLogitGradient: 'read',
      colorGradient: 'read',
      normalOffsetGradient: 'read',
      sampleGradient: 'readWrite',
    },
    constants: { gaussianCount, withGeometry },
  });
  const gather = await createKernel(gpu, {
    label: 'gather map gradient',
    files: [record, { name: 'src/baking/sample/gather.wgsl', text: gatherText }],
    bindings: { starts: 'read', reads: 'read', sampleGradient: 'read', mapGradient: 'readWrite' },
    constants: { texelCount },
  });
  const owned = new Ownership();
  const own = (label: string, content: Parameters<typeof createStorageBuffer>[2]): GPUBuffer =>
    owned.own(createStorageBuffer(gpu, label, content));
  // A binding holds one record at least.
  const recordBytes = Math.max(1, gaussianCount) * SAMPLE_STRIDE * 4;
  const samples = own('map samples', recordBytes);
  const sampleGradient = own('map sample gradient', recordBytes);
  const forwardGroup = forward.bind({
    texels: own('map taps: texels', taps.texels),
    weights: own('map taps: weights', taps.weights),
    maps,
    samples,
    ...local,
  });
  const gradients = Object.fromEntries(
    LOCAL_ATTRIBUTES.map((name) => [`${name}Gradient`, localGradients[name]]),
  ) as Record<`${LocalAttribute}Gradient`, GPUBuffer>;
  const backwardGroup = backward.bind({ samples, ...gradients, sampleGradient });
  const gatherGroup = gather.bind({
    starts: own('map taps: starts', taps.starts),
    reads: own('map taps: reads', taps.reads),
    sampleGradient,
    mapGradient,
  });
  const gaussianGroups = Math.ceil(gaussianCount / GROUP_WIDTH);
  return {
    samples,
    sampleGradient,
    forward(commands) {
      commands.pass('sample maps', (pass) => forward.dispatch(pass, forwardGroup, gaussianGroups));
    },
    backward(commands) {
      commands.pass('sample maps', (pass) => backward.dispatch(pass, backwardGroup, gaussianGroups));
    },
    gather(commands) {
      commands.pass('sample maps', (pass) => gather.dispatch(pass, gatherGroup, Math.ceil(texelCount / GROUP_WIDTH)));
      commands.clear(sampleGradient);
    },
    dispose: () => owned.destroy(),
  };
}
