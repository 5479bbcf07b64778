import type { Avatar } from '../src/avatar/avatar.ts';
import { triangleSizesReference } from '../src/binding/placement.reference.ts';
import { sampleAtlas } from '../src/binding/sampling.ts';
import { SH_C0, type GaussianSet } from '../src/gaussians/layout.ts';
import { createBuiltinHead } from '../src/head/builtin/builtin-head.ts';
import type { RegionName } from '../src/head/head-model.ts';
import { neutralPose } from '../src/head/pose.ts';
import { randomUniform } from '../src/math/random.ts';
import { readCanonicalFace } from '../src/platform/node/canonical-face.ts';

const SKIN = [0.82, 0.62, 0.52];
const COLORS: Partial<Record<RegionName, readonly number[]>> = {
  scalp: [0.25, 0.17, 0.12],
  lips: [0.75, 0.35, 0.35],
  leftEyeball: [0.95, 0.95, 0.95],
  rightEyeball: [0.95, 0.95, 0.95],
  upperTeeth: [0.95, 0.93, 0.88],
  lowerTeeth: [0.95, 0.93, 0.88],
};

/** An avatar without a fit, for tests: the built-in head, Gaussians over its atlas, coloured by region with some noise. */
export function sampleAvatar(count = 6000): Avatar {
  const head = { ...createBuiltinHead(readCanonicalFace()), identityBasis: new Float32Array(0), identityNames: [] };
  const { triangleIndices, barycentrics, logScale } = sampleAtlas(head, { count, seed: 1 });
  const localRotation = new Float32Array(count * 4);
  const color = new Float32Array(count * 3);
  for (let index = 0; index < count; index++) {
    localRotation[index * 4] = 1;
    const rgb = COLORS[head.regionNames[head.triangleRegions[triangleIndices[index]!]!]!] ?? SKIN;
    const shade = 0.85 + 0.3 * randomUniform(1, 2, index);
    for (let channel = 0; channel < 3; channel++) color[index * 3 + channel] = (rgb[channel]! * shade - 0.5) / SH_C0;
  }
  const gaussians: GaussianSet = {
    count,
    triangleIndices,
    barycentrics,
    localRotation,
    logScale: logScale.map((value) => value - 0.4),
    opacityLogit: new Float32Array(count).fill(2),
    color,
    normalOffset: new Float32Array(count),
  };
  const atRest = neutralPose(head.expressionNames.length);
  return {
    head,
    vertexOffset: new Float32Array(head.vertexCount * 3),
    gaussians,
    canonicalSizes: Float32Array.from(triangleSizesReference(head.triangles, head.templateVertices)),
    trackCorrection: null,
    neutralPose: {
      ...atRest,
      headRotation: Float32Array.of(Math.PI, 0, 0),
      headTranslation: Float32Array.of(0, 0, 0.8),
    },
    camera: { width: 256, height: 256, focalX: 560, focalY: 560, principalX: 128, principalY: 128 },
    identityCoefficients: new Float32Array(0),
  };
}
