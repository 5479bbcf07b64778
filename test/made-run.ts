import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Gpu } from '../src/gpu/gpu.ts';
import { axisAngleFromMatrix, matrixFromAxisAngle, multiplyMatrices } from '../src/math/rotation.ts';
import { fileDigest } from '../src/platform/node/atomic-file.ts';
import { FrameImages } from '../src/platform/node/frame-images.ts';
import { RunFolder } from '../src/platform/node/run-folder.ts';
import { serializeTrack } from '../src/tracking/track-json.ts';
import type { Track } from '../src/tracking/track.ts';
import { AvatarRenderer } from '../src/viewer/avatar-renderer.ts';
import { centredCamera } from '../src/viewer/views.ts';
import { sampleAvatar } from './sample-avatar.ts';

const FACING = Float64Array.of(1, 0, 0, 0, -1, 0, 0, 0, -1);

/**
 * A run folder whose track is done, without a video that has a face in it: the sample avatar, drawn in some poses. What
 * follows the track (fit, evaluate, render, export) then runs on any machine in seconds.
 */
export async function makeTrackedFolder(gpu: Gpu, path: string, { frames = 8, size = 64 } = {}): Promise<void> {
  const avatar = sampleAvatar(3000);
  const camera = centredCamera(avatar.camera, size);
  const videoPath = `${path}.mp4`;
  await writeFile(videoPath, 'stands for the video, which is only read by tracking');
  const folder = await RunFolder.open(path, { video: { path: videoPath, ...(await fileDigest(videoPath)) } });
  await folder.begin('track', { head: 'builtin', size, models: null, frames: null });
  const images = new FrameImages(await folder.claim('track', 'frames'));
  await images.clear();
  const renderer = await AvatarRenderer.create(gpu, avatar);
  const smile = avatar.head.expressionNames.indexOf('mouthSmileLeft');
  const poses = Array.from({ length: frames }, (_, frame) => {
    const turn = matrixFromAxisAngle([0, 0.3 * Math.sin(frame), 0]);
    const expressionCoefficients = avatar.neutralPose.expressionCoefficients.slice();
    expressionCoefficients[smile] = 0.5 + 0.5 * Math.sin(2 * frame);
    const headRotation = Float32Array.from(axisAngleFromMatrix(multiplyMatrices(FACING, turn)));
    return { ...avatar.neutralPose, headRotation, expressionCoefficients };
  });
  for (const [frame, pose] of poses.entries())
    await images.write(frame, await renderer.render(pose, camera, { transparent: true }));
  renderer.dispose();
  const track: Track = {
    headName: avatar.head.name,
    expressionNames: avatar.head.expressionNames,
    identityCoefficients: new Float32Array(0),
    frames: poses.map((pose, frame) => ({
      sourceIndex: frame,
      timestamp: frame / 25,
      camera,
      pose,
      residual: 1,
      excluded: null,
    })),
    warnings: [],
  };
  await folder.write('track', 'track.json', serializeTrack(track));
  await folder.finish('track', {
    frames,
    excluded: 0,
    meanResidual: 1,
    warnings: [],
    videoFrames: frames,
    trackSha256: 'made',
    peakMemoryMB: 0,
  });
  await folder.close();
}

/** Rewrites the track file of a folder. */
export async function editTrack(path: string, edit: (text: string) => string): Promise<void> {
  const file = join(path, 'track.json');
  await writeFile(file, edit(await readFile(file, 'utf8')));
}
