import { describe, expect, it } from 'vitest';
import { createBuiltinHead } from '../src/head/builtin/builtin-head.ts';
import { ARKIT_EXPRESSION_NAMES } from '../src/head/head-model.ts';
import { neutralPose } from '../src/head/pose.ts';
import { loadFaceModels } from '../src/inference/face-models.ts';
import { readCanonicalFace } from '../src/platform/node/canonical-face.ts';
import { createNodeInference } from '../src/platform/node/litert.ts';
import { openModelFiles } from '../src/platform/node/model-files.ts';
import { createMeshRenderer } from '../src/synthetic/mesh-renderer.ts';
import { createSubjectScene } from '../src/synthetic/subject-scene.ts';
import { detectFaces } from '../src/tracking/face-detector.ts';
import { regionFromDetection, regionFromLandmarks, runBlendshapes, runFaceMesh } from '../src/tracking/face-mesh.ts';
import type { Camera } from '../src/tracking/track.ts';
import type { Image } from '../src/video/frame.ts';
import { testGpu } from './gpu.ts';
import { sharedPath } from './shared.ts';

const models = sharedPath('data/models');

const SIDE = 384;
const camera: Camera = {
  width: SIDE,
  height: SIDE,
  focalX: SIDE * 1.9,
  focalY: SIDE * 1.9,
  principalX: SIDE / 2,
  principalY: SIDE / 2,
};
const IDENTITY = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];

/**
 * Expression, and the score that it must reach at full strength: measured values less a margin. Chosen among those that the
 * network does name; most others it does not (docs/decisions/builtin-head.md has all of them).
 */
const RECOGNISED = [
  ['mouthSmile', 0.6],
  ['eyeBlink', 0.55],
  ['eyeLookIn', 0.35],
  ['jawOpen', 0.4],
  ['mouthPucker', 0.7],
  ['browInnerUp', 0.45],
  ['mouthStretch', 0.25],
] as const;

describe('built-in head: a network that knows faces names seven of its expressions', () => {
  it.skipIf(!models)(
    'still reads smile, blink, gaze, jaw, pucker, brow and stretch (needs shared/data/models)',
    async () => {
      const head = createBuiltinHead(readCanonicalFace());
      const renderer = await createMeshRenderer(await testGpu());
      const identity = new Float32Array(head.identityNames.length);
      const scene = await createSubjectScene(renderer, head, identity, 1, { textureSize: 512 });
      const networks = await loadFaceModels(await createNodeInference(), await openModelFiles(models!));
      const scoresOf = async (names: readonly string[]): Promise<Float32Array> => {
        const pose = neutralPose(head.expressionNames.length);
        pose.headRotation[0] = Math.PI;
        pose.headTranslation[2] = 0.82;
        for (const name of names) pose.expressionCoefficients[head.expressionNames.indexOf(name)] = 1;
        const parts = [...scene.headParts(pose), ...scene.torsoParts(pose)];
        const image = overGrey(await renderer.render(parts, { camera, cameraFromWorld: IDENTITY }));
        const [face] = await detectFaces(networks.detector, image);
        expect(face, names.join()).toBeDefined();
        const coarse = await runFaceMesh(networks, image, regionFromDetection(face!));
        const { landmarks } = await runFaceMesh(networks, image, regionFromLandmarks(coarse.landmarks));
        return (await runBlendshapes(networks, landmarks))!;
      };
      const rest = await scoresOf([]);
      for (const [name, least] of RECOGNISED) {
        const sided = (ARKIT_EXPRESSION_NAMES as readonly string[]).includes(`${name}Left`);
        const names = sided ? [`${name}Left`, `${name}Right`] : [name];
        const scores = await scoresOf(names);
        for (const own of names) {
          const index = (ARKIT_EXPRESSION_NAMES as readonly string[]).indexOf(own);
          expect(scores[index], own).toBeGreaterThan(least);
          expect(scores[index]! - rest[index]!, `${own} above rest`).toBeGreaterThan(0.2);
        }
      }
      networks.close();
      renderer.dispose();
    },
  );
});

/** RGB over a plain wall. */
function overGrey({ width, height, data }: Image): Image {
  const rgb = new Uint8Array(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const alpha = data[pixel * 4 + 3]! / 255;
    for (let k = 0; k < 3; k++) rgb[pixel * 3 + k] = Math.round(data[pixel * 4 + k]! * alpha + 160 * (1 - alpha));
  }
  return { width, height, channels: 3, data: rgb };
}
