import type { Gpu } from '../gpu/gpu.ts';
import { createKernel, type WgslFile } from '../gpu/kernel.ts';
import { rasterizerConstants, type RasterizerShape } from './layout.ts';
import binText from './bin.wgsl?raw';
import cameraText from './camera.wgsl?raw';
import cameraBackwardText from './camera.backward.wgsl?raw';
import columnsText from './composite-columns.wgsl?raw';
import columnsForwardText from './composite-columns.forward.wgsl?raw';
import columnsBackwardText from './composite-columns.backward.wgsl?raw';
import pixelsText from './composite-pixels.wgsl?raw';
import pixelsForwardText from './composite-pixels.forward.wgsl?raw';
import pixelsBackwardText from './composite-pixels.backward.wgsl?raw';
import gatherText from './gather.wgsl?raw';
import orderText from './order.wgsl?raw';
import projectText from './project.wgsl?raw';
import projectBackwardText from './project.backward.wgsl?raw';
import projectionText from './projection.wgsl?raw';
import projectionBackwardText from './projection.backward.wgsl?raw';
import slotsText from './slots.wgsl?raw';
import tilesText from './tiles.wgsl?raw';

const file = (name: string, text: string): WgslFile => ({ name: `rasterizer/${name}`, text });

const CAMERA = file('camera.wgsl', cameraText);
const PROJECTION = file('projection.wgsl', projectionText);
const PROJECTION_BACKWARD = file('projection.backward.wgsl', projectionBackwardText);
const SLOTS = file('slots.wgsl', slotsText);
const TILES = file('tiles.wgsl', tilesText);
const SUBGROUPS = file('kernels.ts', 'enable subgroups;\ndiagnostic(off, subgroup_uniformity);');

const COMPOSITE = {
  columns: {
    before: [SUBGROUPS],
    shared: file('composite-columns.wgsl', columnsText),
    forward: file('composite-columns.forward.wgsl', columnsForwardText),
    backward: file('composite-columns.backward.wgsl', columnsBackwardText),
  },
  pixels: {
    before: [],
    shared: file('composite-pixels.wgsl', pixelsText),
    forward: file('composite-pixels.forward.wgsl', pixelsForwardText),
    backward: file('composite-pixels.backward.wgsl', pixelsBackwardText),
  },
} as const;

const BINNED = { count: 'read', slotOffsets: 'read' } as const;
const WORLD = { count: 'read', camera: 'uniform', meanOpacity: 'read', rotation: 'read', scale: 'read' } as const;
const DRAWN = { counters: 'read', intersections: 'read', projected: 'read' } as const;

export type ForwardKernels = Awaited<ReturnType<typeof createForwardKernels>>;

/** The kernels that draw, for one shape. */
export async function createForwardKernels(gpu: Gpu, shape: RasterizerShape) {
  const constants = rasterizerConstants(shape);
  const composite = COMPOSITE[shape.variant];
  const order = (entryPoint: 'countTiles' | 'scatter') =>
    createKernel(gpu, {
      label: `order: ${entryPoint}`,
      files: [constants, SLOTS, file('order.wgsl', orderText)],
      entryPoint,
      bindings: {
        ...BINNED,
        depthOrder: 'read',
        slots: 'read',
        counters: 'readWrite',
        intersections: 'readWrite',
      },
    });
  const [project, bin, countTiles, scatter, compositeForward] = await Promise.all([
    createKernel(gpu, {
      label: 'project',
      files: [constants, CAMERA, PROJECTION, TILES, file('project.wgsl', projectText)],
      bindings: {
        ...WORLD,
        rgb: 'read',
        projected: 'readWrite',
        depthKeys: 'readWrite',
        gaussianIndices: 'readWrite',
        slotOffsets: 'readWrite',
      },
    }),
    createKernel(gpu, {
      label: 'bin',
      files: [constants, SLOTS, TILES, file('bin.wgsl', binText)],
      bindings: { ...BINNED, projected: 'read', slots: 'readWrite', status: 'readWrite' },
    }),
    order('countTiles'),
    order('scatter'),
    createKernel(gpu, {
      label: 'composite forward',
      files: [...composite.before, constants, CAMERA, composite.shared, composite.forward],
      bindings: { camera: 'uniform', ...DRAWN, image: 'readWrite' },
    }),
  ]);
  return { project, bin, countTiles, scatter, compositeForward };
}

export type BackwardKernels = Awaited<ReturnType<typeof createBackwardKernels>>;

/** The kernels that carry the image's gradient back, for one shape. */
export async function createBackwardKernels(gpu: Gpu, shape: RasterizerShape) {
  const constants = rasterizerConstants(shape);
  const composite = COMPOSITE[shape.variant];
  const projectedGradient = { mean2dGradient: 'read', covarianceOpacityGradient: 'read' } as const;
  const projection = [constants, CAMERA, PROJECTION, PROJECTION_BACKWARD];
  const camera = (entryPoint: 'sumParts' | 'sumAll') =>
    createKernel(gpu, {
      label: `camera backward: ${entryPoint}`,
      files: [...projection, file('camera.backward.wgsl', cameraBackwardText)],
      entryPoint,
      bindings: { ...WORLD, ...projectedGradient, parts: 'readWrite', cameraGradient: 'readWrite' },
    });
  const [compositeBackward, gather, projectBackward, sumCameraParts, sumCamera] = await Promise.all([
    createKernel(gpu, {
      label: 'composite backward',
      files: [...composite.before, constants, composite.shared, composite.backward],
      bindings: { ...DRAWN, image: 'read', imageGradient: 'read', intersectionGradients: 'readWrite' },
    }),
    createKernel(gpu, {
      label: 'gather',
      files: [constants, SLOTS, file('gather.wgsl', gatherText)],
      bindings: {
        ...BINNED,
        slots: 'read',
        intersectionGradients: 'read',
        projected: 'read',
        mean2dGradient: 'readWrite',
        covarianceOpacityGradient: 'readWrite',
        rgbGradient: 'readWrite',
      },
    }),
    createKernel(gpu, {
      label: 'project backward',
      files: [...projection, file('project.backward.wgsl', projectBackwardText)],
      bindings: {
        ...WORLD,
        ...projectedGradient,
        meanOpacityGradient: 'readWrite',
        rotationGradient: 'readWrite',
        scaleGradient: 'readWrite',
      },
    }),
    camera('sumParts'),
    camera('sumAll'),
  ]);
  return { compositeBackward, gather, projectBackward, sumCameraParts, sumCamera };
}
