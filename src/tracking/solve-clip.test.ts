import { describe, expect, it } from 'vitest';
import { projectLandmarks } from '../../test/made-clip.ts';
import { sharedPath } from '../../test/shared.ts';
import { createBuiltinHead } from '../head/builtin/builtin-head.ts';
import { createIctHead } from '../head/ict/ict-head.ts';
import { loadFaceModels } from '../inference/face-models.ts';
import { matrixFromAxisAngle, multiplyMatrices } from '../math/rotation.ts';
import { openCacheFolder } from '../platform/node/cache-folder.ts';
import { readCanonicalFace } from '../platform/node/canonical-face.ts';
import { openFolder } from '../platform/node/folder.ts';
import { createNodeInference } from '../platform/node/litert.ts';
import { openModelFiles } from '../platform/node/model-files.ts';
import { nodeVideoPlatform } from '../platform/node/node-video.ts';
import { openVideo } from '../video/open-video.ts';
import { planCrop, landmarksInCrop } from './crop.ts';
import { observeVideo } from './observe-video.ts';
import { median } from '../math/median.ts';
import { FACE_MESH_PARTS } from './solve-landmarks.ts';
import { solveTrack } from './solve-track.ts';

const clip = sharedPath('data/clips/address-turns.mp4');
const models = sharedPath('data/models');
const ict = sharedPath('data/heads/ict-facekit');

describe.skipIf(!clip || !models || !ict)('a real clip (needs ../shared/data)', () => {
  it(
    'is explained to within two pixels by both heads, lids and lips by the bare mesh',
    { timeout: 300_000 },
    async () => {
      const video = await openVideo(clip!, nodeVideoPlatform);
      const faceModels = await loadFaceModels(await createNodeInference(), await openModelFiles(models!));
      const { observations } = await observeVideo(video, faceModels, { maximumFrames: 40 });
      faceModels.close();
      const crops = planCrop(observations);
      const { width: videoWidth, height: videoHeight } = video.info;
      const canonicalFace = readCanonicalFace();
      const heads = [
        createBuiltinHead(canonicalFace),
        await createIctHead(await openFolder(ict!), canonicalFace, { cache: openCacheFolder() }),
      ];
      for (const head of heads) {
        const track = await solveTrack(head, observations, { videoWidth, videoHeight, crops, size: 512 });
        expect(track.frames.filter(({ excluded }) => excluded !== null)).toHaveLength(0);
        const residual = median(track.frames.map((frame) => frame.residual));
        const features = median(
          track.frames.flatMap(({ pose, camera }, i) => {
            const found = projectLandmarks(
            head, track.identityCoefficients, pose, camera.focalX, camera.principalX, camera.principalY,
          ); // prettier-ignore
            const seen = landmarksInCrop(observations[i].landmarks, crops[i], 512);
            const { lipsOuter, lipsInner, leftEyelids, rightEyelids } = FACE_MESH_PARTS;
            return [...lipsOuter, ...lipsInner, ...leftEyelids, ...rightEyelids].map((l) =>
              Math.hypot(found[l * 2] - seen[l * 3], found[l * 2 + 1] - seen[l * 3 + 1]),
            );
          }),
        );
        const yaws = track.frames.map(({ pose }) => {
          const rotation = multiplyMatrices(matrixFromAxisAngle(pose.headRotation), matrixFromAxisAngle(pose.neckPose));
          return (Math.atan2(-rotation[2], -rotation[8]) * 180) / Math.PI;
        });
        // Measured 1.06 and 1.02 px, features 1.18 and 1.39 px.
        expect(residual).toBeLessThan(1.6);
        expect(features).toBeLessThan(2);
        // README of the data: yaw −20…+18°.
        expect(Math.min(...yaws)).toBeLessThan(-12);
        expect(Math.max(...yaws)).toBeGreaterThan(10);
      }
    },
  );
});
