import { describe, expect, it } from 'vitest';
import { madeClip, madeFace, projectLandmarks, type MadeClip } from '../../test/made-clip.ts';
import { axisAngleFromMatrix, matrixFromAxisAngle, multiplyMatrices, transposeMatrix } from '../math/rotation.ts';
import { NoUsableFaceError, solveTrack, type SolveTrackOptions } from './solve-track.ts';
import type { Track, TrackFrame } from './track.ts';

const head = madeFace();

function optionsFor(clip: MadeClip): SolveTrackOptions {
  return { videoWidth: clip.videoWidth, videoHeight: clip.videoHeight, crops: clip.crops, size: 512 };
}

/** Camera-from-head rotation of a frame with the neck's share put back. */
function wholeRotation({ pose }: TrackFrame): Float64Array {
  return multiplyMatrices(matrixFromAxisAngle(pose.headRotation), matrixFromAxisAngle(pose.neckPose));
}

/** Degrees per frame between the track and the exact poses. */
function rotationErrors(track: Track, clip: MadeClip): number[] {
  return track.frames.map((frame, i) => {
    const exact = matrixFromAxisAngle(clip.poses[i].headRotation);
    const off = multiplyMatrices(wholeRotation(frame), transposeMatrix(exact));
    return (Math.hypot(...axisAngleFromMatrix(off)) * 180) / Math.PI;
  });
}

/** Mean pixel distance at 512² between the tracked head's landmarks and the exact ones, per frame. */
function reprojectionErrors(track: Track, clip: MadeClip): number[] {
  return track.frames.map(({ pose, camera }, i) => {
    const scale = camera.width / clip.crops[i].size;
    const found = projectLandmarks(
      head, track.identityCoefficients, pose, camera.focalX, camera.principalX, camera.principalY,
    ); // prettier-ignore
    const exact = projectLandmarks(
      head, clip.identity, clip.poses[i], clip.focal * scale,
      (clip.videoWidth / 2 - clip.crops[i].x) * scale, (clip.videoHeight / 2 - clip.crops[i].y) * scale,
    ); // prettier-ignore
    let sum = 0;
    for (let k = 0; k < found.length; k += 2) sum += Math.hypot(found[k] - exact[k], found[k + 1] - exact[k + 1]);
    return sum / (found.length / 2);
  });
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('solveTrack', () => {
  it('finds pose, expression and focal of a made take with yaw ±40°, noise and outliers', async () => {
    const clip = madeClip(head, { frameCount: 90, noise: 0.5, outliers: 0.05 });
    const start = performance.now();
    const track = await solveTrack(head, clip.observations, optionsFor(clip));
    console.log('ms', performance.now() - start, 'rot', mean(rotationErrors(track, clip)), 'rep', mean(reprojectionErrors(track, clip)), 'focal', track.frames[0].camera.focalX * 400 / 512, 'res', mean(track.frames.map((f) => f.residual)), track.warnings);
    expect(mean(rotationErrors(track, clip))).toBeLessThan(1);
    expect(mean(reprojectionErrors(track, clip))).toBeLessThan(1);
  });
});
