import type { Gpu } from '../gpu/gpu.ts';
import { createKernel, type WgslFile } from '../gpu/kernel.ts';
import rotationWgsl from '../math/rotation.wgsl?raw';
import canonicalSizesWgsl from './canonical-sizes.wgsl?raw';
import cornerStartsWgsl from './corner-starts.wgsl?raw';
import gatherWgsl from './gather-vertices.backward.wgsl?raw';
import localBackwardWgsl from './local.backward.wgsl?raw';
import localGaussianWgsl from './local-gaussian.wgsl?raw';
import placeBackwardWgsl from './place.backward.wgsl?raw';
import directGradientWgsl from './place-gradient.direct.wgsl?raw';
import packedGradientWgsl from './place-gradient.packed.wgsl?raw';
import colorApartWgsl from './place-color.apart.wgsl?raw';
import colorTogetherWgsl from './place-color.together.wgsl?raw';
import placeColorWgsl from './place-color.wgsl?raw';
import placeWgsl from './place.wgsl?raw';
import placementIndexWgsl from './placement-index.wgsl?raw';
import triangleFrameWgsl from './triangle-frame.wgsl?raw';

const file = (name: string, text: string): WgslFile => ({ name: `src/binding/${name}`, text });
const ROTATION: WgslFile = { name: 'src/math/rotation.wgsl', text: rotationWgsl };
const TRIANGLE_FRAME = file('triangle-frame.wgsl', triangleFrameWgsl);
const LOCAL_GAUSSIAN = file('local-gaussian.wgsl', localGaussianWgsl);
const PLACE_COLOR = file('place-color.wgsl', placeColorWgsl);
const COLOR_TOGETHER = file('place-color.together.wgsl', colorTogetherWgsl);
const NO_COLOR: WgslFile = { name: 'no color', text: 'fn placeColor(i: u32) {}' };

/** What placing needs: the forward kernels, the index and the canonical sizes. */
export async function createPlacementKernels(gpu: Gpu, triangleCount: number, variant: PlacementVariant) {
  const isDirect = variant === 'direct';
  const colorBindings = { color: 'read', rgb: 'readWrite' } as const;
  const [place, placeColor, index, canonicalSizes] = await Promise.all([
    createKernel(gpu, {
      label: 'place',
      files: [
        file('place.wgsl', placeWgsl),
        ...(isDirect ? [COLOR_TOGETHER, PLACE_COLOR] : [NO_COLOR]),
        TRIANGLE_FRAME,
        LOCAL_GAUSSIAN,
        ROTATION,
      ],
      bindings: {
        count: 'uniform',
        anchors: 'read',
        triangles: 'read',
        posedVertices: 'read',
        localRotation: 'read',
        logScale: 'read',
        opacityLogit: 'read',
        normalOffset: 'read',
        meanOpacity: 'readWrite',
        rotation: 'readWrite',
        scale: 'readWrite',
        ...(isDirect ? colorBindings : ({} as typeof colorBindings)),
      },
    }),
    isDirect
      ? null
      : createKernel(gpu, {
          label: 'place color',
          files: [file('place-color.apart.wgsl', colorApartWgsl), PLACE_COLOR],
          bindings: { count: 'uniform', ...colorBindings },
        }),
    createKernel(gpu, {
      label: 'placement index',
      files: [file('placement-index.wgsl', placementIndexWgsl)],
      bindings: {
        count: 'read',
        triangleIndices: 'read',
        barycentrics: 'read',
        triangles: 'read',
        anchors: 'readWrite',
        keys: 'readWrite',
        values: 'readWrite',
        control: 'readWrite',
      },
      constants: { gradientRecords: GRADIENT_RECORDS[variant] },
    }),
    createKernel(gpu, {
      label: 'canonical sizes',
      files: [file('canonical-sizes.wgsl', canonicalSizesWgsl), TRIANGLE_FRAME],
      bindings: { posedVertices: 'read', triangles: 'readWrite' },
      constants: { triangleCount },
    }),
  ]);
  return { place, placeColor, index, canonicalSizes };
}

/** Colour placed with the rest and gradients handed on at once, or by second kernels (10 storage buffers are enough). */
export type PlacementVariant = 'direct' | 'packed';
export const PLACEMENT_VARIANTS: readonly PlacementVariant[] = ['direct', 'packed'];
const DIRECT_STORAGE_BUFFERS = 13;
/** vec4 per Gaussian of the intermediate gradient: its corners', and when packed (place-gradient.packed.wgsl) the rest. */
export const GRADIENT_RECORDS: Record<PlacementVariant, number> = { direct: 3, packed: 5 };

/** The variant that a device has room for. */
export function placementVariant(gpu: Gpu): PlacementVariant {
  return gpu.device.limits.maxStorageBuffersPerShaderStage >= DIRECT_STORAGE_BUFFERS ? 'direct' : 'packed';
}

/** What the backward pass needs beside. */
export async function createPlacementBackwardKernels(gpu: Gpu, vertexCount: number, variant: PlacementVariant) {
  const gradientFile =
    variant === 'direct'
      ? file('place-gradient.direct.wgsl', directGradientWgsl)
      : file('place-gradient.packed.wgsl', packedGradientWgsl);
  const directGradients = {
    localRotationGradient: 'readWrite',
    logScaleGradient: 'readWrite',
    normalOffsetGradient: 'readWrite',
  } as const;
  const [placeBackward, localBackward, cornerStarts, gather] = await Promise.all([
    createKernel(gpu, {
      label: 'place backward',
      files: [file('place.backward.wgsl', placeBackwardWgsl), gradientFile, TRIANGLE_FRAME, LOCAL_GAUSSIAN, ROTATION],
      bindings: {
        count: 'uniform',
        anchors: 'read',
        triangles: 'read',
        posedVertices: 'read',
        localRotation: 'read',
        logScale: 'read',
        normalOffset: 'read',
        meanOpacityGradient: 'read',
        rotationGradient: 'read',
        scaleGradient: 'read',
        placementGradient: 'readWrite',
        ...(variant === 'direct' ? directGradients : ({} as typeof directGradients)),
      },
    }),
    createKernel(gpu, {
      label: 'local backward',
      files: [file('local.backward.wgsl', localBackwardWgsl), LOCAL_GAUSSIAN],
      bindings: {
        count: 'uniform',
        placementGradient: 'read',
        meanOpacityGradient: 'read',
        rgbGradient: 'read',
        opacityLogit: 'read',
        color: 'read',
        localRotationGradient: 'readWrite',
        logScaleGradient: 'readWrite',
        opacityLogitGradient: 'readWrite',
        colorGradient: 'readWrite',
        normalOffsetGradient: 'readWrite',
      },
      constants: { isPacked: Number(variant === 'packed') },
    }),
    createKernel(gpu, {
      label: 'corner starts',
      files: [file('corner-starts.wgsl', cornerStartsWgsl)],
      bindings: { control: 'read', sortedKeys: 'read', cornerStarts: 'readWrite' },
      constants: { vertexCount },
    }),
    createKernel(gpu, {
      label: 'gather vertices backward',
      files: [file('gather-vertices.backward.wgsl', gatherWgsl)],
      bindings: { cornerStarts: 'read', corners: 'read', placementGradient: 'read', posedGradient: 'readWrite' },
      constants: { vertexCount },
    }),
  ]);
  return { placeBackward, localBackward, cornerStarts, gather };
}
